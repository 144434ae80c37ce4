// What pyawait does, on real input: sockets, a child process, HTTP, cancellation, exceptions.
//
//     npm run demo        deno run -A examples/demo.ts        bun examples/demo.ts
//
// Each step prints what it does and checks what it got, so the exit code is 0 only if all of them went right.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { asyncDef, getCurrentSignal, intoPromise, kw, python, PythonError, toLoop } from "../mod.ts";

process.exitCode = 1; // until the last step is done
const started = performance.now();
const title = (text: string) => console.log(`\n${text}`);
const say = (text: string) => console.log(`  ${text}`);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Fails the demo unless `actual` is what it should be. */
function check(what: string, actual: unknown, expected: unknown): void {
  const [got, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (got !== wanted) throw new Error(`${what}: got ${got}, wanted ${wanted}`);
}

const { executable, library, runtime, version } = python.info; // the first use opens Python
console.log(`pyawait on ${runtime} with Python ${version}\n${executable}\n${library}`);
const asyncio = python.import("asyncio");

title("1. JavaScript awaits an asyncio TCP server and its clients");

const { serve, ask } = python.exec(`
    import asyncio, types

    async def answer(reader, writer):
        async for line in reader:
            writer.write(line.decode().upper().encode())
        writer.close()

    async def serve():
        return await asyncio.start_server(answer, "127.0.0.1", 0)

    async def ask(port, text):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(text.encode() + b"\\n")
        line = await reader.readline()
        writer.close()
        return line.decode().strip()

    types.SimpleNamespace(serve=serve, ask=ask)
`);

const server = await serve();
const [, port] = server.sockets[0].getsockname();
say(`Python listens on 127.0.0.1:${port}`);

// asyncio's own streams, driven from JavaScript: a call that returns a coroutine is awaited, the others run on the
// loop.
const [reader, writer] = await asyncio.open_connection("127.0.0.1", port);
await toLoop(writer.write, [new TextEncoder().encode("one line from javascript\n")]);
const line = decode(await reader.readline());
say(`sent "one line from javascript", got "${line.trim()}"`);
check("the answer", line, "ONE LINE FROM JAVASCRIPT\n");
await toLoop(writer.close);

const words = ["héllo", "wörld", ...Array.from({ length: 98 }, (_, i) => `client ${i}`)];
const answers = await Promise.all(words.map((word) => ask(port, word)));
say(`${answers.length} clients at once: ${answers.slice(0, 3).join(", ")}, …`);
check("the answers", answers, words.map((word) => word.toUpperCase()));
await toLoop(server.close);

title("2. JavaScript awaits a child process of asyncio's");

const source = readFileSync(new URL(import.meta.url)); // this file
const code = "import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())";
const { PIPE } = asyncio.subprocess;
const child = await asyncio.create_subprocess_exec(executable, "-c", code, kw({ stdin: PIPE, stdout: PIPE }));
const [output] = await child.communicate(source);
say(`process ${child.pid} hashed the ${source.length} bytes of this file: ${decode(output).slice(0, 16)}…`);
check("its exit code", child.returncode, 0);
check("the hash", decode(output).trim(), createHash("sha256").update(source).digest("hex"));

title("3. JavaScript awaits ten thousand coroutines at once");

const square = python.exec(`
    async def square(n):
        await asyncio.sleep(0)      # once round the event loop
        return n * n

    square
`);

const count = 10_000;
for (const round of ["first", "second", "third"]) {
  const before = performance.now();
  const squares = await Promise.all(Array.from({ length: count }, (_, n) => square(n)));
  const rate = count / (performance.now() - before) * 1000;
  say(`${round} round: ${Math.round(rate).toLocaleString("en")} coroutines per second`);
  check("their sum", squares.reduce((sum, n) => sum + n, 0), (count - 1) * count * (2 * count - 1) / 6);
}

title("4. Python awaits JavaScript's fetch of an HTTP server in this process");

const waiting = new Set<ServerResponse>(); // the slow answers for which a request still waits
const http = createServer((request, response) => {
  const { url: path } = request;
  if (path !== "/slow") return void response.end(JSON.stringify({ path, tags: [1, 2.5, null] }));
  waiting.add(response);
  response.on("close", () => waiting.delete(response));
});
await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
const base = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;

// `fetch` returns a Promise without being an async function, so asyncDef marks it.
const fetchPages = `
    async def get(path):
        response = await fetch(base + path)     # a JavaScript Response: its attributes, its methods
        assert response.ok, response.status
        return await response.json()            # a Promise; its object is a dict here

    documents = await asyncio.gather(*(get("/page/%d" % n) for n in range(20)))
    assert documents[0] == {"path": "/page/0", "tags": [1, 2.5, None]}, documents[0]
    [document["path"] for document in documents]
`;
const fetched = await python.execAsync(fetchPages, { globals: { asyncio, base, fetch: asyncDef(fetch) } });
say(`Python fetched ${fetched.length} pages of ${base}: ${fetched[0]}, ${fetched[1]}, …`);
check("the pages", [...fetched], Array.from({ length: 20 }, (_, n) => `/page/${n}`));

title("5. A cancellation crosses both ways");

/** Python sees an `async def`. Its signal aborts when Python cancels the await. */
async function load(path: string): Promise<string> {
  const response = await fetch(base + path, { signal: getCurrentSignal() });
  return response.text();
}

const { careful, hurried } = python.exec(`
    async def careful(load, log):
        try:
            return await load("/slow")
        except asyncio.CancelledError:
            log.append("Python cleaned up")
            raise

    async def hurried(load):
        try:
            return await asyncio.wait_for(load("/slow"), 0.1)
        except asyncio.TimeoutError:
            return "Python stopped waiting"

    types.SimpleNamespace(careful=careful, hurried=hurried)
`);

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 5));
}
const controller = new AbortController();
const log = python.builtins.list();
const promise = intoPromise(careful(load, log), { signal: controller.signal });
await until(() => waiting.size === 1); // JavaScript → Python → JavaScript → HTTP: all of it waits now
controller.abort(new Error("JavaScript changed its mind"));
const reason = await promise.catch((error) => error);
await until(() => waiting.size === 0);
say(`JavaScript aborted: "${reason.message}", ${log[0]}, the fetch was aborted`);
check("the reason", reason === controller.signal.reason && log[0], "Python cleaned up");

