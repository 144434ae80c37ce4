import { functions, report, root } from "./measure.mjs";

const { python, toJs } = await import(`${root}/.build/mod.js`);
const { identity, noop, add, size, same } = python.import(functions);

await report({ python: python.version }, {
  identity,
  noop,
  add,
  give: size,
  take(value) {
    const proxy = same(value);
    return () => toJs(proxy);
  },
});
