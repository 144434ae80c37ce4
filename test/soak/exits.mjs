/**
 * Ends processes with Python at work in them, very often, and counts how they ended:
 *
 *     node scripts/build.mjs node && node test/soak/exits.mjs [TIMES] [--runtime node,deno,bun] [--at-once 4]
 *
 * Each of natural end, process.exit, an uncaught error and SIGINT, with busy threads, with threads that call
 * JavaScript, and with a thousand tasks in flight: TIMES (100) of each kind of end on each runtime, several at the
 * same time, so that the machine is loaded. The exit code is 1 if one ended otherwise than it should, or took longer
 * than ten seconds after its end had begun.
 */
import { spawn } from "node:child_process";
import process from "node:process";
import { kindOf, root, runtime } from "../../scripts/runtimes.mjs";

const args = process.argv.slice(2);
const option = (name, otherwise) => {
  const at = args.indexOf(name);
  return at < 0 ? otherwise : args.splice(at, 2)[1];
};
const runtimes = option("--runtime", "node,deno,bun").split(",");
const atOnce = Number(option("--at-once", "4"));
const times = Number(args[0] ?? 100);

const commands = {
  node: [`${root}/.build/test/children/exits.js`],
  deno: ["run", "-A", "--no-check", `${root}/test/children/exits.ts`],
  bun: [`${root}/test/children/exits.ts`],
};
const ends = { natural: "0", exit: "3", throw: "1", signal: "SIGINT" };
const loads = ["busy", "calling", "flying", "tidy"];

function once(name, load, end) {
  return new Promise((resolve) => {
    const child = spawn(runtime(name), [...commands[kindOf(name)], load, end], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "", errors = "", since = Date.now();
    child.stdout.setEncoding("utf8").on("data", (text) => {
      output += text;
      if (/^(ready|end)$/m.test(text)) since = Date.now();
      if (end === "signal" && /^ready$/m.test(text)) child.kill("SIGINT");
    });
    child.stderr.setEncoding("utf8").on("data", (text) => errors += text);
    let hung = false;
    const timer = setTimeout(() => (hung = true, process.kill(child.pid, "SIGKILL")), 30_000);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ result: hung ? "hung" : signal ?? String(code), lasted: Date.now() - since, output, errors });
    });
  });
}

let wrong = 0;
console.log("runtime  end      codes                          longest");
for (const name of runtimes) {
  for (const [end, wanted] of Object.entries(ends)) {
    const counts = new Map();
    let next = 0, longest = 0;
    const worker = async () => {
      while (next < times) {
        const load = loads[next++ % loads.length];
        const { result, lasted, output, errors } = await once(name, load, end);
        counts.set(result, (counts.get(result) ?? 0) + 1);
        longest = Math.max(longest, lasted);
        if (result === wanted && lasted < 10_000) continue;
        wrong++;
        console.log(
          `${name} ${load} ${end}: ${result} after ${lasted} ms, expected ${wanted}\n${output}${errors}`
            .trimEnd(),
        );
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    const codes = [...counts].map(([code, count]) => `${code}: ${count}`).join(", ");
    console.log(`${name.padEnd(8)} ${end.padEnd(8)} ${codes.padEnd(30)} ${longest} ms`);
  }
}
console.log(wrong === 0 ? "all as they should be" : `${wrong} ended otherwise`);
process.exitCode = wrong > 0 ? 1 : 0;
