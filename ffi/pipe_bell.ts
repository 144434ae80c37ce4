// A bell through a pipe: what Node and Deno listen to, and every runtime on Windows.
//
// The one thing to know: a socket with `onread` reads into one buffer of its own, so a ring costs no allocation, and
// the listening end can be ref'd and unref'd, which is how a pending Promise keeps the process alive.
import net from "node:net";
import process from "node:process";
import type { Bell } from "./types.ts";

let pipes = 0;

/** A bell that calls `ring` on this thread after other threads have written to its pipe. */
export function pipeBell(ring: () => void): Bell {
  let listening: { ref(): unknown; unref(): unknown } | undefined;
  let kept = false;
  const onread = { buffer: new Uint8Array(512), callback: () => (ring(), true) };
  const listen = (socket: { ref(): unknown; unref(): unknown }) => {
    listening = socket;
    if (!kept) listening.unref();
  };
  return {
    ring: null,
    open(makePipe, connect) {
      if (process.platform !== "win32") {
        // Node's types know `onread` for net.connect only
        const options = { fd: makePipe(), readable: true, writable: false, onread };
        const socket = new net.Socket(options as net.SocketConstructorOpts);
        socket.on("error", () => {}); // the pipe ends with the process
        socket.resume();
        return listen(socket);
      }
      const name = `\\\\.\\pipe\\pyawait-${process.pid}-${++pipes}-${Math.random().toString(36).slice(2)}`;
      const server = net.createServer((socket) => {
        server.close(); // one connection: ours
        socket.on("error", () => {});
        socket.on("data", ring);
        listen(socket);
        ring(); // what was sent before there was a bell
      });
      server.listen(name, () => connect(name));
      listen(server);
    },
    ref() {
      kept = true;
      listening?.ref();
    },
    unref() {
      kept = false;
      listening?.unref();
    },
  };
}
