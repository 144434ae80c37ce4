// The port between pyawait and a JavaScript runtime's FFI. The backends beside this file implement it in the same
// shape, so a diff of two of them shows exactly what differs between two runtimes.
//
// Only 32-bit numbers, addresses and buffers cross it, because every runtime passes those fast and every platform
// alike: no struct by value, no `long`, no `wchar_t`, no string.

/** A C type in a {@linkcode SymbolTable}. `buffer` lends a typed array's memory for the duration of the call. */
export type CType = "i32" | "pointer" | "buffer";

/** The parameters and the result of a C function. */
export interface CFunction {
  readonly parameters: readonly CType[];
  readonly result: "i32" | "pointer" | "void";
}

/** The functions of one library, by name. */
export type SymbolTable = Readonly<Record<string, CFunction>>;

/** An address, in the form that the runtime passes fastest: a `bigint` on Node and Deno, a `number` on Bun. */
export type Pointer = (number | bigint) & { readonly __pointer: unique symbol };

interface Native {
  i32: number;
  pointer: Pointer | null;
  buffer: Uint8Array | null;
  void: void;
}
type Arguments<P extends readonly CType[]> = { -readonly [I in keyof P]: Native[P[I]] };

/** A C function as JavaScript calls it, typed by its entry in the table. */
export type Call<F extends CFunction> = (...args: Arguments<F["parameters"]>) => Native[F["result"]];

/**
 * A library's functions. Call each one at its own call site: a helper that calls several is 7 to 15 times slower on
 * Deno.
 */
export type Calls<T extends SymbolTable> = { readonly [K in keyof T]: Call<T[K]> };

/** How other threads wake this JavaScript heap. They never enter JavaScript: they write to a pipe, or ring. */
export interface Bell {
  /** A C function `void ring(void)` that any thread may call at any time; `null`: {@linkcode open} has to be called. */
  readonly ring: Pointer | null;
  /**
   * Opens the listening end where there is no `ring`.
   *
   * @param makePipe makes a pipe and returns its read end; called on POSIX
   * @param connect opens the write end of the socket or named pipe at this path; called once it listens
   * @param fail takes the error if it cannot listen, where that is known only later
   */
  open(makePipe: () => number, connect: (name: string) => void, fail: (error: unknown) => void): void;
  /** Keeps the process alive until {@linkcode unref}. Not counted. */
  ref(): void;
  unref(): void;
}

/** What pyawait needs of a JavaScript runtime. */
export interface Backend {
  readonly name: "node" | "deno" | "bun";
  /** Name and version, such as `node 20.20.2`. */
  readonly runtime: string;
  /** The name of the FFI, and its version where it has one of its own. Throws where it cannot be loaded. */
  readonly ffi: string;
  /** Permissions that pyawait uses and this program does not have, or has for a part only, as flags of the command line. */
  missingFlags(): string[];
  /** Whether the runtime's SIGCHLD handler has to be kept from loops that replace it: Node's children depend on it. */
  readonly ownsSigchld: boolean;
  /**
   * Whether the runtime's handler of a signal stays installed when its last listener is gone; it then does what the signal
   * does by default.
   */
  readonly keepsSignalHandlers: boolean;
  /** Size in bytes of the stack that C runs on where it is not the thread's own, else 0. */
  readonly stackBytes: number;
  /** How a program is given a larger JavaScript stack; `undefined`: not at all. */
  readonly largerStack: string | undefined;
  /**
   * Whether the runtime prints of an error's `stack` nothing but frames, and its enumerable properties; of an uncaught one
   * that was thrown in a callback (a timer, an event) not even these, but where it was thrown.
   */
  readonly printsProperties: boolean;
  /** Whether a stack has the awaiting functions in an async function only, not in a reaction of a Promise as well. */
  readonly framesInAsyncOnly: boolean;
  /** Bytes of the largest memory that may be shown as an ArrayBuffer, where the runtime ends the process for a larger one. */
  readonly largestView: number;
  /** Opens a shared library and binds its functions. */
  open<const T extends SymbolTable>(path: string, symbols: T): Calls<T>;
  pointer(address: number | bigint): Pointer;
  /** The address of a buffer made by {@linkcode allocate}, which does not move. */
  address(buffer: Uint8Array): Pointer;
  /** Memory whose address C may keep beyond one call, as long as JavaScript holds the array. It may hold anything. */
  allocate(bytes: number): Uint8Array;
  /** The NUL-terminated text at an address. */
  text(pointer: Pointer): string;
  /** A C function `void f(int)` that only this thread may call, during a call of its own. Never freed. */
  callback(fn: (argument: number) => void): Pointer;
  bell(ring: () => void): Bell;
  /**
   * Whether the process goes on after the end of the program, and runs it again in a new heap: only Deno's may, by `--watch`.
   * `node --watch` and `bun --watch` start a new process; `bun --hot` runs new code in the old heap.
   *
   * @param commandLine the arguments with which the runtime was started
   */
  runsAgain?(commandLine: readonly string[]): boolean;
  /** Calls `fn` where the process (or Worker) ends without the "exit" event of `process`. */
  onExit(fn: () => void): void;
}
