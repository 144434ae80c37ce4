// The composition root: fills the record through which lower folders call higher ones (`interpreter/bridge.ts`).
//
// Every entry of the package imports this file for its effect; `sideEffects` in package.json keeps bundlers from
// dropping it.
import { drain, openBell } from "./async/outbox.ts";
import { redirect } from "./async/output.ts";
import { rejectLoop } from "./async/pending.ts";
import { intoPromise } from "./async/promise.ts";
import { callDirectly, forgetLoop, prepareTooDeep, reportToLoop } from "./async/serve.ts";
import { shareSignals } from "./async/signals.ts";
import { intoAsyncIterable } from "./async/stream.ts";
import { markGivenBack } from "./context/rejections.ts";
import { watchEnds } from "./ending.ts";
import { wire } from "./interpreter/bridge.ts";
import { dropTurn } from "./interpreter/inbox.ts";
import { errorDetails, tracebackOf } from "./proxy/error_details.ts";
import { addressOf, makeProxy } from "./proxy/lifetime.ts";
import { traps } from "./proxy/proxy.ts";
import { stateOf } from "./values/proxy_state.ts";

/** The folder of this file as stack traces name it: a URL, a path, or with source maps the folder of the sources. */
function foldersOfOurs(): string[] {
  const here = new URL(".", import.meta.url);
  if (here.protocol !== "file:") return [here.href];
  const frame = (new Error().stack ?? "").split("\n").find((line) => /^\s+at |@/.test(line)) ?? "";
  const found = /((?:file:\/\/)?[^\s()@]*[\\/])[^\\/]*:\d+:\d+\)?\s*$/.exec(frame);
  return [here.href, here.pathname, ...(found ? [found[1]] : [])];
}

wire({
  makeProxy,
  traps,
  addressOf: (proxy) => addressOf(stateOf(proxy)!),
  errorDetails,
  tracebackOf,
  then: (proxy) => intoPromise(proxy),
  asyncIterator: (proxy) => intoAsyncIterable(proxy),
  onOpen(python) {
    prepareTooDeep();
    watchEnds(python);
    redirect(python);
    shareSignals(python);
    openBell(python);
  },
  onRing: drain,
  onCall: callDirectly,
  onLoopEnd(loop) { // all that JavaScript keeps for a loop ends here
    rejectLoop(loop);
    forgetLoop(loop);
    dropTurn(loop);
  },
  onGivenBack: markGivenBack,
  reportRejection: reportToLoop,
  ownFolders: foldersOfOurs(),
});
