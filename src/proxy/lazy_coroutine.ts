// A coroutine that may not exist in Python yet: calling an `async def` proxy keeps the call as bytes.
//
// Awaiting sends the bytes to the loop without attaching, so it never waits for the GIL. Any other use makes the
// coroutine object (`makeCoroutine`). A call that is neither sent nor made returns its handles and pins (`dropLazy`).
import { bridge } from "../interpreter/bridge.ts";
import { Reference } from "../interpreter/reference.ts";
import { takeBack } from "../values/encoding.ts";
import { exemptFromTidy } from "../values/handouts.ts";
import { type LazyCall, State, stateOf } from "../values/proxy_state.ts";
import { Kind } from "../wire/numbers.ts";
import { callEncoded, encodeCall } from "./call.ts";
import { forgetProxy, rememberProxy } from "./registry.ts";
import { targetOf } from "./target.ts";

const neverAwaited = new FinalizationRegistry(dropLazy);

/** The proxy of a coroutine whose object is made only when more than awaiting is asked of it. */
export function lazyCoroutine(callee: State, args: readonly unknown[]): object {
  const state = new State(new Reference(0), Kind.awaitable | Kind.coroutine, 0);
  const lazy = state.lazy = encodeCall(callee, args);
  const proxy = state.self = new Proxy(targetOf(state, false), bridge.traps);
  if (lazy.pins.length > 0 || lazy.handles.length > 0) neverAwaited.register(proxy, lazy); // something has to be returned
  return proxy;
}

/**
 * Takes the call out of its proxy, to send or to make it.
 *
 * @throws {TypeError} if the function was destroyed
 */
export function takeLazy(state: State): LazyCall {
  const lazy = state.lazy!;
  const { callee: { reference }, pins } = lazy;
  if (reference.address === 0) throw new TypeError("Cannot run this coroutine: its function was destroyed");
  state.lazy = undefined;
  lazy.used = true;
  reference.pins++, pins.push(reference);
  return lazy;
}

/** Gives up a call that will not be made. */
export function dropLazy(lazy: LazyCall | undefined): void {
  if (!lazy || lazy.used) return;
  lazy.used = true;
  takeBack(lazy);
}

/** Makes the coroutine object, which then belongs to the proxy that already stands for it. */
export function makeCoroutine(state: State): void {
  const { bytes, pins } = takeLazy(state);
  let made: unknown;
  try {
    made = callEncoded(bytes);
  } finally {
    for (const reference of pins) reference.unpin();
  }
  const other = stateOf(made);
  if (!other) throw new TypeError("Cannot use this coroutine: its function did not return one");
  forgetProxy(other);
  exemptFromTidy(other);
  state.reference = other.reference;
  state.kinds = other.kinds;
  state.type = other.type;
  rememberProxy(state.self!, state);
}
