// Python memory in JavaScript, live: `$getBuffer()` and `buffer(Float64Array, length)`.
//
// The one thing to know: the exporter stays locked while JavaScript can reach its memory. `release` detaches the array,
// so nothing reads memory that Python may free; where the runtime cannot detach, the lock stays until it is collected.
// Memory that somebody has moved to another ArrayBuffer is out of our reach: its lock stays for ever.
import { Operation } from "../ffi/shim/shim.ts";
import { backend } from "../ffi/mod.ts";
import { callHelper } from "./call.ts";
import { readOutcome } from "./decode.ts";
import { begin, end, invoke } from "./interpreter.ts";
import { type PyProxy } from "./proxy.ts";
import { BACKGROUND, closeRecord, In, openRecord } from "./submission.ts";
import { brandBuffer } from "./wrappers.ts";

/** A typed array of whatever item type. */
export type TypedArray =
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

type Maker = { new (buffer: ArrayBuffer): TypedArray; readonly BYTES_PER_ELEMENT: number; readonly name: string };

const makers: Record<string, Maker> = {
  b: Int8Array,
  B: Uint8Array,
  "?": Uint8Array,
  c: Uint8Array,
  h: Int16Array,
  H: Uint16Array,
  i: Int32Array,
  I: Uint32Array,
  q: BigInt64Array,
  Q: BigUint64Array,
  f: Float32Array,
  d: Float64Array,
};

/** The array of a format of Python's `struct`; bytes where no typed array has such items. */
function makerOf(format: string, itemsize: number): Maker {
  const code = format.replace(/^[@=<]/, "");
  if (code === "l" || code === "n") return itemsize === 8 ? BigInt64Array : Int32Array;
  if (code === "L" || code === "N") return itemsize === 8 ? BigUint64Array : Uint32Array;
  return makers[code] ?? Uint8Array;
}

/** Whether items hold references to Python objects; names of fields, which are between colons, tell nothing. */
const hasObjects = (format: string) => format.replace(/:[^:]*:/g, "").includes("O");

function unlock(address: number): void {
  const level = begin();
  try {
    level.input.address(address);
    readOutcome(invoke(level, Operation.unlockBuffer));
  } finally {
    end();
  }
}

/** Memory that JavaScript sees, and the lock that it is seen under. */
interface Lock {
  readonly address: number;
  readonly memory: ArrayBuffer;
  readonly bytes: number;
}

/** Whether somebody else has detached it: another ArrayBuffer, which nobody knows, has the memory now. */
const isMoved = ({ memory, bytes }: Lock) => memory.byteLength < bytes;

// An ArrayBuffer that has been collected cannot be asked whether its memory was moved away before. So it is kept until
// `data` has been collected, and asked then; parts of `data` may see it for longer, but hardly anybody moves those.
const dropped = new FinalizationRegistry<Lock>((lock) => {
  if (isMoved(lock)) return;
  backend.pin(lock.memory);
  collected.register(lock.memory, lock.address);
});

const collected = new FinalizationRegistry<number>((address) => {
  const writer = openRecord(BACKGROUND, In.unlock);
  writer.address(address);
  closeRecord(BACKGROUND);
});

const { transfer } = ArrayBuffer.prototype as { transfer?(this: ArrayBuffer, length: number): ArrayBuffer };

/** Stands before the methods of an ArrayBuffer that would move its memory to another one. */
const refusal: PropertyDescriptor = {
  value() {
    throw new TypeError("Cannot transfer this ArrayBuffer: its memory is Python's; transfer a copy, as data.slice().buffer");
  },
};

/** Whether it is detached now. */
function detach(memory: ArrayBuffer): boolean {
  try {
    transfer?.call(memory, 0);
  } catch {
    // somebody has marked it as untransferable
  }
  return memory.byteLength === 0;
}

