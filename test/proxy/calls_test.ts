/**
 * Synchronous calls in both directions: arguments by position and by name, JavaScript functions called on JavaScript's
 * own thread, on the loop's and on others, nested, with errors, and re-entered half-way.
 */
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import { attach, enter, float, kw, python, PythonError, tidy, toJs, toLoop, toThread, tuple } from "../../mod.ts";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "#std/assert";
import { countHandles } from "../../src/interpreter/js_handles.ts";
import { define } from "../support/define.ts";

const asyncio = python.import("asyncio");

const py = define(`
import asyncio, threading

def signature(*args, **kwargs): return repr((args, kwargs))
def keyword_only(a, *, b=2): return (a, b)
def call(f, *args, **kwargs): return f(*args, **kwargs)
def call_with_names(f): return f(1, 2, three=3, four=[4])

def down(f, n): return f(n) if n else "bottom"

def caught(f):
    try: return ["returned", f()]
    except BaseException as error: return [type(error).__name__, str(error)]

def reraise(f):
    try: f()
    except Exception as error: raise KeyError("outer") from error

async def call_soon(f, *args):
    loop, future = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()
    def callback():
        try: future.set_result(f(*args))
        except BaseException as error: future.set_exception(error)
    loop.call_soon(callback)
    return await future

def in_threads(f, threads, calls):
    results, failures = [[] for _ in range(threads)], []
    def work(index):
        for n in range(calls):
            try: results[index].append(f(index, n))
            except Exception as error: failures.append((index, n, str(error)))
    workers = [threading.Thread(target=work, args=(index,)) for index in range(threads)]
    for worker in workers: worker.start()
    for worker in workers: worker.join()
    return results, sorted(failures)

def sort_by(f, items): return sorted(items, key=f)

async def add(a, b):
    await asyncio.sleep(0)
    return a + b
`);

test("arguments by position and by name", () => {
  assertEquals(py.signature(), "((), {})");
  assertEquals(py.signature(1, "a", null), "((1, 'a', None), {})");
  assertEquals(py.signature(1, kw({ b: 2, c: [3] })), "((1,), {'b': 2, 'c': [3]})");
  assertEquals(py.signature(kw({})), "((), {})");
  assertEquals(py.signature(kw({ a: undefined, b: null })), "((), {'b': None})");
  assertEquals(py.signature({ b: 2 }), "(({'b': 2},), {})");
  assertEquals(py.signature(undefined), "((None,), {})");
  assertEquals(py.signature(float(1), tuple([1, 2])), "((1.0, (1, 2)), {})");
  assertEquals(py.signature(...Array(20).keys()), `((${[...Array(20).keys()].join(", ")}), {})`);
  assertEquals(toJs(py.keyword_only(1, kw({ b: 3 }))), [1, 3]);
  assertEquals((assertThrows(() => py.keyword_only(1, 3)) as PythonError).name, "TypeError");
  assertThrows(() => py.keyword_only(1, kw({ nothing: 3 })), PythonError, "nothing");
});

test("Python's keyword arguments arrive as one object after the others", () => {
  const calls: unknown[][] = [];
  const record = (...args: unknown[]) => void calls.push(args);
  py.call(record);
  py.call(record, 1, 2);
  py.call(record, 1, kw({ a: 2 }));
  py.call_with_names(record);
  assertEquals(calls.map((args) => args.length), [0, 2, 2, 3]);
  assertEquals(calls[2], [1, { a: 2 }]);
  const last = calls[3][2] as { three: number; four: unknown };
  assertEquals([calls[3].slice(0, 2), Object.keys(last), last.three, toJs(last.four)], [
    [1, 2],
    ["three", "four"],
    3,
    [4],
  ]);
});

test("a JavaScript function called on JavaScript's own thread", () => {
  assertEquals(py.call((a: number, b: number) => a + b, 1, 2), 3);
  assertEquals(py.call(() => {}), null);
  assertEquals(toJs(py.sort_by((text: string) => text.length, ["ccc", "a", "bb"])), ["a", "bb", "ccc"]);
  assertEquals(toJs(python.builtins.list(python.builtins.map((n: number) => n * 2, [1, 2, 3]))), [2, 4, 6]);
  const self = {
    offset: 10,
    add(n: number) {
      return this.offset + n;
    },
  };
  class Adder {
    offset = 10;
    add(n: number) {
      return this.offset + n;
    }
  }
  assertEquals(py.call(self.add.bind(self), 1), 11);
  assertEquals(python.exec("adder.add(2)", { globals: { adder: new Adder() } }), 12);
});

