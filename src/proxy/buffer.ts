// Python's memory as live typed arrays: `$getBuffer()` and `buffer(Float64Array, length)`.
//
// The exporter stays locked while JavaScript can reach its memory, in whichever ArrayBuffer it is by then
// (ffi/shim/napi.c). `release` detaches the array, so that JavaScript never reads memory that Python may free.
import { constants } from "node:buffer";
import { backend } from "../../ffi/mod.ts";
import { BACKGROUND, closeRecord, In, openRecord } from "../interpreter/inbox.ts";
import { interpreter, isClosed, openInterpreter } from "../interpreter/interpreter.ts";
import { begin, end, helper, invoke } from "../interpreter/invoke.ts";
import { Reference } from "../interpreter/reference.ts";
import { readOutcome } from "../values/decode.ts";
import { stateOf } from "../values/proxy_state.ts";
import { brandBuffer } from "../values/wrappers.ts";
import { Operation, Tag } from "../wire/numbers.ts";
import { classOfFormat, codeOfClass, type TypedArray, type TypedArrayClass } from "../wire/typed_arrays.ts";
import { callHelper } from "./call.ts";
import { addressOf } from "./lifetime.ts";

/** Whether the items are references to Python objects. Names of fields stand between colons and are ignored. */
const hasObjects = (format: string) => format.replace(/:[^:]*:/g, "").includes("O");

const { transfer } = ArrayBuffer.prototype as { transfer?(this: ArrayBuffer, length: number): ArrayBuffer };

/** Detaches the ArrayBuffer, and returns whether it is detached now. */
function detach(buffer: ArrayBuffer): boolean {
  try {
    transfer ? transfer.call(buffer, 0) : openInterpreter()!.addon!.detach(buffer);
  } catch {
    // The user has marked it as untransferable.
  }
  return buffer.byteLength === 0;
}

/** What the shim reports about an object's memory. */
type Parts = [
  lock: number,
  reference: number,
  start: number,
  bytes: number,
  offset: number,
  itemsize: number,
  readonly: boolean,
  format: string,
  shape: number[],
  strides: number[],
];

/** Releases the reference that was meant for the memory. */
function giveUp(reference: number): void {
  openRecord(BACKGROUND, In.unlock, 8).address(reference);
  closeRecord(BACKGROUND);
}

/** Calls the Python object at an address with objects by their addresses. */
function callByAddress(callee: number, ...args: number[]): unknown {
  const level = begin();
  try {
    const { input } = level;
    input.object(callee);
    input.u32(args.length);
    for (const address of args) input.object(address);
    input.u8(Tag.none);
    return readOutcome(invoke(level, Operation.call));
  } finally {
    end();
  }
}

const collected = new FinalizationRegistry<Reference>((lock) => lock.release());

/** The memory as an ArrayBuffer, which takes over the reference that was meant for it. */
function view([, reference, start, bytes]: Parts): ArrayBuffer {
  let cause: unknown;
  if (bytes > 0 && bytes <= backend.largestView) {
    try {
      const { addon, heap } = interpreter(), buffer = addon?.view(Number(heap), start, bytes, reference);
      if (buffer) return buffer;
    } catch (error) {
      cause = error;
    }
  }
  giveUp(reference);
  if (bytes === 0) return new ArrayBuffer(0);
  if (bytes > constants.MAX_LENGTH) {
    throw new RangeError(
      `Cannot see ${bytes} bytes of Python's memory: here an ArrayBuffer has at most ${constants.MAX_LENGTH}; take it in parts, as memoryview(x)[:n]`,
      { cause },
    );
  }
  throw new Error("Cannot see Python's memory: this runtime forbids foreign memory; copy it with toJs", { cause });
}

/** The argument of PyBuffer's constructor. */
interface Made {
  readonly lock: Reference;
  readonly parts: Parts;
  readonly memory: ArrayBuffer;
  readonly type: TypedArrayClass | undefined;
}

/**
 * Python's memory, which JavaScript reads and writes without a copy. `proxy.$getBuffer()` and `buffer()` make one;
 * passed to Python it is a `memoryview`.
 *
 * The object that owns the memory stays locked (a `bytearray` cannot be resized) until {@linkcode PyBuffer.release}, or
 * until `data` is collected. As Pyodide's `PyBufferView`.
 *
 * @example
 * ```ts
 * import { PyBuffer, python } from "pyawait";
 * const bytes = python.builtins.bytearray(4);
 * const view = bytes.$getBuffer();
 * view.data[0] = 255;
 * console.log(view instanceof PyBuffer, bytes[0]); // true 255
 * view.release();
 * ```
 */
export class PyBuffer {
  /**
   * The memory from its lowest to its highest byte, as a typed array of the item type. As bytes where no typed array
   * has such items, or where they are not aligned to their size.
   */
  readonly data: TypedArray;
  /** The number of items per dimension. */
  readonly shape: readonly number[];
  /** The number of bytes between two neighbouring items, per dimension. */
  readonly strides: readonly number[];
  /** Index in `data` of the first item; above 0 only where a stride is negative. */
  readonly offset: number;
  /** The item's format in the notation of Python's `struct`. */
  readonly format: string;
  /** The size of an item in bytes. */
  readonly itemsize: number;
  /** Whether Python forbids writing. JavaScript cannot enforce that, and must not write either. */
  readonly readonly: boolean;
  readonly #memory: ArrayBuffer;
  readonly #bytes: number;
  /** Keeps the exporter locked, until it is released. */
  #lock: Reference | undefined;

