// JavaScript modules that Python imports.
//
// The one thing to know: the exports are converted when they are registered; nested plain objects are submodules, and one
// that is reached by two ways is the same module by both.
import { types } from "node:util";
import { callHelper } from "./proxy/call.ts";
import { isPlainObject } from "./values/encode.ts";
import { stateOf } from "./values/proxy_state.ts";

const segment = /^[\p{XID_Start}_][\p{XID_Continue}]*$/u;

const keywords = new Set(
  ("False None True and as assert async await break class continue def del elif else except finally for from global if " +
    "import in is lambda nonlocal not or pass raise return try while with yield").split(" "),
);

/** Without these Python, or this bridge, does not work. */
const indispensable = new Set(["sys", "builtins", "__main__", "pyawait"]);

/** What a module has from its type and from `import`. */
const taken = new Set(["__builtins__", "__class__", "__dict__", "__loader__", "__name__", "__package__", "__path__", "__spec__"]);

/** Why Python cannot import one part of a name, in words; Python reads names in their NFKC form. */
function problemOf(part: string): string | undefined {
  if (keywords.has(part)) return `; "${part}" is one of Python's keywords`;
  const normal = part.normalize("NFKC");
  if (normal !== part) return `; Python reads "${part}" as "${normal}"`;
  return segment.test(part) ? undefined : "";
}

function checkName(name: unknown): asserts name is string {
  const problem = typeof name === "string" ? name.split(".").map(problemOf).find((problem) => problem !== undefined) : "";
  if (problem === undefined) return;
  const given = typeof name === "string" ? JSON.stringify(name) : String(name);
  throw new TypeError(
    `Cannot register module ${given}: its name has to be one that Python can import, as my_module or my.module${problem}`,
  );
}

/** What is a module: a plain object, a module's namespace. `Math` is a value, and so is whatever Python has made. */
function hasExports(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null || stateOf(value)) return false;
  return types.isModuleNamespaceObject(value) || isPlainObject(value);
}

function checkExports(name: string, exports: unknown): asserts exports is Record<string, unknown> {
  if (hasExports(exports)) return;
  const [given, advice] = types.isPromise(exports)
    ? ["a Promise", "await it first"]
    : stateOf(exports)
    ? [`${String(exports)} of Python's`, "import it from Python, or put it into one: { name: value }"]
    : typeof exports === "function"
    ? [`the function ${exports.name || "that is given"}`, "put it into one: { name: value }"]
    : typeof exports === "object" && exports !== null
    ? [Object.prototype.toString.call(exports), "put it into one, { name: value }, or what it holds: { ...value }"]
    : [String(exports), "put it into one: { name: value }"];
  throw new TypeError(
    `Cannot register module "${name}" with ${given}: its exports have to be a plain object or a module's namespace; ${advice}`,
  );
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
      if (taken.has(key)) {
        throw new TypeError(`Cannot register module "${name}" with the export "${key}": every module of Python's has its own; rename it`);
      }
      if (!hasExports(value) || problemOf(key) !== undefined) own.set(key, value);
      else if (names.has(value)) aliases.set(`${name}.${key}`, names.get(value)!);
      else names.set(value, `${name}.${key}`);
    }
  }
  return { modules, aliases };
}

/**
 * Makes a module for Python: `import name` there sees the exports: functions, async functions, classes, constants, and
 * plain objects as submodules. A known name has its contents replaced in place; a module of Python's own is covered
 * for new imports, until this one is unregistered.
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
  if (indispensable.has(name.split(".")[0])) {
    throw new TypeError(
      `Cannot register module "${name}": "${name.split(".")[0]}" is one that Python cannot do without; take another name`,
    );
  }
  checkExports(name, exports);
  const { modules, aliases } = flatten(name, exports);
  const parent = callHelper("register_module", modules, aliases);
  if (parent !== null) {
    throw new TypeError(`Cannot register module "${name}": "${parent}" is a module of Python's, but no package; take another name`);
  }
}

/**
 * Takes a module of {@linkcode registerJsModule} away again, and every submodule of it; what Python has imported from it
 * stays there.
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
