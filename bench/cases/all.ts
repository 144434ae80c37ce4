/** All cases in the order in which they run: first those in which Python never calls JavaScript (`streams.ts` says why). */
import type { Case } from "../measure.ts";
import { awaits, promises } from "./awaits.ts";
import { bulk } from "./bulk.ts";
import { calls } from "./calls.ts";
import { delay } from "./delay.ts";
import { processes } from "./processes.ts";
import { scale } from "./scale.ts";
import { streams } from "./streams.ts";
import { threads } from "./threads.ts";
import { values } from "./values.ts";

export async function allCases(): Promise<Case[]> {
  return [
    ...await awaits(),
    ...scale(),
    ...streams(),
    ...await promises(),
    ...delay(),
    ...calls(),
    ...values(),
    ...bulk(),
    ...await threads(),
    ...processes(),
  ];
}
