// Bells made of system objects: a pipe on Node and Deno; a named pipe on Windows, and a Unix socket in Workers of Deno
// and Bun.
//
// A listening stream can be ref'd and unref'd, which is how a pending Promise keeps the process alive. When a Worker is
// terminated its end is closed, and Python sees that on the other end.
import net from "node:net";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import type { Bell } from "./types.ts";

interface Listening {
  ref(): unknown;
  unref(): unknown;
}

type Open = (listen: (to: Listening) => void, ...ends: Parameters<Bell["open"]>) => void;

function streamBell(start: Open): Bell {
  let listening: Listening | undefined, kept = false;
  const listen = (to: Listening) => {
    listening = to;
    if (!kept) listening.unref();
  };
  return {
    ring: null,
    open: (makePipe, connect) => start(listen, makePipe, connect),
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

/** A bell that calls `ring` on this thread after other threads have written to its pipe. */
export function pipeBell(ring: () => void): Bell {
  if (process.platform === "win32") return socketBell(ring);
  return streamBell((listen, makePipe) => {
    // With `onread` a ring allocates nothing. Node's types know it for net.connect only.
    const onread = { buffer: new Uint8Array(512), callback: () => (ring(), true) };
    const options = { fd: makePipe(), readable: true, writable: false, onread };
    const socket = new net.Socket(options as net.SocketConstructorOpts);
    socket.on("error", () => {}); // the pipe ends with the process
    socket.resume();
    listen(socket);
  });
}

let sockets = 0;

/** A bell on a named pipe (Windows) or a Unix socket (Bun's `net.Socket` delivers nothing from a pipe). */
export function socketBell(ring: () => void): Bell {
  return streamBell((listen, _makePipe, connect) => {
    const name = `pyawait-${process.pid}-${++sockets}-${Math.random().toString(36).slice(2)}`;
    const at = process.platform === "win32" ? `\\\\.\\pipe\\${name}` : path.join(os.tmpdir(), name);
    // The server stays open after its one connection: Deno closes the descriptor of a Unix socket twice, and the second
    // time it may belong to a file that another thread has just opened.
    let connected = false;
    const server = net.createServer((socket) => {
      if (connected) return void socket.destroy();
      connected = true;
      server.unref();
      socket.on("error", () => {});
      socket.on("data", ring);
      listen(socket);
      ring(); // records may have arrived before the bell was connected
    });
    server.listen(at, () => connect(at));
    listen(server);
  });
}
