// Reads and writes the bytes of the wire in JavaScript. The other end is `ffi/shim/decode.c` and `encode.c`; numbers.ts
// has what each tag holds.
//
// C is given the address of a Writer's memory, so a Writer grows by moving to a new buffer, never by resizing, and a
// message is complete before C is called.
import { TextDecoder, TextEncoder } from "../../ffi/intrinsics.ts";
import { backend } from "../../ffi/mod.ts";
import type { Pointer } from "../../ffi/types.ts";
import { Tag } from "./numbers.ts";

const encoder = new TextEncoder();
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
const utf16 = (bytes: Uint8Array) => {
  let text = "";
  for (let i = 0; i + 1 < bytes.length; i += 2) text += String.fromCharCode(bytes[i] | bytes[i + 1] << 8);
  return text;
};

/**
 * How many bytes a message may have: its length crosses as a positive 32-bit number, and one that overflows would be
 * read as a shorter message with other records behind it. Tests set a small limit.
 */
export const limits = { message: 0x7fff_ffff };

function checkLength(length: number): void {
  if (length <= limits.message) return;
  throw new RangeError(
    "Cannot pass this to Python: its message would have 2 GiB or more; pass it in parts, or by a file or a shared buffer",
  );
}

/** Writes values as bytes into memory whose address C can be given. */
export class Writer {
  bytes: Uint8Array;
  view: DataView;
  pointer: Pointer;
  at = 0;

  constructor(capacity: number) {
    this.bytes = backend.allocate(capacity);
    this.view = new DataView(this.bytes.buffer);
    this.pointer = backend.address(this.bytes);
  }

  /**
   * Makes room for `more` bytes.
   *
   * @throws {RangeError} if the message would be too long, or there is no memory
   */
  reserve(more: number): void {
    if (this.at + more <= this.bytes.length) return;
    checkLength(this.at + more);
    const old = this.bytes;
    this.bytes = backend.allocate(Math.min(Math.max(2 * old.length, this.at + more + 1024), 0x7fff_ffff));
    this.bytes.set(old.subarray(0, this.at));
    this.view = new DataView(this.bytes.buffer);
    this.pointer = backend.address(this.bytes);
  }

  u8(value: number): void {
    if (this.at === this.bytes.length) this.reserve(1);
    this.bytes[this.at++] = value;
  }

  u32(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.at, value, true);
    this.at += 4;
  }

  /** Writes a value into room that was left for it. */
  patch32(at: number, value: number): void {
    this.view.setUint32(at, value, true);
  }

  tagged32(tag: number, value: number): void {
    this.reserve(5);
    this.bytes[this.at] = tag;
    this.view.setUint32(this.at + 1, value, true);
    this.at += 5;
  }

  tagged64(tag: number, value: number): void {
    this.reserve(9);
    this.bytes[this.at] = tag;
    this.view.setFloat64(this.at + 1, value, true);
    this.at += 9;
  }

  number(value: number): void {
    if (value === (value | 0) && (value !== 0 || !Object.is(value, -0))) this.tagged32(Tag.int32, value);
    else this.tagged64(Number.isSafeInteger(value) && value !== 0 ? Tag.int53 : Tag.float, value);
  }

  bigint(value: bigint): void {
    const hex = value < 0n ? "-0x" + (-value).toString(16) : "0x" + value.toString(16);
    this.text(Tag.bigint, hex + "\0");
  }

  /** A Python object by its address; the reference is borrowed. */
  object(address: number): void {
    this.reserve(9);
    this.bytes[this.at] = Tag.object;
    this.view.setUint32(this.at + 1, address, true);
    this.view.setUint32(this.at + 5, address / 0x1_0000_0000, true);
    this.at += 9;
  }

  address(value: number): void {
    this.reserve(8);
    this.view.setUint32(this.at, value, true);
    this.view.setUint32(this.at + 4, value / 0x1_0000_0000, true);
    this.at += 8;
  }

  data(bytes: Uint8Array, start = 0, end: number = bytes.length): void {
    const length = end - start;
    this.reserve(length);
    const { bytes: to, at } = this;
    if (length > 256) to.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), at);
    else for (let i = 0; i < length; i++) to[at + i] = bytes[start + i]; // faster than a view of a part
    this.at += length;
  }

  /**
   * The length of `bytes` and their content. The length is read once: another thread may let the memory grow meanwhile,
   * and what is more would be read as the next value.
   */
  block(bytes: Uint8Array): void {
    const length = bytes.byteLength;
    this.reserve(4 + length);
    this.u32(length);
    this.bytes.set(bytes.subarray(0, length), this.at);
    this.at += length;
  }

  string(value: string): void {
    const length = value.length;
    if (length > 64) return this.longString(value);
    this.reserve(5 + length);
    const { bytes } = this;
    const start = this.at + 5;
    for (let i = 0; i < length; i++) {
      const unit = value.charCodeAt(i);
      if (unit > 127) return this.longString(value);
      bytes[start + i] = unit;
    }
    this.tagged32(Tag.ascii, length);
    this.at += length;
  }

  private longString(value: string): void {
    if (!(value as unknown as { isWellFormed(): boolean }).isWellFormed()) return this.units(value);
    if (3 * value.length > limits.message / 2) { // so much room may be refused for a text that needs a third of it
      this.u8(Tag.utf8);
      return this.block(encoder.encode(value));
    }
    this.reserve(5 + 3 * value.length);
    const { written } = encoder.encodeInto(value, this.bytes.subarray(this.at + 5));
    this.tagged32(Tag.utf8, written);
    this.at += written;
  }

  private units(value: string): void {
    this.tagged32(Tag.utf16, 2 * value.length);
    this.reserve(2 * value.length);
    for (let i = 0; i < value.length; i++, this.at += 2) this.view.setUint16(this.at, value.charCodeAt(i), true);
  }

  /** ASCII text, under the given tag. */
  private text(tag: number, value: string): void {
    this.tagged32(tag, value.length);
    this.reserve(value.length);
    this.at += encoder.encodeInto(value, this.bytes.subarray(this.at)).written;
  }
}

/** Reads what C has written. */
export class Reader {
  bytes: Uint8Array;
  view: DataView;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    return this.bytes[this.at++];
  }

  u32(): number {
    const value = this.view.getUint32(this.at, true);
    this.at += 4;
    return value;
  }

  i32(): number {
    const value = this.view.getInt32(this.at, true);
    this.at += 4;
    return value;
  }

  f64(): number {
    const value = this.view.getFloat64(this.at, true);
    this.at += 8;
    return value;
  }

  /** An address; below 2^53 on every supported platform. */
  address(): number {
    const low = this.view.getUint32(this.at, true);
    const high = this.view.getUint32(this.at + 4, true);
    this.at += 8;
    return high * 0x1_0000_0000 + low;
  }

  /** The next bytes, in place: a caller that keeps them has to copy them. */
  data(length: number): Uint8Array {
    const start = this.at;
    this.at += length;
    return this.bytes.subarray(start, start + length);
  }

  bigint(): bigint {
    const hex = this.ascii();
    return hex.startsWith("-") ? -BigInt(hex.slice(1)) : BigInt(hex);
  }

  ascii(): string {
    const length = this.u32();
    if (length > 24) return utf8.decode(this.data(length));
    const { bytes } = this;
    let text = "";
    const end = this.at + length;
    for (let i = this.at; i < end; i++) text += String.fromCharCode(bytes[i]);
    this.at = end;
    return text;
  }

  utf8(): string {
    return utf8.decode(this.data(this.u32()));
  }

  utf16(): string {
    return utf16(this.data(this.u32()));
  }
}
