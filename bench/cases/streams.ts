/** Streams in both directions, per item. Each checks every item that it reads. */
import { asyncIterableIntoPy, intoAsyncIterable, python } from "../../mod.ts";
import { type Case, timed, type Way } from "../measure.ts";

const count = 1000;

/**
 * Iterates over a stream; per item. The check is here and not before all cases: JavaScript that Python calls runs in an
 * AsyncLocalStorage, and from the first one on every Promise takes Node 20 and 22 a tenth longer.
 */
function streamed(make: () => AsyncIterable<unknown>): Way {
  return timed(async () => {
    let next = 0;
    for await (const item of make()) if (item !== next++) throw new Error(`The stream is wrong: item ${next - 1} is ${item}`);
    if (next !== count) throw new Error(`The stream is wrong: it had ${next} items`);
  }, count);
}

async function* jsItems(): AsyncGenerator<number> {
  for (let n = 0; n < count; n++) yield n;
}

export function streams(): Case[] {
  const plain = python.import("plain"), { identity, items } = python.import("called");
  const group = "async generator → async iterable";
  const lockStep = streamed(() => items(count)), ahead = streamed(() => intoAsyncIterable(items(count), { highWaterMark: 256 }));
  const jsIdentity = async (n: number) => n;
  const toPython: Way = (seconds) => plain.each_of(() => asyncIterableIntoPy(jsItems()), count, seconds);
  return [
    {
      group,
      name: "lock-step",
      beside: "coroutine → Promise, one at a time",
      single: true,
      check: () => lockStep(0),
      ours: lockStep,
      baseline: timed(() => identity(1).then((value: number) => value)),
    },
    {
      group,
      name: "`highWaterMark: 256`",
      beside: "`async for` by Python",
      check: () => ahead(0),
      ours: ahead,
      baseline: (seconds) => plain.each_item(count, seconds),
    },
    {
      group: "async iterable → async generator",
      name: "`async for` by Python",
      beside: "Promise → awaitable, one at a time",
      single: true,
      check: () => toPython(0),
      ours: toPython,
      baseline: (seconds) => plain.one_by_one(jsIdentity, seconds),
    },
  ];
}
