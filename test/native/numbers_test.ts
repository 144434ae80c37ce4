/**
 * The numbers and layouts that TypeScript, C and Python share: `ffi/shim/numbers.h` says what `src/wire/numbers.ts` says, the
 * layouts cover every number, and records that Python really sends are as long as their layouts say.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { promiseIntoPy, python } from "../../mod.ts";
import { outbox } from "../../src/async/outbox.ts";
import { heap } from "../../src/interpreter/heap.ts";
import { Reader } from "../../src/wire/codec.ts";
import {
  In,
  JsKind,
  Kind,
  LARGE,
  NO_LOOP,
  Opened,
  Operation,
  Out,
  payloads,
  pythonNumbers,
  recordLayouts,
  sharedLayouts,
  SignalOwner,
  Submitted,
  Tag,
} from "../../src/wire/numbers.ts";
import { fieldsOf, skipFields, skipValue } from "../../src/wire/walker.ts";
import { assert, assertEquals } from "#std/assert";

const header = readFileSync("ffi/shim/numbers.h", "utf8");

/** `heapEnd` of `HEAP_END`. */
const camel = (name: string) => name.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());

/** The members of `enum NAME`: number and layout by name, without the prefix of the enum. */
function readEnum(text: string, name: string): Record<string, { number: number; layout: string | undefined }> {
  const body = new RegExp(`^enum ${name} \\{([^]*?)^\\};`, "m").exec(text)?.[1] ?? "";
  const members = [...body.matchAll(/^ {2}[A-Z]+_(\w+) = (-?\d+),?(?: +\/\* (.*) \*\/)?$/gm)];
  return Object.fromEntries(members.map(([, member, number, layout]) => [camel(member), { number: Number(number), layout }]));
}

const numbersOf = (name: string) => Object.fromEntries(Object.entries(readEnum(header, name)).map(([key, { number }]) => [key, number]));
const layoutsOf = (name: string) => Object.fromEntries(Object.entries(readEnum(header, name)).map(([key, { layout }]) => [key, layout]));

test("tags and their payloads are the shim's", () => {
  const body = /^#define TAGS\(BOTH, EACH\)((?:.*\\\n)*.*)/m.exec(header)![1];
  const tags = [...body.matchAll(/\b(BOTH|EACH)\(TAG_(\w+), (?:"([^"]*)"|0)(?:, (?:"([^"]*)"|0))?\)/g)];
  const read = tags.map(([, form, name, first, second]) => [camel(name), { in: first, out: form === "BOTH" ? first : second }]);
  assertEquals(Object.fromEntries(read), payloads);
  assertEquals(read.map(([name]) => name), Object.entries(Tag).sort(([, a], [, b]) => a - b).map(([name]) => name));
  assertEquals(Object.values(Tag).length, new Set(Object.values(Tag)).size);
});

