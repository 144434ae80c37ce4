/**
 * Virtual environments, made by Python's own `venv`.
 */
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { onWindows } from "./skip.ts";

/** Where the Python of a virtual environment is. */
export function pythonOf(environment: string): string {
  return onWindows ? join(environment, "Scripts", "python.exe") : join(environment, "bin", "python");
}

/**
 * Makes a virtual environment of a Python, which is no virtual environment itself. A Python for Windows that has no launcher
 * for them gets a copy of the Python there, as `venv` made it before it had one.
 */
export function makeEnvironment(python: string, at: string): void {
  execFileSync(python, ["-m", "venv", "--without-pip", at], { encoding: "utf8" });
  if (!onWindows || existsSync(pythonOf(at))) return;
  copyFileSync(python, pythonOf(at));
  const home = dirname(python);
  for (const file of readdirSync(home).filter((name) => /^python\d+\.dll$/i.test(name))) {
    copyFileSync(join(home, file), join(dirname(pythonOf(at)), file));
  }
}
