/**
 * What ffi/shim/capi.h says of CPython, proved by the C compiler against Python.h: each line of the tables becomes
 * a second declaration of that function, and a prototype that differs from the header's is a compile error. The
 * structs, integer types and constants that capi.h spells out are compared field by field and value by value.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { assertEquals } from "#std/assert";

interface Entry {
  readonly name: string;
  /** C that compiles after `#include <Python.h>` only if the entry is right. */
  readonly code: string;
}

/** The entries of one table: `#define NAME(X) X(result, function, (parameters)) \ …`, or `X(datum)`. */
function readTable(header: string, table: string): Entry[] {
  const text = new RegExp(`^#define ${table}\\(X\\)((?:.*\\\\\\n)*.*)`, "m").exec(header)?.[1] ?? "";
  const entry = /\bX\((?:([^,()]+),\s*)?(\w+)(?:,\s*(\((?:[^()]|\([^()]*\))*\)))?\)/g;
  const entries = [...text.matchAll(entry)].map(([, result, name, parameters]) => {
    // The parentheses keep a macro of the same name away.
    const declaration = result ? `${result} (${name}) ${parameters};` : "";
    return { name, code: `static const void *const known_${name} = &${name}; ${declaration}` };
  });
  assertEquals(entries.length, text.match(/\bX\(/g)?.length, `every line of ${table} can be read`);
  return entries;
}

/** The structs, integer types and constants that are written out in the header. */
function readLayouts(header: string): Entry[] {
  const same = (ours: string, theirs: string) => `_Static_assert(${ours} == ${theirs}, "differs");`;
  const structs = [...header.matchAll(/^typedef struct (\{[^{}]*\}) (Py\w+);/gm)].map(([, body, name]) => {
    const fields = [...body.matchAll(/(\w+)[,;]/g)].map(([, field]) =>
      same(`offsetof(struct our_${name}, ${field})`, `offsetof(${name}, ${field})`)
    );
    const size = same(`sizeof(struct our_${name})`, `sizeof(${name})`);
    return { name, code: `struct our_${name} ${body.replace(/\s+/g, " ")}; ${size} ${fields.join(" ")}` };
  });
  const integers = [...header.matchAll(/^typedef ((?:(?!struct)[\w ])+) (P[Yy]\w+);/gm)].map((
    [, type, name],
  ) => ({
    name,
    code: same(`sizeof(${type})`, `sizeof(${name})`),
  }));
  const constants = [...header.matchAll(/^#define ((?:METH|Py|PyBUF|CO)_\w+) (\w+)\s*$/gm)].map(([, name, value]) => ({
    name,
    code: same(value, name),
  }));
  return [...structs, ...integers, ...constants];
}

