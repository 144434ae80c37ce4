// A coroutine that may not exist in Python yet: calling an `async def` proxy keeps the call as bytes.
//
// Awaiting sends the bytes to the loop without attaching, so it never waits for the GIL. Any other use makes the
// coroutine object (`makeCoroutine`). A call that is neither sent nor made returns its handles and pins (`dropLazy`).
import { bridge } from "../interpreter/bridge.ts";
import { Reference } from "../interpreter/reference.ts";
import { helper } from "../interpreter/invoke.ts";
import { takeBack } from "../values/encoding.ts";
import { exemptFromTidy, handOutNew } from "../values/handouts.ts";
import { type LazyCall, State, stateOf } from "../values/proxy_state.ts";
import { Writer } from "../wire/codec.ts";
import { Kind } from "../wire/numbers.ts";
import { callEncoded, encodeCall } from "./call.ts";
import { placeOf, unwatch, watch } from "./never_awaited.ts";
import { forgetProxy, rememberProxy } from "./registry.ts";
import { targetOf } from "./target.ts";

/** The bytes of a call's callee: its tag and address. The number of arguments follows. */
const calleeBytes = 9;

/**
 * The proxy of a coroutine whose object is made only when more than awaiting is asked of it.
 *
 * @param entry the function of ours that the user called
 */
export function lazyCoroutine(callee: State, args: readonly unknown[], entry: (...args: never[]) => unknown): object {
  const state = new State(new Reference(0), Kind.awaitable | Kind.coroutine, 0);
  const lazy = state.lazy = encodeCall(callee, args);
  const proxy = state.self = new Proxy(targetOf(state, false), bridge.traps);
  watch(state, lazy, entry);
  handOutNew(state);
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
  unwatch(state, lazy);
  reference.pins++, pins.push(reference);
  return lazy;
}

/** Gives up a call that will not be made, if there is one. */
export function dropLazy(state: State): void {
  const { lazy } = state;
  if (!lazy) return;
  state.lazy = undefined;
  unwatch(state, lazy);
  takeBack(lazy);
}

/** The bytes of a call that tells Python where JavaScript has made it: Python warns of this coroutine. */
function withPlace(bytes: Uint8Array, [file, line]: readonly [file: string, line: number]): Uint8Array {
  const w = new Writer(bytes.length + 64), count = new DataView(bytes.buffer, bytes.byteOffset).getUint32(calleeBytes, true);
  w.object(helper("make_coroutine_at"));
  w.u32(count + 3);
  w.string(file);
  w.number(line);
  w.data(bytes.subarray(0, calleeBytes));
  w.data(bytes.subarray(calleeBytes + 4));
  return w.take();
}

/** Makes the coroutine object, which then belongs to the proxy that already stands for it. */
export function makeCoroutine(state: State): void {
  const lazy = takeLazy(state), { pins } = lazy, place = placeOf(lazy);
  let made: unknown;
  try {
    made = callEncoded(place ? withPlace(lazy.bytes, place) : lazy.bytes);
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
