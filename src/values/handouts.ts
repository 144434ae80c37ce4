// Holds: how often the bridge has handed a proxy out, minus the `$destroy`s. At zero its object is released.
//
// Code of pyawait's own that keeps a proxy (an error, TaskLocals) has a hold of its own and hands out further ones, so
// that `using` in one place never takes the object from another. `tidy` learns of every hold handed out during its
// function.
import { type State, stateOf } from "./proxy_state.ts";

/** The holds handed out in the innermost `tidy`; only `collectHolds` replaces it. */
let handedOut: State[] | undefined;

/** A proxy was made and is handed out. */
export function handOutNew(state: State): void {
  handedOut?.push(state);
}

/** An existing proxy is handed out once more. */
export function handOut(state: State): void {
  state.reference.holds++;
  handedOut?.push(state);
}

/** Hands out a member that is a proxy; for getters of objects that keep one. */
export function handOutMember<T>(member: T): T {
  const state = stateOf(member);
  if (state && !state.destroyed) handOut(state);
  return member;
}

/** The latest hold on this proxy belongs to pyawait itself: `tidy` must not give it up. */
export function exemptFromTidy(state: State): void {
  const at = handedOut?.lastIndexOf(state) ?? -1;
  if (at >= 0) handedOut!.splice(at, 1);
}

/** A proxy was made but reaches no user: takes its hold back. */
export function withdraw(state: State): void {
  state.reference.holds--;
  exemptFromTidy(state);
}

/** Runs `fn`, then `end` with the holds handed out meanwhile. The outer collection does not receive them. */
export function collectHolds<T>(fn: () => T, end: (states: State[], outer: State[] | undefined) => void): T {
  const outer = handedOut, mine: State[] = handedOut = [];
  try {
    return fn();
  } finally {
    handedOut = outer;
    end(mine, outer);
  }
}
