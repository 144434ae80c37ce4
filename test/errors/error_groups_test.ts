/**
 * Errors in the harder places: groups both ways, notes, exceptions that end programs, and errors thrown in getters,
 * callbacks, generators and finalizers; each is itself again at home, whatever has happened in between.
 */
import { test } from "node:test";
import { intoPromise, kw, python, PythonError, toJs, toLoop, toThread } from "../../mod.ts";
import { assertEquals, assertInstanceOf, assertRejects, assertStrictEquals, assertStringIncludes, assertThrows } from "#std/assert";
import { collect } from "../support/collect.ts";
import { define, isAtLeast } from "../support/define.ts";

// deno-lint-ignore no-explicit-any -- what Python gives is what Python decides
type Value = any;

const py = define(`
import asyncio, functools, gc, pyawait, sys, traceback, weakref

class Custom(Exception): pass

def same(value): return value
def call(f, *args): return f(*args)
def raise_it(error): raise error
async def raise_async(error): raise error

def catch(f, kind=BaseException):
    try: return f()
    except kind as error: return error

def keep(f, kept=[]):
    try: f()
    except BaseException as error: kept.append(error)
    return len(kept) - 1, kept

def noted(f, note):
    try: f()
    except Exception as error:
        error.add_note(note)
        raise

def other_errors(n=50):
    for i in range(n):
        try: {}[i]
        except KeyError: pass
    gc.collect()

def numbers(n):
    for i in range(n): yield i
    raise Custom("generator")

def throw_into(generator, error):
    next(generator)
    return generator.throw(error)

async def read(source):
    return [x async for x in source]

class Getter:
    @property
    def bad(self): raise Custom("property")
    def __setattr__(self, name, value): raise Custom("set " + name)
    def __delattr__(self, name): raise Custom("delete " + name)
    def __getitem__(self, key): raise Custom("item")
    def __len__(self): raise Custom("len")
    def __iter__(self): raise Custom("iter")
    def __str__(self): raise Custom("str")
    def __call__(self): raise Custom("call")
    def __contains__(self, key): raise Custom("contains")
    def __float__(self): raise Custom("float")

class Dying:
    def __init__(self, f): self.f = f
    def __del__(self): self.f()

def unraisable(f):
    """What Python reports of errors that nobody can catch."""
    seen, old = [], sys.unraisablehook
    sys.unraisablehook = lambda about: seen.append(about.exc_value)
    try:
        f()
        gc.collect()
    finally: sys.unraisablehook = old
    return seen
`);
const { builtins } = python;
const raised = (fn: () => unknown) => assertThrows(fn, PythonError) as PythonError;
const thrower = (error: unknown) => () => {
  throw error;
};

const noGroups = isAtLeast(3, 11) ? false : "ExceptionGroup and notes need Python 3.11";
if (noGroups) console.log(`skip: ${noGroups}`);

test("an AggregateError is an ExceptionGroup, with members of every kind", { skip: noGroups }, () => {
  const inner = new AggregateError([new RangeError("deep")], "inner"), exception = builtins.KeyError("k");
  const pythonError = raised(() => py.raise_it(exception));
  const group = new AggregateError([new TypeError("t"), inner, pythonError, "text", null, Object.create(null)], "several");
  const error = py.catch(thrower(group));
  assertEquals(
    python.exec(
      "[isinstance(e, ExceptionGroup), type(e).__mro__[1].__name__, str(e.message), len(e.exceptions), e.exceptions[2] is k, str(e.exceptions[0]), [str(x) for x in e.exceptions[1].exceptions]]",
      { globals: { e: error, k: exception } },
    ).$toJs(),
    [true, "JsException", "several", 6, true, "TypeError: t", ["RangeError: deep"]],
  );
  assertStrictEquals(assertThrows(() => py.raise_it(error)), group);
  assertStrictEquals(py.call(() => group), group);
  const [, , third, fourth] = toJs(python.exec("list(e.exceptions)", { globals: { e: group } })) as Value[];
  assertStrictEquals(third, exception);
  assertEquals(fourth.message, "text");
  assertEquals(python.exec("isinstance(e, ExceptionGroup)", { globals: { e: new AggregateError([]) } }), false);
});