test("nested calls, several levels deep, with errors and with values", () => {
  const nest = (n: number): string => n === 0 ? "bottom" : `${n} ${py.down(nest, n - 1)}`;
  assertEquals(nest(10), "10 9 8 7 6 5 4 3 2 1 bottom");
  const thrown = new RangeError("deep");
  const fail = (n: number): unknown => {
    if (n === 1) throw thrown;
    return py.down(fail, n - 1);
  };
  assertStrictEquals(assertThrows(() => fail(6)), thrown);
  const error = assertThrows(() => py.reraise(() => fail(3))) as PythonError;
  assertEquals([error.name, error.cause], ["KeyError", thrown as unknown]);
  assertEquals(toJs(py.caught(() => python.exec("[][1]"))), ["IndexError", "list index out of range"]);
  assertEquals(py.caught(() => py.caught(() => fail(1))[0])[1], "JsException");
});

test("nesting that goes too deep is a RangeError or RecursionError and no crash", () => {
  let depth = 0;
  const forever = (): unknown => {
    depth++;
    return py.call(forever);
  };
  for (let round = 0; round < 3; round++) {
    depth = 0;
    const error = assertThrows(forever) as Error;
    assert(error instanceof RangeError || error.name === "RecursionError", String(error));
    assert(depth > 50, `at depth ${depth}`);
    assertEquals(py.call(() => py.call(() => 7)), 7);
  }
});

test("a JavaScript function called on the loop's thread", async () => {
  assertEquals(await py.call_soon((a: number, b: number) => a * b, 6, 7), 42);
  assertEquals(await toLoop((text: string) => text + "!", ["loop"]), "loop!");
  const thrown = { no: "Error" };
  const fail = () => {
    throw thrown;
  };
  assertStrictEquals(await py.call_soon(fail).catch((error: unknown) => error), thrown);
  // From there it may use Python, too: the loop waits.
  assertEquals(await py.call_soon(() => py.call((n: number) => n + 1, 1)), 2);
  assertEquals(
    await Promise.all([...Array(100).keys()].map((n) => py.call_soon((x: number) => x + 1, n))),
    [...Array(100).keys()].map((n) => n + 1),
  );
});

test("a JavaScript function called by eight threads while JavaScript awaits", async () => {
  const [threads, calls] = [8, 200];
  const f = (thread: number, n: number) => {
    if (n % 50 === 7) throw new Error(`${thread} ${n}`);
    return thread * 1000 + n;
  };
  let busy = true;
  const awaiting = (async () => { // JavaScript is busy meanwhile
    for (let n = 0; busy; n++) assertEquals(await py.add(n, 1), n + 1);
  })();
  const [results, failures] = toJs(await toThread(py.in_threads, [f, threads, calls])) as [
    number[][],
    unknown,
  ];
  busy = false;
  await awaiting;
  const good = [...Array(calls).keys()].filter((n) => n % 50 !== 7);
  assertEquals(results, [...Array(threads).keys()].map((thread) => good.map((n) => thread * 1000 + n)));
  assertEquals(
    failures,
    [...Array(threads).keys()].flatMap((t) => [7, 57, 107, 157].map((n) => [t, n, `Error: ${t} ${n}`])),
  );
});

test("threads call different functions, with values of every size, in their order", async () => {
  const sizes = [0, 1, 100, 70_000, 300_000];
  const order: number[] = [];
  const f = (_thread: number, n: number) => {
    order.push(n);
    return "x".repeat(sizes[n]);
  };
  const [results] = toJs(await toThread(py.in_threads, [f, 1, sizes.length])) as [string[][]];
  assertEquals(results[0].map((text) => text.length), sizes);
  assertEquals(order, [0, 1, 2, 3, 4]);
  const large = "y".repeat(300_000);
  assertEquals(await toThread((text: string) => text.length, [large]), 300_000);
  assertEquals(py.call((text: string) => text.length, large), 300_000);
  assertEquals(py.call(() => large).length, 300_000);
});

