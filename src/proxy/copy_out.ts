// `toJs`: copies of Python objects in JavaScript, and of JavaScript's containers with Python objects in them.
//
// The two may contain each other. Containers of JavaScript are copied in two steps: `plan` makes an empty copy, which
// whatever contains the original already refers to, so that cycles are kept; once all proxies in them have been copied,
// in one crossing per level of nesting, the copies are filled.
import { types } from "node:util";
import { setItem } from "../values/decode.ts";
import { isPlainObject } from "../values/encode.ts";
import { type State, stateOf } from "../values/proxy_state.ts";
import { checkCopyOptions, copyAll, copyAt, type CopyOptions } from "./call.ts";
import { addressOf } from "./lifetime.ts";

/** Levels of containers to copy. */
const depthOf = ({ depth = -1 }: CopyOptions) => depth < 0 ? Infinity : depth;

/** Whether it is an Array, a plain object, a Map or a Set of JavaScript. */
function isContainer(value: unknown): value is object {
  if (typeof value !== "object" || value === null || stateOf(value)) return false;
  return Array.isArray(value) || types.isMap(value) || types.isSet(value) || isPlainObject(value);
}

/** An empty copy and what it will hold: keys and values in turn, or items. */
interface Planned {
  readonly copy: object;
  readonly items: readonly unknown[];
  /** Levels to copy below it. */
  readonly depth: number;
}

function planOf(source: object, depth: number): Planned {
  if (Array.isArray(source)) return { copy: [], items: [...source], depth };
  if (types.isSet(source)) return { copy: new Set(), items: [...source], depth };
  if (types.isMap(source)) return { copy: new Map(), items: [...source].flat(1), depth };
  return { copy: {}, items: Object.entries(source).flat(1), depth };
}

function fill({ copy, items }: Planned, of: (item: unknown) => unknown): void {
  if (Array.isArray(copy)) { for (const item of items) copy.push(of(item)); }
  else if (copy instanceof Set) { for (const item of items) copy.add(of(item)); }
  else {
    for (let i = 0; i < items.length; i += 2) {
      const item = of(items[i + 1]);
      if (copy instanceof Map) copy.set(of(items[i]), item);
      else setItem(copy as Record<string, unknown>, items[i] as string, item);
    }
  }
}

/** Copies JavaScript's containers. */
class Copier {
  readonly #options: CopyOptions;
  /** The copy of each container, and of each proxy; a proxy that waits is its own. */
  readonly #copies = new Map<unknown, unknown>();
  readonly #planned: Planned[] = [];
  /** Proxies to copy, by the levels to copy of them. */
  #waiting = new Map<number, object[]>();

  constructor(options: CopyOptions) {
    this.#options = options;
  }

  /** What takes a value's place in a copy, as far as it is known; a container's copy is filled later. */
  plan(value: unknown, depth: number): unknown {
    if (this.#copies.has(value)) return this.#copies.get(value);
    if (depth <= 0) return value;
    if (isContainer(value)) {
      const planned = planOf(value, depth - 1);
      this.#planned.push(planned);
      this.#copies.set(value, planned.copy);
      return planned.copy;
    }
    if (stateOf(value)) {
      this.#copies.set(value, value);
      const waiting = this.#waiting.get(depth);
      if (waiting) waiting.push(value as object);
      else this.#waiting.set(depth, [value as object]);
    }
    return value;
  }

  /** Completes the copies. `root` is what is copied as a whole. */
  finish(root: object, copy: unknown): void {
    this.#copies.set(root, copy);
    for (let at = 0; at < this.#planned.length; at++) {
      const { items, depth } = this.#planned[at];
      for (const item of items) this.plan(item, depth);
      if (at === this.#planned.length - 1) this.#copyWaiting(); // may plan more
    }
    const of = (item: unknown) => this.#copies.has(item) ? this.#copies.get(item) : item;
    for (const planned of this.#planned) fill(planned, of);
  }

  #copyWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = new Map();
    for (const [depth, proxies] of waiting) {
      const copies = copyAll(proxies, { ...this.#options, depth }, (value, level) => this.plan(value, depth + 1 - level));
      proxies.forEach((proxy, i) => this.#copies.set(proxy, copies[i]));
    }
  }
}

/**
 * Copies a Python object to JavaScript: lists and tuples become Arrays, dicts objects or Maps, sets Sets, buffers typed
 * arrays, aware datetimes Dates; an object without a counterpart stays a proxy. As Pyodide's `toJs`.
 *
 * JavaScript's Arrays, plain objects, Maps and Sets are copied with the proxies in them converted, wherever they are.
 *
 * @param value a proxy, or a JavaScript container with proxies in it; any other value is returned as it is
 * @param options `depth`, `dict` and `default`, see {@linkcode CopyOptions}
 * @returns the copy
 * @throws {TypeError} for a wrong option, or for keys or items that are equal in JavaScript
 * @throws {PythonError} a `TypeError` for a dict that does not fit `dict: "object"`
 * @example
 * ```ts
 * import { python, toJs } from "pyawait";
 * toJs(python.exec("{'a': [1, 2, (3,)]}")); // { a: [1, 2, [3]] }
 * toJs({ first: python.exec("[1]"), all: [python.exec("{2}")] }); // { first: [1], all: [new Set([2])] }
 * ```
 */
// deno-lint-ignore no-explicit-any
export function toJs<T = any>(value: unknown, options: CopyOptions | null = {}): T {
  const state = stateOf(value);
  return (state ? copyProxy(value as object, state, options ?? {}) : copyOwn(value, options ?? {})) as T;
}

function copyProxy(proxy: object, state: State, options: CopyOptions): unknown {
  let copier: Copier | undefined;
  const depth = depthOf(options);
  const copy = copyAt(addressOf(state), options, (value, level) => (copier ??= new Copier(options)).plan(value, depth - level));
  copier?.finish(proxy, copy);
  return copy;
}

function copyOwn(value: unknown, options: CopyOptions): unknown {
  if (!isContainer(value)) return value;
  checkCopyOptions(options);
  const copier = new Copier(options), copy = copier.plan(value, depthOf(options));
  copier.finish(value, copy);
  return copy;
}
