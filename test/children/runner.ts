/**
 * Isolated tests as `Deno.test` and `bun:test` run them: one passes, one leaves a task.
 */
import { python } from "../../mod.ts";
import { isolated } from "../../testing.ts";

type Test = (name: string, fn: () => Promise<void>) => void;
const { Deno } = globalThis as { Deno?: { test: Test } };
const bun = "bun:test"; // by a name that no other runtime resolves
const test = Deno ? Deno.test : ((await import(bun)) as { test: Test }).test;

const py = python.exec(`
    import asyncio

    async def leave(seconds):
        asyncio.ensure_future(asyncio.sleep(seconds, "left"))

    leave
`);

test("passes", isolated(async () => await python.import("asyncio").sleep(0.01)));
test("leaves a task", isolated(() => py(3600)));