test("except* splits an AggregateError, and what is left over keeps JavaScript's errors", { skip: noGroups }, () => {
  const first = new RangeError("first"), second = new TypeError("second");
  const code = `
    import pyawait
    caught = []
    try: f()
    except* pyawait.JsException as group: caught.extend(group.exceptions)
    caught`;
  const caught = toJs(python.exec(code, { globals: { f: thrower(new AggregateError([first, second], "both")) } })) as unknown[];
  assertStrictEquals(caught[0], first);
  assertStrictEquals(caught[1], second);
  const mixed = new AggregateError([first, raised(() => py.raise_it(builtins.KeyError(1)))], "mixed");
  const left = raised(() => python.exec("try: f()\nexcept* KeyError: pass", { globals: { f: thrower(mixed) } }));
  assertEquals([left.name, left.message, left.errors?.length], ["ExceptionGroup", "mixed (1 sub-exception)", 1]);
  assertStrictEquals(left.errors![0], first);
});

test("groups that cannot be one: circular, of KeyboardInterrupt, with a getter that throws", () => {
  const circular = new AggregateError([new Error("a")], "circular");
  circular.errors.push(circular);
  const fatal = new AggregateError([raised(() => py.raise_it(builtins.KeyboardInterrupt())), new Error("a")], "fatal");
  const hostile = Object.defineProperty(new AggregateError([], "hostile"), "errors", { get: thrower(new Error("getter")) });
  const silent = Object.defineProperties(new Error("silent"), { stack: { get: thrower(1) }, message: { get: thrower(2) } });
  const odd = new Proxy(new Error("proxy"), { getPrototypeOf: thrower(new Error("trap")) as never });
  for (const error of [circular, fatal, hostile, silent]) {
    assertStrictEquals(assertThrows(() => py.call(thrower(error))), error);
    assertStrictEquals(py.same(error), error);
    assertEquals(builtins.isinstance(error, py.pyawait.JsException), true);
  }
  assertThrows(() => py.call(thrower(odd))); // no crash
  assertEquals(py.call(() => 1), 1);
});

test("an ExceptionGroup of Python's keeps what both sides put into it", { skip: noGroups }, () => {
  const own = new RangeError("own"), exception = py.Custom("python");
  const group = raised(() =>
    python.exec("raise ExceptionGroup('g', [a, b, ExceptionGroup('h', [a])])", { globals: { a: own, b: exception } })
  );
  assertStrictEquals(group.errors![0], own);
  assertStrictEquals((group.errors![1] as PythonError).exception, exception);
  assertStrictEquals((group.errors![2] as PythonError).errors![0], own);
  assertStrictEquals(py.catch(thrower(group)), group.exception);
  assertStringIncludes(group.traceback, "RangeError: own");
  const base = raised(() => python.exec("raise BaseExceptionGroup('b', [KeyboardInterrupt()])"));
  assertEquals([base.name, (base.errors![0] as PythonError).name], ["BaseExceptionGroup", "KeyboardInterrupt"]);
});

test("notes", { skip: noGroups }, () => {
  const error = raised(() => py.noted(() => py.raise_it(py.Custom("c")), "a note"));
  assertEquals(toJs(error.exception.__notes__), ["a note"]);
  assertStringIncludes(error.traceback, "\na note\n");
  const thrown = new Error("JavaScript's");
  assertStrictEquals(assertThrows(() => py.noted(thrower(thrown), "a note")), thrown);
  const outer = raised(() =>
    python.exec("try: noted(f, 'seen')\nexcept Exception as e: raise Custom() from e", {
      globals: builtins.dict(py.__dict__, kw({ f: thrower(thrown) })),
    })
  );
  assertStringIncludes(outer.traceback, "\nseen\n");
  assertStrictEquals(outer.cause, thrown);
});

