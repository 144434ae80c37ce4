/** What concerns a whole process: its start, its memory, its processor time. Each figure is of a process of its own. */
import { python } from "../../mod.ts";
import { lasts, prints, runCommand } from "../child.ts";
import type { Case } from "../measure.ts";

/** A part of the whole, at least one in a hundred: a quick run does less. */
const part = (whole: number, seconds: number) => Math.round(whole * Math.min(1, Math.max(0.01, seconds / 0.15)));
const off = { PYAWAIT_SPIN: "0" };
/** Programs check their results themselves, at every run. */
const check = () => {};
const about = { check, rounds: 5 };

function start(): Case {
  const script = "import asyncio; asyncio.run(asyncio.sleep(0))";
  // Both start the same program: `python3` may be a launcher, which takes longer than Python.
  const executable = python.info.executable!, first = () => lasts("first_await", { PYAWAIT_PYTHON: executable });
  return {
    ...about,
    check: first, // what is remembered of this Python is remembered now
    group: "start",
    name: "import, open, first await: what they add to the empty runtime",
    beside: `\`python3 -c "${script}"\``,
    unit: "µs",
    ours: async () => Math.max(1, await first() - await lasts("empty")),
    baseline: async () => (await runCommand(executable, ["-c", script])).time,
  };
}

function memory(): Case[] {
  const growth = (name: string, what: string, whole: number, baseline: string, beside: string): Case => ({
    ...about,
    group: "memory",
    name,
    beside,
    unit: "MB",
    rounds: 1,
    ours: (seconds) => prints("growth", [what, part(whole, seconds)]),
    baseline: (seconds) => prints("growth", [baseline, part(whole, seconds)]),
  });
  return [
    {
      ...about,
      group: "memory",
      name: "per pending await, of 100,000",
      beside: "per task with a done callback",
      unit: "bytes",
      rounds: 3,
      ours: (seconds) => prints("pending", ["awaits", part(100_000, seconds)]),
      baseline: (seconds) => prints("pending", ["tasks", part(100_000, seconds)]),
    },
    growth("growth by 1,000,000 conversions each way, at least 10", "conversions", 1e6, "json", "the same by JSON"),
    growth("growth by 10,000 loops made and ended, at least 10", "loops", 10_000, "asyncio.run", "by `asyncio.run`"),
  ];
}

function processor(): Case[] {
  const group = "spinning", beside = "with `PYAWAIT_SPIN=0`";
  const ways = (program: string, what: string) => ({
    ...about,
    group,
    beside,
    ours: (seconds: number) => prints(program, [what, part(1000, seconds)]),
    baseline: (seconds: number) => prints(program, [what, part(1000, seconds)], off),
  });
  return [
    {
      ...about,
      group: "idle",
      name: "processor time of a second with Python open, at least 100",
      beside: "the runtime alone",
      ours: (seconds) => prints("idle", ["python", part(1000, seconds)]),
      baseline: (seconds) => prints("idle", ["runtime", part(1000, seconds)]),
    },
    { ...ways("paced", "await"), name: "processor time of an await once per millisecond" },
    { ...ways("beside", "timers"), name: "a timer of a millisecond, beside a loop of awaits" },
    { ...ways("beside", "sockets"), name: "a socket's echo, beside a loop of awaits" },
  ];
}

export function processes(): Case[] {
  return [start(), ...memory(), ...processor()];
}
