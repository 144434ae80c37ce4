// TaskLocals: an event loop and a context, and which ones are current. The names are PyO3 Asyncio's.
//
// They rarely have to be named: inside a function that Python called they are the caller's, inside a `scope` the
// scope's, and elsewhere the background loop and a fresh context.
import { attributeAt, callHelper, missing } from "../proxy/call.ts";
import { handOutMember } from "../values/handouts.ts";
import { addressOf } from "../proxy/lifetime.ts";
import { type CallContext, currentCallContext, runInCallContext } from "../context/call_context.ts";
import type { PyProxy } from "../proxy/py_proxy.ts";
import { Reference } from "../interpreter/reference.ts";
import { stateOf } from "../values/proxy_state.ts";
import { BACKGROUND } from "../interpreter/inbox.ts";

/** Where to run something. */
export interface Destination {
  readonly loop: number;
  readonly context: Reference | undefined;
  /** The loop does not run yet; waiting for it does not keep the process alive. */
  readonly waits: boolean;
}

/** The loop and the context, without handing them out. */
let partsOf: (locals: TaskLocals) => [eventLoop: PyProxy, context: PyProxy | null];

/**
 * A Python event loop and context in which to run something. As PyO3 Asyncio's `TaskLocals`.
 *
 * @example
 * ```ts
 * import { intoPromise, python, TaskLocals } from "pyawait";
 * const loop = await python.execAsync("import asyncio; asyncio.get_running_loop()");
 * const locals = new TaskLocals(loop, python.import("contextvars").copy_context());
 * await intoPromise(python.import("asyncio").sleep(0), { locals });
 * ```
 */
export class TaskLocals {
  readonly #eventLoop: PyProxy;
  readonly #context: PyProxy | null;

  /**
   * @param eventLoop an asyncio event loop; it need not run yet
   * @param context a `contextvars.Context`, of which each task gets a copy; `null` (default): a fresh one
   * @throws {TypeError} if an argument is of another kind
   */
  constructor(eventLoop: PyProxy, context: PyProxy | null = null) {
    if (!hasAttribute(eventLoop, "call_soon_threadsafe")) {
      throw new TypeError(`Cannot make TaskLocals of ${String(eventLoop)}: the first argument has to be an asyncio event loop`);
    }
    if (context !== null && !hasAttribute(context, "run")) {
      throw new TypeError(`Cannot make TaskLocals with context ${String(context)}: it has to be a contextvars.Context, or null`);
    }
    this.#eventLoop = eventLoop.$copy();
    this.#context = context && context.$copy();
  }