test("records, operations and answers are the shim's", () => {
  assertEquals(numbersOf("in"), In);
  assertEquals(numbersOf("out"), Out);
  assertEquals(numbersOf("operation"), Operation);
  assertEquals(numbersOf("opened"), Opened);
  assertEquals(numbersOf("signal_owner"), SignalOwner);
  assertEquals(numbersOf("submitted"), Submitted);
  assertEquals(layoutsOf("in"), recordLayouts.in);
  assertEquals(layoutsOf("out"), recordLayouts.out);
  assertEquals(layoutsOf("operation"), recordLayouts.operation);
  const shared = [...header.matchAll(/^ \* {3}(\w+) = (.*)$/gm)].map(([, name, layout]) => [name, layout]);
  assertEquals(Object.fromEntries(shared), sharedLayouts);
  assertEquals(Number(/^#define NO_LOOP (\w+)u$/m.exec(header)?.[1]), NO_LOOP);
  assertEquals(Number(/^#define LARGE (\w+)u$/m.exec(header)?.[1]), LARGE);
});

test("kinds are the shim's, and Python's", () => {
  assertEquals(numbersOf("js_kind"), JsKind);
  for (const [name, number] of Object.entries(numbersOf("kind"))) assertEquals(number, Kind[name as keyof typeof Kind], name);
  const bits = Object.values(Kind);
  assertEquals(bits, bits.map((_, bit) => 1 << bit));
  const names = [...pythonNumbers().matchAll(/^(\w+) = \d+$/gm)].map(([, name]) => name);
  assertEquals(names.length, new Set(names).size);
  const module = python.import("pyawait");
  for (const [, name, number] of pythonNumbers().matchAll(/^(\w+) = (\d+)$/gm)) assertEquals(module[name], Number(number), name);
});

test("a planted difference is seen", () => {
  const planted = header.replace("IN_AWAIT = 2,        /* id:u32 serial", "IN_AWAIT = 3,        /* id:u64 serial");
  const { await: changed } = readEnum(planted, "in");
  assertEquals(changed, { number: 3, layout: "id:u64 serial:u32 scope:u32 context:value awaitable:value" });
});

/** Argument lists and initialisers of which two parts read the wire: C does not define which one reads first. */
function unordered(source: string): string[] {
  const reads = /\b(?:read_\w+|decode\w*)\(/, found: string[] = [];
  for (const { 0: open, index } of source.matchAll(/[({]/g)) {
    const parts = [""];
    for (let at = index + 1, depth = 1; depth > 0 && at < source.length; at++) {
      if ("({[".includes(source[at])) depth++;
      if (")}]".includes(source[at])) depth--;
      if (source[at] === "," && depth === 1) parts.push("");
      else parts[parts.length - 1] += source[at];
    }
    const group = open + parts.join(",");
    if (!group.includes(";") && parts.filter((part) => reads.test(part)).length > 1) found.push(group);
  }
  return found;
}

test("no expression of the shim reads the wire twice in an order that C does not define", () => {
  const folder = resolve("ffi/shim"); // Bun under Wine does not list a folder by a relative path
  for (const name of readdirSync(folder).filter((name) => name.endsWith(".c"))) {
    const source = readFileSync(join(folder, name), "utf8").replaceAll(/\/\*[^]*?\*\/|"(?:\\.|[^"\\])*"/g, "");
    assertEquals(unordered(source), [], name);
  }
  assertEquals(unordered("struct pair p = {read_u32(r), read_u32(r)};").length, 1);
  assertEquals(unordered("f(read_u32(r), decode(r)); read_u32(r), decode(r);").length, 1);
});

test("records that Python sends are as their layouts say", async () => {
  const seen = new Map<string, number>(), open = heap.python!, { shim } = open;
  const kinds = Object.fromEntries(Object.entries(Out).map(([name, number]) => [number, name]));
  const check = (bytes: Uint8Array) => {
    const r = new Reader(bytes);
    while (r.at < bytes.length) {
      const end = r.at + r.u32(), kind = kinds[r.u8()];
      for (const field of fieldsOf(recordLayouts.out[kind])) {
        for (let values = skipFields(r, [field], () => {}); values > 0; values--) skipValue(r, () => {});
      }
      assertEquals(r.at, end, kind);
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
    }
  };
  let problem: unknown;
  const pyawait_take: typeof shim.pyawait_take = (address, out, capacity) => {
    const length = shim.pyawait_take(address, out, capacity);
    try {
      if (length > 0) check(taken().subarray(0, length));
    } catch (error) {
      problem ??= error;
    }
    return length;
  };
  const taken = () => outbox.buffer!;
  heap.python = { ...open, shim: { ...shim, pyawait_take } };
  try {
    await python.execAsync(
      `
import asyncio, contextvars
contextvars.ContextVar("v").set(1)
assert await f([1, "\\udc80", 2.5, 2 ** 70, b"x", None], k={1: (2,)}) == 1
assert await promise == 2
task = asyncio.ensure_future(endless())
await asyncio.sleep(0.01)
task.cancel()
await asyncio.gather(task, return_exceptions=True)
g()
`,
      {
        globals: {
          f: async () => 1,
          g: () => 5,
          promise: promiseIntoPy(async () => 2),
          endless: async () => await new Promise(() => {}),
        },
      },
    );
    await python.execAsync("1 / 0").catch(() => {});
    for await (const item of python.exec("async def count():\n  for i in range(3): yield i\ncount()")) void item;
  } finally {
    heap.python = open;
  }
  if (problem) throw problem;
  for (const kind of ["done", "request", "abort", "call", "release"]) assert(seen.has(kind), `${kind} was not seen: ${[...seen.keys()]}`);
});
