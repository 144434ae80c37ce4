/**
 * Tests that use pyawait: each on an event loop of its own, and none leaves anything running.
 *
 * @module
 */
import "./src/wiring.ts";
export { isolated, LeftoverError } from "./src/isolated.ts";
export type { IsolatedOptions } from "./src/isolated.ts";
