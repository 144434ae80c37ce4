// The composition root: fills the record through which lower folders call higher ones (`interpreter/bridge.ts`).
//
// Every entry of the package imports this file for its effect; `sideEffects` in package.json keeps bundlers from
// dropping it.
import { drain, openBell } from "./async/outbox.ts";
import { redirect } from "./async/output.ts";
import { rejectLoop } from "./async/pending.ts";
import { intoPromise, warnNeverAwaited } from "./async/promise.ts";
import { callDirectly, forgetLoop, prepareTooDeep, reportToLoop } from "./async/serve.ts";
import { shareSignals } from "./async/signals.ts";
import { intoAsyncIterable } from "./async/stream.ts";
import { loopOfLocals } from "./async/task_locals.ts";
import { markGivenBack } from "./context/rejections.ts";
import { watchEnds } from "./ending.ts";
import { ownUrl } from "../ffi/own_file.ts";
import { wire } from "./interpreter/bridge.ts";
import { dropTurn } from "./interpreter/inbox.ts";
import { errorDetails, tracebackOf } from "./proxy/error_details.ts";
import { addressOf, makeProxy } from "./proxy/lifetime.ts";
import { prepareWarnings } from "./proxy/never_awaited.ts";
import { traps } from "./proxy/proxy.ts";
import { stateOf } from "./values/proxy_state.ts";

/**
 * The folders of our code as stack traces name them: URLs, paths, or with source maps the folder of the sources. A file
 * into which a bundler has put our code has the user's functions too, so it is not among them.
 */
function foldersOfOurs(): string[] {
  const folders = ["node_modules/pyawait/", "node_modules\\pyawait\\"];
  const frame = (new Error().stack ?? "").split("\n").find((line) => /^\s+at |@/.test(line)) ?? "";
  const found = /((?:file:\/\/)?[^\s()@]*[\\/])(src[\\/]wiring\.[jt]s|pyawait(?:-\w+)?\.c?js):\d+:\d+\)?\s*$/.exec(frame);
  if (found) folders.push(found[2].startsWith("src") ? found[1] + found[2].slice(0, 4) : found[1]);
  const source = ownUrl && /^(.*\/)ffi\/own_file\.[jt]s$/.exec(ownUrl);
  const folder = source ? `${source[1]}src/` : /^(.*\/)pyawait(-\w+)?\.c?js$/.exec(ownUrl ?? "")?.[1];
  if (folder) folders.push(folder);
  if (folder?.startsWith("file:")) folders.push(new URL(folder).pathname);
  return folders;
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
    openBell(python); // may fail, so it comes before what cannot be taken back
    prepareTooDeep();
    watchEnds(python);
    prepareWarnings();
    redirect(python);
    shareSignals(python);
  },
  onRing: drain,
  onCall: callDirectly,
  loopOf: loopOfLocals,
  onLoopEnd(loop) { // all that JavaScript keeps for a loop ends here
    rejectLoop(loop);
    forgetLoop(loop);
    dropTurn(loop);
  },
  warnNeverAwaited,
  onGivenBack: markGivenBack,
  reportRejection: reportToLoop,
  ownFolders: foldersOfOurs(),
});
