// One walk over what stands on the wire, driven by the table of payloads: for values that are not read.
import type { Reader } from "./codec.ts";
import { payloads, Tag } from "./numbers.ts";

/** What to do with one field; `last` is the number that was read before it. */
type Step = (r: Reader, last: number, visit: (address: number) => void) => number;

const steps: Readonly<Record<string, Step>> = {
  u8: (r) => r.u8(),
  u32: (r) => r.u32(),
  i32: (r) => r.u32(),
  f64: (r) => (r.at += 8, 0),
  bytes: (r, length) => (r.at += length, 0),
  each: (r, count) => (r.at += 4 * count, 0),
  address: (r, _, visit) => (visit(r.address()), 0),
};

/** The fields that a layout names: their types, without their names. */
export const fieldsOf = (layout: string): string[] => layout === "" ? [] : layout.split(", ").map((field) => field.split(" ")[0]);

const fieldsByTag = new Map(
  Object.entries(Tag).map((
    [name, tag],
  ) => [tag as number, fieldsOf((payloads[name as keyof typeof Tag].out ?? "").replace("u32 each", "each"))]),
);

/** Goes past the next value that C has written. `visit` is called with the address of each object in it. */
export function skipValue(r: Reader, visit: (address: number) => void): void {
  for (let left = 1; left > 0; left--) {
    const tag = r.u8(), fields = fieldsByTag.get(tag);
    if (!fields) throw new Error(`pyawait: malformed message (tag ${tag})`);
    let last = 0;
    for (const field of fields) {
      if (field === "value") left++;
      else if (field === "values") left += last;
      else if (field === "pairs") left += 2 * last;
      else last = steps[field](r, last, visit);
    }
  }
}
