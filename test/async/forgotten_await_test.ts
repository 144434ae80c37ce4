/**
 * A coroutine that is called and never awaited: Python warns of it when it is collected, with the line that called it.
 */
import { test } from "node:test";
import { intoPromise, python, tidy, toJs, toLoop } from "../../mod.ts";
import { readCounters } from "../../src/interpreter/counters.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "#std/assert";
import { collect } from "../support/collect.ts";
import { define } from "../support/define.ts";

const py = define(`
import asyncio, sys, warnings

warnings.simplefilter("always")
warned, unraisable = [], []
show = warnings.showwarning

def record(message, category, filename, line, *rest):
    if "never awaited" in str(message): warned.append((str(message), category.__name__, filename, line))
    else: show(message, category, filename, line, *rest)

warnings.showwarning = record

def take():
    taken, warned[:] = tuple(warned), []
    return taken

def take_unraisable():
    taken, unraisable[:] = tuple(unraisable), []
    return taken

def raise_warnings(on):
    warnings.simplefilter("error" if on else "always")
    sys.unraisablehook = keep_unraisable if on else sys.__unraisablehook__

def keep_unraisable(args):  # from Python 3.14 on the object is in the message
    unraisable.append((repr(args.object) if args.object is not None else args.err_msg, repr(args.exc_value)))

async def plain(*args): return len(args)
async def lines(): pass
async def functions(): pass
async def generator(): yield 1

def closure():
    async def inner(): pass
    return inner

class Session:
    async def commit(self): pass
    async def rollback(self): pass

class Awaitable:
    def __await__(self): yield

kept = []
def keep(value): kept.append(value)
def drop(): kept.clear()
def future(): return [asyncio.get_running_loop().create_future()]
`);

type Warned = [message: string, category: string, file: string, line: number];
const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 1));

/** The line where this error was made. */
const lineOf = ({ stack }: Error) => Number(/forgotten_await_test\.[jt]s:(\d+):/.exec(stack!)![1]);

/** Collects until there are `count` warnings, or often enough for none. */
async function warnings(count: number): Promise<Warned[]> {
  const all: Warned[] = [];
  for (let round = 0; round < (count === 0 ? 5 : 100) && all.length < Math.max(1, count); round++) {
    await collect();
    await py.plain();
    all.push(...toJs(py.take()) as Warned[]);
  }
  return all;
}

/** In a function of its own: a frame that is still there may keep what it made. */
function forget(fn: () => unknown, times = 1): void {
  for (let at = 0; at < times; at++) fn();
}

test("a coroutine that is never awaited warns when it is collected, and names the line that called it", async () => {
  const session = py.Session(), here = lineOf(new Error());
  forget(() => void session.commit()); // with `void`: JavaScriptCore has no frame of a function that ends with a call
  const [[message, category, file, line], ...more] = await warnings(1);
  assertEquals([message, category, more], ["coroutine 'Session.commit' was never awaited", "RuntimeWarning", []]);
  assertMatch(file, /[\\/]test[\\/]async[\\/]forgotten_await_test\.(ts|js)$/);
  assertEquals(line, here + 1);
});

test("the line is kept for the first four calls of each function, however often the function is made anew", async () => {
  const known = async (fn: () => unknown) => {
    forget(fn, 6);
    const found = await warnings(6);
    assertEquals(found.length, 6);
    return found.filter(([, , file]) => file !== "<javascript>").length;
  };
  assertEquals(await known(() => py.lines()), 4);
  assertEquals(await known(() => py.lines()), 0);
  assertEquals(await known(() => py.Session().rollback()), 4);
  assertEquals(await known(() => py.closure()()), 4);
  assertEquals(await known(() => py.functions.call(null)), 4);
});

test("what is awaited, in whatever way and however late, does not warn", async () => {
  const { plain } = py, late = plain(), later = plain(), looked = plain();
  await turn();
  await late;
  await Promise.all([plain(), plain(py.kept), intoPromise(plain()), Promise.resolve(plain()), (async () => plain())()]);
  await Promise.race([plain(() => 1), later]);
  assertEquals(looked.cr_code.co_name, "plain");
  await turn();
  await looked;
  await plain().then(() => {});
  await plain().finally(() => {});
  await toLoop(py.asyncio.gather, [plain(), plain()]);
  await assertRejects(() => intoPromise(plain(), { signal: AbortSignal.abort() }));
  assertEquals(await warnings(0), []);
});

