// Bells made of system objects: a pipe on Node and Deno; a named pipe on Windows, and a Unix socket in Workers of Deno
// and Bun.
//
// A listening stream can be ref'd and unref'd, which is how a pending Promise keeps the process alive. When a Worker is
// terminated its end is closed, and Python sees that on the other end.
import { closeSync, existsSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import process from "./process.ts";
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
    open: (...ends) => start(listen, ...ends),
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
    const fd = makePipe();
    let socket: net.Socket;
    try {
      socket = new net.Socket({ fd, readable: true, writable: false, onread } as net.SocketConstructorOpts);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    socket.on("error", () => {}); // the pipe ends with the process
    socket.resume();
    listen(socket);
  });
}

let sockets = 0;

/**
 * Where a new socket listens. Linux has names without a file, which need no folder that exists, can be written to and has
 * a short path.
 */
function newAddress(): string {
  const name = `pyawait-${process.pid}-${++sockets}-${Math.random().toString(36).slice(2)}`;
  if (process.platform === "win32") return `\\\\.\\pipe\\${name}`;
  if (process.platform === "linux") return `\0${name}`;
  const folders = [os.tmpdir(), "/tmp"].filter((folder) => existsSync(folder));
  return folders.map((folder) => path.join(folder, name)).find((at) => at.length < 104) ?? `/tmp/${name}`; // sockaddr_un
}

/** A bell on a named pipe (Windows) or a Unix socket (Bun's `net.Socket` delivers nothing from a pipe). */
export function socketBell(ring: () => void): Bell {
  return streamBell((listen, _makePipe, connect, fail) => {
    const at = newAddress();
    // The server stays open after Python has connected: Deno closes the descriptor of a Unix socket twice, and the second
    // time it may belong to a file that another thread has just opened. So it is the server that keeps the process alive.
    // Another connection, by whoever has found the name, can only ring.
    const server = net.createServer((socket) => {
      socket.unref();
      socket.on("error", () => {});
      socket.on("data", ring);
      ring(); // records may have arrived before the bell was connected
    });
    server.on("error", fail);
    server.listen(at, () => {
      try {
        connect(at);
      } catch (error) {
        fail(error);
      }
    });
    listen(server);
  });
}
