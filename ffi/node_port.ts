// What the Node backend needs of an FFI: it has two, koffi and `node:ffi`.
import type { Backend } from "./types.ts";

/** The members of {@linkcode Backend} that depend on which of the two it is. */
export type NodeFfi = Pick<Backend, "ffi" | "stackBytes" | "open" | "address" | "text" | "callback">;

/** An FFI cannot be used; `hint` says what to do. */
export class FfiError extends Error {
  readonly problem: string;
  readonly hint: string;

  constructor(problem: string, hint: string, cause: unknown) {
    super(`${problem}: ${hint}`, { cause });
    this.problem = problem;
    this.hint = hint;
  }
}
