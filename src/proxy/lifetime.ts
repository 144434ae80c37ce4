// The lifetime of a proxy: made for an object, handed out, asked for its address, destroyed.
//
// A proxy owns one reference to its object and counts how often it was handed out. The proxy of a lazy coroutine has no
// object yet (lazy_coroutine.ts).
import { bridge } from "../interpreter/bridge.ts";
import { forget } from "../interpreter/inbox.ts";
import { interpreter, isClosed } from "../interpreter/interpreter.ts";
import { Reference } from "../interpreter/reference.ts";
import { handOut, handOutNew } from "../values/handouts.ts";
import { forgetHalf, keep } from "../values/kept_halves.ts";
import { State, stateOf } from "../values/proxy_state.ts";
import { Kind } from "../wire/numbers.ts";
import { callHelper } from "./call.ts";
import { adopt, beingMade } from "./js_classes.ts";
import { dropLazy, makeCoroutine } from "./lazy_coroutine.ts";
import { forgetProxy, livingProxy, rememberProxy } from "./registry.ts";
import { targetOf, whatItWas } from "./target.ts";

/** The proxy of an object; takes over the reference. */
export function makeProxy(address: number, kinds: number, type: number): unknown {
  const living = livingProxy(address);
  if (living) {
    forget(address);
    const state = stateOf(living)!;
    handOut(state);
    if (state.kept === false) keep(state); // Python has it
    return living;
  }
  const state = new State(new Reference(address), kinds, type);
  state.reference.onLoop = (kinds & Kind.loopBound) !== 0;
  const proxy = new Proxy(targetOf(state, (kinds & Kind.callable) !== 0), bridge.traps);
  rememberProxy(proxy, state);
  handOutNew(state);
  if (beingMade.size > 0 && kinds & Kind.class) return adopt(state) ?? proxy;
  return proxy;
}

/**
 * The address of a proxy's object; makes the coroutine object of a lazy coroutine.
 *
 * @throws {TypeError} if it was destroyed, or is a coroutine that was started
 * @throws {PythonClosedError} after the end
 */
export function addressOf(state: State): number {
  const { address } = state.reference;
  if (state.kept === false) keep(state); // it may reach Python
  if (address !== 0) return address;
  if (isClosed()) interpreter(); // throws
  if (state.destroyed) throw new TypeError(`Cannot use this Python object, it was destroyed: it was ${whatItWas(state)}`);
  if (state.started) {
    throw new TypeError("Cannot use this coroutine: it has been started by awaiting it; keep a task instead (asyncio.create_task)");
  }
  makeCoroutine(state);
  return state.reference.address;
}

/** Whether awaiting this proxy awaits its object. */
export function isThenable(state: State): boolean {
  const { kinds } = state;
  if (kinds & (Kind.coroutine | Kind.future)) return true; // also after $destroy: awaiting it then says so
  return (kinds & Kind.awaitable) !== 0 && !state.settledToItself && !state.destroyed;
}

export function destroy(state: State): void {
  const { reference } = state;
  if (state.destroyed || --reference.holds > 0) return;
  state.destroyed = true;
  forgetHalf(state);
  if (reference.address === 0) {
    dropLazy(state);
    return;
  }
  // Python does not warn of a coroutine that is destroyed. One that Python has as well is Python's to run.
  if (state.kinds & Kind.coroutine && !state.started && !isClosed()) callHelper("close_if_alone", [state.self]);
  forgetProxy(state);
  reference.release();
}
