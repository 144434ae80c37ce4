/**
 * Python's memory, moved to another ArrayBuffer in every way that there is: `transfers` prints a line for each, that it
 * stayed where it was or that the exporter is locked for ever. A lock that is given up ends the process by a fault.
 */
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import { type PyBuffer, python } from "../../mod.ts";
import { collect } from "../collect.ts";

type Transfers = { transfer(): ArrayBuffer; transferToFixedLength(): ArrayBuffer };
const prototype = ArrayBuffer.prototype as unknown as Transfers;

const ways: Record<string, (memory: ArrayBuffer & Transfers, data: Uint8Array) => unknown> = {
  transfer: (memory) => memory.transfer(),
  transferToFixedLength: (memory) => memory.transferToFixedLength(),
  "the method of another": (memory) => prototype.transfer.call(memory),
  structuredClone: (memory) => structuredClone(memory, { transfer: [memory] }),
  postMessage(memory) {
    const { port1, port2 } = new MessageChannel();
    port1.postMessage(memory, [memory]);
    return receiveMessageOnPort(port2)!.message;
  },
  "a byte stream": async (_, data) => {
    const stream = new ReadableStream({ type: "bytes", start: (controller) => controller.enqueue(data) });
    return (await stream.getReader().read()).value!.buffer;
  },
};

python.exec(`
  def clear(exporter):
      try: exporter.clear()
      except BufferError: return "locked"
      return "unlocked"`);
const { clear } = python.import("__main__");

/** An exporter and who else has its memory now. */
async function move(way: string, release: boolean) {
  const exporter = python.builtins.bytearray(1 << 20), view = exporter.$getBuffer() as PyBuffer & { data: Uint8Array };
  view.data.fill(7);
  const moved = await Promise.resolve().then(() => ways[way](view.data.buffer as ArrayBuffer & Transfers, view.data)).catch(() => {});
  if (view.data.length > 0) return { exporter };
  try {
    if (release) view.release();
  } catch (error) {
    if (!String(error).includes("Cannot release this PyBuffer: its memory was transferred")) throw error;
  }
  return { exporter, thief: new Uint8Array(moved as ArrayBuffer) };
}

for (const way of Object.keys(ways)) {
  for (const release of [true, false]) {
    const { exporter, thief } = await move(way, release);
    for (let i = 0; i < 10; i++) await collect();
    const what = thief ? `moved, ${clear(exporter)}, ${thief[5]}` : "stayed";
    console.log(`${way}, ${release ? "released" : "collected"}: ${what}`);
  }
}

/** What is seen by a part alone cannot be moved: nobody would know it afterwards. */
const takePart = () => (python.builtins.bytearray(1 << 20).$getBuffer() as PyBuffer & { data: Uint8Array }).data.subarray(1);
const part = takePart();
for (let i = 0; i < 10; i++) await collect();
await Promise.resolve().then(() => ways.structuredClone(part.buffer as ArrayBuffer & Transfers, part)).catch(() => {});
console.log(`a part, collected: ${part.length > 0 ? "stayed" : "moved"}`);
