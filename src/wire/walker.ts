// Skips values on the wire without decoding them, driven by the layouts in numbers.ts. `ffi/shim/skip.c` does the same
// in C.
//
// A value that is skipped still owns references: the caller is given each object's address, to release it.
import type { Reader } from "./codec.ts";
import { payloads, sharedLayouts, Tag } from "./numbers.ts";

/** One field of a layout. */
export interface Field {
  readonly name: string;
  readonly type: string;
  /** Occurs as often as the number before it says. */
  readonly repeated: boolean;
}

const bytesOf: Readonly<Record<string, number>> = { u8: 1, i32: 4, u32: 4, u64: 8, f64: 8 };

/** The fields of a layout, with shared layouts expanded. */
export function fieldsOf(layout: string): Field[] {
  return layout.split(" ").filter((word) => word !== "" && word !== "none").flatMap((word) => {
    if (word in sharedLayouts) return fieldsOf(sharedLayouts[word]);
    const [name, type] = word.split(":");
    return [{ name, type: type.replace("*", ""), repeated: type.endsWith("*") }];
  });
}

const byTag = new Map(
  Object.entries(payloads).map((
    [name, { out }],
  ) => [Tag[name as keyof typeof Tag] as number, out === undefined ? undefined : fieldsOf(out)]),
);

/** Skips these fields and returns how many values follow them. */
export function skipFields(r: Reader, fields: readonly Field[], visit: (address: number) => void): number {
  let values = 0, last = 0;
  for (const { name, type, repeated } of fields) {
    const count = repeated ? last : 1;
    if (type === "value" || type === "pair") values += count * (type === "pair" ? 2 : 1);
    else if (name === "address") visit(r.address());
    else if (type === "u32" && !repeated) last = r.u32();
    else if (type === "u8" && !repeated) last = r.u8();
    else r.at += count * bytesOf[type];
  }
  return values;
}

/** Skips the next value and calls `visit` with the address of each Python object in it. */
export function skipValue(r: Reader, visit: (address: number) => void): void {
  for (let left = 1; left > 0; left--) {
    const tag = r.u8(), fields = byTag.get(tag);
    if (!fields) throw new Error(`pyawait: malformed message (tag ${tag})`);
    left += skipFields(r, fields, visit);
  }
}
