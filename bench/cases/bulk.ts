/** Much data of one kind: bytes beside memcpy, text beside the runtime's own encoders, floats beside a typed array. */
import { Buffer } from "node:buffer";
import { python, toJs } from "../../mod.ts";
import { assertSame, type Case, sampled, timed } from "../measure.ts";

const mebibyte = 1 << 20;

/** There and back: two copies, as in the baseline. */
function bytes(size: number): Case {
  const { same } = python.import("called");
  let from: Uint8Array, there: Uint8Array, back: Uint8Array;
  return {
    group: "bulk",
    name: `${size} MiB of bytes, there and back`,
    beside: "`Uint8Array.prototype.set`, twice",
    rounds: 5,
    check() {
      from = new Uint8Array(size * mebibyte).fill(7), there = new Uint8Array(from.length), back = new Uint8Array(from.length);
      from[from.length - 1] = 8;
      const copy = same(from);
      if (copy === from || Buffer.compare(copy, from) !== 0) throw new Error("The bytes are wrong");
    },
    ours: sampled(() => same(from)),
    baseline: sampled(() => (there.set(from), back.set(there))),
  };
}

/** Nanoseconds a character, there and back. */
function text(name: string, character: string, length: number): Case {
  const { same } = python.import("called");
  const encoder = new TextEncoder(), decoder = new TextDecoder();
  let value: string;
  return {
    group: "bulk",
    name: `${name}, a character there and back`,
    beside: "`TextEncoder` and `TextDecoder`",
    unit: "ns",
    rounds: 5,
    check() {
      value = character.repeat(length / character.length);
      if (same(value) !== value || decoder.decode(encoder.encode(value)) !== value) throw new Error("The text is wrong");
    },
    ours: sampled(() => same(value), length / 1000),
    baseline: sampled(() => decoder.decode(encoder.encode(value)), length / 1000),
  };
}

/** Nanoseconds a float. */
function floats(): Case[] {
  const { same, size } = python.import("called"), { dumps } = python.import("json");
  const count = 100_000;
  let value: number[], proxy: unknown;
  const make = () => {
    value = Array.from({ length: count }, (_, n) => n + 0.5), proxy = same(value);
    assertSame("floats there and back", toJs(proxy), value);
  };
  const about = { group: "bulk", unit: "ns", rounds: 5, check: make };
  const { size_of_json } = python.import("called");
  return [
    {
      ...about,
      name: "100,000 floats in, a float",
      beside: "`json.loads(JSON.stringify(x))`",
      ours: timed(() => size(value), count / 1000),
      baseline: sampled(() => size_of_json(JSON.stringify(value)), count / 1000),
    },
    {
      ...about,
      name: "100,000 floats out, a float",
      beside: "`JSON.parse(json.dumps(x))`",
      ours: timed(() => toJs(proxy), count / 1000),
      baseline: sampled(() => JSON.parse(dumps(proxy)), count / 1000),
    },
  ];
}

/** A coroutine with a payload: what the queues add to the copies. */
function payload(size: number): Case {
  const { identity } = python.import("called");
  let from: Uint8Array, there: Uint8Array, back: Uint8Array;
  return {
    group: "bulk",
    name: `a coroutine is given ${size} MiB of bytes, and returns them`,
    beside: "`Uint8Array.prototype.set`, twice",
    rounds: 5,
    async check() {
      from = new Uint8Array(size * mebibyte).fill(7), there = new Uint8Array(from.length), back = new Uint8Array(from.length);
      if (Buffer.compare(await identity(from), from) !== 0) throw new Error("The bytes are wrong");
    },
    ours: sampled(() => identity(from).then((value: Uint8Array) => value)),
    baseline: sampled(() => (there.set(from), back.set(there))),
  };
}

export function bulk(): Case[] {
  return [
    ...[1, 16, 64].map(bytes),
    ...[1, 64].map(payload),
    text("16 Mi ASCII characters", "abcdefgh", 16 * mebibyte),
    text("2 Mi wide characters (`ж`)", "жзик", 2 * mebibyte),
    text("2 Mi wide characters (surrogate pairs)", "😀🚀", 2 * mebibyte),
    ...floats(),
  ];
}
