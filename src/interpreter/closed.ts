// The error of whoever uses Python after its end.
//
// The one thing to know: Python cannot be opened again in the same process.

/**
 * Python has been closed by `python.close()`, for good, or is ending with the process.
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

  constructor(message = "Cannot use Python: it was closed by python.close(), which is for good; start a new process") {
    super(message);
  }
}