test("KeyboardInterrupt, SystemExit and the like end no program", async () => {
  for (
    const name of [
      "KeyboardInterrupt",
      "SystemExit",
      "GeneratorExit",
      "StopIteration",
      "StopAsyncIteration",
      "BaseException",
      "MemoryError",
      "RecursionError",
    ]
  ) {
    const exception = builtins[name]("x"), fail = () => py.raise_it(exception);
    for (
      const f of [fail, () => py.call(fail), () => python.exec("raise e", { globals: { e: exception } }), () => py.call(py.call, fail)]
    ) {
      const error = raised(f);
      assertEquals([error.name, error.exception === exception], [name, true]);
      assertStrictEquals(py.catch(f), exception);
    }
    const ordinary = python.exec("issubclass(e, Exception)", { globals: { e: builtins[name] } });
    if (!ordinary) assertEquals(raised(() => py.catch(fail, builtins.Exception)).name, name); // `except Exception` does not see it
    if (name.startsWith("Stop") || name === "GeneratorExit") continue; // they mean something to coroutines
    for (
      const promise of [
        () => toLoop(py.raise_it, [exception]),
        () => toThread(py.raise_it, [exception]),
        () => intoPromise(py.raise_async(exception)),
      ]
    ) {
      assertStrictEquals((await assertRejects(promise, PythonError)).exception, exception);
    }
  }
  assertEquals(await toLoop(builtins.abs, [-1]), 1);
});

test("errors of Python's properties, items and special methods are thrown, never swallowed", () => {
  const getter = py.Getter();
  const uses: Record<string, () => unknown> = {
    property: () => getter.bad,
    "set x": () => (getter.x = 1),
    "delete x": () => delete getter.x,
    item: () => getter.$get(1),
    len: () => builtins.len(getter),
    iter: () => [...getter],
    str: () => String(getter),
    call: () => getter(),
    contains: () => getter.$has(1),
    float: () => +getter,
  };
  const wrong: string[] = [];
  for (const [message, use] of Object.entries(uses)) {
    try {
      wrong.push(`${message} gave ${String(use())}`);
    } catch (error) {
      if (!(error instanceof PythonError) || error.message !== message) wrong.push(`${message} threw ${error}`);
    }
  }
  assertEquals(wrong, []);
});

test("errors of JavaScript's getters, setters and traps are raised, in the middle of anything", () => {
  const thrown = new Error("getter");
  const hostile = {
    before: [1],
    get bad(): number {
      throw thrown;
    },
    after: 2,
  };
  for (
    const use of [
      () => py.same(hostile),
      () => py.same([1, { deep: [hostile] }]),
      () => py.same(new Map([[1, hostile]])),
      () => py.call(() => hostile),
    ]
  ) {
    assertStrictEquals(assertThrows(use), thrown);
  }
  class Own {
    get bad(): number {
      throw thrown;
    }
    set bad(_value) {
      throw thrown;
    }
  }
  const trap = new Proxy(new Own(), {
    has: thrower(thrown) as never,
    deleteProperty: thrower(thrown) as never,
    ownKeys: thrower(thrown) as never,
  });
  for (
    const [code, x] of [["x.bad", new Own()], ["x.bad = 1", new Own()], ["x.other", trap], ["del x.y", trap], [
      "getattr(x, 'bad', None)",
      new Own(),
    ]] as const
  ) {
    assertStrictEquals(assertThrows(() => python.exec(code, { globals: { x } })), thrown, code);
    assertStrictEquals(py.catch(() => python.exec(code, { globals: { x } })).value ?? thrown, thrown);
  }
  assertEquals(py.same([1]).length, 1);
});

test("errors of callbacks that Python's own functions call", () => {
  const thrown = new RangeError("callback"), fail = thrower(thrown);
  const uses = [
    () => builtins.sorted([3, 1, 2], kw({ key: fail })),
    () => builtins.list(builtins.map(fail, [1])),
    () => builtins.max([1, 2], kw({ key: fail })),
    () => py.functools.reduce(fail, [1, 2]),
    () => builtins.iter(fail, 5).__next__(),
    () => python.import("re").sub("a", fail, "banana"),
    () => python.import("json").loads("{}", kw({ object_hook: fail })),
    () => builtins.type("Meta", builtins.tuple(), builtins.dict([["__getattr__", fail]]))().anything,
  ];
  for (const use of uses) assertStrictEquals(assertThrows(use), thrown);
});

