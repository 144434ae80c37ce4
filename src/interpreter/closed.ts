// The error of every use of Python after its end.
//
// Python cannot be opened again in the same process.

/**
 * Python was closed by `python.close()`, or is ending with the process. Both are final.
 *
 * @example
 * ```ts
 * import { python, PythonClosedError } from "pyawait";
 * python.open();
 * await python.close();
 * try {
 *   python.import("math");
 * } catch (error) {
 *   console.log(error instanceof PythonClosedError); // true
 * }
 * ```
 */
export class PythonClosedError extends Error {
  override name = "PythonClosedError";

  constructor(
    message =
      "Cannot use Python: it has ended in this process, by python.close() or with the main program, which is for good; start a new process",
  ) {
    super(message);
  }
}
