// JavaScript modules that Python imports.
//
// The one thing to know: the exports are converted when they are registered; nested plain objects are submodules, and one that is
// reached by two ways is the same module by both.
import { callHelper } from "./call.ts";

const segment = /^[\p{ID_Start}_][\p{ID_Continue}]*$/u;

function checkName(name: unknown): asserts name is string {
  if (typeof name === "string" && name.split(".").every((part) => segment.test(part))) return;
  throw new TypeError(
    `Cannot register module ${JSON.stringify(name)}: its name has to be one that Python can import, as my_module or my.module`,
  );
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Module by full name, and by which other names a module is known: an object that is reached twice is one module. */
interface Modules {
  modules: Map<string, Map<string, unknown>>;
  aliases: Map<string, string>;
}

/** The exports and every plain object in them, the nearest name of each first. */
function flatten(root: string, exports: object): Modules {
  const modules = new Map<string, Map<string, unknown>>(), aliases = new Map<string, string>();
  const names = new Map([[exports, root]]);
  for (const [object, name] of names) { // which grows meanwhile
    const own = new Map<string, unknown>();
    modules.set(name, own);
    for (const [key, value] of Object.entries(object)) {
      const known = isPlain(value) && segment.test(key) ? names.get(value) : undefined;
      if (known !== undefined) aliases.set(`${name}.${key}`, known);
      else if (isPlain(value) && segment.test(key)) names.set(value, `${name}.${key}`);
      else own.set(key, value);
    }
  }
  return { modules, aliases };
}

/**
 * Makes a module for Python: `import name` there sees the exports: functions, async functions, classes, constants, and
 * plain objects as submodules. A known name has its contents replaced in place.
 *
 * @param name as Python imports it; `"a.b"` is the submodule `b` of `a`
 * @param exports a plain object or a module's namespace; `__doc__` is its docstring
 * @throws {TypeError} if the name cannot be imported, or an export cannot be converted
 * @example
 * ```ts
 * import { python, registerJsModule } from "pyawait";
 * const js_sleep = async (ms: number) => void await new Promise((resolve) => setTimeout(resolve, ms));
 * registerJsModule("my_async_module", { js_sleep });
 * await python.execAsync("from my_async_module import js_sleep\nawait js_sleep(10)");
 * ```
 */
export function registerJsModule(name: string, exports: object): void {
  checkName(name);
  if (typeof exports !== "object" || exports === null) {
    throw new TypeError(`Cannot register module "${name}" with ${String(exports)}: its exports have to be an object`);
  }
  const { modules, aliases } = flatten(name, exports);
  callHelper("register_module", modules, aliases);
}

/**
 * Takes a module of {@linkcode registerJsModule} away again; what Python has imported from it stays there.
 *
 * @param name as it was registered
 * @returns whether there was one
 * @throws {TypeError} if Python could not import such a name
 * @example
 * ```ts
 * import { registerJsModule, unregisterJsModule } from "pyawait";
 * registerJsModule("settings", { debug: true });
 * unregisterJsModule("settings"); // true
 * ```
 */
export function unregisterJsModule(name: string): boolean {
  checkName(name);
  return callHelper("unregister_module", name) === true;
}
