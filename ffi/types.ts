// The port between pyawait and a JavaScript runtime's FFI: what the three backends beside this file implement, in the
// same shape, so that a diff of two of them shows exactly what differs between two runtimes.
//
// The one thing to know: only numbers of 32 bits, addresses and buffers cross it. That is what every runtime passes
// fast and every platform passes alike: no struct by value, no `long`, no `wchar_t`, no string.

/** A C type in a {@linkcode SymbolTable}. `buffer` lends a typed array's memory for the time of the call. */
export type CType = "i32" | "pointer" | "buffer";

/** One C function: its parameters and its result. */
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

/** A C function as JavaScript calls it: its type follows from its entry in the table. */
export type Call<F extends CFunction> = (...args: Arguments<F["parameters"]>) => Native[F["result"]];

/** A library's functions. Call each at a place of its own: a helper that calls many is many times slower on Deno. */
export type Calls<T extends SymbolTable> = { readonly [K in keyof T]: Call<T[K]> };

/** How other threads wake this JavaScript heap. None of them enters JavaScript: they write to a pipe, or ring. */
export interface Bell {
  /** A C function `void ring(void)` that any thread may call at any time, or `null`: then {@linkcode open} it. */
  readonly ring: Pointer | null;
  /**
   * Opens the listening end where there is no `ring`.
   *
   * @param makePipe makes a pipe and gives its read end; used on POSIX
   * @param connect opens the write end of a named pipe; used on Windows, later, when it listens
   */
  open(makePipe: () => number, connect: (name: string) => void): void;
  /** Keeps the process alive, until {@linkcode unref}. Not counted. */
  ref(): void;
  unref(): void;
}

/** What pyawait needs of a JavaScript runtime. */
export interface Backend {
  readonly name: "node" | "deno" | "bun";
  /** Runtime and version in words, as `node 20.20.2`. */
  readonly runtime: string;
  /** The size of the stack that C runs on where it is not the thread's own, else 0. */
  readonly stackBytes: number;
  /** Opens a shared library and binds its functions. */
  open<const T extends SymbolTable>(path: string, symbols: T): Calls<T>;
  pointer(address: number | bigint): Pointer;
  /** The address of a buffer that was made by {@linkcode allocate}: it stays where it is. */
  address(buffer: Uint8Array): Pointer;
  /** Memory whose address C may be given for more than one call, for as long as JavaScript holds the array. */
  allocate(bytes: number): Uint8Array;
  /** The text at an address, up to its NUL. */
  text(pointer: Pointer): string;
  /** A C function `void f(int)` that only this thread may call, inside a call of its own. Never freed. */
  callback(fn: (argument: number) => void): Pointer;
  bell(ring: () => void): Bell;
  /** Calls `fn` where this process, or Worker, ends without the event "exit" of `process`. */
  onExit(fn: () => void): void;
}
