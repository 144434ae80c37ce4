/**
 * `tidy` keeps what leaves it, however deep, and gives up the rest. Errors and TaskLocals hold their objects themselves,
 * so neither `tidy` nor `using` takes an object from another owner.
 */
import { test } from "node:test";
import { enter, getCurrentLoop, kw, python, PythonError, TaskLocals, tidy, toJs, tuple } from "../../mod.ts";
import { assert, assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "#std/assert";
import { define, thrownBy } from "../support/define.ts";

// deno-lint-ignore no-explicit-any
type Value = any;

const py: Value = define(`
import contextlib, decimal, gc, weakref

class Thing: pass
things = weakref.WeakSet()
def thing():
    made = Thing()
    things.add(made)
    return made
def living(): gc.collect(); return len(things)
def fail(): raise ValueError("deep") from KeyError("cause")
async def echo(x): return x
def call(f): return f()
def caught(f):
    try: f()
    except ValueError as error: return [type(error).__name__, type(error.__cause__).__name__]
rows = [{"price": decimal.Decimal("1.5")}]
`);
const { ValueError, KeyError } = python.builtins;

test("an error that leaves tidy is alive, however it leaves", () => {
  const thrown = thrownBy(() => tidy(() => py.fail()));
  const returned = tidy(() => thrownBy(py.fail));
  const [listed] = tidy(() => [thrownBy(py.fail)]);
  const wrapped = thrownBy(() =>
    tidy(() => {
      throw new Error("wrapped", { cause: thrownBy(py.fail) });
    })
  ).cause;
  const read = tidy(() => {
    const error = thrownBy(py.fail);
    assertInstanceOf(error.cause, PythonError);
    return error;
  });
  for (const error of [thrown, returned, listed, wrapped, read] as Value[]) {
    assert(error instanceof ValueError);
    assert(error.cause instanceof KeyError);
    assert(error.traceback.includes("ValueError: deep"));
    assertEquals(toJs(error.exception.args), ["deep"]);
    assertEquals(
      toJs(py.caught(() => {
        throw error;
      })),
      ["ValueError", "KeyError"],
    );
  }
});

test("Python catches what its own code raised inside of tidy", () => {
  const suppress = python.import("contextlib").suppress(KeyError);
  assertEquals(enter(suppress, () => tidy(() => python.exec("{}['key']"))), undefined);
  assertEquals(toJs(py.caught(() => tidy(() => py.fail()))), ["ValueError", "KeyError"]);
});

test("looking at an error inside of tidy takes nothing from it", () => {
  const error = thrownBy(py.fail), group = thrownBy(() => python.exec("class E(Exception): pass\nraise E from ValueError(1)"));
  tidy(() => [error.stack, group.cause.exception.args, group.stack]);
  assert(error.cause instanceof KeyError && group.cause instanceof ValueError);
});

test("a coroutine that is looked at inside of tidy goes on", async () => {
  const returned = tidy(() => {
    const coroutine = py.echo(5);
    assertEquals(coroutine.cr_frame === null, false);
    return coroutine;
  });
  const outer = py.echo(6);
  tidy(() => outer.cr_frame);
  assertEquals([await returned, await outer], [5, 6]);
});

test("tidy keeps the function of a coroutine that it returns", async () => {
  assertEquals(await tidy(() => python.import("asyncio").sleep(0, 5)), 5);
  const { coroutine } = tidy(() => ({ coroutine: python.import("asyncio").sleep(0, 6) }));
  assertEquals(await coroutine, 6);
});

test("what leaves tidy is alive, however deep it lies", () => {
  const deep: Value = tidy(() => ({
    list: [[py.thing()]],
    object: { inner: { thing: py.thing() } },
    map: new Map([["key", py.thing()]]),
    set: new Set([py.thing()]),
    keywords: kw({ a: py.thing() }),
    tuple: tuple([py.thing()]),
    rows: toJs(py.rows),
  }));
  const found = [
    deep.list[0][0],
    deep.object.inner.thing,
    deep.map.get("key"),
    [...deep.set][0],
    deep.keywords.values.a,
    deep.tuple.items[0],
  ];
  assertEquals(found.map((thing) => thing.$type), Array(6).fill("Thing"));
  assertEquals(String(deep.rows[0].price), "1.5");
  const circular: Value = tidy(() => {
    const made: Value = { thing: py.thing() };
    return made.self = made;
  });
  assertEquals(circular.thing.$type, "Thing");
});

test("tidy gives up what stays in it, errors too, and an outer tidy what an inner one kept", () => {
  let stays: Value, error: Value;
  tidy(() => {
    stays = tidy(() => [py.thing()])[0];
    assertEquals(stays.$type, "Thing");
    error = thrownBy(py.fail);
  });
  assertThrows(() => stays.x, TypeError, "destroyed");
  assertThrows(() => error.exception.args, TypeError, "destroyed");
  assertEquals([error.name, error.message], ["ValueError", "deep"]);
  tidy(() => (error = thrownBy(py.fail)).exception.$copy());
  assertEquals(toJs(error.exception.args), ["deep"]);
});

test("using an error's exception does not take it from the error", () => {
  const error = thrownBy(py.fail);
  for (let i = 0; i < 3; i++) error.exception.$destroy();
  assertEquals(toJs(error.exception.args), ["deep"]);
  error.cause.exception.$destroy();
  assert(error.cause instanceof KeyError && error.traceback.includes("deep"));
  assertEquals(
    toJs(py.caught(() => {
      throw error;
    })),
    ["ValueError", "KeyError"],
  );
  error.exception.$destroy();
  assertStrictEquals(
    thrownBy(() =>
      py.caught(() =>
        thrownBy(() => {
          throw error;
        }) && python.exec("1/0")
      )
    ).name,
    "ZeroDivisionError",
  );
  assert(error instanceof ValueError);
});

test("using the loop or the context of TaskLocals does not take it from them", async () => {
  const loop = getCurrentLoop(), locals = new TaskLocals(loop).copyContext();
  loop.$destroy();
  locals.context!.$destroy();
  locals.eventLoop.$destroy();
  locals.withContext(locals.context).eventLoop.$destroy();
  assertEquals(await python.execAsync("1", { locals }), 1);
  const kept = tidy(() => new TaskLocals(getCurrentLoop()).copyContext());
  assertEquals(await python.execAsync("2", { locals: kept }), 2);
});
