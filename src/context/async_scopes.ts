// The user's AsyncLocalStorage stores on their way through Python. A scope is an AsyncResource; Python carries its
// number.
//
// An AsyncResource takes 14 to 43 ns on Node, `AsyncLocalStorage.snapshot()` 3 to 10 µs. A scope is captured only while
// Python holds a JavaScript function: without one, nothing could run in it.
import { AsyncResource } from "node:async_hooks";
import { nextId } from "../interpreter/ids.ts";
import { countHandles } from "../interpreter/js_handles.ts";
import { type CallContext, runInCallContext } from "./call_context.ts";

/** This heap's scopes. */
const carried = {
  /** The scopes that Python carries, by number. */
  scopes: new Map<number, AsyncResource>(),
  last: 0,
};

/** A number that no record on its way can mean: a number is used again only after 2³² others. */
function newNumber(): number {
  return carried.last = nextId(carried.last, carried.scopes);
}

/** The current scope, to be carried through Python; `undefined` while Python holds no JavaScript function. */
export function captureScope(): AsyncResource | undefined {
  return countHandles() === 0 ? undefined : new AsyncResource("pyawait");
}

/** The number under which Python carries a scope to the functions that it calls; 0 for none. */
export function numberScope(resource: AsyncResource | undefined): number {
  if (resource === undefined) return 0;
  const scope = newNumber();
  carried.scopes.set(scope, resource);
  return scope;
}

/**
 * A number for the scope of a synchronous call. The scope is captured after the call, where it is the same, and only if
 * Python has kept the number.
 */
export function offerScope(): number {
  return newNumber();
}

export function endOffer(scope: number, kept: boolean): void {
  if (kept) carried.scopes.set(scope, new AsyncResource("pyawait"));
}

/** Runs `fn` in the scope that Python has carried here, and in a call context. */
export function enterScope<T>(scope: number, context: CallContext, fn: () => T): T {
  const resource = carried.scopes.get(scope);
  return resource ? resource.runInAsyncScope(() => runInCallContext(context, fn)) : runInCallContext(context, fn);
}

/** Python no longer carries this scope. */
export function endScope(scope: number): void {
  carried.scopes.delete(scope);
}

/** The number of scopes that Python carries; for leak tests. */
export function countScopes(): number {
  return carried.scopes.size;
}
