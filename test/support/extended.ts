/**
 * For tests of JavaScript classes that extend Python classes: Python classes to extend, and Python code that is given
 * JavaScript's.
 */
import { kw } from "../../mod.ts";
import { define } from "./define.ts";

// deno-lint-ignore no-explicit-any -- what Python gives is what Python decides
type Value = any;

/** A module with what several tests extend, and with what `source` defines. */
export function defineToExtend(source: string): {
  py: Value;
  /** The value of an expression with JavaScript's values in it. */
  run(code: string, names?: Record<string, unknown>): Value;
  /** What statements with JavaScript's values in them call `result`. */
  execute(code: string, names?: Record<string, unknown>): Value;
} {
  const py = define(`
import abc, copy, dataclasses, datetime, enum, inspect, json, threading, typing, weakref

class Plain: pass

class Registry(type):
    known = {}
    def __call__(cls, *args, **kwargs):
        made = super().__call__(*args, **kwargs)
        made.called = Registry.known[cls.__name__] = (args, kwargs)
        return made

class Registered(metaclass=Registry):
    def __init__(self, *args, **kwargs): self.args, self.kwargs = args, kwargs

class Virtual:
    def __init__(self, *args): self.setup(*args)
    def setup(self, *args): pass

${source}

def run(code, **names): return eval(code, dict(globals(), **names))
def execute(code, **names):
    names = dict(globals(), **names)
    exec(code, names)
    return names["result"]
`);
  return {
    py,
    run: (code, names = {}) => py.run(code, kw(names)),
    execute: (code, names = {}) => py.execute(code, kw(names)),
  };
}
