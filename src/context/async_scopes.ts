// The user's own AsyncLocalStorage stores, through Python: a scope is an AsyncResource, and Python carries its number.
//
// An AsyncResource costs 14 to 43 ns on Node, an `AsyncLocalStorage.snapshot()` 3 to 10 µs; and both are made only while
// Python holds a JavaScript function, which alone could be called in the scope.
import { AsyncResource } from "node:async_hooks";
import { nextId } from "../interpreter/ids.ts";
import { countHandles } from "../interpreter/js_handles.ts";
import { type CallContext, runInCallContext } from "./call_context.ts";

/** This heap's scopes. */
const heap = {
  /** Those that Python carries, by number. */
  scopes: new Map<number, AsyncResource>(),
  last: 0,
  /** Numbers of synchronous calls that have ended and were not kept. */
  offered: [] as number[],
};

/** This scope, to be carried through Python; `undefined` while Python holds no function that could be called in it. */
export function captureScope(): AsyncResource | undefined {
  return countHandles() === 0 ? undefined : new AsyncResource("pyawait");
}

/** The number under which Python carries a scope to the functions that it calls; 0 for none. */
export function numberScope(resource: AsyncResource | undefined): number {
  if (resource === undefined) return 0;
  const scope = heap.last = nextId(heap.last, heap.scopes);
  heap.scopes.set(scope, resource);
  return scope;
}

/** The number of a synchronous call's scope: captured only if Python keeps it, after the call, where it is the same. */
export function offerScope(): number {
  return heap.offered.pop() ?? (heap.last = nextId(heap.last, heap.scopes));
}

export function endOffer(scope: number, kept: boolean): void {
  if (kept) heap.scopes.set(scope, new AsyncResource("pyawait"));
  else heap.offered.push(scope);
}

/** Runs `fn` in the scope that Python has carried here, and in a call context. */
export function enterScope<T>(scope: number, context: CallContext, fn: () => T): T {
  const resource = heap.scopes.get(scope);
  return resource ? resource.runInAsyncScope(() => runInCallContext(context, fn)) : runInCallContext(context, fn);
}

/** Python carries this scope no more. */
export function endScope(scope: number): void {
  heap.scopes.delete(scope);
}

/** How many scopes Python carries: for tests of leaks. */
export function countScopes(): number {
  return heap.scopes.size;
}
