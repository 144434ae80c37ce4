// What pyawait uses of the runtime's replaceable globals, taken when pyawait is loaded.
//
// Test runners replace timers and `queueMicrotask` by fakes that never run by themselves, and libraries replace
// `Promise` or `Promise.prototype.then`. A record that waits for such a function is never sent. A test checks that the
// sources use these names from here only.
import timers from "node:timers";
import util from "node:util";

/** From the module: a test runner may have replaced the globals before it loads this file. */
export const setTimeout: typeof timers.setTimeout = timers.setTimeout;
export const clearTimeout: typeof timers.clearTimeout = timers.clearTimeout;
export const setInterval: typeof timers.setInterval = timers.setInterval;
export const clearInterval: typeof timers.clearInterval = timers.clearInterval;
export const setImmediate: typeof timers.setImmediate = timers.setImmediate;

/** From the module: jsdom, as Jest's environment, has no such globals. */
export const TextDecoder: typeof util.TextDecoder = util.TextDecoder;
export const TextEncoder: typeof util.TextEncoder = util.TextEncoder;

const intrinsic: PromiseConstructor = Object.getPrototypeOf((async () => {})()).constructor;

/** The constructor of an async function's result, whatever the global was replaced by. */
export const Promise: new <T>(executor: ConstructorParameters<typeof intrinsic<T>>[0]) => Promise<T> = intrinsic;

/** `Promise.resolve`. */
export const resolved: <T>(value: T) => Promise<Awaited<T>> = intrinsic.resolve.bind(intrinsic) as never;

/** `Promise.reject`. */
export const rejected: (reason: unknown) => Promise<never> = intrinsic.reject.bind(intrinsic);

/** The methods of Promises. */
export const promiseMethods: Pick<Promise<unknown>, "then" | "catch" | "finally"> = {
  then: intrinsic.prototype.then,
  catch: intrinsic.prototype.catch,
  finally: intrinsic.prototype.finally,
};

/** `promise.then(fulfilled, rejected)`, for Promises of pyawait's own. */
export const then: <T, A = T, B = never>(
  promise: Promise<T>,
  fulfilled?: ((value: T) => A | PromiseLike<A>) | null,
  rejected?: ((error: unknown) => B | PromiseLike<B>) | null,
) => Promise<A | B> = Function.prototype.call.bind(promiseMethods.then) as never;

const settled = resolved(undefined);

/** Runs `fn`, which must not throw, as a microtask. Jest fakes `queueMicrotask`, some configurations before any import. */
export function queueMicrotask(fn: () => void): void {
  then(settled, fn);
}

/** Throws an error where no code catches it, so that the runtime reports it as an uncaught exception. */
export function throwUncaught(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}
