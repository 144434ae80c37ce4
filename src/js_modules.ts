// JavaScript modules that Python imports.
//
// The exports are converted when they are registered. Nested plain objects are submodules; one that is reachable by two
// names is one module.
import { types } from "node:util";
import { callHelper } from "./proxy/call.ts";
import { isPlainObject } from "./values/encode.ts";
import { stateOf } from "./values/proxy_state.ts";

const segment = /^[\p{XID_Start}_][\p{XID_Continue}]*$/u;

const keywords = new Set(
  ("False None True and as assert async await break class continue def del elif else except finally for from global if " +
    "import in is lambda nonlocal not or pass raise return try while with yield").split(" "),
);

/** Modules without which Python, or this bridge, does not work. */
const indispensable = new Set(["sys", "builtins", "__main__", "pyawait"]);

/** Attributes that every module has from its type and from `import`. */
const taken = new Set(["__builtins__", "__class__", "__dict__", "__loader__", "__name__", "__package__", "__path__", "__spec__"]);

/** Why Python cannot import a part of a name; `undefined` if it can. Python reads identifiers in their NFKC form. */
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

/**
 * Whether a value becomes a module: a plain object or a module namespace. `Math`, and every Python object, is a value.
 */
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

/** Modules by full name, and aliases: further names of a module whose object is reachable by several. */
interface Modules {
  modules: Map<string, Map<string, unknown>>;
  aliases: Map<string, string>;
}

/** Collects the exports and every plain object in them, nearest names first. */
function flatten(root: string, exports: object): Modules {
  const modules = new Map<string, Map<string, unknown>>(), aliases = new Map<string, string>();
  const names = new Map([[exports, root]]);
  for (const [object, name] of names) { // the map grows meanwhile
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
 * Makes a module for Python: `import name` there gives the exports, which may be functions, async functions, classes,
 * constants, and plain objects as submodules. In place of PyO3's `#[pymodule]`.
 *
 * If the name is registered already, the contents of the module are replaced in place. A Python module of that name is
 * hidden from new imports until {@linkcode unregisterJsModule}.
 *
 * @param name as Python imports it; `"a.b"` is the submodule `b` of `a`
 * @param exports a plain object or a module namespace; `__doc__` is its docstring
 * @throws {TypeError} if Python cannot import the name or cannot do without its own module, or an export cannot be
 *   converted
 * @throws {RangeError} if an export is an invalid Date
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
 * Removes a module of {@linkcode registerJsModule} and all its submodules. What Python has imported from it stays where
 * it is.
 *
 * @param name as it was registered
 * @returns whether there was one
 * @throws {TypeError} if Python cannot import such a name
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
