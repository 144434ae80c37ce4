/**
 * Where Windows has Pythons: the registry, and the links of the Microsoft Store.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { assertEquals, assertStringIncludes } from "#std/assert";
import { python } from "../../mod.ts";
import { locate, PythonNotFoundError, survey } from "../../src/locate/locate.ts";
import { launcherDefault, registeredPythons } from "../../src/locate/registry.ts";
import { folder, root } from "../support/fake_python.ts";
import { onWindows, skip } from "../support/skip.ts";
import { makeEnvironment, pythonOf } from "../support/virtual_environment.ts";

const elsewhere = skip(!onWindows && "only Windows has a registry and a Store");

/** Variables that name no Python. */
const env = (changes: Record<string, string> = {}) => ({
  ...process.env,
  PYAWAIT_PYTHON: "",
  VIRTUAL_ENV: "",
  CONDA_PREFIX: "",
  PATH: "",
  Path: "",
  ...changes,
});

/** Registers Pythons of a company of the test's own while `fn` runs. */
function whileRegistered(pythons: Record<string, Record<string, string>>, fn: (company: string) => void): void {
  const company = `pyawait-test-${process.pid}`;
  const code = `
import json, sys, winreg
company, pythons = r"Software\\Python" + "\\\\" + sys.argv[1], json.loads(sys.argv[2])
for tag, values in pythons.items():
    key = "\\\\".join((company, tag, "InstallPath"))
    if sys.argv[3] == "add":
        for name, value in values.items():
            winreg.SetValueEx(winreg.CreateKey(winreg.HKEY_CURRENT_USER, key), name, 0, winreg.REG_SZ, value)
    else:
        for each in (key, company + "\\\\" + tag): winreg.DeleteKey(winreg.HKEY_CURRENT_USER, each)
if sys.argv[3] == "remove": winreg.DeleteKey(winreg.HKEY_CURRENT_USER, company)
`;
  const change = (what: string) => execFileSync(python.info.executable!, ["-c", code, company, JSON.stringify(pythons), what]);
  change("add");
  try {
    fn(company);
  } finally {
    change("remove");
  }
}

test("registered Pythons are found, whatever script their paths are in; the newest first", { skip: elsewhere }, () => {
  const at = join(folder(), "зміїний ящик 蛇");
  makeEnvironment(python.info.executable!, at);
  const pythons = { "3.9": { "": join(root, "Python 3.9") }, "3.11": { "": at, ExecutablePath: pythonOf(at) } };
  whileRegistered(pythons, (company) => {
    const ours = registeredPythons(undefined).filter((each) => each.company === company);
    assertEquals(ours, [
      { company, tag: "3.11", path: pythonOf(at) },
      { company, tag: "3.9", path: join(root, "Python 3.9", "python.exe") },
    ]);
    const places = [...survey({}, env(), root)].filter(({ candidate }) => candidate.source.startsWith(company));
    assertEquals(places.map(({ candidate }) => candidate.source), [`${company} 3.11 in the registry`, `${company} 3.9 in the registry`]);
    const [{ found }, { found: missing }] = places;
    if (found instanceof Error) throw found;
    assertEquals([found.executable, found.prefix, found.version], [pythonOf(at), at, python.version]);
    assertStringIncludes((missing as Error).message, `Python 3.9\\python.exe": does not exist`);
  });
});

test("what the py launcher starts by default", () => {
  const at = folder();
  assertEquals([launcherDefault("3.9", at), launcherDefault(undefined, at), launcherDefault(undefined, undefined)], [
    "3.9",
    undefined,
    undefined,
  ]);
  writeFileSync(join(at, "py.ini"), "[commands]\npython=no\n[defaults]\r\n; python=2\r\npython=3.12\r\npython3=3.8\r\n");
  assertEquals(launcherDefault(undefined, at), "3.12");
});

test("the placeholder of the Microsoft Store is passed over, and named where there is nothing else", { skip: elsewhere }, () => {
  const at = join(folder(), "Microsoft", "WindowsApps");
  mkdirSync(at, { recursive: true });
  writeFileSync(join(at, "python3.exe"), "");
  const places = [...survey({}, env({ PATH: `${at};${join(python.info.executable!, "..")}` }), root)];
  const [store, next] = places;
  assertEquals(store.candidate.path, join(at, "python3.exe"));
  assertStringIncludes((store.found as Error).message, "is the placeholder of the Microsoft Store, not a Python");
  assertEquals(next.candidate.path, join(python.info.executable!, "..", "python.exe"));
  try {
    locate({}, env({ PATH: at }), root);
  } catch (error) { // unless one is registered
    if (!(error instanceof PythonNotFoundError)) throw error;
    assertStringIncludes(error.message, "placeholder of the Microsoft Store");
    assertStringIncludes(error.hint, "https://www.python.org/downloads");
  }
});
