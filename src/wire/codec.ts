// Reads and writes the bytes of the wire in JavaScript. The other end is `ffi/shim/decode.c` and `encode.c`; numbers.ts
// has what each tag holds.
//
// C is given the address of a Writer's memory, so a Writer grows by moving to a new buffer, never by resizing, and a
// message is complete before C is called.
import { Buffer } from "node:buffer";
import { TextEncoder } from "../../ffi/intrinsics.ts";
import { openedAddon } from "../../ffi/native/addon.ts";
import { backend } from "../../ffi/mod.ts";
import type { Pointer } from "../../ffi/types.ts";
import { LARGE, Tag } from "./numbers.ts";

const encoder = new TextEncoder();

/** These two copy text as it is. `toString`, which calls them, takes twice as long for short text; a TextDecoder replaces
 * lone surrogates. */
const { latin1Slice, ucs2Slice } = Buffer.prototype as unknown as Record<string, (this: Uint8Array, start: number, end: number) => string>;

/** The text in `bytes`, with `width` bytes a character. */
export function textOf(bytes: Uint8Array, width: number): string {
  return (width === 1 ? latin1Slice : ucs2Slice).call(bytes, 0, bytes.length);
}

/** Up to this length, a loop in JavaScript reads or writes text faster than a call of the runtime. */
const shortText = { read: 8, written: 40, writtenWide: 60 };

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

/** From so many texts on, a list of them is joined, up to so many units: an engine's strings have a limit. */
const joined = { from: 8, units: 1 << 26 };

/** How many numbers were written, and the item behind them, if there is one: it is no number. */
export interface Numbers {
  readonly written: number;
  readonly next: unknown;
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

  private moveTo(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
    this.pointer = backend.address(bytes);
  }

  /** What was written, to keep. Of a large message it is not copied: the memory is given away, and smaller takes its place. */
  take(): Uint8Array {
    const { bytes, at } = this;
    if (at < LARGE) return bytes.slice(0, at);
    this.moveTo(backend.allocate(4096));
    return bytes.subarray(0, at);
  }

  /**
   * Makes room for `more` bytes.
   *
   * @throws {RangeError} if the message would be too long, or there is no memory
   */
  reserve(more: number): void {
    if (this.at + more <= this.bytes.length) return;
    checkLength(this.at + more);
    const larger = backend.allocate(Math.min(Math.max(2 * this.bytes.length, this.at + more + 1024), 0x7fff_ffff));
    larger.set(this.bytes.subarray(0, this.at));
    this.moveTo(larger);
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

  /** Writes the first items, at most `count`, as long as they are numbers. Each is read once: it may be a getter. */
  numbers(items: readonly unknown[], count: number): Numbers {
    let index = 0, item: unknown;
    while (index < count) {
      this.reserve(8);
      const { view } = this, end = Math.min(count, index + (this.bytes.length - this.at >> 3));
      let { at } = this;
      while (index < end && typeof (item = items[index]) === "number") {
        view.setFloat64(at, item, true);
        at += 8, index++;
      }
      this.at = at;
      if (index < end) break;
    }
    return { written: index, next: item };
  }

  /** Goes back to `start` and returns the numbers that were written from there on. */
  takeBack(start: number, count: number): number[] {
    this.at = start;
    return Array.from({ length: count }, (_, index) => this.view.getFloat64(start + 8 * index, true));
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
    const { length } = value;
    if (length > shortText.written) return this.longString(value);
    this.reserve(5 + length);
    const { bytes } = this, start = this.at + 5;
    for (let i = 0; i < length; i++) {
      const unit = value.charCodeAt(i);
      if (unit > 255) return this.units(value);
      bytes[start + i] = unit;
    }
    this.tagged32(Tag.latin1, length);
    this.at += length;
  }

  /** Writes a list of text. False, and nothing is written, where it is shorter one by one, or too long as one text. */
  texts(texts: readonly string[]): boolean {
    const { at } = this, { length } = texts;
    let units = 0;
    if (length < joined.from) return false;
    this.reserve(5 + 4 * length);
    this.tagged32(Tag.texts, length);
    for (let i = 0; i < length; i++, this.at += 4) {
      units += texts[i].length;
      this.view.setUint32(this.at, texts[i].length, true);
    }
    if (units <= joined.units) return this.string(texts.join("")), true;
    this.at = at;
    return false;
  }

  /** As many bytes as it has units have room for all of it only if it is ASCII. */
  private longString(value: string): void {
    const { length } = value;
    if (value.charCodeAt(0) > 127 || value.charCodeAt(length >> 1) > 127) return this.units(value); // without an attempt
    this.reserve(5 + length);
    const start = this.at + 5;
    if (encoder.encodeInto(value, this.bytes.subarray(start, start + length)).read < length) return this.units(value);
    this.tagged32(Tag.latin1, length);
    this.at += length;
  }

  /** Text as UTF-16, in which lone surrogates are like every other unit. */
  private units(value: string): void {
    const { length } = value;
    this.reserve(5 + 2 * length + 3); // and what unitsAtOnce takes
    this.tagged32(Tag.utf16, 2 * length);
    const { bytes } = this;
    let { at } = this;
    if (length > shortText.writtenWide && this.unitsAtOnce(value)) return;
    for (let i = 0; i < length; i++) {
      const unit = value.charCodeAt(i);
      bytes[at++] = unit;
      bytes[at++] = unit >> 8;
    }
    this.at = at;
  }

  /** The memory begins at an even address, and the runtime writes to such ones only. */
  private unitsAtOnce(value: string): boolean {
    const odd = this.at & 1, start = this.at + odd, end = start + 2 * value.length;
    if (!openedAddon?.units(value, Number(this.pointer) + start, value.length)) return false;
    if (odd) this.bytes.copyWithin(this.at, start, end);
    this.at = end - odd;
    return true;
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
  /** Keys that objects of the value have that is being read. */
  shapes: string[][] = [];

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

  /** So many numbers. One that is a small integer is given as such: engines keep Arrays of these apart. */
  numbers(into: number[], count: number): void {
    const { view } = this;
    for (let i = 0, at = this.at; i < count; i++, at += 8) {
      const value = view.getFloat64(at, true), integer = value | 0;
      into[i] = integer === value && (integer !== 0 || 1 / value > 0) ? integer : value;
    }
    this.at += 8 * count;
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
    const hex = this.latin1();
    return hex.startsWith("-") ? -BigInt(hex.slice(1)) : BigInt(hex);
  }

  latin1(): string {
    const length = this.u32(), { bytes, at: start } = this, end = start + length;
    this.at = end;
    if (length > shortText.read) return latin1Slice.call(bytes, start, end);
    let text = "";
    for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]);
    return text;
  }

  utf16(): string {
    const length = this.u32(), start = this.at;
    this.at += length;
    return ucs2Slice.call(this.bytes, start, this.at);
  }
}
