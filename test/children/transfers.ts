/**
 * Python's memory, moved to another ArrayBuffer in every way that there is: `transfers` prints a line for each, that it
 * stayed where it was, or that the exporter is locked as long as that lives. A lock that is given up too early ends the
 * process by a fault.
 */
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";
import { type PyBuffer, type PyProxy, python } from "../../mod.ts";
import { collect } from "../support/collect.ts";

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

/** All of it, or a part that outlives `data`; moved before or after that is collected. */
type Data = PyBuffer & { data: Uint8Array };
const takes: Record<string, (exporter: PyProxy) => { data: Uint8Array; view?: Data }> = {
  released(exporter) {
    const view = exporter.$getBuffer() as Data;
    return { data: view.data, view };
  },
  collected: (exporter) => ({ data: (exporter.$getBuffer() as Data).data }),
  "of a part": (exporter) => ({ data: (exporter.$getBuffer() as Data).data.subarray(1) }),
  "of a bare ArrayBuffer": (exporter) => ({ data: new Uint8Array((exporter.$getBuffer() as Data).data.buffer as ArrayBuffer, 2) }),
};

/** Who has the memory now, if it was moved. */
async function move(way: string, take: string, exporter: PyProxy): Promise<Uint8Array | undefined> {
  const { data, view } = takes[take](exporter);
  data.fill(7);
  if (take.startsWith("of")) { for (let i = 0; i < 5; i++) await collect(); }
  const moved = await Promise.resolve().then(() => ways[way](data.buffer as ArrayBuffer & Transfers, data)).catch(() => {});
  const stayed = data.length > 0;
  try {
    view?.release();
  } catch (error) {
    if (!String(error).includes("Cannot release this PyBuffer: its memory was transferred")) throw error;
  }
  return stayed ? undefined : new Uint8Array(moved as ArrayBuffer);
}

/** A function of its own: a suspended one would keep what its registers hold. */
const read = (thief: Uint8Array[]) => thief[0]?.[5];

for (const way of Object.keys(ways)) {
  for (const take of Object.keys(takes)) {
    const exporter = python.builtins.bytearray(1 << 20), thief: Uint8Array[] = [];
    await move(way, take, exporter).then((moved) => moved && thief.push(moved));
    for (let i = 0; i < 10; i++) await collect();
    let what = "stayed";
    if (thief.length > 0) {
      what = `moved, ${clear(exporter)}, ${read(thief)}`;
      thief.length = 0;
      let after = "locked";
      for (let i = 0; i < 100 && after === "locked"; i++) await collect(), after = clear(exporter);
      what += `, ${after}`;
    }
    console.log(`${way}, ${take}: ${what}`);
  }
}
