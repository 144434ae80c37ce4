// Selects the backend of the current runtime. Deno and Bun are checked first, because both pretend to be Node.
import { bun } from "./bun.ts";
import { deno } from "./deno.ts";
import { node } from "./node.ts";
import type { Backend } from "./types.ts";

export const backend: Backend = "Deno" in globalThis ? deno : "Bun" in globalThis ? bun : node;
