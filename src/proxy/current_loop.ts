// On which event loop's thread a synchronous call is made: what `withLoop` (with_loop.ts) changes and call.ts asks.
import { currentCallContext } from "../context/call_context.ts";
import { bridge } from "../interpreter/bridge.ts";
import { BACKGROUND } from "../interpreter/inbox.ts";
import { Kind } from "../wire/numbers.ts";

/** How many `withLoop` are around the code that runs; only this file writes it. */
let depth = 0;

/** May call Python, and so has to be asked before addresses are. */
export function currentLoopId(): number {
  const here = currentCallContext();
  return here?.locals === undefined ? here?.loop ?? BACKGROUND : bridge.loopOf(here.locals);
}

/** The loop on whose thread something of these kinds is called; `undefined`: here. */
export function loopOfCallee(kinds: number, asynchronous: number = Kind.asynchronous): number | undefined {
  return (kinds & asynchronous) !== 0 || depth > 0 ? currentLoopId() : undefined;
}

/** The loop on whose thread all code of the program's runs that JavaScript asks for; `undefined`: here. */
export const loopOfCode = (): number | undefined => depth > 0 ? currentLoopId() : undefined;

/** Runs `fn` within as many `withLoop` as `around` says. */
function runWithin<T>(around: number, fn: () => T): T {
  const outer = depth;
  depth = around;
  try {
    return fn();
  } finally {
    depth = outer;
  }
}

/** Runs `fn` within one more `withLoop`. */
export const withinLoop = <T>(fn: () => T): T => runWithin(depth + 1, fn);

/** Runs `fn`, which Python calls while `withLoop` waits, as code outside of it. */
export const outsideOfLoops = (fn: () => void): void => runWithin(0, fn);

/** For a function that Python calls back at once, as the body of a `with`: runs it within the `withLoop` that is around now. */
export function withinTheSame(): <T>(fn: () => T) => T {
  const around = depth;
  return (fn) => runWithin(around, fn);
}
