// Coroutines that were called and are never awaited, of which Python warns.
//
// A call adds one entry to a list. What its turn has not used when it ends is watched: until it is used, its proxy is
// collected, or Python ends, where no finalizer runs. Making a line takes longer than the call, so only the first calls
// of each function keep theirs.
import { queueMicrotask } from "../../ffi/intrinsics.ts";
import { fileURLToPath } from "node:url";
import { bridge } from "../interpreter/bridge.ts";
import { isClosed } from "../interpreter/interpreter.ts";
import { helper } from "../interpreter/invoke.ts";
import { takeBack } from "../values/encoding.ts";
import type { LazyCall, State } from "../values/proxy_state.ts";
import { isOwnFrame } from "../values/python_error.ts";
import { callHelper } from "./call.ts";

const { captureStackTrace } = Error;

/** How many calls of each function keep the line that made them. */
const linesKept = 4;

/** Calls after which those of a turn are looked through before it ends, which a loop without an `await` never does. To look
 * at calls that are about to be awaited costs more than they do, so it is more than are ever in flight. */
const most = 1 << 17;

/** Calls that one record tells Python of. */
const perRecord = 1000;

/** This heap's calls of `async def`s; only this file writes it. */
const calls = {
  /** Made since the last look. */
  made: [] as State[],
  /** Neither used nor collected when their turn ended. */
  unused: new Set<LazyCall>(),
  /** Of coroutines that were collected. */
  lost: [] as LazyCall[],
  /** How many of a function were made, by the number of its code; from `linesKept` on it is not counted further. */
  counts: new Uint8Array(1 << 16),
  /** Every call keeps its line: asyncio's debug mode. */
  debug: false,
};

const collected = new FinalizationRegistry<LazyCall>((lazy) => {
  if (lazy.used) return;
  if (calls.lost.push(lazy) === 1) queueMicrotask(reportLost);
});

/** Asks Python now for what a finalizer must not ask for: it must not attach. */
export function prepareWarnings(): void {
  helper("warn_never_awaited");
  calls.debug = callHelper("is_debugging") === true;
}

/** Watches a call that was made, which keeps its line if it is one of the function's first. `entry`: what the user called. */
export function watch(state: State, lazy: LazyCall, entry: (...args: never[]) => unknown): void {
  const code = lazy.callee.type >>> 16;
  if (calls.counts[code] < linesKept || calls.debug) {
    if (calls.counts[code] < linesKept) calls.counts[code]++;
    lazy.trace = traceOf(entry);
  }
  const count = calls.made.push(state);
  if (count === 1) queueMicrotask(() => queueMicrotask(look)); // the second: `await` calls `then` in a microtask of its own
  else if (count === most) look();
}

/** The call was sent, made or given up: nothing is to be said of it. */
export function unwatch(state: State, lazy: LazyCall): void {
  lazy.used = true;
  if (!lazy.watched) return;
  lazy.watched = false;
  calls.unused.delete(lazy);
  collected.unregister(state);
}

function look(): void {
  const { made } = calls;
  calls.made = [];
  for (const state of made) {
    const { lazy } = state;
    if (!lazy || lazy.watched) continue;
    placeOf(lazy); // now: the trace keeps what the frames' `this` refers to, which may be the coroutine
    lazy.watched = true;
    calls.unused.add(lazy);
    collected.register(state.self!, lazy, state);
  }
}

function traceOf(entry: (...args: never[]) => unknown): { stack?: unknown } {
  const trace = {}, limit = Object.getOwnPropertyDescriptor(Error, "stackTraceLimit");
  Reflect.set(Error, "stackTraceLimit", 4); // fails without an exception where Error is frozen
  captureStackTrace(trace, entry);
  if (limit) Reflect.set(Error, "stackTraceLimit", limit.value);
  return trace;
}

/** The file and line of the JavaScript that made this call, if they were kept. */
export function placeOf(lazy: LazyCall): readonly [file: string, line: number] | undefined {
  const { trace } = lazy;
  if (trace) {
    lazy.trace = undefined;
    lazy.place = placeIn(trace);
  }
  return lazy.place;
}

const isTheirs = (frame: string) => !isOwnFrame(frame) && !/(?:at |[(@])(?:node|ext|bun):/.test(frame);

/** The first place in a trace that is the user's. */
function placeIn(trace: { stack?: unknown }): readonly [file: string, line: number] | undefined {
  let stack = "";
  try {
    stack = String(trace.stack);
  } catch {
    // The user's Error.prepareStackTrace throws.
  }
  const frame = stack.split("\n").find((line) => /:\d+:\d+\)?$/.test(line) && isTheirs(line));
  const found = frame && /^(?:\s+at (?:.*? \()?|.*?@)?(.+):(\d+):\d+\)?$/.exec(frame);
  if (!found) return undefined;
  const [, file, line] = found;
  return [file.startsWith("file:") ? pathOf(file) : file, Number(line)];
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    return url; // another host's, or a broken escape
  }
}

function report(lost: readonly LazyCall[]): void {
  const forgotten = lost.filter((lazy) => !lazy.awaited);
  for (let at = 0; at < forgotten.length; at += perRecord) {
    bridge.warnNeverAwaited(
      forgotten.slice(at, at + perRecord).map((lazy) => {
        const { callee } = lazy, [file, line] = placeOf(lazy) ?? [null, 1];
        return [callee.reference.address === 0 ? null : callee.self, file, line];
      }),
    );
  }
  for (const lazy of lost) {
    lazy.used = true;
    takeBack(lazy);
  }
}

function reportLost(): void {
  const { lost } = calls;
  calls.lost = [];
  for (const lazy of lost) calls.unused.delete(lazy);
  if (!isClosed()) report(lost.filter((lazy) => !lazy.used));
}

/** Python ends: warns of every call that was not used until now. The records have to be submitted. */
export function reportRemaining(): void {
  const fresh = calls.made.map((state) => state.lazy).filter((lazy) => lazy && !lazy.looked) as LazyCall[];
  const all = new Set([...calls.lost, ...calls.unused, ...fresh]);
  calls.made = [], calls.lost = [];
  calls.unused.clear();
  report([...all].filter((lazy) => !lazy.used));
}
