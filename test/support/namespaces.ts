/**
 * A module that has another's namespace among its exports, for modules/javascript_modules_test.ts.
 */
export * as nested from "./define.ts";
export const own = 5;
export const standard: typeof Math = Math;
