/**
 * For tests: a piece of Python source as a module, and what a function throws.
 */
import { python } from "../../mod.ts";

/** Runs Python source in a module of its own; what it defines are the attributes of the result. */
// deno-lint-ignore no-explicit-any -- its attributes are what the source says
export function define(source: string): any {
  const module = python.import("types").ModuleType("test_module");
  python.exec(source, { globals: module.__dict__, filename: "test_module.py" });
  return module;
}

/** Whether the Python in use is this version or a later one. */
export function isAtLeast(major: number, minor: number): boolean {
  const [ours, its] = python.version.split(".").map(Number);
  return ours > major || (ours === major && its >= minor);
}

/** What this throws; it has to throw something. */
// deno-lint-ignore no-explicit-any -- JavaScript throws whatever it likes
export function thrownBy(fn: () => unknown): any {
  try {
    fn();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
