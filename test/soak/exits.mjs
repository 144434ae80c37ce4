/**
 * Ends processes with Python at work in them, very often, and counts how they ended:
 *
 *     node scripts/build.mjs node && node test/soak/exits.mjs [TIMES] [--runtime node,deno,bun] [--at-once 4] [WORD…]
 *
 * Every kind of end (`ends`) with every load (`loads`): TIMES (100) of each pair on each runtime, several at the same time,
 * so that the machine is loaded. A WORD keeps the ends and the loads of that name. Prints a Markdown table of the ends that
 * were as they should be, over all loads, and the longest time between an end's beginning and the process's. The exit
 * code is 1 if one ended otherwise, or took longer than ten seconds.
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
const times = /^\d+$/.test(args[0]) ? Number(args.shift()) : 100;

const commands = {
  node: [`${root}/.build/test/children/exits.js`],
  deno: ["run", "-A", "--no-check", `${root}/test/children/exits.ts`],
  bun: [`${root}/test/children/exits.ts`],
};
/** The exit code or signal that each kind of end has to give. */
const ends = {
  natural: "0",
  exit: "3",
  exit_in_sync: "3",
  exit_in_async: "3",
  exit_in_thread: "3",
  deno_exit: "3",
  throw: "1",
  reject: "1",
  SIGINT: "SIGINT",
  SIGTERM: "SIGTERM",
  SIGHUP: "SIGHUP",
  worker_end: "0",
  worker_terminate: "0",
  terminate_opening: "0",
  parent_gone: "3",
  os_exit: "3",
  sys_exit: "0",
  fork: "0",
};
const loads = ["idle", "flying", "busy", "calling", "large", "tidy", "holding", "opening", "closing", "held", "lost"];

/** These call Python from JavaScript at the end, which Python that closes refuses, and for which a held GIL is waited for. */
const callsPython = ["exit_in_sync", "exit_in_async", "exit_in_thread"];
/** So do these, in Python itself or in a Worker. */
const needsGil = [...callsPython, "worker_end", "worker_terminate", "terminate_opening", "os_exit", "sys_exit", "fork"];

/** Whether a pair makes sense: other runtimes have no Deno.exit, and a Worker that is lost keeps the process alive. */
function fits(name, load, end) {
  if (load === "closing" && callsPython.includes(end)) return false;
  if (load === "held" && needsGil.includes(end)) return false;
  if (load === "lost" && ends[end] === "0") return false;
  return end !== "deno_exit" || name === "deno";
}

function kept(names) {
  const named = names.filter((name) => args.includes(name));
  return named.length > 0 ? named : names;
}

function once(name, load, end) {
  return new Promise((resolve) => {
    const signal = end.startsWith("SIG") && end;
    const child = spawn(runtime(name), [...commands[kindOf(name)], load, signal ? "signal" : end], { cwd: root, stdio: "pipe" });
    let output = "", errors = "", since = Date.now();
    child.stdout.setEncoding("utf8").on("data", (text) => {
      output += text;
      if (/^(ready|end)$/m.test(text)) since = Date.now();
      if (!/^ready$/m.test(text)) return;
      if (signal) child.kill(signal);
      else for (const stream of child.stdio) stream.destroy();
    });
    child.stderr.setEncoding("utf8").on("data", (text) => errors += text);
    let hung = false;
    const timer = setTimeout(() => (hung = true, child.kill("SIGKILL")), 60_000);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ result: hung ? "hung" : signal ?? String(code), lasted: Date.now() - since, output, errors });
    });
  });
}

/** Runs all of one kind of end on a runtime: how many ended as they should, of how many, and the longest. */
async function count(name, end) {
  const pairs = kept(loads).filter((load) => fits(name, load, end)), all = Array(times).fill(pairs).flat();
  let next = 0, right = 0, longest = 0;
  const worker = async () => {
    while (next < all.length) {
      const load = all[next++];
      const { result, lasted, output, errors } = await once(name, load, end);
      longest = Math.max(longest, lasted);
      if (result === ends[end] && lasted < 10_000) right++;
      else console.error(`${name} ${load} ${end}: ${result} after ${lasted} ms, expected ${ends[end]}\n${output}${errors}`.trimEnd());
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { right, of: all.length, longest };
}

let wrong = 0;
console.log(`| end | ${runtimes.join(" | ")} |\n| --- |${" --- |".repeat(runtimes.length)}`);
for (const end of kept(Object.keys(ends))) {
  const cells = [];
  for (const name of runtimes) {
    const { right, of, longest } = await count(name, end);
    wrong += of - right;
    cells.push(of > 0 ? `${right} of ${of}, ${longest} ms` : "–");
  }
  console.log(`| ${end} | ${cells.join(" | ")} |`);
}
console.log(wrong === 0 ? "all as they should be" : `${wrong} ended otherwise`);
process.exitCode = wrong > 0 ? 1 : 0;
