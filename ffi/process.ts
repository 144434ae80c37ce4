// The global `process`. Its `getBuiltinModule` loads those modules of the runtime that few programs need.
//
// Not by `import process from "node:process"`: Node then reads every member, and so opens stdin and stdout, which takes
// longer than the rest of pyawait's imports.
import module from "node:module";
import { ownUrl } from "./own_file.ts";

// deno-lint-ignore no-process-global
const host: NodeJS.Process = globalThis.process ?? module.createRequire(ownUrl!)("node:process");

export default host;
