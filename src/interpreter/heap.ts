// What this JavaScript heap (an isolate: the main thread, a Worker, a file of `deno test`) keeps of Python.
//
// One record, so that each member's owner is named and a leak has one place to be looked for. Only the file that is named
// behind a member writes it.
import type { Addon } from "../../ffi/native/addon.ts";
import type { Bell, Pointer } from "../../ffi/types.ts";
import type { Reader, Writer } from "../wire/codec.ts";
import type { PythonClosedError } from "./closed.ts";
import type { Options } from "./options.ts";
import type { Started } from "./start.ts";

/** Python, opened, as this heap sees it. */
export interface Interpreter extends Started {
  readonly heap: Pointer;
  readonly heapId: number;
  readonly bell: Bell;
  /** Where the runtime has Node-API. */
  readonly addon: Addon | undefined;
  /** As `node 20.20.2`. */
  readonly runtime: string;
}

/** Buffers for one synchronous operation. */
export interface Level {
  readonly input: Writer;
  readonly reader: Reader;
  readonly output: Pointer;
  readonly capacity: number;
}

/** Records for one loop, since the last submission. */
export interface Turn {
  readonly loop: number;
  readonly writer: Writer;
  /** Where the record that is open begins. */
  start: number;
}

/** A JavaScript value that Python holds, and how often it was sent. */
export interface Handle {
  readonly value: unknown;
  readonly id: number;
  sent: number;
}

export const heap: {
  python: Interpreter | undefined;
  configured: Options | undefined;
  closed: PythonClosedError | undefined;
  closing: boolean;
  entry: number;
  readonly levels: Level[];
  depth: number;
  readonly helpers: Map<string, number>;
  readonly turns: Map<number, Turn>;
  background: Turn | undefined;
  scheduled: boolean;
  released: number[];
  readonly handlesById: Map<number, Handle>;
  readonly handlesByValue: Map<unknown, Handle>;
  lastHandle: number;
} = {
  /** Set when Python is opened, for good: interpreter.ts. */
  python: undefined,
  /** The options of `python.configure`, then those in use: interpreter.ts. */
  configured: undefined,
  /** What every use throws after the end: interpreter.ts. */
  closed: undefined,
  /** `python.close()` has begun: interpreter.ts. */
  closing: false,
  /** The address of `entry` in src/py: interpreter.ts. */
  entry: 0,
  /** Buffers of nested operations, and how many are in use: invoke.ts. */
  levels: [],
  depth: 0,
  /** Addresses of Python functions that are called by name: invoke.ts. */
  helpers: new Map(),
  /** Records that wait for the end of the turn, by loop; the background loop's also by itself: inbox.ts. */
  turns: new Map(),
  background: undefined,
  /** The microtask that submits them is queued: inbox.ts. */
  scheduled: false,
  /** Addresses of references that are to be given back: inbox.ts. */
  released: [],
  /** What Python holds, by number and by value: js_handles.ts. */
  handlesById: new Map(),
  handlesByValue: new Map(),
  lastHandle: 0,
};
