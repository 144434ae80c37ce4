#!/usr/bin/env node
/**
 * The command `pyawait`: passes the arguments on; the code is in `src/cli/`.
 *
 * @module
 */
import "./src/wiring.ts";
import process from "./ffi/process.ts";
import { endBySignal, runCommand } from "./src/cli/command.ts";

// No top-level await: while one waits, Bun prints an uncaught error and goes on.
runCommand(process.argv.slice(2)).then((code) => {
  process.exitCode = code < 0 ? 128 - code : code;
  // As with Python, the end of the script is the end of the program, whatever JavaScript still waits for.
  if (["run", "repl"].includes(process.argv[2])) process.stdout.write("", () => code < 0 ? endBySignal(-code) : process.exit(code));
});
