/**
 * Errors thrown where the other language only calls: properties, special methods, getters, traps, callbacks, generators,
 * finalizers, and exceptions that would end a Python program.
 */
import { test } from "node:test";
import { kw, python, PythonError, toLoop } from "../../mod.ts";
import { assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "#std/assert";
import { define } from "../support/define.ts";

const { builtins } = python;

const py = define(`
import functools, gc, pyawait, sys, weakref

class Custom(Exception): pass
def same(value): return value
def call(f, *args): return f(*args)
def raise_it(error): raise error

def catch(f, kind=BaseException):
    try: return f()
    except kind as error: return error

def numbers(n):
    for i in range(n): yield i
    raise Custom("generator")

def throw_into(generator, error):
    next(generator)
    return generator.throw(error)

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
    """What Python reports of errors that cannot be caught."""
    seen, old = [], sys.unraisablehook
    sys.unraisablehook = lambda about: seen.append(about.exc_value)
    try:
        f()
        gc.collect()
    finally: sys.unraisablehook = old
    return seen
`);

const raised = (fn: () => unknown) => assertThrows(fn, PythonError) as PythonError;
const thrower = (error: unknown) => () => {
  throw error;
};

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
  const inherited = Object.create(Own.prototype);
  const trap = new Proxy(new Own(), {
    has: thrower(thrown) as never,
    deleteProperty: thrower(thrown) as never,
    ownKeys: thrower(thrown) as never,
  });
  for (
    const [code, x] of [
      ["x.bad", new Own()],
      ["x.bad = 1", new Own()],
      ["x.other", trap],
      ["del x.y", trap],
      [
        "getattr(x, 'bad', None)",
        new Own(),
      ],
      ["x.bad", inherited],
      ["hasattr(x, 'bad')", inherited],
    ] as const
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

test("errors in generators, both ways, and thrown into them", () => {
  const thrown = new RangeError("generator");
  function* failing() {
    yield 1;
    throw thrown;
  }
  const source = failing();
  assertStrictEquals(assertThrows(() => builtins.list(source)), thrown);
  assertEquals(source.next().done, true);
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
