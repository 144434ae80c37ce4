/**
 * What to give a test as `skip`. The reason is printed as well, because Deno and Bun do not report it.
 */
import process from "node:process";

/** The reason not to run a test, printed; `false` runs it. */
export function skip(reason: string | false): string | false {
  if (reason !== false) console.log(`skip: ${reason}`);
  return reason;
}

/** Whether this is Windows. */
export const onWindows: boolean = process.platform === "win32";

/** The reason not to run a test on Windows, printed there. docs/platforms.md lists these. */
export function windows(reason: string): string | false {
  return skip(onWindows && reason);
}
