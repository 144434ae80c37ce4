/** How late JavaScript's timers are while Python works. */
import { intoPromise, python } from "../../mod.ts";
import { type Case, type Way } from "../measure.ts";

/**
 * How late JavaScript's timers of one millisecond are while `work` runs: the 99th percentile.
 *
 * @param each runs at every tick, as the turns of a program with work of its own do
 */
function lateness(work: (seconds: number) => Promise<unknown>, each: () => unknown = () => {}): Way {
  return async (seconds) => {
    const late: number[] = [], begun: unknown[] = [];
    let working = true;
    const done = work(Math.max(seconds * 2, 0.02)).finally(() => working = false);
    for (let start = performance.now(); working; start = performance.now()) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      late.push(Math.max(0.001, performance.now() - start - 1));
      begun.push(each());
    }
    await Promise.all([done, ...begun]);
    return late.sort((a, b) => a - b)[Math.floor(late.length * 0.99)] * 1000;
  };
}

export function delay(): Case[] {
  const { burn, hold_gil, identity } = python.import("called");
  const idle = lateness((seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000)));
  const group = "JavaScript's timers, p99 of how late", beside = "while Python is idle";
  return [
    {
      group,
      name: "while a coroutine computes",
      beside,
      check: () => intoPromise(burn(0.001)),
      ours: lateness((seconds) => intoPromise(burn(seconds))),
      baseline: idle,
    },
    {
      group,
      name: "while one C call holds the GIL and more is awaited",
      beside,
      check: () => intoPromise(hold_gil(0.001)),
      ours: lateness((seconds) => intoPromise(hold_gil(seconds)), () => intoPromise(identity(1))),
      baseline: idle,
    },
  ];
}
