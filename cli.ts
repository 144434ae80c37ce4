#!/usr/bin/env node
/**
 * The command `pyawait`: reads its arguments; the work is in `src/`.
 *
 * @module
 */
import process from "node:process";
import { runCommand } from "./src/command.ts";

const code = await runCommand(process.argv.slice(2));
process.exitCode = code;
// A script's end is the program's, as with Python, whatever JavaScript still waits for.
if (process.argv[2] === "run") process.stdout.write("", () => process.exit(code));
