/**
 * Processes that a test has started, with those that they have started.
 */
import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import process from "node:process";
import { onWindows } from "./skip.ts";

/** Ends a process that was started as `detached`, and its children. */
export function killTree(pid: number): void {
  if (onWindows) execFileSync("taskkill", ["/F", "/T", "/PID", String(pid)], { stdio: "ignore" });
  else process.kill(-pid, "SIGKILL");
}

/** Removes a folder. Windows refuses that while a process has it open, as one has for a moment after its end. */
export async function removeFolder(path: string): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      return rmSync(path, { recursive: true, force: true });
    } catch (error) {
      if (!onWindows || attempt === 50) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
