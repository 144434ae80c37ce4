/**
 * A module that has another's namespace among its exports, as module_test.ts registers it.
 */
export * as nested from "./define.ts";
export const own = 5;
export const standard: typeof Math = Math;
