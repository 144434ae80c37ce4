// Signals that Python handles, beside JavaScript's listeners.
//
// The shim stands in front of the runtime's handler, so both get a signal. That has to stay true when listeners come
// and go: on Node and Bun the runtime's handler goes in front when the first listener comes, and the signal goes back to
// its default when the last one goes. So while Python has a signal, this file adds a listener of its own beside the first
// of the program's. On Deno it always does, and for good: Deno does the default for a signal that it finds without
// listeners, on a thread of its own and later, and its own API does not tell who listens.
import type { EventEmitter } from "node:events";
import { constants } from "node:os";
import process from "../../ffi/process.ts";
import { queueMicrotask } from "../../ffi/intrinsics.ts";
import { backend } from "../../ffi/mod.ts";
import { inWorker } from "../../ffi/in_worker.ts";
import { bridge } from "../interpreter/bridge.ts";
import { type Interpreter, isClosed, openInterpreter } from "../interpreter/interpreter.ts";
import { callHelper } from "../proxy/call.ts";
import { SignalOwner } from "../wire/numbers.ts";

type Signal = NodeJS.Signals;

/** Only this file writes it. */
const signals = {
  /** Those that Python handles or ignores. */
  taken: new Map<Signal, number>(),
  /** Our listeners. */
  listeners: new Map<Signal, () => void>(),
  /** How many of each Python has not got, by the shim's count, when our listener was last called. */
  unclaimed: new Map<Signal, number>(),
};

/** Takes part in Python's signals, where this thread can listen to signals at all. */
export function shareSignals({ heapId }: Interpreter): void {
  if (inWorker || process.platform === "win32") return;
  watchListeners();
  if (backend.keepsSignalHandlers) startListening();
  callHelper("share_signals", heapId);
}

/** Sees to it that ours is beside the program's listeners, however those come and go. Again where that was undone. */
function watchListeners(): void {
  const emitter: EventEmitter = process;
  if (!emitter.listeners("newListener").includes(onNewListener)) emitter.on("newListener", onNewListener);
  if (!emitter.listeners("removeListener").includes(onRemovedListener)) emitter.on("removeListener", onRemovedListener);
}

/**
 * Called before the listener is added. Node has installed its handler then; Bun installs it for the first listener, which
 * so is ours.
 */
function onNewListener(name: string | symbol): void {
  if (signals.taken.has(name as Signal)) listen(name as Signal);
}

/** `process.removeAllListeners` removes ours, too. Later, because that goes on after this call. */
function onRemovedListener(name: string | symbol, listener: unknown): void {
  if (listener !== signals.listeners.get(name as Signal)) return;
  signals.listeners.delete(name as Signal);
  queueMicrotask(() => {
    watchListeners();
    if (signals.taken.has(name as Signal)) listen(name as Signal);
  });
}

/**
 * With its first listener of all, Deno takes SIGINT, SIGTERM and SIGHUP, and only then adds the listener: in between, a
 * signal that Python handles would end the process. So that happens before Python handles any.
 */
function startListening(): void {
  const listener = () => {};
  process.on("SIGWINCH", listener);
  process.off("SIGWINCH", listener);
}

/** The runtime's name of a signal, if it knows the number. */
export function signalName(number: number): Signal | undefined {
  return Object.entries(constants.signals).find(([, each]) => each === number)?.[0] as Signal | undefined;
}

/** Python handles or ignores the signal, or gives it back to the host. */
export function setSignalOwner(number: number, owner: number): void {
  const name = signalName(number);
  if (name === undefined) return;
  if (owner !== SignalOwner.host) {
    signals.taken.set(name, number);
    const always = backend.keepsSignalHandlers && owner === SignalOwner.python;
    if (always || process.listenerCount(name) > 0) listen(name);
    return;
  }
  signals.taken.delete(name);
  if (!backend.keepsSignalHandlers) stopListening(name);
}

function listen(name: Signal): void {
  const number = signals.taken.get(name)!;
  if (!signals.listeners.has(name)) {
    const listener = () => onSignal(name, number);
    signals.listeners.set(name, listener); // first: `on` emits "newListener"
    process.on(name, listener);
  }
  openInterpreter()!.shim.pyawait_listen(number);
}

function stopListening(name: Signal): void {
  const listener = signals.listeners.get(name);
  signals.listeners.delete(name);
  if (listener) process.off(name, listener);
}

/**
 * Passes the signal on if Python has not got it and it has no other listener: then its default has to happen. One that came
 * before this listener, when Python had given the signal up already, the shim has not counted.
 */
function onSignal(name: Signal, number: number): void {
  if (!isClosed()) bridge.onRing(); // the records may say that Python has given it up
  const counts = openInterpreter()!.shim.pyawait_listen(number), unclaimed = counts >> 1, everClaimed = (counts & 1) !== 0;
  const before = signals.unclaimed.get(name) ?? 0;
  signals.unclaimed.set(name, unclaimed);
  if (signals.taken.has(name) || process.listenerCount(name) > Number(signals.listeners.has(name))) return;
  if (unclaimed === before && everClaimed) return;
  stopListening(name);
  process.kill(process.pid, name);
}
