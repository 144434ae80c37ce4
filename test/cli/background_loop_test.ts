/**
 * What Python code does to the background loop: it may stop and close it, and JavaScript goes on with another one.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { assertEquals } from "#std/assert";
import { prints, runtime } from "../support/child.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "pyawait-background-")));
after(() => rmSync(folder, { recursive: true, force: true }));

const cli = fileURLToPath(new URL(`../../cli.${runtime === "node" ? "js" : "ts"}`, import.meta.url));
const before = { node: [cli], deno: ["run", "-A", "--no-check", cli], bun: [cli] }[runtime];

writeFileSync(
  join(folder, "waits.mjs"),
  `
const outcomes = [];
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms, "slept"));
export const start = (coroutine) => void Promise.resolve(coroutine).then(
  (value) => outcomes.push("value " + value), (error) => outcomes.push(error.name + ": " + error.message));
export const outcome = async (count) => {
  while (outcomes.length < count) await sleep(2);
  return outcomes.join("; ");
};
`,
);

function run(source: string) {
  writeFileSync(join(folder, "script.py"), source);
  const args = [...before, "run", "--module", "waits=waits.mjs", "script.py"];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8", timeout: 60_000 });
  return { status, stdout, stderr };
}

const close = `
import asyncio, gc, sys, time
import waits
def close_all():
    for found in gc.get_objects():
        if isinstance(found, asyncio.AbstractEventLoop) and not found.is_closed():
            found.close()
`;

test("a script that closes every loop it finds goes on, and awaits JavaScript", () => {
  const { status, stdout, stderr } = run(`${close}
close_all()
print(asyncio.run(waits.sleep(2)))
close_all()
print(asyncio.run(waits.sleep(2)))
sys.exit(3)
`);
  assertEquals({ status, stdout, stderr }, { status: 3, stdout: "slept\nslept\n", stderr: "" });
});

test("what JavaScript awaits on a background loop that is closed is rejected, and later awaits work", () => {
  const { status, stdout, stderr } = run(`${close}
import pyawait
background = next(loop for loop in gc.get_objects() if isinstance(loop, asyncio.AbstractEventLoop))
async def forever(): await asyncio.sleep(1000)
async def soon(): return "soon"
async def meanwhile():
    await asyncio.sleep(0.05)
waits.start(forever())
background.run_until_complete(meanwhile())
background.close()
print(asyncio.run(waits.outcome(1)))
waits.start(soon())
`);
  const text = "RuntimeError: The background event loop was closed by Python code before this was done; a new one has taken its place";
  assertEquals({ status, stdout, stderr }, { status: 0, stdout: `${text}\n`, stderr: "" });
});

test("the script's main thread has no event loop of pyawait's", () => {
  const { stdout, stderr } = run(`
import asyncio, sys, warnings
warnings.simplefilter("ignore")
try:
    loop = asyncio.get_event_loop()
    print("a new loop", loop.is_running(), loop.run_until_complete(asyncio.sleep(0, "done")))
    loop.close()
except RuntimeError as error:
    print("no current loop", sys.version_info >= (3, 14))
`);
  assertEquals(["a new loop False done\n", "no current loop True\n"].includes(stdout), true, stdout + stderr);
});

test("stop, close and run_until_complete on the running background loop", async () => {
  const refused = "RuntimeError RuntimeError";
  assertEquals((await prints("background_loop", [])).trimEnd().split("\n"), [refused, "stopped 100 times", "slept", "end"]);
});
