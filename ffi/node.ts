// The Node backend, on koffi, else on `node:ffi`. Which of the two is decided when Python is opened and not earlier.
import { Buffer } from "node:buffer";
import process from "./process.ts";
import { inWorker } from "./in_worker.ts";
import { KoffiMissing, openKoffi } from "./koffi.ts";
import { howToHave, openNodeFfi } from "./node_ffi.ts";
import { FfiError, type NodeFfi } from "./node_port.ts";
import { pipeBell } from "./pipe_bell.ts";
import type { Backend, Pointer } from "./types.ts";

let chosen: NodeFfi | undefined;
function ffi(): NodeFfi {
  return chosen ??= choose();
}

function choose(): NodeFfi {
  try {
    return openKoffi();
  } catch (error) {
    if (!(error instanceof KoffiMissing)) throw error;
    const own = openNodeFfi();
    if (own) return own;
    throw new FfiError(error.problem, `${error.hint}; or ${howToHave()}`, error.cause);
  }
}

export const node: Backend = {
  name: "node",
  runtime: `node ${process.versions.node}`,
  get ffi() {
    return ffi().ffi;
  },
  missingFlags: () => [],
  ownsSigchld: process.platform !== "win32",
  keepsSignalHandlers: false,
  get stackBytes() {
    return ffi().stackBytes;
  },
  largerStack: inWorker
    ? "give the Worker resourceLimits: { stackSizeMb: 16 }"
    : "start node with --stack-size=4000 (kilobytes, well below `ulimit -s`)",
  printsProperties: false,
  framesInAsyncOnly: false,
  largestView: Infinity,
  open: (path, symbols) => ffi().open(path, symbols),
  pointer: (address) => BigInt(address) as bigint & Pointer,
  address: (buffer) => ffi().address(buffer),
  allocate: (bytes) => new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer),
  text: (pointer) => ffi().text(pointer),
  callback: (fn) => ffi().callback(fn),
  bell: pipeBell,
  onExit() {},
};