  /** @ignore made by `$getBuffer()` and {@linkcode buffer} */
  constructor(made: unknown) {
    const { lock, parts, memory, type } = made as Made;
    const [, , , bytes, offset, itemsize, readonly, format, shape, strides] = parts;
    let Class = type ?? classOfFormat(format, itemsize);
    const size = Class.BYTES_PER_ELEMENT;
    if (bytes % size || offset % size || strides.some((stride) => stride % size)) Class = Uint8Array; // e.g. fields of packed records
    this.data = new Class(memory);
    this.shape = shape;
    this.strides = strides;
    this.offset = offset / Class.BYTES_PER_ELEMENT;
    this.format = format;
    this.itemsize = itemsize;
    this.readonly = readonly;
    this.#memory = memory;
    this.#bytes = bytes;
    this.#lock = lock;
    collected.register(this, lock, this);
    brandBuffer(this, () => this.#memoryview());
  }

  #memoryview(): unknown {
    if (!this.#lock) throw new TypeError("Cannot use this PyBuffer: it was released");
    return callByAddress(this.#lock.address);
  }

  /**
   * Ends the view: `data` is detached (its length becomes 0) and the exporter is unlocked. Idempotent; `using` calls
   * it.
   *
   * If `data` cannot be detached, because it was marked as untransferable, the exporter stays locked until it is
   * collected.
   *
   * @throws {TypeError} if the memory was transferred to another ArrayBuffer: the exporter stays locked as long as that
   *   lives
   */
  release(): void {
    const lock = this.#lock;
    if (!lock) return;
    this.#lock = undefined;
    const moved = this.#memory.byteLength < this.#bytes;
    if (!moved && detach(this.#memory) && !isClosed()) callByAddress(helper("release_lock"), lock.address); // else when collected
    collected.unregister(this);
    lock.release();
    if (moved) {
      throw new TypeError(
        "Cannot release this PyBuffer: its memory was transferred to another ArrayBuffer, and the exporter stays locked as long as that lives",
      );
    }
  }
}
const dispose = (Symbol as { dispose?: symbol }).dispose;
if (dispose) Object.defineProperty(PyBuffer.prototype, dispose, { value: PyBuffer.prototype.release });

/**
 * Locks an object's memory; see `$getBuffer`.
 *
 * @param exporter the object's address
 * @param type the class of `data`, if not the one that the format implies
 */
export function lockBuffer(exporter: number, type?: TypedArrayClass): PyBuffer {
  const level = begin();
  let parts;
  try {
    level.input.object(exporter);
    parts = readOutcome(invoke(level, Operation.lockBuffer)) as Parts;
  } finally {
    end();
  }
  const [address, reference, , , , , , format] = parts, lock = new Reference(address);
  try {
    if (!hasObjects(format)) return new PyBuffer({ lock, parts, memory: view(parts), type } satisfies Made);
    giveUp(reference);
    throw new TypeError(
      "Cannot see this object's memory: its items are pointers to Python objects; convert them, as toJs(array.tolist()) does",
    );
  } catch (error) {
    callByAddress(helper("release_lock"), lock.address);
    lock.release();
    throw error;
  }
}

/**
 * Memory that Python owns and JavaScript fills without a copy. Passed to Python it is a writable `memoryview`, which
 * `numpy.frombuffer` accepts.
 *
 * @param type the item type: `Float64Array`, `Uint8Array` …
 * @param length the number of items; all are 0
 * @returns the buffer, which the caller releases
 * @throws {TypeError} if `type` is not a typed array's class
 * @throws {RangeError} if `length` is not an integer of 0 or more, or exceeds what an ArrayBuffer can hold
 * @throws {PythonError} a `MemoryError`
 * @throws {Error} if this runtime forbids foreign memory (Electron)
 * @example
 * ```ts
 * import { buffer, python } from "pyawait";
 * const numbers = buffer(Float64Array, 3);
 * numbers.data.set([1, 2, 3]);
 * python.builtins.sum(numbers); // 6
 * numbers.release();
 * ```
 */
export function buffer<T extends TypedArray>(
  type: { new (length: number): T; readonly BYTES_PER_ELEMENT: number },
  length: number,
): PyBuffer & { readonly data: T } {
  const code = codeOfClass(type);
  if (!code) throw new TypeError("Cannot make a buffer: its first argument has to be a typed array's class, as Float64Array");
  if (!Number.isSafeInteger(length) || length < 0) {
    const given = typeof length === "string" ? JSON.stringify(length) : String(length);
    throw new RangeError(`Cannot make a buffer of ${given} items: the length has to be an integer from 0 on`);
  }
  const memory = callHelper("make_buffer", code, length);
  return lockBuffer(addressOf(stateOf(memory)!), type as unknown as TypedArrayClass) as PyBuffer & { readonly data: T };
}
