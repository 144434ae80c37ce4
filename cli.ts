#!/usr/bin/env node
/**
 * The command `pyawait`: reads its arguments; the work is in `src/`.
 *
 * @module
 */
import process from "node:process";
import "./src/wiring.ts";
import { runCommand } from "./src/cli/command.ts";

// Not by a top-level await: while one waits, Bun prints an uncaught error and goes on.
runCommand(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
  // A script's end is the program's, as with Python, whatever JavaScript still waits for.
  if (process.argv[2] === "run") process.stdout.write("", () => process.exit(code));
});
