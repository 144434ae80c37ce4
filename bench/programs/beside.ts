/**
 * Microseconds that a timer, or an echo of a socket, takes while the program awaits coroutines without a pause:
 * `beside.ts timers|sockets MILLISECONDS`.
 */
import { type AddressInfo, connect, createServer } from "node:net";
import process from "node:process";
import { python } from "../../mod.ts";

python.configure({ path: [new URL("..", import.meta.url)] });
const { identity } = python.import("called");
const [, , what, milliseconds] = process.argv;

/** A byte there and back, over the loopback interface. */
async function echo(): Promise<{ tick: () => Promise<unknown>; end: () => void }> {
  const server = createServer((socket) => socket.setNoDelay().pipe(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1").setNoDelay();
  const tick = () =>
    new Promise((resolve) => {
      socket.once("data", resolve);
      socket.write("x");
    });
  await tick();
  return { tick, end: () => (socket.destroy(), server.close()) };
}

const timer = { tick: () => new Promise((resolve) => setTimeout(resolve, 1)), end: () => {} };
const { tick, end } = what === "timers" ? timer : await echo();
let going = true;
const awaits = (async () => {
  for (let n = 0; going; n++) if (await identity(n) !== n) throw new Error("The answer is wrong");
})();

const begin = performance.now(), until = begin + Math.max(50, Number(milliseconds));
let ticks = 0;
for (; performance.now() < until; ticks++) await tick();
console.log((performance.now() - begin) * 1000 / ticks);
going = false;
await awaits;
end();
