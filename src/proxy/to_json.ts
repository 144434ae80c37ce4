// `toJson`: plain data for JSON, of Python's objects and of JavaScript's with Python's in them.
//
// A Python object crosses once: the shim and src/py/json_forms.py write what JSON has, and only objects for which it
// has nothing come as proxies. JavaScript's own values are converted here.
import { Buffer } from "node:buffer";
import { types } from "node:util";
import { TextDecoder } from "../../ffi/intrinsics.ts";
import { setItem } from "../values/decode.ts";
import { isMapping } from "../values/js_functions.ts";
import { stateOf } from "../values/proxy_state.ts";
import { PythonError } from "../values/python_error.ts";
import { callHelper, copyByRule, copyForJson } from "./call.ts";
import { addressOf } from "./lifetime.ts";

/** Plain data that JSON has a form for. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** Options of {@linkcode toJson}. */
export interface JsonOptions {
  /**
   * Asked for each object that JSON has nothing for: a Python object as a proxy, a JavaScript one as itself. Its result
   * is converted in the object's place.
   */
  // deno-lint-ignore no-explicit-any -- a proxy: Python decides
  default?: (value: any) => unknown;
}

/** One conversion: what `default` is, and which objects are being converted. */
interface Conversion {
  readonly fallback: ((value: unknown) => unknown) | undefined;
  readonly active: Set<object>;
}

/**
 * What a web API would send for a value: plain data for `JSON.stringify`, `Response.json` and the like.
 *
 * `JSON.stringify` of a proxy writes the same. Dates and times become ISO strings, timedeltas seconds; Decimal, UUID,
 * paths, URLs and integers beyond 2^53 strings; an Enum its value; dataclasses, namedtuples, SQL rows, attrs and pydantic
 * models objects; data frames records; ranges, views, deques, sets, series and arrays Arrays; bytes their text if they
 * are UTF-8, else base64; keys text; NaN, NaT and the infinities `null`.
 *
 * @param value a proxy, or any JavaScript value, with proxies in it or without
 * @param options `default`, see {@linkcode JsonOptions}
 * @returns strings, finite numbers, booleans, `null`, Arrays and plain objects
 * @throws {TypeError} for a value that contains itself, for keys that would be the same, for a wrong option, and for an
 *   object that neither JSON nor `default` has something for
 * @throws {PythonError} a `RecursionError` for a value that is nested more than 3000 deep
 * @example
 * ```ts
 * import { python, toJson } from "pyawait";
 * const row = python.exec("import datetime, decimal\n{'on': datetime.date(2026, 1, 2), 'price': decimal.Decimal('9.90')}");
 * console.log(JSON.stringify(toJson({ rows: [row] }))); // {"rows":[{"on":"2026-01-02","price":"9.90"}]}
 * ```
 */
export function toJson(value: unknown, options?: JsonOptions): Json {
  const fallback = options?.default;
  if (fallback !== undefined && typeof fallback !== "function") {
    throw new TypeError(`Cannot convert with default ${String(fallback)}: it has to be a function, which is given a value`);
  }
  return convert({ fallback, active: new Set() }, value);
}

function convert(c: Conversion, value: unknown): Json {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : null;
    case "bigint":
      return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
    case "undefined":
      return null;
    case "symbol":
      return other(c, value, String(value));
  }
  if (value === null) return null;
  if (c.active.has(value as object)) throw new TypeError("Cannot write this as JSON: it holds itself");
  c.active.add(value as object);
  try {
    return stateOf(value) ? ofProxy(c, value as object) : ofObject(c, value as object);
  } finally {
    c.active.delete(value as object);
  }
}

/** What neither JSON nor a rule has something for. */
function other(c: Conversion, value: unknown, name: string): Json {
  const given = c.fallback ? c.fallback(value) : value;
  if (given !== value) return convert(c, given);
  throw new TypeError(`Cannot write ${name} as JSON: it has no form there; convert it before, as toJson(value, { default: String }) does`);
}

function ofProxy(c: Conversion, proxy: object): Json {
  const made = new Map<object, Json>(); // a shared object is converted once
  const leftover = (each: unknown) => {
    if (!made.has(each as object)) made.set(each as object, ofLeftover(c, each as object));
    return made.get(each as object);
  };
  try {
    return copyForJson(addressOf(stateOf(proxy)!), leftover, (value) => convert(c, value)) as Json;
  } catch (error) {
    if (!(error instanceof PythonError) || error.name !== "TypeError") throw error;
    throw new TypeError(error.message, { cause: error });
  }
}

/** A Python object that JSON has nothing for. */
function ofLeftover(c: Conversion, proxy: object): Json {
  const converted = copyByRule(proxy);
  if (converted !== proxy) return convert(c, converted);
  return other(c, proxy, String(callHelper("type_name", proxy)));
}

function ofObject(c: Conversion, value: object): Json {
  if (Array.isArray(value)) return Array.from(value, (item) => convert(c, item));
  if (typeof value === "function") return other(c, value, `the function ${value.name || "(anonymous)"}`);
  if (types.isDate(value)) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (types.isSet(value)) return Array.from(value, (item) => convert(c, item));
  if (types.isMap(value) || isMapping(value)) return ofPairs(c, value as Iterable<readonly [unknown, unknown]>);
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return ofBuffer(c, value);
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === "function") return convert(c, toJSON.call(value));
  if (types.isBoxedPrimitive(value)) return convert(c, value.valueOf());
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  if (tag !== "Object") return other(c, value, `a JavaScript ${tag}`);
  const made: { [key: string]: Json } = {};
  for (const [key, item] of Object.entries(value)) if (item !== undefined) setItem(made, key, convert(c, item));
  return made;
}

function ofPairs(c: Conversion, pairs: Iterable<readonly [unknown, unknown]>): Json {
  const made: { [key: string]: Json } = {};
  for (const [key, item] of pairs) {
    const text = textOfKey(c, key);
    if (Object.hasOwn(made, text)) throw new TypeError(`Cannot write this as JSON: two of its keys would be ${JSON.stringify(text)}`);
    setItem(made, text, convert(c, item));
  }
  return made;
}

function textOfKey(c: Conversion, key: unknown): string {
  const plain = Object(key) === key ? convert(c, key) : key; // a Date, or Python's date, is its text
  return Object(plain) === plain ? JSON.stringify(plain) : String(plain);
}

/** Bytes as Python's, the items of other typed arrays. */
function ofBuffer(c: Conversion, value: ArrayBufferView | ArrayBufferLike): Json {
  const isBytes = !ArrayBuffer.isView(value) || value instanceof DataView || types.isUint8Array(value);
  if (!isBytes) return Array.from(value as unknown as Iterable<unknown>, (item) => convert(c, item));
  const view = ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : new Uint8Array(value);
  const bytes = view.slice(); // TextDecoder takes no shared memory
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes).toString("base64");
  }
}
