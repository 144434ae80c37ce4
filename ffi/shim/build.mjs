/**
 * Builds the C shim for all six platforms on one Linux machine and writes the binaries into prebuilt.ts.
 *
 *     node ffi/shim/build.mjs [FOLDER]            builds FOLDER/shim.c, writes FOLDER/../native/prebuilt.ts
 *     node ffi/shim/build.mjs --check [FOLDER]    builds again and compares every byte with it
 *
 * FOLDER is this one when left out. shim.c includes nothing but files beside it, and it links nothing: one
 * binary serves every Python, glibc and musl. The same toolchain gives the same bytes on every machine, so that
 * anyone can prove that a binary was made from these sources.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { deflateRawSync, inflateRawSync } from "node:zlib";

/** Pinned to Debian 12's packages: another version, or another distribution's, gives other bytes. */
const tools = ["clang-14", "lld-14", "llvm-nm-14", "llvm-readobj-14"];
const packages = ["clang-14", "lld-14", "llvm-14"];

const warnings = [
  "-Wall",
  "-Wextra",
  "-Wpedantic",
  "-Werror",
  // A larger frame would call __chkstk on Windows, which is not there.
  "-Wframe-larger-than=4000",
];
const code = [
  "-std=c11",
  "-O2",
  "-ffreestanding",
  "-fno-builtin",
  "-fno-stack-protector",
  "-fvisibility=hidden",
  "-fno-ident",
];
// -Bsymbolic: its symbols are global, and another version's that was loaded first must not take the place of its own.
const elf = ["-fPIC", "-shared", "-s", "-Wl,-Bsymbolic", "-Wl,-z,defs", "-Wl,-z,now", "-Wl,--build-id=none"];
// dyld wants libSystem among the loaded libraries; nothing of it is used, so a stub that names it is enough.
const machO = ["-fPIC", "-dynamiclib", "-Wl,-install_name,pyawait_shim.dylib", "-L.", "-lSystem"];
const pe = ["-shared", "-Wl,-noentry", "-Wl,/Brepro", "-Wl,/opt:ref"];
// Calls into libgcc's helpers otherwise.
const noOutlineAtomics = "-mno-outline-atomics";

/** Platform (as Node names it): the compiler's target and what else it is given. */
const targets = {
  "linux-x64": ["x86_64-linux-gnu", ...elf],
  "linux-arm64": ["aarch64-linux-gnu", noOutlineAtomics, ...elf],
  "darwin-x64": ["x86_64-apple-macos11.0", ...machO],
  "darwin-arm64": ["arm64-apple-macos11.0", noOutlineAtomics, ...machO],
  "win32-x64": ["x86_64-pc-windows-msvc", ...pe],
  "win32-arm64": ["aarch64-pc-windows-msvc", noOutlineAtomics, ...pe],
};

const libSystem = `--- !tapi-tbd
tbd-version: 4
targets: [ x86_64-macos, arm64-macos ]
install-name: '/usr/lib/libSystem.B.dylib'
...
`;

function run(program, args, options) {
  return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], ...options });
}

function missingTools() {
  return tools.filter((tool) => {
    try {
      run(tool, ["--version"], { stdio: "ignore" });
      return false;
    } catch (error) {
      // lld-14 by itself only says how to call it, and fails.
      return error.code === "ENOENT";
    }
  });
}

