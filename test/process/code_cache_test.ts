/**
 * The code of Python's half is kept in the user's cache folder, and used only where this user has put it there, for these
 * sources and this Python.
 *
 * The code that is kept is told from what is compiled anew by a line that the test adds to it. Each start is a process of
 * its own.
 */
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { python } from "../../mod.ts";
import { assertEquals } from "#std/assert";
import { prints } from "../support/child.ts";
import { emptyCache } from "../support/empty_cache.ts";
import { skip, windows } from "../support/skip.ts";

const noModes = windows("files of Windows have no mode");
const root = mkdtempSync(join(tmpdir(), "pyawait-code-cache-"));
after(() => rmSync(root, { recursive: true, force: true }));

const { add_line } = python.exec(`
  import importlib.util, marshal, types
  def add_line(path):
      "Lets what is kept at path say so when it runs."
      magic = importlib.util.MAGIC_NUMBER
      with open(path, "rb") as file:
          code = marshal.loads(file.read()[len(magic):])
      code.append(compile("import builtins; builtins.code_was = 'kept'", "mark", "exec"))
      with open(path, "wb") as file:
          file.write(magic + marshal.dumps(code))
  types.SimpleNamespace(add_line=add_line)
`);

/** An empty cache; `start` tells whether a new process has compiled the code or used what was kept. */
function newCache() {
  const home = mkdtempSync(join(root, "case-"));
  const start = async (env: Record<string, string | undefined> = {}) =>
    (await prints("code_cache", [], { env: { ...emptyCache(home), ...env } })).trim();
  const kept = () =>
    readdirSync(join(home, "pyawait")).filter((name) => name.startsWith("code-")).map((name) => join(home, "pyawait", name));
  return { start, kept, folder: join(home, "pyawait") };
}

test("a second process uses what the first has compiled, also with PYTHONDONTWRITEBYTECODE", async () => {
  for (const PYTHONDONTWRITEBYTECODE of [undefined, "1"]) {
    const { start, kept } = newCache(), env = { PYTHONDONTWRITEBYTECODE };
    assertEquals(await start(env), "compiled");
    assertEquals(kept().length, 1);
    add_line(kept()[0]);
    assertEquals(await start(env), "kept");
  }
});

test("what is damaged, or of another Python, is replaced", async () => {
  const { start, kept } = newCache();
  await start();
  const [path] = kept(), content = readFileSync(path);
  const damages: Record<string, () => void> = {
    empty: () => writeFileSync(path, ""),
    "cut off": () => truncateSync(path, content.length >> 1),
    "no code": () => writeFileSync(path, Buffer.concat([content.subarray(0, 4), Buffer.from("????")])),
    "of another Python": () => writeFileSync(path, Buffer.concat([Buffer.from("\0\0\r\n"), content.subarray(4)])),
    "a text": () => writeFileSync(path, "import builtins"),
  };
  for (const [name, damage] of Object.entries(damages)) {
    damage();
    assertEquals([name, await start()], [name, "compiled"]);
    assertEquals([name, readFileSync(path).equals(content)], [name, true]);
  }
});

test("what cannot be written leaves nothing", async () => {
  const { start, kept } = newCache();
  await start();
  const [path] = kept();
  rmSync(path);
  mkdirSync(path);
  assertEquals(await start(), "compiled");
  assertEquals(kept(), [path]);
});

test("code without assertions has a file of its own", async () => {
  const { start, kept } = newCache();
  await start();
  add_line(kept()[0]);
  assertEquals(await start({ PYTHONOPTIMIZE: "1" }), "compiled");
  assertEquals(kept().length, 2);
  assertEquals(await start(), "kept");
});

test("a file that others could have written is not used", { skip: noModes }, async () => {
  const { start, kept, folder } = newCache();
  await start();
  const [path] = kept();
  add_line(path);
  chmodSync(path, 0o666);
  assertEquals(await start(), "compiled");
  assertEquals(kept().length, 1);
  add_line(path);
  assertEquals(await start(), "kept");
  renameSync(path, join(root, "elsewhere")), symlinkSync(join(root, "elsewhere"), path);
  assertEquals(await start(), "compiled");
  add_line(path);
  chmodSync(folder, 0o777);
  assertEquals(await start(), "compiled");
});

test("a file of another user's is not used", { skip: skip(process.getuid?.() !== 0 && "only root can give a file away") }, async () => {
  const { start, kept } = newCache();
  await start();
  add_line(kept()[0]);
  chownSync(kept()[0], 65534, 65534);
  assertEquals(await start(), "compiled");
});
