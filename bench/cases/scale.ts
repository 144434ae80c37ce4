/** How the time of a coroutine grows with the number in flight. */
import { python } from "../../mod.ts";
import { assertSame, type Case, sampled, timed, type Way } from "../measure.ts";
import { inFlight } from "./awaits.ts";

const shown = (count: number) => count.toLocaleString("en-US");

export function scale(): Case[] {
  const plain = python.import("plain"), { identity } = python.import("called");
  const group = "coroutines in flight";
  const ours = (count: number): Way => {
    const all = inFlight(identity, count);
    return count >= 1000 ? sampled(all, count) : timed(all, count);
  };
  const check = (count: number) => async () => {
    const results = await inFlight(identity, count)();
    assertSame(`${count} in flight`, results, results.map((_, n) => n));
  };
  const each = (count: number): Case => ({
    group,
    name: shown(count),
    beside: "`create_task` + done callback",
    rounds: count > 1000 ? 5 : undefined,
    check: check(count),
    ours: ours(count),
    baseline: (seconds) => plain.tasks(identity, count, seconds, 2),
  });
  const growth = (count: number): Case => ({
    group,
    name: `${shown(count)}, over the time of one of 1,000`,
    beside: "the same growth of plain asyncio",
    unit: "×",
    rounds: 5,
    check: check(1000),
    ours: async (seconds) => await ours(count)(seconds) / await ours(1000)(seconds),
    baseline: (seconds) => plain.growth(identity, count, seconds),
  });
  return [...[1, 10, 100, 10_000, 100_000].map(each), ...[10_000, 100_000].map(growth)];
}
