/**
 * Tests that pass under plain Python and may fail here, each with the reason. A name matches a test's id or its end.
 *
 * `always`: in every mode; `bounce`: where every task awaits a Promise, so that there are two tasks for each coroutine.
 */
export const known = {
  always: [],
  bounce: [
    {
      suite: "asyncio",
      tests: ["TestTaskGroup.test_taskgroup_task_context"],
      reason: "the coroutine runs in a task of its own, with a copy of the context, as all that JavaScript starts",
    },
    {
      suite: "asyncio",
      tests: ["TestTaskGroup.test_taskgroup_25"],
      reason: "a cancellation goes through JavaScript: until it arrives, the coroutine meets a group that shuts down",
    },
  ],
};

/** The reason why a test may fail, or undefined. */
export function reasonFor(suite, id, bounce) {
  const entries = bounce ? [...known.always, ...known.bounce] : known.always;
  return entries.find((entry) => entry.suite === suite && entry.tests.some((test) => id.includes(test)))?.reason;
}
