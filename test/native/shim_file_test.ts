/**
 * Where the shim's binary is written and loaded from, and what happens where that fails. Each case is a process of its own,
 * with its own folders for the cache and for temporary files.
 */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "#std/assert";
import { compile, ShimError } from "../../ffi/native/binary.ts";
import { command, prints, runtime } from "../support/child.ts";
import { emptyCache } from "../support/empty_cache.ts";
import { onWindows, skip, windows } from "../support/skip.ts";

const onlyRoot = skip(process.getuid?.() !== 0 && "only root can give a file away");
const noModes = windows("files of Windows have no mode");
const root = mkdtempSync(join(tmpdir(), "pyawait-shim-file-"));
after(() => rmSync(root, { recursive: true, force: true }));

/** Variables for a process with an empty cache and an empty folder for temporary files. */
function folders(): { cache: string; temporary: string; env: Record<string, string | undefined> } {
  const folder = mkdtempSync(join(root, "case-"));
  const cache = join(folder, "cache"), temporary = join(folder, "temporary");
  mkdirSync(cache), mkdirSync(temporary);
  const env = { ...emptyCache(cache), ...(onWindows ? { TEMP: temporary, TMP: temporary } : { TMPDIR: temporary }) };
  return { cache: join(cache, "pyawait"), temporary, env: { ...env, PYAWAIT_SHIM: undefined } };
}

/** The shims in the cache; what Python keeps there is another test's (process/code_cache_test.ts). */
const shims = (cache: string) => readdirSync(cache).filter((file) => file.startsWith("shim-"));

async function opens(env: Record<string, string | undefined>, script = "opens"): Promise<string> {
  return (await prints("opens", [script], { env })).trimEnd();
}

test("the cache has one file, and one that was changed is written anew", async () => {
  const { cache, temporary, env } = folders();
  assertEquals(await opens(env), "done");
  const [file, ...more] = shims(cache);
  assertEquals(more, []);
  const content = readFileSync(join(cache, file));
  rmSync(join(cache, file));
  writeFileSync(join(cache, file), "something else");
  assertEquals(await opens(env), "done");
  assert(readFileSync(join(cache, file)).equals(content));
  assertEquals([shims(cache), readdirSync(temporary)], [[file], []]);
});

const works = "refused or opened,opened,refused or opened,opened,main";

test("without a cache a temporary folder does, for Workers too, and is removed", { skip: noModes }, async () => {
  const { cache, temporary, env } = folders();
  writeFileSync(cache, "no folder");
  assertEquals(await opens(env), "done");
  for (let round = 0; round < 3; round++) assertEquals((await opens(env, "workers")).replaceAll("\n", ","), works);
  assertEquals(readdirSync(temporary), []);
});

test("a cache that others may write to is not used", { skip: noModes }, async () => {
  const { cache, temporary, env } = folders();
  assertEquals(await opens(env), "done");
  for (const file of readdirSync(cache)) rmSync(join(cache, file));
  chmodSync(cache, 0o777);
  assertEquals(await opens(env), "done");
  assertEquals([readdirSync(cache), readdirSync(temporary)], [[], []]);
});

test("a cache of another user's is not used", { skip: onlyRoot }, async () => {
  const { cache, temporary, env } = folders();
  assertEquals(await opens(env), "done");
  chownSync(cache, 65534, 65534);
  for (const file of readdirSync(cache)) rmSync(join(cache, file)); // whoever owns it could put its own there
  assertEquals(await opens(env), "done");
  assertEquals([readdirSync(cache), readdirSync(temporary)], [[], []]);
});

test("a cache above which, or behind a link, another user has a folder", { skip: onlyRoot }, async () => {
  for (const link of [false, true]) {
    const { temporary, env } = folders();
    const parent = join(temporary, "..", "parent"), cache = join(parent, "cache"), at = join(temporary, "..", "link");
    mkdirSync(cache, { recursive: true });
    chownSync(parent, 65534, 65534);
    symlinkSync(cache, at);
    assertEquals(await opens({ ...env, XDG_CACHE_HOME: link ? at : cache }), "done");
    assertEquals([existsSync(join(cache, "pyawait")), readdirSync(temporary)], [false, []]); // Deno and Bun write there themselves
  }
});

test("a file in the cache that is another user's, or a link, is replaced", { skip: onlyRoot }, async () => {
  const { cache, temporary, env } = folders();
  assertEquals(await opens(env), "done");
  const [file] = shims(cache), path = join(cache, file), other = join(temporary, "..", "other.so");
  chownSync(path, 65534, 65534);
  assertEquals(await opens(env), "done");
  assertEquals(lstatSync(path).uid, 0);
  renameSync(path, other), symlinkSync(other, path);
  const before = lstatSync(other).mtimeMs;
  assertEquals(await opens(env), "done");
  assertEquals([lstatSync(path).isFile(), lstatSync(other).mtimeMs], [true, before]);
});

