// Holds: how often the bridge has handed a proxy out, less what was given up. At none its object is released.
//
// The one thing to know: what keeps a proxy for itself, an error or TaskLocals, has a hold of its own and hands out others,
// so `using` in one place never takes the object from another; and `tidy` is told of each that is handed out in it.
import { type State, stateOf } from "./proxy_state.ts";

/** What was handed out in the innermost `tidy`; only `collectHolds` replaces it. */
let handedOut: State[] | undefined;

/** A proxy is made and handed out. */
export function handOutNew(state: State): void {
  handedOut?.push(state);
}

/** A proxy that is there is handed out again. */
export function handOut(state: State): void {
  state.reference.holds++;
  handedOut?.push(state);
}

/** A member that is a proxy, handed out by its owner. */
export function handOutMember<T>(member: T): T {
  const state = stateOf(member);
  if (state && state.destroyed === undefined) handOut(state);
  return member;
}

/** What was handed out last of this is kept by somebody of ours, whatever becomes of it in `tidy`. */
export function exemptFromTidy(state: State): void {
  const at = handedOut?.lastIndexOf(state) ?? -1;
  if (at >= 0) handedOut!.splice(at, 1);
}

/** A proxy has been handed out to nobody. */
export function withdraw(state: State): void {
  state.reference.holds--;
  exemptFromTidy(state);
}

/** Runs `fn`, and then `end` with what was handed out meanwhile, which the outer one is not told of. */
export function collectHolds<T>(fn: () => T, end: (states: State[], outer: State[] | undefined) => void): T {
  const outer = handedOut, mine: State[] = handedOut = [];
  try {
    return fn();
  } finally {
    handedOut = outer;
    end(mine, outer);
  }
}
