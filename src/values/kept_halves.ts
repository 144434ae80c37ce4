// Which halves are kept alive because Python may hold their objects.
//
// A half has private fields, so the object must not lose it while only Python holds the object; and the half owns a
// reference to the object, so neither side's collector could ever free the two. Hence a half is kept from when it is
// made until Python has no reference but ours (`halves.ts` asks), and again once the object is passed to Python.
import type { State } from "./proxy_state.ts";

/** Only the functions here change it. */
const kept = new Set<State>();

/** Keeps a half: Python has, or is about to be given, its object. */
export function keep(state: State): void {
  state.kept = true;
  kept.add(state);
}

/** Leaves a half to JavaScript's collector. */
export function unkeep(state: State): void {
  state.kept = false;
  kept.delete(state);
}

/** Its object is released: it is never kept again. */
export function forgetHalf(state: State): void {
  state.kept = undefined;
  kept.delete(state);
}

/** The halves that are kept. */
export const keptHalves: ReadonlySet<State> = kept;
