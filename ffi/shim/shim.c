/* pyawait's native half: the thread that runs Python, and the queues through which it talks with JavaScript.
 *
 *    JavaScript thread                      the shim                       loop thread (Python's main thread)
 *      pyawait_open      ─── starts ──────────────────────────────────►      initialises Python, runs src/py
 *      pyawait_invoke    ─── attaches, calls, detaches (synchronous)
 *      pyawait_submit    ─── inbox (queue.c) ─── wake ────────────────►      drain (loop.c)
 *      pyawait_take      ◄── outbox ─── bell ─────────────────────────       flush (batch.c), call (calls.c)
 *
 * Why C: Python's loop has to run on a thread of its own, and a JavaScript FFI can neither make one nor be entered from
 * one safely. What must happen without JavaScript is here; what is simplest in Python is in src/py, in TypeScript in
 * src.
 *
 * JavaScript is never entered with the GIL held. The shim includes nothing but the files beside it and links nothing,
 * so one binary per platform serves every CPython, glibc and musl (build.mjs). It is one translation unit, and a file
 * uses only what the files before it define; where a call back up is needed, the caller hands a function down (struct
 * visitor).
 */
#include "base.c"
#ifdef _WIN32
#include "platform_win32.c"
#include "signals_win32.c"
#else
#include "platform_posix.c"
#include "signals_posix.c"
#endif
#include "owner.c"
#include "text.c"
#include "decode.c"
#include "skip.c"
#include "writer.c"
#include "scalars.c"
#include "shapes.c"
#include "kinds.c"
#include "encode.c"
#include "outcome.c"
#include "queue.c"
#include "spin.c"
#include "children.c"
#include "faults.c"
#include "batch.c"
#include "scope.c"
#include "attach.c"
#include "requests.c"
#include "frames.c"
#include "visits.c"
#include "calls.c"
#include "stays.c"
#include "tasks.c"
#include "loop.c"
#include "buffer.c"
#include "napi.c"
#include "thread.c"
#include "invoke.c"
#include "api.c"
