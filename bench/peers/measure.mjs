/**
 * Times the cases that all bridges have in common, each checked first, and prints the figures as JSON: null where the result
 * is wrong.
 *
 * A peer's program is started as `PEER.mjs ROOT SECONDS`, from the folder that it is installed in; ROOT is the project.
 */
import process from "node:process";
import { isDeepStrictEqual } from "node:util";

export const root = process.argv[2];
export const functions = new URL("called.py", import.meta.url);
const seconds = Number(process.argv[3]);
const { document } = await import(`${root}/.build/bench/document.js`);

const list = Array.from({ length: 10_000 }, (_, n) => n);
const numbers = list.slice(0, 1000);
const doc = document();

/** The median of samples of about a millisecond, or of one call where that is longer: microseconds. */
async function time(fn, operations = 1) {
  let calls = 1;
  const sample = async () => {
    const begin = performance.now();
    for (let n = 0; n < calls; n++) {
      const result = fn();
      if (typeof result?.then === "function") await result;
    }
    return (performance.now() - begin) * 1000;
  };
  for (let took = await sample(); took < 1000 && calls < 1e6; took = await sample()) calls *= 2;
  const samples = [], end = performance.now() + seconds * 1000;
  do samples.push(await sample() / calls / operations); while (performance.now() < end);
  return samples.sort((a, b) => a - b)[samples.length >> 1];
}

/**
 * @param peer what a peer has of: identity(n), noop(), add(a, b), give(value) a size, and take(value), which prepares and
 *   returns a function that takes this value out; each may give a Promise
 */
export async function report(versions, { identity, noop, add, give, take }) {
  const figures = {};
  const one = async (name, fn, expected, operations) => {
    const right = isDeepStrictEqual(await fn(), expected);
    figures[name] = right ? await time(fn, operations) : null; // what is wrong is not timed
  };
  if (identity) {
    await one("coroutine, one at a time", () => identity(1).then((value) => value), 1);
    await one("coroutine, 1,000 in flight", () => Promise.all(numbers.map((n) => identity(n))), numbers, 1000);
  }
  await one("`noop()`", noop, await noop());
  await one("`add(1, 2)`, to a number", () => add(1, 2), 3);
  await one("list of 10,000 ints, in", () => give(list), list.length);
  await one("list of 10,000 ints, out", await take(list), list);
  await one("JSON-like document, in", () => give(doc), 3);
  await one("JSON-like document, out", await take(doc), doc);
  console.log(JSON.stringify({ ...versions, figures }));
}