test("errors in generators, both ways, and thrown into them", async () => {
  const thrown = new RangeError("generator");
  function* failing() {
    yield 1;
    throw thrown;
  }
  async function* failingAsync() {
    yield await Promise.resolve(1);
    throw thrown;
  }
  const source = failing();
  assertStrictEquals(assertThrows(() => builtins.list(source)), thrown);
  assertEquals(source.next().done, true);
  assertStrictEquals(await assertRejects(() => intoPromise(py.read(failingAsync()))), thrown);
  const seen: number[] = [];
  const error = raised(() => {
    for (const n of py.numbers(3)) seen.push(n);
  });
  assertEquals([error.message, seen], ["generator", [0, 1, 2]]);

  const exception = py.Custom("thrown in");
  let caught: unknown;
  function* catching(): Generator<number, void> {
    try {
      yield 1;
    } catch (inner) {
      caught = inner;
      throw inner;
    }
  }
  assertStrictEquals(py.catch(() => py.throw_into(catching(), exception)), exception);
  assertInstanceOf(caught, PythonError);
  assertStrictEquals((caught as PythonError).exception, exception);
  const generator = python.exec("def g():\n  try: yield 1\n  except Exception as e: yield [e]\ng()");
  generator.next();
  assertStrictEquals(generator.throw(thrown).value[0], thrown);
  assertStrictEquals(assertThrows(() => generator.throw(thrown)), thrown);
  assertEquals(generator.next(), { done: true, value: null });
});

test("errors of finalizers are reported by Python and thrown to nobody", () => {
  const thrown = new RangeError("finalizer");
  const seen = py.unraisable(() => {
    python.exec("Dying(f)\nweakref.ref(set(), f)\nNone", { globals: builtins.dict(py.__dict__, kw({ f: thrower(thrown) })) });
  });
  assertEquals(seen.length, 2);
  for (const each of seen) assertStrictEquals(each, thrown);
  assertEquals(py.call(() => 1), 1);
});

test("identity both ways after other errors, collections and a long time", async () => {
  const thrown = Object.assign(new RangeError("kept"), { tag: {} });
  const [index, kept] = py.keep(thrower(thrown));
  const exception = py.Custom("kept"), error = raised(() => py.raise_it(exception));
  for (let i = 0; i < 5; i++) {
    py.other_errors();
    assertThrows(() => py.call(thrower(new Error("another"))));
    raised(() => py.raise_it(py.Custom(`other ${i}`)));
    await assertRejects(() => toThread(py.raise_it, [py.Custom("in a thread")]));
    await collect();
  }
  assertStrictEquals(assertThrows(() => py.raise_it(kept[index])), thrown);
  assertStrictEquals(await assertRejects(() => toLoop(py.raise_it, [kept[index]])), thrown);
  assertStrictEquals(py.catch(thrower(error)), exception);
  assertStrictEquals(await toLoop(py.catch, [thrower(error)]), exception);
  assertEquals(error.name, "Custom");

  const [held] = py.keep(thrower(Object.assign(new Error("only Python has it"), { mark: 7 })));
  for (let i = 0; i < 5; i++) await collect();
  assertEquals((assertThrows(() => py.raise_it(kept[held])) as Value).mark, 7);
});

test("a JavaScript error whose cause is Python's, and the other way round", () => {
  const exception = py.Custom("cause"), cause = raised(() => py.raise_it(exception));
  const outer = new Error("outer", { cause });
  const caught = py.catch(thrower(outer));
  assertStrictEquals(caught, outer);
  assertEquals(python.exec("e.value.cause is c", { globals: { e: outer, c: exception } }), true);
  const chain = raised(() => python.exec("try: f()\nexcept BaseException: raise KeyError(1)", { globals: { f: thrower(outer) } }));
  assertStrictEquals(chain.cause, outer);
  assertStrictEquals((chain.cause as Error).cause, cause);
});
