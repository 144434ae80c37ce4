// The process's one interpreter: opening it, and the one place where C is called synchronously.
//
// The one thing to know: an operation takes a level (a buffer in, a buffer out) for as long as it lasts. Encoding an
// argument may run a getter, and Python may call back into JavaScript; both may start operations of their own, which
// then have the next level. So nothing that is half read or half written is ever overwritten.
import { backend } from "../../ffi/mod.ts";
import { type Addon, openAddon } from "../../ffi/native/addon.ts";
import { Operation } from "../../ffi/native/symbols.ts";
import type { Bell, Pointer } from "../../ffi/types.ts";
import { PythonClosedError } from "./closed.ts";
import { type Options, type PythonOptions, resolveOptions } from "./options.ts";
import { start, type Started } from "./start.ts";
import { Reader, Tag, Writer } from "../wire/codec.ts";

/** Python, opened, as this JavaScript heap sees it. */
export interface Interpreter extends Started {
  readonly heap: Pointer;
  readonly heapId: number;
  readonly bell: Bell;
  /** Where the runtime has Node-API. */
  readonly addon: Addon | undefined;
  /** As `node 20.20.2`. */
  readonly runtime: string;
}

let current: Interpreter | undefined;
let configured: Options | undefined;
let closed: PythonClosedError | undefined;
const openers: ((interpreter: Interpreter) => void)[] = [];
const ringers: { ring: () => void; call: (id: number) => void } = { ring() {}, call() {} };

/** Runs when Python has been opened by this heap. */
export function whenOpened(fn: (interpreter: Interpreter) => void): void {
  openers.push(fn);
}

/** Says what is done when Python rings, and when it calls this thread directly. */
export function answerWith(ring: () => void, call: (id: number) => void): void {
  ringers.ring = ring;
  ringers.call = call;
}

/** Python, opened now if it was not. */
export function interpreter(): Interpreter {
  if (closed) throw closed;
  return current ?? open();
}

/** Python where it is open, else `undefined`. */
export function openInterpreter(): Interpreter | undefined {
  return current;
}

/** From now on every use throws. */
export function markClosed(message?: string): void {
  closed ??= new PythonClosedError(message);
}

let closing = false;

/** From now on only what Python's cleanup calls may ask anything of its loop. */
export function markClosing(): void {
  closing = true;
}

export function isClosing(): boolean {
  return closing;
}

export function isClosed(): boolean {
  return closed !== undefined;
}

function isSame(a: Options, b: Options): boolean {
  const functions = a.stdout === b.stdout && a.stderr === b.stderr; // which JSON passes over
  return functions && JSON.stringify(a) === JSON.stringify(b);
}

/** The options of the first use; see `python.configure`. */
export function configure(given: PythonOptions): void {
  const options = resolveOptions(given, current?.options.folder);
  if (current && !isSame(options, current.options)) {
    throw new TypeError("Cannot configure Python: it is open already, with other options; call python.configure before the first use");
  }
  configured = options;
}

function open(): Interpreter {
  const started = start(configured);
  const { shim, options } = started;
  configured = options;
  const bell = backend.bell(() => ringers.ring());
  const call = backend.callback((id) => ringers.call(id));
  const heap = shim.pyawait_heap(bell.ring ?? backend.pointer(0), call, backend.stackBytes)!;
  const addon = openAddon(started.path, heap);
  current = { ...started, heap, heapId: shim.pyawait_heap_id(heap), bell, addon, runtime: backend.runtime };
  entry = Number(shim.pyawait_entry());
  for (const fn of openers) fn(current);
  bell.open(
    () => Number(callHelper("connect_pipe", current!.heapId)),
    (name) => void callHelper("connect_socket", current!.heapId, name),
  );
  return current;
}

/** Buffers for one operation. */
export interface Level {
  readonly input: Writer;
  readonly reader: Reader;
  readonly output: Pointer;
  readonly capacity: number;
}

const levels: Level[] = [];
let depth = 0;

function newLevel(): Level {
  const output = backend.allocate(1 << 16);
  const level = { input: new Writer(1 << 16), reader: new Reader(output), output: backend.address(output), capacity: output.length };
  levels.push(level);
  return level;
}

/** Takes a level; {@linkcode end} gives it back, in a `finally`. */
export function begin(): Level {
  if (current === undefined || closed !== undefined) interpreter();
  const level = depth < levels.length ? levels[depth] : newLevel();
  depth++;
  level.input.at = 0;
  return level;
}

export function end(): void {
  const { input } = levels[--depth];
  if (input.bytes.length > 1 << 22) levels[depth] = undefined as unknown as Level, levels.length = depth;
}

/** Does what the level's input says; its outcome, to be read before the level is given back. */
export function invoke(level: Level, operation: number): Reader {
  const { shim, heap } = current!;
  const { input, reader } = level;
  shim.pyawait_invoke(heap, operation, input.pointer, input.at, level.output, level.capacity);
  reader.at = 0;
  const length = reader.i32();
  return length < 0 ? overflow(-length) : reader;
}

function overflow(length: number): Reader {
  const { shim, heap } = current!;
  const buffer = backend.allocate(length);
  shim.pyawait_overflow(heap, backend.address(buffer), length);
  const reader = new Reader(buffer);
  reader.at = 4;
  return reader;
}

let entry = 0;
const helpers = new Map<string, number>();

/** The address of a function of src/py, operator or builtins, held for ever. */
export function helper(name: string): number {
  return helpers.get(name) ?? findHelper(name);
}

function findHelper(name: string): number {
  const level = begin();
  try {
    const { input } = level;
    input.object(entry);
    input.u32(1);
    input.string(name);
    input.u8(Tag.none);
    const r = invoke(level, Operation.call);
    if (r.u8() !== Tag.object) throw new Error(`src/py has no ${name}`);
    r.u32();
    const address = r.address();
    helpers.set(name, address);
    return address;
  } finally {
    end();
  }
}

/** Calls a helper with plain arguments before conversions are there: an int32 or nothing. */
function callHelper(name: string, ...values: (number | string)[]): number | undefined {
  const address = helper(name);
  const level = begin();
  try {
    level.input.object(address);
    level.input.u32(values.length);
    for (const value of values) typeof value === "string" ? level.input.string(value) : level.input.number(value);
    level.input.u8(Tag.none);
    const r = invoke(level, Operation.call);
    return r.u8() === Tag.int32 ? r.i32() : undefined;
  } finally {
    end();
  }
}