/** Sees to it that the toolchain is there, by apt where that is allowed. */
function requireTools() {
  if (missingTools().length === 0) return;
  const install = `apt-get install -y --no-install-recommends ${packages.join(" ")}`;
  if (process.platform === "linux" && process.getuid() === 0) {
    console.error(`The toolchain is missing; running: ${install}`);
    const options = { stdio: ["ignore", 2, 2], env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
    try {
      run("apt-get", ["update"], options);
      run("apt-get", install.split(" ").slice(1), options);
    } catch (error) {
      console.error(`Cannot install the toolchain: ${error.message}`);
    }
  }
  const missing = missingTools();
  if (missing.length > 0) {
    const rule = "!".repeat(100);
    console.error(`${rule}\nCannot build the shim: ${missing.join(", ")} missing. Run: ${install}`);
    console.error(`The prebuilt binaries have NOT been checked.\n${rule}`);
    process.exit(1);
  }
}

const prebuiltPath = (folder) => join(folder, "..", "native", "prebuilt.ts");

/** The sha256 of the sources, one after the other in the order of their names. */
function hashSources(folder) {
  const hash = createHash("sha256");
  for (const name of readdirSync(folder).filter((name) => /\.[ch]$/.test(name)).sort()) {
    hash.update(readFileSync(join(folder, name)));
  }
  return hash.digest("hex");
}

function sha256(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Compiles for one platform in a folder of its own, so that no path of this machine can get into the file. */
function compile(folder, platform) {
  const scratch = mkdtempSync(join(tmpdir(), "pyawait-shim-"));
  try {
    const [target, ...flags] = targets[platform];
    const name = `pyawait_shim.${{ linux: "so", darwin: "dylib", win32: "dll" }[platform.split("-")[0]]}`;
    writeFileSync(join(scratch, "libSystem.tbd"), libSystem);
    for (const name of readdirSync(folder).filter((name) => /\.[ch]$/.test(name))) {
      writeFileSync(join(scratch, name), readFileSync(join(folder, name)));
    }
    const args = [`--target=${target}`, "-nostdlib", "-fuse-ld=lld", ...warnings, ...code, ...flags];
    run("clang-14", [...args, "-o", name, "shim.c"], { cwd: scratch });
    const file = join(scratch, name);
    return { bytes: readFileSync(file), ...inspect(file, platform) };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** What a binary asks of the system that loads it, and the names that it gives. */
function inspect(file, platform) {
  if (platform.startsWith("win32")) {
    const text = run("llvm-readobj-14", ["--coff-imports", "--coff-exports", file]);
    const names = (kind) => [...text.matchAll(new RegExp(`^${kind} \\{\\n(?:.*\\n)*?  Name: (\\S*)`, "gm"))];
    const imports = names("(?:Delay)?Import").map((match) => match[1]);
    return {
      undefinedNames: imports,
      libraries: imports,
      exports: names("Export").map((match) => match[1]).filter(Boolean).sort(),
    };
  }
  const dynamic = platform.startsWith("linux") ? ["-D"] : ["-g"];
  const list = (flag) => run("llvm-nm-14", [...dynamic, "-j", flag, file]).split("\n").filter(Boolean);
  const needed = run("llvm-readobj-14", ["--needed-libs", file]);
  return {
    undefinedNames: list("--undefined-only"),
    libraries: [...needed.matchAll(/^ {2}(\S+)/gm)].map((match) => match[1]).filter((name) => name !== basename(file)),
    // C names have an underscore before them in Mach-O.
    exports: list("--defined-only").map((name) => platform.startsWith("darwin") ? name.slice(1) : name)
      .sort(),
  };
}

/** Builds all platforms; throws if one wants anything of its system or gives other names than the rest. */
function buildAll(folder) {
  const built = {};
  for (const platform of Object.keys(targets)) {
    const binary = compile(folder, platform);
    const libraries = platform.startsWith("darwin") ? "/usr/lib/libSystem.B.dylib" : "";
    if (binary.undefinedNames.length > 0) {
      throw new Error(`Undefined in ${platform}: ${binary.undefinedNames.join(", ")}`);
    }
    if (binary.libraries.join() !== libraries) {
      throw new Error(`${platform} loads "${binary.libraries.join()}", expected "${libraries}"`);
    }
    built[platform] = binary;
  }
  const [first, ...rest] = Object.keys(built);
  const names = built[first].exports.join(" ");
  if (names === "") throw new Error("The shim exports nothing");
  for (const platform of rest) {
    const others = built[platform].exports.join(" ");
    if (others !== names) throw new Error(`${platform} exports "${others}", ${first} exports "${names}"`);
  }
  return built;
}

function render(source, built) {
  const lines = Object.entries(built).map(([platform, { bytes }]) => {
    const deflated = deflateRawSync(bytes, { level: 9 }).toString("base64");
    return `    "${platform}": {\n      sha256: "${sha256(bytes)}",\n      deflated:\n        "${deflated}",\n    },\n`;
  });
  return `/**
 * Generated by ffi/shim/build.mjs from the C files beside that; do not edit. The shim for each platform: its sha256 and its
 * bytes, deflated (raw) and in base64. \`node ffi/shim/build.mjs --check\` proves them by building them again.
 */

export interface Prebuilt {
  /** The sha256 of the sources, one after the other in the order of their names. */
  readonly source: string;
  /** By platform and architecture, as \`process\` names them: "linux-x64". */
  readonly binaries: Readonly<Record<string, { readonly sha256: string; readonly deflated: string }>>;
}

export const prebuilt: Prebuilt = {
  source: "${source}",
  binaries: {
${lines.join("")}  },
};
`;
}

/** The recorded hash and binaries, read out of prebuilt.ts as text: Node 20 cannot import it. */
function readPrebuilt(text) {
  const source = /^ {2}source: "([0-9a-f]{64})"/m.exec(text)?.[1];
  const entries = text.matchAll(
    /^ {4}"([a-z0-9-]+)": \{\s*sha256: "([0-9a-f]{64})",\s*deflated:\s*"([^"]*)"/gm,
  );
  const binaries = {};
  for (const [, platform, hash, deflated] of entries) {
    binaries[platform] = { hash, bytes: inflateRawSync(Buffer.from(deflated, "base64")) };
  }
  return { source, binaries };
}

/** What is wrong with prebuilt.ts, in words. The deflated text may differ: zlib's versions pack differently. */
function differences(folder, built) {
  const path = prebuiltPath(folder);
  if (!existsSync(path)) return ["prebuilt.ts is missing"];
  const recorded = readPrebuilt(readFileSync(path, "utf8"));
  const wrong = [];
  if (recorded.source !== hashSources(folder)) {
    wrong.push("the sources have changed since prebuilt.ts was made");
  }
  const platforms = new Set([...Object.keys(built), ...Object.keys(recorded.binaries)]);
  for (const platform of platforms) {
    const ours = built[platform]?.bytes;
    const theirs = recorded.binaries[platform];
    if (!ours || !theirs) wrong.push(`${platform} is ${ours ? "missing" : "unknown"}`);
    else if (theirs.hash !== sha256(theirs.bytes)) {
      wrong.push(`${platform}: the recorded sha256 is not that of the bytes`);
    } else if (!ours.equals(theirs.bytes)) {
      wrong.push(`${platform}: the bytes differ from what the sources give`);
    }
  }
  return wrong;
}

function main(args) {
  const check = args.includes("--check");
  const [given] = args.filter((argument) => argument !== "--check");
  const folder = resolve(given ?? fileURLToPath(new URL(".", import.meta.url)));
  requireTools();
  const built = buildAll(folder);
  const summary = Object.entries(built).map(([platform, { bytes }]) => `${platform} ${bytes.length}`).join(
    ", ",
  );
  console.log(`Exports: ${Object.values(built)[0].exports.join(" ")}`);
  if (!check) {
    const path = prebuiltPath(folder);
    writeFileSync(path, render(hashSources(folder), built));
    console.log(`${relative(process.cwd(), path)}: ${summary} bytes`);
    return;
  }
  const wrong = differences(folder, built);
  if (wrong.length > 0) {
    throw new Error(`Stale shim: ${wrong.join("; ")}. Run "node ffi/shim/build.mjs" and commit prebuilt.ts`);
  }
  console.log(`The prebuilt binaries are what the sources give: ${summary} bytes`);
}

try {
  main(process.argv.slice(2));
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
