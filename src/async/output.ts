// Python's stdout and stderr, where `python.configure` directs them to functions.
//
// The text arrives with the other records. What was printed since the last microtask is delivered in one call.
import { queueMicrotask, throwUncaught } from "../../ffi/intrinsics.ts";
import type { Interpreter } from "../interpreter/interpreter.ts";
import type { Output } from "../interpreter/options.ts";
import { callHelper } from "../proxy/call.ts";
import { EventCode } from "../wire/numbers.ts";

type Listener = Exclude<Output, "inherit">;

/** Characters from which on no more text is appended: strings have a maximum length. */
const longest = 1 << 20;

/** This heap's output; only this file writes it. */
const output = {
  /** The user's functions, by the code of their stream. */
  listeners: new Map<number, Listener>(),
  /** Text that waits for delivery. */
  printed: [] as { listener: Listener; text: string }[],
};

/** Directs Python's output to the configured functions. */
export function redirect({ options, heapId }: Interpreter): void {
  for (const name of ["stdout", "stderr"] as const) {
    const listener = options[name];
    if (listener === "inherit") continue;
    output.listeners.set(EventCode[name], listener);
    callHelper("redirect", heapId, name, EventCode[name]);
  }
}

/** Handles an EVENT record: Python has printed. */
export function printed(code: number, text: string): void {
  const listener = output.listeners.get(code);
  if (!listener) return;
  if (output.printed.length === 0) queueMicrotask(deliverOrReport);
  const last = output.printed.at(-1);
  if (last?.listener === listener && last.text.length < longest) last.text += text;
  else output.printed.push({ listener, text });
}

/** Delivers the text. If a function throws, the remaining text is still delivered. */
export function deliver(): void {
  try {
    for (let next; (next = output.printed.shift());) next.listener(next.text);
  } finally {
    if (output.printed.length > 0) queueMicrotask(deliverOrReport);
  }
}

function deliverOrReport(): void {
  try {
    deliver();
  } catch (error) {
    throwUncaught(error);
  }
}