test("what is destroyed does not warn, also after it was looked at, and Python runs what it has", async () => {
  const { plain } = py;
  plain().$destroy();
  const watched = plain(py.kept), made = plain();
  assertEquals(made.cr_code.co_name, "plain");
  await turn();
  watched.$destroy();
  made.$destroy();
  tidy(() => {
    plain(() => 1);
    plain().cr_code;
  });
  const kept = plain(1, 2);
  py.keep(kept);
  kept.$destroy();
  assertEquals(await python.execAsync("await kept[0]", { globals: py.__dict__ }), 2);
  py.drop();
  assertEquals(await warnings(0), []);
});

test("an await that is on its way when tidy returns goes on, and a coroutine that was started", async () => {
  const { plain } = py;
  let first: Promise<number>, second: Promise<number>;
  tidy(() => {
    first = (async () => await plain(1))();
    second = plain(1, 2).then((count: number) => count);
    plain(); // given up
  });
  assertEquals([await first!, await second!], [1, 2]);
  assertEquals(await warnings(0), []);
});

test("a coroutine that Python has, or that was looked at, is Python's to warn of, once, and it knows the line", async () => {
  const given = define("async def given(): pass"), looked = define("async def looked(): pass");
  forget(() => py.keep(given.given()));
  forget(() => looked.looked().cr_code);
  await turn();
  py.drop();
  const found = await warnings(2);
  assertEquals(found.length, 2, found.join("\n"));
  for (const [message] of found) {
    assertMatch(message, /^coroutine '(given|looked)' was never awaited\nCoroutine created at \(most recent call last\)\n {2}File "/);
    assertMatch(message, /[\\/]forgotten_await_test\.(ts|js)", line \d+/);
  }
});

test("what is no coroutine does not warn: async generators, Futures, other awaitables", async () => {
  forget(() => py.generator());
  forget(() => py.Awaitable());
  await (async () => void await toLoop(py.future))();
  assertEquals(await warnings(0), []);
});

test("nothing keeps a forgotten coroutine alive, though `this` of the line that called it has it", async () => {
  class Holder {
    coroutine: unknown;
    call() {
      this.coroutine = py.plain(this.call);
    }
  }
  const holders = Array.from({ length: 3 }, () => {
    const holder = new Holder();
    holder.call();
    return new WeakRef(holder);
  });
  assertEquals((await warnings(3)).length, 3);
  assertEquals(holders.filter((holder) => holder.deref()).length, 0);
});

test("a function that was destroyed has no name any more", async () => {
  const own = define("async def own(): pass"), destroyed = own.own;
  forget(() => destroyed());
  destroyed.$destroy();
  assertEquals((await warnings(1))[0][0], "coroutine '?' was never awaited");
});

test("where warnings are errors, sys.unraisablehook gets them, as of a coroutine of Python's", async () => {
  py.raise_warnings(true);
  try {
    forget(() => py.Session().commit());
    let found: string[][] = [];
    for (let round = 0; round < 100 && found.length === 0; round++) {
      await collect();
      await py.plain();
      found = toJs(py.take_unraisable()) as string[][];
    }
    const [[object, error]] = found;
    assertMatch(object, /^(Exception ignored while finalizing coroutine )?<coroutine object Session\.commit at 0x/);
    assertMatch(error, /^RuntimeWarning\("coroutine 'Session\.commit' was never awaited"\)$/);
  } finally {
    py.raise_warnings(false);
  }
});

test("many forgotten coroutines are few records, and neither calls nor warnings attach", async () => {
  const { plain } = py;
  await plain();
  await turn();
  const before = readCounters();
  forget(() => plain(1), 3000);
  for (let round = 0; round < 5; round++) await collect();
  const { attaches, submissions } = readCounters();
  assertEquals(attaches - before.attaches, 0);
  assert(submissions - before.submissions <= 20, String(submissions - before.submissions));
  assertEquals((await warnings(3000)).length, 3000);
});

test("a loop without an await keeps a limited number of calls", async () => {
  const { plain } = py;
  forget(() => plain(), 10_000);
  assertEquals((await warnings(10_000)).length, 10_000);
});
