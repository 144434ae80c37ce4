/**
 * Tests that use pyawait: each runs on an event loop of its own, and fails if it leaves anything running.
 *
 * @module
 */
import "./src/wiring.ts";
export { isolated, LeftoverError } from "./src/isolated.ts";
export type { IsolatedOptions } from "./src/isolated.ts";