  /** The asyncio event loop. Each read hands the proxy out once more. */
  get eventLoop(): PyProxy {
    return handOutMember(this.#eventLoop);
  }

  /** The `contextvars.Context`, or `null` for a fresh one. Each read hands the proxy out once more. */
  get context(): PyProxy | null {
    return handOutMember(this.#context);
  }

  static {
    Object.defineProperty(this, "name", { value: "TaskLocals", configurable: true }); // bundlers rename a class that refers to itself
    partsOf = (locals) => [locals.#eventLoop, locals.#context];
  }

  /**
   * The running loop, without a context; see {@linkcode getRunningLoop}.
   *
   * @returns new locals
   * @throws {Error} if no loop runs here
   * @example
   * ```ts
   * import { python, TaskLocals } from "pyawait";
   * const check = async () => TaskLocals.withRunningLoop().eventLoop.is_running();
   * console.log(await python.execAsync("await check()", { globals: { check } })); // true
   * ```
   */
  static withRunningLoop(): TaskLocals {
    return new TaskLocals(getRunningLoop());
  }

  /**
   * The same loop with another context.
   *
   * @param context a `contextvars.Context`, or `null` for a fresh one
   * @returns new locals; these do not change
   * @throws {TypeError} if `context` is neither
   */
  withContext(context: PyProxy | null): TaskLocals {
    return new TaskLocals(this.#eventLoop, context);
  }

  /**
   * The same loop with a copy of the current context.
   *
   * @returns new locals; these do not change
   */
  copyContext(): TaskLocals {
    return new TaskLocals(this.#eventLoop, currentContext());
  }
}

function hasAttribute(value: unknown, name: string): boolean {
  const state = stateOf(value);
  return state !== undefined && attributeAt(addressOf(state), name) !== missing;
}

function currentContext(): PyProxy {
  const here = currentCallContext();
  const context = here?.locals instanceof TaskLocals ? partsOf(here.locals)[1] : null;
  if (context) return callHelper("copy_context_of", context) as PyProxy;
  return callHelper("fresh_context") as PyProxy; // in a call context this call runs in a copy of its context
}

/**
 * The loop and context in which to run something.
 *
 * @throws {TypeError} if the locals are not TaskLocals
 * @throws {PythonError} if the loop is closed
 */
export function destinationOf(locals: TaskLocals | undefined, from: CallContext | undefined): Destination {
  const chosen = locals ?? (from?.locals as TaskLocals | undefined);
  if (chosen === undefined) return { loop: from?.loop ?? BACKGROUND, context: from?.context, waits: false };
  if (!(chosen instanceof TaskLocals)) throw new TypeError(`Cannot run in ${String(chosen)}: locals has to be TaskLocals`);
  const [eventLoop, given] = partsOf(chosen);
  const loop = callHelper("connect_loop", eventLoop) as number; // negative if it does not run yet
  const context = given ? stateOf(given)! : undefined;
  if (context) addressOf(context);
  return { loop: loop < 0 ? -loop - 1 : loop, context: context?.reference, waits: loop < 0 };
}

/** The id of the loop of a scope's locals. */
export function loopOfLocals(locals: unknown): number {
  return destinationOf(locals as TaskLocals, undefined).loop;
}

/**
 * Runs `fn`, and everything that it starts, with these locals current. As PyO3 Asyncio's `scope`.
 *
 * The locals travel with `AsyncLocalStorage`, so they hold across `await`, timers and microtasks.
 *
 * @param locals the default `locals` of `intoPromise` and the other functions that await Python
 * @param fn a function, asynchronous or not
 * @returns what `fn` returns
 * @throws {TypeError} if `locals` is not TaskLocals
 * @example
 * ```ts
 * import { getCurrentLocals, python, scope, TaskLocals } from "pyawait";
 * const { eventLoop } = getCurrentLocals();
 * const context = python.import("contextvars").copy_context();
 * await scope(new TaskLocals(eventLoop, context), () => python.import("asyncio").sleep(0));
 * ```
 */
export function scope<T>(locals: TaskLocals, fn: () => T): T {
  if (!(locals instanceof TaskLocals)) {
    throw new TypeError(`Cannot open a scope with ${String(locals)}: scope(locals, fn) takes TaskLocals`);
  }
  if (typeof fn !== "function") throw new TypeError(`Cannot open a scope for ${String(fn)}: scope(locals, fn) takes a function`);
  const outer = currentCallContext(), [, given] = partsOf(locals);
  const context = given ? stateOf(given)!.reference : undefined;
  const inner: CallContext = { loop: outer?.loop ?? BACKGROUND, running: outer?.running === true, context, locals, served: outer?.served };
  return runInCallContext(inner, fn);
}

/**
 * The current locals: those of the enclosing {@linkcode scope}; in a function that Python called, the caller's loop and
 * a copy of its context; else the background loop and a fresh context. As PyO3 Asyncio's `get_current_locals`.
 *
 * @returns new locals, or the ones that the scope was given
 * @throws {PythonError} if the current loop is closed
 * @example
 * ```ts
 * import { getCurrentLocals, intoPromise, python } from "pyawait";
 * const locals = getCurrentLocals();
 * setTimeout(() => intoPromise(python.import("asyncio").sleep(0), { locals }), 10);
 * ```
 */
export function getCurrentLocals(): TaskLocals {
  const here = currentCallContext();
  if (here?.locals) return here.locals as TaskLocals;
  return new TaskLocals(getCurrentLoop(), currentContext());
}

/**
 * The current loop; see {@linkcode getCurrentLocals}.
 *
 * @returns an asyncio event loop
 * @throws {PythonError} if it is closed
 * @example
 * ```ts
 * import { getCurrentLoop } from "pyawait";
 * getCurrentLoop().is_running(); // true: the background loop
 * ```
 */
export function getCurrentLoop(): PyProxy {
  const here = currentCallContext();
  if (here?.locals) return (here.locals as TaskLocals).eventLoop;
  return callHelper("loop_by_id", here?.loop ?? BACKGROUND) as PyProxy;
}

/**
 * The loop on which Python called this function. As PyO3 Asyncio's `get_running_loop`.
 *
 * @returns an asyncio event loop
 * @throws {Error} if no loop runs here: on JavaScript's own thread, in a function that Python calls from a thread
 *   without a loop, or in one that it calls during a synchronous call from JavaScript
 * @example
 * ```ts
 * import { getRunningLoop, python } from "pyawait";
 * const isRunning = async () => getRunningLoop().is_running();
 * await python.execAsync("await is_running()", { globals: { is_running: isRunning } }); // true
 * ```
 */
export function getRunningLoop(): PyProxy {
  const here = currentCallContext();
  if (!here?.running) {
    const where = here ? "where Python called this function" : "on the JavaScript thread";
    throw new Error(`Cannot get the running loop: no event loop runs ${where}; getCurrentLoop() gives the one that is used here`);
  }
  return callHelper("loop_by_id", here.loop) as PyProxy;
}
