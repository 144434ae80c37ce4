/**
 * What a case is, and how it is measured: it and its baseline in turns, in the same process.
 *
 * The two are compared by the ratio of each turn, so that a slow minute of the machine affects both.
 */
import { isDeepStrictEqual } from "node:util";
import { measure } from "mitata";

/** Measures one way to do something for about this many seconds; returns microseconds per operation, or the case's unit. */
export type Way = (seconds: number) => Promise<number>;

/** One case, and what it is compared with. Less is better, whatever the unit. */
export interface Case {
  readonly group: string;
  readonly name: string;
  readonly beside: string;
  /** "µs" without it. */
  readonly unit?: string;
  /** One round trip after the other: measured without spinning and on one core, too. */
  readonly single?: true;
  /** The most rounds, for what takes long. */
  readonly rounds?: number;
  /** Prepares, and throws if both ways do not give the same result: a wrong result is never timed. */
  check(): unknown;
  readonly ours: Way;
  readonly baseline: Way;
}

/** The figures of one case. */
export interface Figure extends Pick<Case, "group" | "name" | "beside"> {
  unit: string;
  /** The medians of the rounds. */
  ours: number;
  baseline: number;
  /** The median of the rounds' ratios, and how they spread: the least, the quartiles, the most. */
  ratio: number;
  spread: [least: number, lower: number, upper: number, most: number];
}

/** The value below which this part of the sorted values lies, between two of them where it has to be. */
function quantile(sorted: number[], part: number): number {
  const at = (sorted.length - 1) * part, low = Math.floor(at), high = Math.ceil(at);
  return sorted[low] + (sorted[high] - sorted[low]) * (at - low);
}

/** The middle one of some values. */
export function median(values: number[]): number {
  return quantile(values.toSorted((a, b) => a - b), 0.5);
}

/** Runs both ways in turns, alternating which is first. */
export async function run(each: Case, most: number, seconds: number): Promise<Figure> {
  const { group, name, beside, unit = "µs", ours, baseline } = each;
  await each.check();
  const our: number[] = [], base: number[] = [];
  for (let round = 0; round < Math.min(most, each.rounds ?? most); round++) {
    if (round % 2 === 0) our.push(await ours(seconds));
    base.push(await baseline(seconds));
    if (round % 2 === 1) our.push(await ours(seconds));
  }
  const ratios = our.map((time, round) => time / base[round]).sort((a, b) => a - b);
  const spread = [0, 0.25, 0.75, 1].map((part) => quantile(ratios, part)) as Figure["spread"];
  return { group, name, beside, unit, ours: median(our), baseline: median(base), ratio: quantile(ratios, 0.5), spread };
}

/** Throws unless both are equal. */
export function assertSame(name: string, actual: unknown, expected: unknown): void {
  if (isDeepStrictEqual(actual, expected)) return;
  throw new Error(`${name} is wrong: ${String(JSON.stringify(actual)).slice(0, 200)}`);
}

/** The median of mitata's samples, which each contain many calls where one is short. */
export function timed(fn: () => unknown, operations = 1): Way {
  return async (seconds) => {
    const options = { min_cpu_time: seconds * 1e9, min_samples: 5, samples_threshold: 5, gc: false };
    const isAsync = fn() instanceof Promise;
    const { p50 } = await measure(fn, {
      ...options,
      ...(isAsync ? { batch_samples: 64, batch_unroll: 1 } : {}),
    });
    return p50 / 1000 / operations;
  };
}

/** The median of single calls, for what takes a millisecond and longer: as many as the time allows. */
export function sampled(fn: () => unknown, operations = 1): Way {
  return async (seconds) => {
    const samples: number[] = [], end = performance.now() + seconds * 1000;
    do {
      const begin = performance.now();
      await fn();
      samples.push((performance.now() - begin) * 1000 / operations);
    } while (performance.now() < end);
    return median(samples);
  };
}
