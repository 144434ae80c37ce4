// Bells through the system: a pipe, what Node and Deno listen to; a named one or a socket, where they cannot.
//
// The one thing to know: whoever listens can be ref'd and unref'd, which is how a pending Promise keeps the process
// alive; and when a Worker is terminated its end is closed, which Python sees at the other.
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
    // With `onread` a ring costs no allocation; Node's types know it for net.connect only.
    const onread = { buffer: new Uint8Array(512), callback: () => (ring(), true) };
    const options = { fd: makePipe(), readable: true, writable: false, onread };
    const socket = new net.Socket(options as net.SocketConstructorOpts);
    socket.on("error", () => {}); // the pipe ends with the process
    socket.resume();
    listen(socket);
  });
}

let sockets = 0;

/** The same through a named pipe (Windows) or a Unix socket (Bun's net.Socket hears nothing of a pipe). */
export function socketBell(ring: () => void): Bell {
  return streamBell((listen, _makePipe, connect) => {
    const name = `pyawait-${process.pid}-${++sockets}-${Math.random().toString(36).slice(2)}`;
    const at = process.platform === "win32" ? `\\\\.\\pipe\\${name}` : path.join(os.tmpdir(), name);
    // It is not closed after the one connection that it is for, ours: Deno closes a Unix socket's descriptor twice, and
    // by the second time it can be that of a file which another thread has just opened.
    let connected = false;
    const server = net.createServer((socket) => {
      if (connected) return void socket.destroy();
      connected = true;
      server.unref();
      socket.on("error", () => {});
      socket.on("data", ring);
      listen(socket);
      ring(); // what was sent before there was a bell
    });
    server.listen(at, () => connect(at));
    listen(server);
  });
}
