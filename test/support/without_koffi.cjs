/**
 * Loaded before a test (`node test/run.mjs --no-koffi`, through NODE_OPTIONS, and so in Workers and in child processes
 * as well): koffi is not found, as where it is not installed.
 */
const Module = require("node:module");
const resolve = Module._resolveFilename;
Module._resolveFilename = function (name, ...rest) {
  if (name !== "koffi") return resolve.call(this, name, ...rest);
  throw Object.assign(new Error("Cannot find module 'koffi'"), { code: "MODULE_NOT_FOUND" });
};
