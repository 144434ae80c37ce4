/** Synchronous calls, attributes, items. */
import { do_not_optimize } from "mitata";
import { python } from "../../mod.ts";
import { assertSame, type Case, timed } from "../measure.ts";

export function calls(): Case[] {
  const plain = python.import("plain"), called = python.import("called");
  const { noop, add } = called;
  const thing = called.Thing(), list = python.builtins.list([1, 2, 3, 4]), dict = python.builtins.dict({ key: 4 });
  const records = called.records(1000);
  const group = "synchronous call", read = "synchronous read";
  const sumIds = () => {
    let total = 0;
    for (const record of records) total += record.$get("id");
    return total;
  };
  return [
    {
      group,
      name: "`noop()`",
      beside: "the call by Python",
      check: () => assertSame("noop", noop(), null),
      ours: timed(() => do_not_optimize(noop())),
      baseline: async (seconds) => plain.calls(noop, [], seconds),
    },
    {
      group,
      name: "`add(1, 2)`",
      beside: "the call by Python",
      check: () => assertSame("add", add(1, 2), 3),
      ours: timed(() => do_not_optimize(add(1, 2))),
      baseline: async (seconds) => plain.calls(add, [1, 2], seconds),
    },
    {
      group,
      name: "`thing.noop()`, a method",
      beside: "`noop()`, a function",
      check: () => assertSame("thing.noop", thing.noop(), noop()),
      ours: timed(() => do_not_optimize(thing.noop())),
      baseline: timed(() => do_not_optimize(noop())),
    },
    {
      group: read,
      name: "`thing.x`",
      beside: "the same by Python",
      check: () => assertSame("thing.x", thing.x, 7),
      ours: timed(() => do_not_optimize(thing.x)),
      baseline: async (seconds) => plain.attributes(thing, seconds),
    },
    {
      group: read,
      name: "`list[3]`",
      beside: "the same by Python",
      check: () => assertSame("list[3]", list[3], 4),
      ours: timed(() => do_not_optimize(list[3])),
      baseline: async (seconds) => plain.list_items(list, seconds),
    },
    {
      group: read,
      name: '`dict.$get("key")`',
      beside: "`list[3]` by Python",
      check: () => assertSame("dict.$get", dict.$get("key"), 4),
      ours: timed(() => do_not_optimize(dict.$get("key"))),
      baseline: async (seconds) => plain.list_items(list, seconds),
    },
    {
      group: read,
      name: "a list of 1,000 dicts, an item of each",
      beside: "the same by Python",
      check: () => assertSame("the sum of ids", sumIds(), plain.sum_ids(records)),
      ours: timed(sumIds, 1000),
      baseline: async (seconds) => plain.iteration(records, seconds),
    },
  ];
}
