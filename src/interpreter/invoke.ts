// The one place where C is called synchronously: attach, do one operation, detach.
//
// Encoding an argument may run a getter, and Python may call back into JavaScript; both may start another operation
// while this one's buffers are half read or half written. So each operation owns a level (an input and an output
// buffer) until it ends, and a nested one takes the next level.
import { queueMicrotask } from "../../ffi/intrinsics.ts";
import { backend } from "../../ffi/mod.ts";
import { Reader, Writer } from "../wire/codec.ts";
import { Operation, Tag } from "../wire/numbers.ts";
import type { PythonClosedError } from "./closed.ts";
import { heap, type Level } from "./heap.ts";
import { interpreter, markClosed } from "./interpreter.ts";

export type { Level } from "./heap.ts";

/** Larger buffers are kept until the turn ends, since the system takes longer to give memory than to copy it; or not at all. */
const kept = { always: 1 << 22, inTurn: 1 << 26 };

let dropping = false;

/** Gives up the buffers that are too large to keep. Those from `heap.depth` on are not in use. */
function dropLarge(): void {
  dropping = false;
  const first = heap.levels.findIndex(({ input }, index) => index >= heap.depth && input.bytes.length > kept.always);
  if (first >= 0) heap.levels.length = first;
}

function dropLater(): void {
  if (dropping) return;
  queueMicrotask(dropLarge);
  dropping = true;
}

function newLevel(): Level {
  const output = backend.allocate(1 << 16);
  const level = {
    input: new Writer(1 << 16),
    reader: new Reader(output),
    output: backend.address(output),
    capacity: output.length,
    lent: [],
    releases: undefined,
  };
  heap.levels.push(level);
  return level;
}

function nextLevel(): Level {
  if (heap.python === undefined || heap.closed !== undefined) interpreter();
  return heap.depth < heap.levels.length ? heap.levels[heap.depth] : newLevel();
}

/** Takes a level; the caller gives it back with {@linkcode end}, in a `finally`. */
export function begin(): Level {
  const level = nextLevel();
  level.input.at = 0;
  if (heap.writing === 0 && heap.released.length > 0) { // not while another operation is written: that one may borrow them
    level.releases = heap.released;
    heap.released = [];
  }
  heap.depth++; // last: a call that overflows the stack must leave nothing counted
  heap.writing++;
  return level;
}

export function end(): void {
  const level = heap.levels[--heap.depth], { input } = level;
  heap.writing--;
  if (level.releases) giveReleasesBack(level);
  if (level.lent.length > 0) level.lent.length = 0;
  if (input.bytes.length > kept.inTurn) dropLarge();
  else if (input.bytes.length > kept.always) dropLater();
}

/** Takes a level to read from only; the caller gives it back with {@linkcode endReading}, in a `finally`. */
export function beginReading(): Level {
  const level = nextLevel();
  heap.depth++;
  return level;
}

export function endReading(): void {
  heap.depth--;
}

/** How many calls into Python are within each other on this thread: each has a level, and so has the call back. */
export const nestedCalls = (): number => heap.depth >> 1;

/** The operation was not performed: what it wants to pass could not be written. */
function giveReleasesBack(level: Level): void {
  heap.released = [...level.releases!, ...heap.released];
  level.releases = undefined;
}

/** Writes the references that are released behind the operation. */
function writeReleases(level: Level): number {
  const { input, releases } = level;
  for (const address of releases!) input.address(address);
  input.u32(releases!.length);
  level.releases = undefined;
  return Operation.release;
}

/** Writes where the memory lies that is lent. No code of the user's runs from here on until Python has read it. */
function writeLent({ input, lent }: Level): number {
  for (const bytes of lent) {
    input.address(Number(backend.address(bytes)));
    input.u32(bytes.byteLength);
  }
  input.u32(lent.length);
  return Operation.lend;
}

/** Performs `operation` on the level's input. The outcome has to be read before the level is given back. */
export function invoke(level: Level, operation: number): Reader {
  const { shim, heap: address } = heap.python!;
  const { input, reader } = level;
  if (level.lent.length > 0) operation |= writeLent(level);
  if (level.releases) operation |= writeReleases(level);
  heap.writing--;
  heap.called = true;
  shim.pyawait_invoke(address, operation, input.pointer, input.at, level.output, level.capacity);
  heap.writing++;
  reader.at = 0;
  const length = reader.i32();
  if (length === 0) throw closedElsewhere();
  return length < 0 ? overflow(level, -length) : reader;
}

/** Another copy of pyawait, or another thread, has closed Python. The record that says so may still be on its way. */
function closedElsewhere(): PythonClosedError {
  markClosed();
  return heap.closed!;
}

/** Fetches an outcome that did not fit into the level's buffer, which gets larger: the next one may be as long. */
function overflow(level: Level, length: number): Reader {
  const { shim, heap: address } = heap.python!;
  const buffer = backend.allocate(length), reader = new Reader(buffer), output = backend.address(buffer);
  shim.pyawait_overflow(address, output, length);
  if (length <= kept.always) level.reader = reader, level.output = output, level.capacity = length;
  reader.at = 4;
  return reader;
}

/** The address of a function of src/py, operator or builtins; kept for the life of the process. */
export function helper(name: string): number {
  return heap.helpers.get(name) ?? findHelper(name);
}

function findHelper(name: string): number {
  const level = begin();
  try {
    const { input } = level;
    input.object(heap.entry);
    input.u32(1);
    input.string(name);
    input.u8(Tag.none);
    const r = invoke(level, Operation.call);
    if (r.u8() !== Tag.object) throw new Error(`src/py has no ${name}`);
    r.u32(), r.u32(); // kinds, type
    const address = r.address();
    heap.helpers.set(name, address);
    return address;
  } finally {
    end();
  }
}
