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
      tests: ["TestTaskGroup.test_taskgroup_task_context", "test_context_5", "test_context_6"],
      reason: "the coroutine runs in a task of its own, with a copy of the context, as all that JavaScript starts",
    },
    {
      suite: "asyncio",
      tests: [
        "TestTaskGroup.test_taskgroup_25",
        "ConditionTests.test_cancelled_error_re_aquire",
        "LockTests.test_cancel_race",
        "LockTests.test_cancel_release_race",
        "LockTests.test_finished_waiter_cancelled",
        "SemaphoreTests.test_acquire_cancel_before_awoken",
        "SemaphoreTests.test_acquire_hang",
        "SemaphoreTests.test_acquire_no_hang",
        "QueuePutTests.test_cancelled_put_silence_value_error_exception",
        "QueuePutTests.test_get_cancel_drop_many_pending_readers",
        "test_cancel_gather_1",
      ],
      reason: "a cancellation goes through JavaScript: what the test does in the same round of the loop comes before it",
    },
    {
      suite: "asyncio",
      tests: ["ConditionTests.test_cancelled_error_wakeup", "test_cancel_gather_2"],
      reason: "the message of task.cancel(message) does not go through JavaScript, nor does the error's own context",
    },
    {
      suite: "asyncio",
      tests: [
        "BarrierTests.test_repr",
        "EventTests.test_wait",
        "SemaphoreTests.test_acquire_fifo_order_4",
        "QueuePutTests.test_put_cancelled",
      ],
      reason: "the test expects what is so after one round of the loop; sleep(0) lasts longer, and a new task begins later",
    },
    {
      suite: "asyncio",
      tests: ["QueuePutTests.test_blocking_put_wait"],
      reason: "the test allows 10 ms for a put that goes through JavaScript: too little on a busy machine",
    },
    {
      suite: "asgiref",
      tests: ["test_sync_to_async_contextvars_with_custom_context_and_parallel_tasks"],
      reason: "the coroutine runs in a task of its own, with a copy of the context, as all that JavaScript starts",
    },
    {
      suite: "asgiref",
      tests: ["test_two_nested_tasks_with_asyncio_run"],
      reason: "a new task begins some rounds later, when the thread that it is to use has ended",
    },
    {
      suite: "anyio",
      tests: ["test_start_crash_after_started_call[asyncio]", "TestEvent::test_event_wait_before_set_before_cancel[asyncio]"],
      reason: "what the task waits for goes through JavaScript: a cancellation in the same round comes before it",
    },
    {
      suite: "anyio",
      tests: ["test_run_sync_worker_cyclic_references[asyncio]", "test_asyncio_run_does_not_leak_event_loop"],
      reason: "what goes through JavaScript is held until JavaScript's garbage collector runs",
    },
  ],
};

/** The reason why a test may fail, or undefined. */
export function reasonFor(suite, id, bounce) {
  const entries = bounce ? [...known.always, ...known.bounce] : known.always;
  return entries.find((entry) => entry.suite === suite && entry.tests.some((test) => id.includes(test)))?.reason;
}
