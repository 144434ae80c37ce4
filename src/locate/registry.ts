/**
 * The Pythons in the registry of Windows (PEP 514), where installers, uv and the `py` launcher look for them.
 *
 * It is read by the system's own functions: `reg.exe` and `py` print paths in a code page, which cannot say every name.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { backend } from "../../ffi/mod.ts";
import type { Pointer } from "../../ffi/types.ts";

/** A Python that an installer has registered. */
export interface Registered {
  /** Who has made it: "PythonCore" is python.org. */
  readonly company: string;
  /** "3.13", or what else its company calls it. */
  readonly tag: string;
  readonly path: string;
}

const symbols = {
  RegOpenKeyExW: { parameters: ["pointer", "buffer", "i32", "i32", "buffer"], result: "i32" },
  RegEnumKeyExW: {
    parameters: ["pointer", "i32", "buffer", "buffer", "buffer", "buffer", "buffer", "buffer"],
    result: "i32",
  },
  RegGetValueW: { parameters: ["pointer", "buffer", "buffer", "i32", "buffer", "buffer", "buffer"], result: "i32" },
  RegCloseKey: { parameters: ["pointer"], result: "i32" },
} as const;

const currentUser = 0x8000_0001, localMachine = 0x8000_0002;
const read = 0x2_0019, in64 = 0x100, in32 = 0x200;
const isText = 0x2; // RRF_RT_REG_SZ
const largest = 32768; // UTF-16 units of a path, and more than a name has

function open() {
  const api = backend.open("advapi32.dll", symbols);
  const text = new Uint16Array(largest), bytes = new Uint8Array(text.buffer);
  const size = new Uint32Array(1), sizeBytes = new Uint8Array(size.buffer);
  const wide = (value: string) => new Uint8Array(Uint16Array.from(value + "\0", (unit) => unit.charCodeAt(0)).buffer);
  const decode = (units: number) => String.fromCharCode(...text.subarray(0, units));
  return {
    /** Calls `fn` with a key, if there is one of this name. */
    inKey<T>(parent: Pointer, name: string, view: number, fn: (key: Pointer) => T[]): T[] {
      const handle = new BigUint64Array(1);
      if (api.RegOpenKeyExW(parent, wide(name), 0, read | view, new Uint8Array(handle.buffer)) !== 0) return [];
      const key = backend.pointer(handle[0]!);
      try {
        return fn(key);
      } finally {
        api.RegCloseKey(key);
      }
    },
    /** The names of the keys in a key. */
    names(key: Pointer): string[] {
      const names: string[] = [];
      for (;; names.push(decode(size[0]!))) {
        size[0] = largest;
        if (api.RegEnumKeyExW(key, names.length, bytes, sizeBytes, null, null, null, null) !== 0) return names;
      }
    },
    /** A text in a key; `undefined` if there is none. */
    value(key: Pointer, name: string): string | undefined {
      size[0] = bytes.length;
      if (api.RegGetValueW(key, null, wide(name), isText, null, bytes, sizeBytes) !== 0) return undefined;
      return decode(size[0] / 2 - 1) || undefined; // without the NUL
    },
  };
}

/**
 * The registered Pythons: the one that `py` starts by default comes first, then python.org's, and the newest of each
 * company.
 *
 * @param preferred what the user has set for `py`: "3", "3.13"
 */
export function registeredPythons(preferred: string | undefined): Registered[] {
  let registry: ReturnType<typeof open>;
  try {
    registry = open();
  } catch {
    return []; // Deno without --allow-ffi
  }
  const { inKey, names, value } = registry;
  const inHive = (hive: number, view: number) =>
    inKey(
      backend.pointer(hive),
      "Software\\Python",
      view,
      (python) =>
        names(python).flatMap((company) =>
          inKey(python, company, view, (made) =>
            names(made).flatMap((tag) =>
              inKey(made, `${tag}\\InstallPath`, view, (at): Registered[] => {
                const folder = value(at, ""), path = value(at, "ExecutablePath") ?? (folder && join(folder, "python.exe"));
                return path === undefined ? [] : [{ company, tag, path }];
              })
            ))
        ),
    );
  const all = [...inHive(currentUser, in64), ...inHive(localMachine, in64), ...inHive(localMachine, in32)];
  const isPreferred = ({ company, tag }: Registered) =>
    company === "PythonCore" && preferred !== undefined && (tag === preferred || tag.startsWith(`${preferred}.`));
  const rank = (python: Registered) => isPreferred(python) ? 0 : python.company === "PythonCore" ? 1 : 2;
  return all.sort((a, b) => rank(a) - rank(b) || versionOf(b) - versionOf(a));
}

function versionOf({ tag }: Registered): number {
  const [, major = "0", minor = "0"] = /(\d+)\.(\d+)/.exec(tag) ?? [];
  return Number(major) * 1000 + Number(minor);
}

/** What `py` is set to start: PY_PYTHON, or the line of `py.ini` in the user's folder for applications. */
export function launcherDefault(variable: string | undefined, applications: string | undefined): string | undefined {
  if (variable !== undefined || applications === undefined) return variable;
  try {
    const settings = readFileSync(join(applications, "py.ini"), "utf8");
    return /^\[defaults?\][^[]*?^python\s*=\s*(\S+)/im.exec(settings)?.[1];
  } catch {
    return undefined;
  }
}