/** Compiles the entries against Python.h; for each that fails, its name and what the compiler says. */
function compile(include: string, entries: Entry[], limited: boolean): Map<string, string> {
  const folder = mkdtempSync(join(tmpdir(), "pyawait-capi-"));
  try {
    const lines = entries.map(({ code }, index) => `#line ${index + 1} "entry"\n${code}`);
    const opening = (limited ? "#define Py_LIMITED_API 0x03080000\n" : "") +
      "#include <Python.h>\n#include <stddef.h>\n";
    writeFileSync(join(folder, "capi.c"), opening + lines.join("\n") + "\n");
    const { stderr, status } = spawnSync(
      "cc",
      ["-fsyntax-only", "-w", "-I", include, join(folder, "capi.c")],
      {
        encoding: "utf8",
        env: { ...process.env, LC_ALL: "C" },
      },
    );
    const wrong = new Map<string, string>();
    for (const [, line, message] of stderr.matchAll(/^entry:(\d+):\d+: error: (.*)$/gm)) {
      const { name } = entries[Number(line) - 1];
      if (!wrong.has(name)) wrong.set(name, message);
    }
    if (status !== 0 && wrong.size === 0) throw new Error(`Cannot compile against ${include}: ${stderr}`);
    return wrong;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * What is wrong with the entries, one line each. A function that Python.h hides behind a macro of the same name
 * is declared in the limited API only, so what is unknown is looked for there too.
 */
function check(include: string, entries: Entry[], optional: boolean): string[] {
  const undeclared = (message: string) => /undeclared/.test(message);
  const wrong = compile(include, entries, false);
  const unknown = entries.filter(({ name }) => undeclared(wrong.get(name) ?? ""));
  const stillWrong = compile(include, unknown, true);
  for (const { name } of unknown) {
    const message = stillWrong.get(name);
    if (message === undefined || (optional && undeclared(message))) wrong.delete(name);
    else wrong.set(name, message);
  }
  return [...wrong].map(([name, message]) => `${name}: ${message}`);
}

/** Folders with a Python.h, by version: of the Python in use, of those on the path and of pyenv's. */
function findHeaders(): Map<string, string> {
  const pyenv = join(process.env.PYENV_ROOT ?? join(homedir(), ".pyenv"), "versions");
  const pythons = [
    process.env.PYAWAIT_PYTHON ?? "python3",
    ...Array.from({ length: 8 }, (_, index) => `python3.${8 + index}`),
    ...(existsSync(pyenv) ? readdirSync(pyenv) : []).map((version) => join(pyenv, version, "bin", "python3")),
  ];
  const script = "import os, sys, sysconfig; d = sysconfig.get_paths()['include']; " +
    "print(sys.version.split()[0], d if sys.version_info >= (3, 8) and os.path.exists(d + '/Python.h') else '')";
  const found = new Map<string, string>();
  for (const python of pythons) {
    const { stdout } = spawnSync(python, ["-c", script], { encoding: "utf8" });
    const [version, include] = (stdout ?? "").trim().split(" ");
    if (include) found.set(version, include);
  }
  return found;
}

const headers = findHeaders();
const hasCompiler = spawnSync("cc", ["--version"]).status === 0;
const missing = !hasCompiler ? "there is no cc" : headers.size === 0 ? "there is no Python.h" : "";
// Deno and Bun do not report the reason of a skipped test; test/run.mjs reads it here.
if (missing) console.log(`skip: ${missing}`);
const options = { skip: missing || false };

const header = () => readFileSync("ffi/shim/capi.h", "utf8");

for (const [version, include] of headers.size > 0 ? headers : [["?", ""]]) {
  test(`capi.h agrees with Python ${version}`, options, () => {
    assertEquals(check(include, readTable(header(), "CAPI_FUNCTIONS"), false), []);
    assertEquals(check(include, readTable(header(), "CAPI_OPTIONAL"), true), []);
    assertEquals(check(include, readTable(header(), "CAPI_DATA"), false), []);
    assertEquals(check(include, readLayouts(header()), false), []);
  });
}

test("what is wrong is caught", options, () => {
  const planted = `#define CAPI_FUNCTIONS(X) \\
  X(int, Py_IsInitialized, (void)) /* right */ \\
  X(long, PyObject_IsTrue, (PyObject *)) \\
  X(PyObject *, PyList_New, (int)) \\
  X(PyObject *, Py_CompileString, (const char *, const char *, long)) \\
  X(void, PyCapsule_SetNothing, (void (*)(PyObject *), int))

#define CAPI_DATA(X) X(PyLong_Type) X(PyLung_Type)

typedef struct { int slot; void *pfunc; } PyType_Slot;
typedef struct { const char *ml_name; int ml_flags; PyCFunction ml_meth; const char *ml_doc; } PyMethodDef;
typedef int Py_ssize_t;
typedef long PyLockStatus;
typedef struct {
  void *buf; PyObject *obj; Py_ssize_t len, itemsize; int ndim, readonly;
} Py_buffer;
#define METH_NOARGS 4
#define METH_O 9
#define PyBUF_RECORDS_RO 0x1d
`;
  const [include] = headers.values();
  const names = (lines: string[]) => lines.map((line) => line.split(":")[0]);
  const functions = readTable(planted, "CAPI_FUNCTIONS");
  const wrong = ["PyObject_IsTrue", "PyList_New", "Py_CompileString"];
  assertEquals(names(check(include, functions, false)), [...wrong, "PyCapsule_SetNothing"]);
  assertEquals(names(check(include, functions, true)), wrong);
  assertEquals(names(check(include, readTable(planted, "CAPI_DATA"), false)), ["PyLung_Type"]);
  const layouts = check(include, readLayouts(planted), false);
  assertEquals(names(layouts), ["PyMethodDef", "Py_buffer", "Py_ssize_t", "PyLockStatus", "METH_O", "PyBUF_RECORDS_RO"]);
});