/**
 * Python memory that JavaScript sees and changes without a copy: what `proxy.$getBuffer()` and `buffer()` give.
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
   * The memory, from its lowest byte to its highest, as a typed array of the item type; as bytes where no typed array
   * has such items, or where they do not lie at multiples of their size.
   */
  readonly data: TypedArray;
  readonly shape: readonly number[];
  /** How many bytes lie between two items, per dimension. */
  readonly strides: readonly number[];
  /** Where in `data` the first item is: above 0 only where a stride is negative. */
  readonly offset: number;
  /** As in Python's `struct`. */
  readonly format: string;
  readonly itemsize: number;
  /** Whether Python forbids writing; JavaScript must not write either. */
  readonly readonly: boolean;
  #lock: Lock;
  #object: PyProxy | undefined;

  /** @ignore made by `$getBuffer()` and {@linkcode buffer} */
  constructor(object: PyProxy, parts: [number, number, number, number, number, boolean, string, number[], number[]]) {
    const [address, start, bytes, offset, itemsize, readonly, format, shape, strides] = parts;
    let Maker = makerOf(format, itemsize);
    const size = Maker.BYTES_PER_ELEMENT;
    if (bytes % size || offset % size || strides.some((stride) => stride % size)) Maker = Uint8Array; // fields of packed records
    const memory = bytes === 0 ? new ArrayBuffer(0) : backend.view(backend.pointer(start), bytes);
    this.data = new Maker(memory);
    this.shape = shape;
    this.strides = strides;
    this.offset = offset / Maker.BYTES_PER_ELEMENT;
    this.format = format;
    this.itemsize = itemsize;
    this.readonly = readonly;
    this.#lock = { address, memory, bytes };
    if (transfer) Object.defineProperties(memory, { transfer: refusal, transferToFixedLength: refusal });
    dropped.register(this.data, this.#lock, this);
    brandBuffer(this, () => this.#memoryview());
    this.#object = object.$copy(); // a hold of its own: tidy() and $destroy() give up those of others
  }

  #memoryview(): PyProxy {
    if (!this.#object) throw new TypeError("Cannot use this PyBuffer: it was released");
    return callHelper("memoryview", this.#object) as PyProxy;
  }

  /**
   * Ends it: `data` is detached (its length is 0) and the exporter is free again. Idempotent.
   *
   * @throws {TypeError} if the memory was transferred to another ArrayBuffer: then the exporter stays locked for ever
   */
  release(): void {
    const object = this.#object;
    if (!object) return;
    this.#object = undefined;
    object.$destroy();
    if (isMoved(this.#lock)) {
      throw new TypeError(
        "Cannot release this PyBuffer: its memory was transferred to another ArrayBuffer, so its exporter stays locked",
      );
    }
    if (!detach(this.#lock.memory)) return; // Node 20: when `data` is collected
    dropped.unregister(this);
    unlock(this.#lock.address);
  }
}
const dispose = (Symbol as { dispose?: symbol }).dispose;
if (dispose) Object.defineProperty(PyBuffer.prototype, dispose, { value: PyBuffer.prototype.release });

/** The live buffer of a Python object; see `$getBuffer`. */
export function lockBuffer(proxy: PyProxy, address: number): PyBuffer {
  const level = begin();
  let parts;
  try {
    level.input.object(address);
    parts = readOutcome(invoke(level, Operation.lockBuffer)) as ConstructorParameters<typeof PyBuffer>[1];
  } finally {
    end();
  }
  if (hasObjects(parts[6])) {
    unlock(parts[0]);
    throw new TypeError(
      "Cannot see this object's memory: its items are pointers to Python objects; convert them, as toJs(array.tolist()) does",
    );
  }
  try {
    return new PyBuffer(proxy, parts);
  } catch (error) {
    unlock(parts[0]);
    throw new Error("Cannot see Python's memory: this runtime forbids foreign memory; copy it with toJs", { cause: error });
  }
}

/**
 * Memory that Python owns and JavaScript fills without a copy: pass the buffer to Python and it is a writable
 * `memoryview`, which `numpy.frombuffer` takes.
 *
 * @param type the item type: `Float64Array`, `Uint8Array` …
 * @param length how many items, all of them 0
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
  const code = Object.keys(makers).find((each) => makers[each] as unknown === type) ??
    ((type as unknown) === Uint8ClampedArray ? "B" : undefined);
  if (!code) throw new TypeError("Cannot make a buffer: its first argument has to be a typed array's class, as Float64Array");
  if (!Number.isSafeInteger(length) || length < 0) {
    throw new RangeError(`Cannot make a buffer of ${length} items: the length has to be an integer from 0 on`);
  }
  const view = callHelper("make_buffer", code, length) as PyProxy;
  return view.$getBuffer() as PyBuffer & { readonly data: T };
}
