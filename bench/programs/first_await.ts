/** From an empty program to the first await. */
import { python } from "../../mod.ts";

await python.import("asyncio").sleep(0);
