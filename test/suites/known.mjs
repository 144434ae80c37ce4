/**
 * Tests that pass under plain Python and may fail here, each with the reason. A name matches a test's id or its end.
 *
 * `always`: in every mode; `bounce`: where every task awaits a Promise, so that there are two tasks for each coroutine.
 */
export const known = { always: [], bounce: [] };

/** The reason why a test may fail, or undefined. */
export function reasonFor(suite, id, bounce) {
  const entries = bounce ? [...known.always, ...known.bounce] : known.always;
  return entries.find((entry) => entry.suite === suite && entry.tests.some((test) => id.includes(test)))?.reason;
}
