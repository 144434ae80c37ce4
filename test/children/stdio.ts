/**
 * Python's standard streams where the runtime has made them non-blocking: `stdio CASE`.
 */
import process from "node:process";
import { python } from "../../mod.ts";

// That is what makes them so, on Node and on Bun.
process.stdin;
process.stdout.write("");
process.stderr.write("");

const cases: Record<string, () => unknown> = {
  /** More than a pipe holds, at once and in lines, by a thread of its own, to both streams. */
  output() {
    python.exec(`
      import sys, threading
      sys.stdout.write("x" * 3_000_000 + "\\n")
      for i in range(20_000): print(i)
      sys.stdout.buffer.write(b"b" * 500_000 + b"\\n")
      def work(): print("t" * 500_000, file=sys.stderr)
      thread = threading.Thread(target=work)
      thread.start()
      thread.join()`);
  },
  /** The same while Python ends. */
  output_at_exit() {
    python.exec(`
      import atexit, sys
      atexit.register(lambda: sys.stdout.write("x" * 1_000_000))
      sys.stdout.write("y" * 100)`);
    process.exit(3);
  },
  /** Reads of every kind wait. */
  input() {
    python.exec(`
      import sys
      print(repr(input()))
      print(repr(sys.stdin.readline()))
      print(repr(sys.stdin.read()))`);
  },
  /** Below the text layer, which would have read ahead. */
  bytes() {
    python.exec(`
      import sys
      print(repr(sys.stdin.buffer.read(3)), repr(sys.stdin.buffer.read()))`);
  },
  /** Python's own way to read a terminal. */
  terminal() {
    python.exec(`
      import sys
      print("got", repr(input("ready")), repr(input()), repr(sys.stdin.readline()))`);
  },
  /** Nobody reads what is written while Python ends. */
  unread() {
    python.exec(`
      import atexit, os
      unread, end = os.pipe()
      os.set_blocking(end, False)
      atexit.register(lambda: (os.dup2(end, 1), print("x" * 1_000_000)))`);
    console.log("end");
  },
  /** The streams look like those of a Python without JavaScript; on Windows, of one in UTF-8 mode. */
  streams() {
    python.exec(`
      import os, subprocess, sys, textwrap
      code = textwrap.dedent("""
        import io, sys
        def look(name):
            stream = getattr(sys, name)
            raw = getattr(stream.buffer, "raw", stream.buffer)
            return [stream.name, stream.mode, stream.encoding, stream.errors, stream.fileno(), stream.isatty(), stream.closed,
              stream is getattr(sys, f"__{name}__"), type(stream).__name__, stream.write_through, stream.newlines,
              [kind.__name__ for kind in (io.BufferedReader, io.BufferedWriter, io.FileIO) if isinstance(stream.buffer, kind)],
              isinstance(raw, io.FileIO), raw.name, raw.mode, raw.closefd]
        seen = [look(name) for name in ("stdin", "stdout", "stderr")]
      """)
      exec(code)
      env = {**os.environ, "PYTHONUTF8": "1"} if os.name == "nt" else None
      alone = subprocess.run([sys.executable, "-c", code + "print(seen)"], env=env, input=b"", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
      print(str(seen))
      print(alone.stdout.decode().strip())`);
  },
};

await cases[process.argv[2]]();