test("attach runs many calls, once attached", async () => {
  const { add } = python.import("operator");
  assertEquals(attach(() => [1, 2, 3].reduce((a, b) => add(a, b))), 6);
  assertEquals(attach(() => attach(() => add(1, 2)) + add(3, 4)), 10);
  assertEquals(attach(() => py.call(() => attach(() => py.call(() => "inside")))), "inside");
  assertThrows(() => attach(() => python.exec("1/0")), PythonError, "division");
  const thrown = new Error("mine");
  assertStrictEquals(
    assertThrows(() =>
      attach(() => {
        throw thrown;
      })
    ),
    thrown,
  );
  assertEquals(await py.add(1, 2), 3); // the GIL was given back
  assertEquals(await toThread(py.call, [() => "from a thread"]), "from a thread");
});

test("functions that have to be synchronous are refused where they are not, and a rejection of theirs is nobody's", async () => {
  const lock = python.import("threading").Lock();
  const foreign = runInNewContext("async () => { throw new Error('nobody catches this'); }");
  const works = [
    async () => await 1,
    async () => {
      await null;
      throw new Error("nobody catches this");
    },
    foreign,
    () => ({ then() {} }),
  ];
  for (const work of works) {
    for (const take of [attach, tidy, (fn: () => unknown) => enter(lock, fn)]) {
      assertThrows(() => take(work), TypeError, "asynchronous function");
    }
  }
  assertThrows(() => attach(5 as never), TypeError, "attach(fn) takes a synchronous function");
  assertThrows(() => tidy(5 as never), TypeError, "tidy(fn) takes a synchronous function");
  await new Promise((resolve) => setTimeout(resolve, 20)); // an unhandled rejection would fail this test
  assertEquals([lock.locked(), await tidy(() => py.add(1, 2)), await attach(() => py.add(1, 2))], [false, 3, 3]);
});

test("a getter that calls Python while arguments are being converted", async () => {
  const argument = {
    before: 1,
    get nested() {
      return py.signature({
        get deeper() {
          return py.call((x: number) => x + 1, 41);
        },
      });
    },
    after: [2],
  };
  const expected = "(({'before': 1, 'nested': \"(({'deeper': 42},), {})\", 'after': [2]},), {})";
  assertEquals(py.signature(argument), expected);
  assertEquals(await toLoop(py.signature, [argument]), expected);
  assertEquals(py.call(() => py.signature(argument)), expected);
  assertEquals(
    toJs(
      await toLoop(python.builtins.list, [[{
        get awaited() {
          asyncio.sleep(0).then(() => {});
          return py.signature(1);
        },
      }]]),
    ),
    [{ awaited: "((1,), {})" }],
  );
});

test("a getter that throws leaves nothing behind", () => {
  const thrown = new Error("getter");
  const argument = [() => {}, {
    get bad(): never {
      throw thrown;
    },
  }];
  const before = countHandles();
  for (let i = 0; i < 3; i++) assertStrictEquals(assertThrows(() => py.signature(argument)), thrown);
  for (let i = 0; i < 3; i++) assertStrictEquals(assertThrows(() => py.add(argument, 1)), thrown);
  assertEquals(countHandles(), before);
  assertStrictEquals(assertThrows(() => py.call(() => argument)), thrown);
  assertEquals(py.signature(1), "((1,), {})");
});

test("a callback calls Python again while a result is pending", () => {
  const results: unknown[] = [];
  const sorted = py.sort_by((n: number) => {
    results.push(py.signature(n), toJs(python.exec("[1, 2]")));
    return -n;
  }, [1, 3, 2]);
  assertEquals(toJs(sorted), [3, 2, 1]);
  assertEquals(results.length, 6);
  const long = py.call(() => py.call(() => "x".repeat(100_000)) + py.signature("y".repeat(100_000)));
  assertEquals(long.length, 100_000 + "(('',), {})".length + 100_000);
});
