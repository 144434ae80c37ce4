// The state of this JavaScript heap (an isolate: the main thread, a Worker, a file of `deno test`) towards Python.
//
// It is one record, so that every member has a named owner and a leak has one place to look at. Only the file named in
// a member's comment writes that member.
import type { Addon } from "../../ffi/native/addon.ts";
import type { Bell, Pointer } from "../../ffi/types.ts";
import type { Reader, Writer } from "../wire/codec.ts";
import type { PythonClosedError } from "./closed.ts";
import type { Options } from "./options.ts";
import type { Started } from "./start.ts";

/** The opened Python, as this heap sees it. */
export interface Interpreter extends Started {
  readonly heap: Pointer;
  readonly heapId: number;
  readonly bell: Bell;
  /** `undefined` where the runtime lacks Node-API. */
  readonly addon: Addon | undefined;
  /** Name and version, such as `node 20.20.2`. */
  readonly runtime: string;
}

/** The buffers of one synchronous operation. */
export interface Level {
  readonly input: Writer;
  reader: Reader;
  output: Pointer;
  capacity: number;
  /** Memory that Python reads where it lies, before it runs any code. */
  readonly lent: Uint8Array[];
  /** Addresses of references that are released with the operation. */
  releases: number[] | undefined;
}

/** The records for one loop since the last submission. */
export interface Turn {
  readonly loop: number;
  readonly writer: Writer;
  /** Where the last complete record ends. An open one that is never closed is overwritten by the next. */
  end: number;
  /** How many records it has. */
  records: number;
}

/** A JavaScript value that Python holds. `sent` counts how often it was sent. */
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
  writing: number;
  called: boolean;
  readonly helpers: Map<string, number>;
  readonly turns: Map<number, Turn>;
  background: Turn | undefined;
  sentEarly: boolean;
  skipEarly: number;
  scheduled: boolean;
  released: number[];
  releasedOnLoop: number[];
  readonly handlesById: Map<number, Handle>;
  readonly handlesByValue: Map<unknown, Handle>;
  lastHandle: number;
} = {
  /** Set once, when Python is opened: interpreter.ts. */
  python: undefined,
  /** The options of `python.configure`, then the ones in use: interpreter.ts. */
  configured: undefined,
  /** Thrown by every use after the end: interpreter.ts. */
  closed: undefined,
  /** `python.close()` has begun: interpreter.ts. */
  closing: false,
  /** Address of `entry` in src/py: interpreter.ts. */
  entry: 0,
  /** Buffers of nested operations, and how many are in use: invoke.ts. */
  levels: [],
  depth: 0,
  /** How many of them are being written or read; not those whose operation runs: invoke.ts. */
  writing: 0,
  /** A synchronous operation was performed since this turn's first record: invoke.ts; inbox.ts begins the turn. */
  called: false,
  /** Addresses of the Python functions that are called by name: invoke.ts. */
  helpers: new Map(),
  /** Records waiting for the end of the turn, by loop; `background` is the background loop's entry: inbox.ts. */
  turns: new Map(),
  background: undefined,
  /** Records of this turn were handed over before its end; for how many turns none are: inbox.ts. */
  sentEarly: false,
  skipEarly: 0,
  /** The microtask that submits them is queued: inbox.ts. */
  scheduled: false,
  /** Addresses of references to release, here or on the loop's thread: inbox.ts. */
  released: [],
  releasedOnLoop: [],
  /** JavaScript values that Python holds, by number and by value: js_handles.ts. */
  handlesById: new Map(),
  handlesByValue: new Map(),
  lastHandle: 0,
};
