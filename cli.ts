#!/usr/bin/env node
/**
 * The command `pyawait`: reads its arguments; the work is in `src/`.
 *
 * @module
 */
import process from "node:process";
import { runCommand } from "./src/command.ts";

process.exitCode = await runCommand(process.argv.slice(2));
