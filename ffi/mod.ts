// The backend of the runtime that this is: Deno and Bun are asked first, because both pretend to be Node.
import { bun } from "./bun.ts";
import { deno } from "./deno.ts";
import { node } from "./node.ts";
import type { Backend } from "./types.ts";

export const backend: Backend = "Deno" in globalThis ? deno : "Bun" in globalThis ? bun : node;
