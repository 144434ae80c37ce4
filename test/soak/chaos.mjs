/**
 * Everything at once and at random, one seed after the other, on each runtime:
 *
 *     node scripts/build.mjs node && node test/soak/chaos.mjs [SEEDS] [--runtime node,deno,bun] [--seconds 10] [--from 1]
 *
 * Python's allocator fills memory that was freed (PYTHONMALLOC=debug), so that its use ends the process. The exit code
 * is 1 if one of the SEEDS (10) did not survive, or took 40 seconds longer than it should.
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
const seconds = Number(option("--seconds", "10")), first = Number(option("--from", "1"));
const seeds = Number(args[0] ?? 10);

const commands = {
  node: ["--expose-gc", `${root}/.build/test/children/chaos.js`],
  deno: ["run", "-A", "--no-check", "--v8-flags=--expose-gc", `${root}/test/children/chaos.ts`],
  bun: ["--expose-gc", `${root}/test/children/chaos.ts`],
};

let wrong = 0;
for (const name of runtimes) {
  for (let seed = first; seed < first + seeds; seed++) {
    const { stdout, stderr, status, signal } = spawnSync(runtime(name), [...commands[kindOf(name)], String(seed), String(seconds)], {
      cwd: root,
      encoding: "utf8",
      env: { ...process.env, PYTHONMALLOC: "debug" },
      timeout: 1000 * (seconds + 40),
      killSignal: "SIGKILL",
    });
    const survived = status === 0 && stdout.includes(`survived ${seed}\n`);
    console.log(
      `${name} ${seed}: ${survived ? "survived" : `ended with ${signal ?? status}\n${stdout.slice(-2000)}\n${stderr.slice(-2000)}`}`,
    );
    if (!survived) wrong++;
  }
}
console.log(wrong === 0 ? "all survived" : `${wrong} did not survive`);
process.exitCode = wrong > 0 ? 1 : 0;
