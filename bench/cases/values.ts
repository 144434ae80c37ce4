/** Values that are converted, beside JSON. */
import { do_not_optimize } from "mitata";
import { python, toJs } from "../../mod.ts";
import { document } from "../document.ts";
import { assertSame, type Case, timed } from "../measure.ts";

/** The values; each is made when its case is checked. */
const makers: Record<string, () => unknown> = {
  "list of 10,000 ints": () => Array.from({ length: 10_000 }, (_, n) => n),
  "JSON-like document": document,
  "10,000 small objects": () => Array.from({ length: 10_000 }, (_, n) => ({ id: n, x: n / 3, on: n % 2 === 0 })),
  "10 columns of 10,000 values": () => {
    const column = (n: number) => Array.from({ length: 10_000 }, (_, i) => n % 2 ? i : `row ${i}`);
    return Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`column ${n}`, column(n)]));
  },
};

function both(name: string, make: () => unknown): Case[] {
  const { same, size, size_of_json } = python.import("called");
  const { dumps, loads } = python.import("json");
  let value: unknown, proxy: unknown;
  return [
    {
      group: "values",
      name: `${name}, in`,
      beside: "`json.loads(JSON.stringify(x))`",
      check() {
        value = make(), proxy = same(value);
        assertSame(`${name} there and back`, toJs(proxy), value);
        assertSame(`${name}, counted`, size_of_json(JSON.stringify(value)), size(value));
      },
      ours: timed(() => do_not_optimize(size(value))),
      baseline: timed(() => do_not_optimize(size_of_json(JSON.stringify(value)))),
    },
    {
      group: "values",
      name: `${name}, out`,
      beside: "`JSON.parse(json.dumps(x))`",
      check() {
        value = make(), proxy = same(value);
        assertSame(`${name} as JSON`, JSON.parse(dumps(loads(JSON.stringify(value)))), toJs(proxy));
      },
      ours: timed(() => do_not_optimize(toJs(proxy))),
      baseline: timed(() => do_not_optimize(JSON.parse(dumps(proxy)))),
    },
  ];
}

export function values(): Case[] {
  return Object.entries(makers).flatMap(([name, make]) => both(name, make));
}