const outcome = await hurried(load);
await until(() => waiting.size === 0);
say(`Python's wait_for ran out: ${outcome}, the fetch was aborted`);
check("the outcome", outcome, "Python stopped waiting");
http.close();
http.closeAllConnections();

title("6. An exception arrives with both tracebacks");
async function readConfig(name: string): Promise<string> {
  await null;
  throw new RangeError(`no file ${name}`);
}
const startCode = `
    async def start(read_config):
        try:
            return await read_config("app.toml")
        except Exception as error:
            raise ValueError("cannot start") from error

    start
`;
const start = python.exec(startCode, { filename: "start.py" });
const error = await start(readConfig).catch((error: unknown) => error);
if (!(error instanceof PythonError)) throw new Error(`wanted a PythonError, got ${error}`);
const frames = (text: string) => text.trim().split("\n").forEach((line) => say(`  ${line}`));
say("Python's traceback:");
frames(error.traceback);
say("JavaScript's, of the error that caused it:");
frames((error.cause as Error).stack!.split("\n").slice(0, 2).join("\n"));
check("the error", [error.name, error.message], ["ValueError", "cannot start"]);
check("Python's frame", /at start \(start\.py:\d+\)/.test(error.stack!), true);
check("JavaScript's error", error.cause instanceof RangeError && /readConfig/.test(error.cause.stack!), true);

console.log(`\nAll of it went right, in ${((performance.now() - started) / 1000).toFixed(1)} s.`);
process.exitCode = 0;
