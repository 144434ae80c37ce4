/**
 * A program in a terminal of its own: what is typed into it, and what it shows. It waits for output, never for a time.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import process from "node:process";

const limit = 60_000; // ms; nothing takes so long but what hangs

/** `python` of PYAWAIT_PYTHON makes the terminal: no runtime can. */
const script = join(process.cwd(), "test/support/pseudo_terminal.py");

export class Terminal {
  /** All that it has shown, without colours and other control sequences. */
  text = "";
  /** What has been looked at ends here. */
  #seen = 0;
  readonly #child: ChildProcess;
  #changed = () => {};
  readonly #ended: Promise<number | null>;

  constructor(command: readonly string[], folder: string, env: Readonly<Record<string, string | undefined>> = {}) {
    const all = Object.entries({ ...process.env, NO_COLOR: "1", TERM: "xterm", ...env }).filter(([, value]) => value !== undefined);
    const python = process.env.PYAWAIT_PYTHON ?? "python3";
    this.#child = spawn(python, [script, ...command], { cwd: folder, env: Object.fromEntries(all), stdio: ["pipe", "pipe", "inherit"] });
    let raw = "";
    this.#child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      raw += text;
      this.text = plain(raw);
      this.#changed();
    });
    this.#child.stdin!.on("error", () => {}); // it may have ended
    this.#ended = new Promise((resolve, reject) => {
      this.#child.on("error", reject);
      this.#child.on("close", (code) => {
        resolve(code);
        this.#changed();
      });
    });
  }

  /** Types this. */
  type(keys: string): void {
    this.#child.stdin!.write(keys);
  }

  /** Waits until it shows this, after what was waited for before; gives what it has shown until then. */
  async shows(wanted: string | RegExp): Promise<string> {
    const end = Date.now() + limit;
    let closed = false;
    void this.#ended.then(() => closed = true);
    while (true) {
      const rest = this.text.slice(this.#seen);
      const [found, at] = typeof wanted === "string" ? [wanted, rest.indexOf(wanted)] : [wanted.exec(rest)?.[0] ?? "", rest.search(wanted)];
      if (at >= 0) {
        this.#seen += at + found.length;
        return rest.slice(0, at + found.length);
      }
      if (closed || Date.now() > end) {
        this.kill();
        throw new Error(`${closed ? "It has ended without" : "It does not show"} ${String(wanted)} but ${JSON.stringify(rest)}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, end - Date.now());
        this.#changed = () => (clearTimeout(timer), resolve());
      });
    }
  }

  /** Types a line and waits until it shows this. */
  async enter(line: string, wanted: string | RegExp): Promise<string> {
    this.type(`${line}\r`);
    return await this.shows(wanted);
  }

  /** Its exit code. */
  async code(): Promise<number | null> {
    const timer = setTimeout(() => this.kill(), limit);
    const code = await this.#ended;
    clearTimeout(timer);
    return code;
  }

  kill(): void {
    this.#child.kill("SIGKILL"); // the terminal ends with it, and so the program
  }
}

/** A text as a screen that scrolls would show it, roughly: without control sequences, nor the beginning of one at its end. */
function plain(raw: string): string {
  // deno-lint-ignore no-control-regex
  const whole = raw.replace(/\x1b(?:\[[0-?]*[ -\/]*|\][^\x07]*|[()])?$/, "");
  // deno-lint-ignore no-control-regex
  return whole.replace(/\x1b(?:\[[0-?]*[ -\/]*[@-~]|\][^\x07]*\x07|[()].|[=>78])/g, "").replaceAll("\r", "");
}
