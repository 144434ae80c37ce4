/**
 * What Python code does to the background loop: it may stop and close it, and JavaScript goes on with another one.
 */
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { assertEquals } from "#std/assert";
import { child } from "../support/child.ts";
import { pyawait } from "../support/command.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "pyawait-background-")));
after(() => rmSync(folder, { recursive: true, force: true }));

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
  return pyawait(["run", "--module", "waits=waits.mjs", "script.py"], folder);
}

const close = `
import asyncio, gc, sys, time
import waits
def close_all():
    for found in gc.get_objects():
        if isinstance(found, asyncio.AbstractEventLoop) and not found.is_closed():
            found.close()
`;

test("a script that closes every loop it finds goes on, and awaits JavaScript", async () => {
  const { code, signal, stdout, stderr } = await run(`${close}
close_all()
print(asyncio.run(waits.sleep(2)))
close_all()
print(asyncio.run(waits.sleep(2)))
sys.exit(3)
`);
  assertEquals({ code, signal, stdout, stderr }, { code: 3, signal: null, stdout: "slept\nslept\n", stderr: "" });
});

test("what JavaScript awaits on a background loop that is closed is rejected, and later awaits work", async () => {
  const { code, signal, stdout, stderr } = await run(`${close}
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
  assertEquals({ code, signal, stdout, stderr }, { code: 0, signal: null, stdout: `${text}\n`, stderr: "" });
});

test("the script's main thread has no event loop of pyawait's", async () => {
  const { stdout, stderr } = await run(`
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

test("stop, close and a broken selector of the running background loop, and signal handlers that raise in it", async () => {
  const { code, stdout, stderr } = await child("background_loop", []);
  assertEquals([code, stdout.trimEnd().split("\n")], [0, [
    "RuntimeError RuntimeError",
    "stopped 100 times",
    "slept",
    "after handlers that raise",
    "true after a closed selector",
    "RuntimeError after another",
    "end",
  ]], stderr);
  if (process.platform !== "win32") assertEquals(stderr.match(/ValueError: in the handler/g)?.length, 3, stderr);
});
