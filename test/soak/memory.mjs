/**
 * A million synchronous and a hundred thousand asynchronous operations of each kind, on each runtime, with flat memory:
 *
 *     node scripts/build.mjs node && node test/soak/memory.mjs [--runtime node,deno,bun] [--times 1] [FILTER]
 *
 * The exit code is 1 if memory grew, or if handles, scopes or promises were left. `--times 0.1` does a tenth.
 */
import { spawnSync } from "node:child_process";
import process from "node:process";
import { kindOf, root, runtime } from "../../scripts/runtimes.mjs";

const args = process.argv.slice(2);
const option = (name, otherwise) => {
  const at = args.indexOf(name);
  return at < 0 ? otherwise : args.splice(at, 2)[1];
};
const runtimes = option("--runtime", "node,deno,bun").split(",");
const times = Number(option("--times", "1"));

const commands = {
  node: ["--expose-gc", `${root}/.build/test/children/memory.js`],
  deno: ["run", "-A", "--no-check", "--v8-flags=--expose-gc", `${root}/test/children/memory.ts`],
  bun: [`--preload=${root}/test/support/preload.mjs`, `${root}/test/children/memory.ts`],
};

let wrong = 0;
for (const name of runtimes) {
  console.log(`---- ${name}`);
  const counts = [String(1_000_000 * times), String(100_000 * times)];
  const { stdout, status, signal } = spawnSync(runtime(name), [...commands[kindOf(name)], ...counts, ...args], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  process.stdout.write(stdout);
  const lines = stdout.trim().split("\n");
  const grown = lines.filter((line) => !line.startsWith("flat: ")).length;
  if (status !== 0) console.log(`ended with ${signal ?? status}`);
  wrong += grown + (status === 0 ? 0 : 1);
}
console.log(wrong === 0 ? "all flat" : `${wrong} are not flat`);
process.exitCode = wrong > 0 ? 1 : 0;