test("folders for temporary files that another user could exchange are not used either", { skip: onlyRoot }, async () => {
  const { cache, temporary, env } = folders();
  writeFileSync(cache, "no folder");
  chownSync(temporary, 65534, 65534);
  const line = await opens(env);
  assertStringIncludes(line, ` - ${temporary}: ${temporary} belongs to another user`);
  assertEquals(readdirSync(temporary), []);
});

test("neither a cache nor a temporary folder: PythonLoadError", { skip: noModes }, async () => {
  const { cache, temporary, env } = folders();
  writeFileSync(cache, "no folder");
  rmSync(temporary, { recursive: true });
  const line = await opens(env);
  assertMatch(line, /^PythonLoadError: Cannot load the native part of pyawait: .*Set XDG_CACHE_HOME or TMPDIR to a folder/);
  assertStringIncludes(line, ` - ${cache}: `);
  assertStringIncludes(line, ` - ${temporary}: `);
});

/** Runs a child with the folders mounted so that nothing in them can be loaded. */
function withoutExec(mounts: string[], env: Record<string, string | undefined>): string {
  const script = 'while [ "$1" != -- ]; do mount -t tmpfs -o noexec none "$1" || exit 77; shift; done; shift; exec "$@"';
  const [program, args] = command("opens", ["opens"]);
  const all = Object.entries({ ...process.env, NO_COLOR: "1", ...env }).filter(([, value]) => value !== undefined);
  const ran = spawnSync("unshare", ["-m", "sh", "-c", script, "sh", ...mounts, "--", program, ...args], {
    env: Object.fromEntries(all),
    encoding: "utf8",
  });
  assertEquals([ran.status, ran.stderr], [0, ""], ran.stdout);
  return ran.stdout.trimEnd();
}
const canMount = spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "-o", "noexec", "none", root]).status === 0;

test("a cache that is mounted with noexec", { skip: skip(!canMount && "nothing can be mounted here") }, () => {
  const { cache, temporary, env } = folders();
  mkdirSync(cache);
  assertEquals(withoutExec([cache], env), "done");
  assertEquals(readdirSync(temporary), []);
  const line = withoutExec([cache, temporary], env);
  assertMatch(line, /^PythonLoadError: Cannot load the native part of pyawait: .*Set XDG_CACHE_HOME or TMPDIR .*"noexec"/);
  assertStringIncludes(line, ` - ${cache}: `);
  assertStringIncludes(line, ` - ${temporary}: `);
});

test("PYAWAIT_SHIM: no file, a text, a library of something else", async () => {
  const text = join(root, "text.so");
  writeFileSync(text, "no library\n");
  const libm = onWindows ? "C:\\Windows\\System32\\version.dll" : "/lib/x86_64-linux-gnu/libm.so.6";
  for (const path of [join(root, "missing.so"), text, ...existsSync(libm) ? [libm] : []]) {
    const line = await opens({ PYAWAIT_SHIM: path });
    assertMatch(line, /^PythonLoadError: Cannot load the native part of pyawait: .*Unset PYAWAIT_SHIM/);
    assertStringIncludes(line, ` - PYAWAIT_SHIM "${path}": `);
  }
});

const compiler = skip(spawnSync("cc", ["--version"]).status !== 0 && "there is no cc");

test("what cc makes of the shim's source works", { skip: compiler }, async () => {
  const { content, file, origin } = compile();
  assertEquals([origin, compile().file], ["cc", file]);
  writeFileSync(join(root, file), content);
  assertEquals(await opens({ PYAWAIT_SHIM: join(root, file) }, "shim"), "PYAWAIT_SHIM");
});

test("a compiler that is not there", () => {
  const before = process.env.CC;
  process.env.CC = join(root, "no-such-cc");
  try {
    const { tried, hint } = assertThrows(compile, ShimError);
    assertStringIncludes(tried[0].place, "no-such-cc");
    assertMatch(hint, /Install a C compiler .* PYAWAIT_SHIM/);
  } finally {
    if (before === undefined) delete process.env.CC;
    else process.env.CC = before;
  }
});

const noPipe = runtime === "deno" && windows("Deno opens named pipes with all permissions only");

test("Deno without --allow-sys", { skip: skip(runtime !== "deno" && "only Deno has permissions like that") || noPipe }, () => {
  const { temporary, env } = folders();
  const flags = ["run", "--no-prompt", "--no-check", "--allow-ffi", "--allow-read", "--allow-env", "--allow-run", "--allow-write"];
  const [program, args] = command("opens", ["opens"], flags);
  const { status, stdout, stderr } = spawnSync(program, args, { env: { ...process.env, ...env }, encoding: "utf8" });
  assertEquals([status, stdout, stderr], [0, "done\n", ""]);
  assertEquals(readdirSync(temporary), []);
});
