/**
 * A class of the main thread's JavaScript that extends a Python class, used and extended in a Worker.
 */
import { fileURLToPath } from "node:url";
import { isMainThread, Worker } from "node:worker_threads";
import { type PyProxy, python } from "../../mod.ts";

// deno-lint-ignore no-explicit-any -- what Python gives is what Python decides
type Value = any;

const shared: Value = python.exec(`
import builtins
if not hasattr(builtins, "shared_by_heaps"):
    class Base:
        def __init__(self, x=0): self.x = x
        def text(self, a): return "Base %s" % a
    builtins.shared_by_heaps = type("Shared", (), {"Base": Base})
shared_by_heaps`);

if (isMainThread) {
  class Own extends (shared.Base as PyProxy) {
    #calls = 0;
    field = 5;
    text(a: string) {
      return `Own ${++this.#calls} ${super.text(a)}`;
    }
    static create(x: number) {
      return new this(x);
    }
  }
  shared.Own = Own;
  shared.own = new Own(3);
  await new Promise((resolve) => new Worker(fileURLToPath(import.meta.url)).on("exit", resolve));
  console.log(shared.own.text("main"));
  try {
    shared.far.text("main");
  } catch (error) {
    console.log((error as Error).name);
  }
} else {
  const { Own, own, Base } = shared;
  console.log(own.text("a"), own.x, own.field, own instanceof Own);
  const made = new Own(7);
  console.log(made.text("b"), made.x, Own.create(1).x, made instanceof Own);
  class Far extends (Own as PyProxy) {
    #far = 9;
    text(a: string) {
      return `Far ${this.#far} ${super.text(a)}`;
    }
  }
  class Near extends (Base as PyProxy) {
    text(a: string) {
      return `Near ${super.text(a)}`;
    }
  }
  const far: Value = new Far(8), near: Value = new Near(1);
  console.log(far.text("c"), far.x, far.field, far instanceof Own, near.text("d"));
  shared.far = far;
}
