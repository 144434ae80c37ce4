/**
 * `pyawait repl` in a terminal: lines, top-level await, completion, history, Ctrl-C and the end; and with a file as its input.
 */
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { assert, assertEquals, assertMatch, assertStringIncludes } from "#std/assert";
import { commandLine, plainPython, pyawait } from "../support/command.ts";
import { findPython } from "../support/pythons.ts";
import { Terminal } from "../support/pseudo_terminal.ts";
import { windows } from "../support/skip.ts";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "pyawait-repl-")));
after(() => rmSync(folder, { recursive: true, force: true }));

const skip = windows("Python makes no terminals on Windows");

const prompt = ">>> ", up = "\x1bOA";
const clean = { PYTHONSTARTUP: undefined, PYTHON_HISTORY: undefined, HOME: folder };

/** The Python in use, and a newer one, where `python` has an editor of its own. */
const pythons: Record<string, Record<string, string>> = { "the Python in use": {} };
const newer = skip ? undefined : findPython("3.14") ?? findPython("3.13");
if (newer) pythons["a newer Python"] = { PYAWAIT_PYTHON: newer };
else console.log("skip: there is no Python 3.13 or 3.14");

async function open(env: Record<string, string | undefined> = {}, args: string[] = []): Promise<Terminal> {
  const terminal = new Terminal(commandLine(["repl", ...args]), folder, { ...clean, ...env });
  await terminal.shows(prompt);
  return terminal;
}

/** Ends it with Ctrl-D. */
async function leave(terminal: Terminal): Promise<void> {
  terminal.type("\x04");
  assertEquals(await terminal.code(), 0, terminal.text);
}

/** Enters lines and waits for the prompt after what they show. */
async function gives(terminal: Terminal, lines: string, shown: string | RegExp): Promise<string> {
  return await terminal.enter(lines, shown) + (shown === prompt ? "" : await terminal.shows(prompt));
}

/** Types what would fail, and gives it up by Ctrl-C. */
async function givesUp(terminal: Terminal): Promise<void> {
  terminal.type("1 / 0");
  await terminal.shows("1 / 0");
  terminal.type("\x03");
  await terminal.shows("KeyboardInterrupt");
  await terminal.shows(prompt);
}

for (const [name, env] of Object.entries(pythons)) {
  test(`pyawait repl, ${name}: values, await, several lines`, { skip }, async () => {
    const terminal = await open(env);
    assertMatch(terminal.text, /pyawait \d+\.\d+\.\d+: Python 3\.\d+\.\d+\S* in (Node|Deno|Bun) \d+\.\d+/);
    await gives(terminal, "20 + 1", "\n21\n");
    await gives(terminal, "_ * 2", "\n42\n");
    await gives(terminal, "await asyncio.sleep(0.01, 'slept')", "\n'slept'\n");
    await gives(terminal, "await js.Promise.resolve(7) + js.Math.max(1, 2)", "\n9\n");
    await terminal.enter("def double(x):", "... ");
    await terminal.enter("    return 2 * x", "... ");
    await terminal.enter("", prompt);
    await gives(terminal, "double(8)", "\n16\n");
    await terminal.enter("async with asyncio.Lock():", "... ");
    await terminal.enter("    print('locked'.upper())", "... ");
    await gives(terminal, "", "LOCKED\n");
    await terminal.enter("async for n in js.eval('(async function* () { yield 30 + 3 })()'):", "... ");
    await terminal.enter("    print(n)", "... ");
    await gives(terminal, "", "\n33\n");
    await gives(terminal, "import contextvars; variable = contextvars.ContextVar('variable'); token = variable.set(5)", prompt);
    await gives(terminal, "import sys; 50 + (variable.get() if sys.version_info >= (3, 11) else 5)", "\n55\n");
    await leave(terminal);
  });

  test(`pyawait repl, ${name}: Ctrl-C ends the running line only`, { skip }, async () => {
    const terminal = await open(env);
    await gives(terminal, "import time; other = asyncio.create_task(asyncio.sleep(3600))", prompt);
    const code = [
      "print('be' + 'gun'); time.sleep(3600)",
      "exec(\"print('be' + 'gun')\\nwhile True: pass\")",
      "print('be' + 'gun'); await js.Promise.new(lambda resolve, reject: None)",
      "print('be' + 'gun'); await asyncio.sleep(3600)",
      "print('be' + 'gun'); await asyncio.gather(asyncio.sleep(3600), asyncio.sleep(3600))",
    ];
    for (const line of code) {
      await terminal.enter(line, "begun");
      terminal.type("\x03");
      await terminal.shows("KeyboardInterrupt").catch((error) => {
        throw new Error(`${line}: ${error.message}`);
      });
      await terminal.shows(prompt);
    }
    await gives(terminal, "other.done(), 70 + 7", "(False, 77)");
    await leave(terminal);
  });

  test(`pyawait repl, ${name}: Ctrl-C at the prompt gives up what is typed`, { skip }, async () => {
    const terminal = await open(env);
    await givesUp(terminal);
    await terminal.enter("if True:", "... ");
    await givesUp(terminal);
    const shown = await gives(terminal, "70 + 7", "\n77\n");
    assert(!shown.includes("ZeroDivisionError"), shown);
    await leave(terminal);
    assert(!readFileSync(join(folder, ".python_history"), "utf8").includes("\x03"));
  });

  test(`pyawait repl, ${name}: completion and history`, { skip }, async () => {
    const terminal = await open({ ...env, HOME: mkdtempSync(join(folder, "home-")) });
    if (/False/.test(await gives(terminal, "import sys; 'readline' in sys.modules", /True|False/))) {
      console.log("skip: this Python has no readline");
      return await leave(terminal);
    }
    terminal.type("js.Math.trun\t");
    await terminal.shows("js.Math.trunc");
    await gives(terminal, "(7.5) * 11", "\n77\n");
    await gives(terminal, "js.answer = 6 * 7", prompt);
    terminal.type("js.answ\t");
    await terminal.shows("js.answer");
    await gives(terminal, "", "\n42\n");
    terminal.type(up + up);
    await terminal.shows("js.answer = 6 * 7");
    await terminal.enter("0", prompt);
    await gives(terminal, "js.answer", "\n420\n");
    await leave(terminal);
  });

  test(`pyawait repl, ${name}: exit()`, { skip }, async () => {
    const terminal = await open(env);
    await gives(terminal, "import atexit; hook = atexit.register(lambda: print('at' + 'exit'))", prompt);
    await terminal.enter("exit(3)", "atexit");
    assertEquals(await terminal.code(), 3, terminal.text);
  });
}

test("pyawait repl: the history is kept for the next time", { skip }, async () => {
  const env = { HOME: mkdtempSync(join(folder, "home-")) };
  const first = await open(env);
  await gives(first, "'kept'.upper()", "KEPT");
  await leave(first);
  const second = await open(env);
  if (/False/.test(await gives(second, "import sys; 'readline' in sys.modules", /True|False/))) {
    console.log("skip: this Python has no readline");
    return await leave(second);
  }
  second.type(up + up);
  await second.shows("'kept'.upper()");
  await gives(second, "", "KEPT");
  await leave(second);
});

test("pyawait repl: JavaScript and tasks go on while a line is typed", { skip }, async () => {
  const terminal = await open();
  await gives(terminal, "timer = js.setTimeout(lambda: print('from ' + 'JavaScript'), 50)", prompt);
  await terminal.shows("from JavaScript\n");
  await gives(terminal, "later = asyncio.get_running_loop().call_later(0.05, lambda: print('from ' + 'the loop'))", prompt);
  await terminal.shows("from the loop\n");
  await leave(terminal);
});

test("pyawait repl: exceptions are shown without frames of pyawait, errors of JavaScript's own end nothing", { skip }, async () => {
  const terminal = await open();
  const shown = await gives(terminal, "js.eval('(f) => f()')(lambda: 1 / 0)", /ZeroDivisionError: .*\n/);
  assert(!/pyawait\/|asyncio\/|concurrent/.test(shown), shown);
  assertStringIncludes(shown, "in <lambda>");
  const timer = 'timer = js.setTimeout(js.eval(\'() => { throw new RangeError("un" + "caught") }\'), 0)';
  await terminal.enter(timer, /RangeError: uncaught/);
  await terminal.enter('js.eval(\'void Promise.reject(new RangeError("un" + "handled"))\')', /RangeError: unhandled/);
  await gives(terminal, "70 + 7", "\n77\n");
  await leave(terminal);
});

test("pyawait repl: Ctrl-C ends the line, and at the second time another task that does not return", { skip }, async () => {
  const terminal = await open();
  await terminal.enter("async def spin():", "... ");
  await terminal.enter("    while True: time.sleep(0.01); print('+', end='', flush=True)", "... ");
  await terminal.enter("", prompt);
  await terminal.enter("import time; task = asyncio.create_task(spin()); await asyncio.sleep(3600)", "++");
  terminal.type("\x03");
  await terminal.shows("^C");
  await terminal.shows("++"); // Python has taken the signal
  terminal.type("\x03");
  await terminal.shows("KeyboardInterrupt");
  await terminal.shows(prompt);
  await gives(terminal, "repr(task.exception())", "KeyboardInterrupt()");
  await leave(terminal);
});

test("pyawait repl: JavaScript ends the process, and the terminal is as before", { skip }, async () => {
  const exits = await open();
  exits.type("js.process.exit(4)\r");
  assertEquals(await exits.code(), 4, exits.text);
  assert(!exits.text.includes("Traceback"), exits.text);
  const [program, ...args] = commandLine(["repl"]);
  const script = '"$0" "$@"; echo "code $?"; stty -a';
  const terminal = new Terminal(["sh", "-c", script, program, ...args], folder, clean);
  await terminal.shows(prompt);
  await terminal.enter("timer = js.setTimeout(lambda: js.process.exit(5), 50)", "code 5\n");
  const settings = await terminal.shows(/[ ;]-?echo[ ;]/);
  assertMatch(settings, /intr = \^C;/);
  assertMatch(settings, /[ ;]echo[ ;]/);
  assertEquals(await terminal.code(), 0);
});

test("pyawait repl: PYTHONSTARTUP and --module", { skip }, async () => {
  writeFileSync(join(folder, "startup.py"), "started = await asyncio.sleep(0.01, 'started')\nundefined_name\n");
  writeFileSync(join(folder, "numbers.mjs"), "export const seven = 7; export const later = async () => 8;");
  const env = { PYTHONSTARTUP: join(folder, "startup.py") };
  const terminal = await open(env, ["--module", "js_numbers=numbers.mjs"]);
  assertStringIncludes(terminal.text, "NameError: name 'undefined_name' is not defined");
  await gives(terminal, "started.upper()", "STARTED");
  await gives(terminal, "import js_numbers; js_numbers.seven * 10 + await js_numbers.later()", "\n78\n");
  await leave(terminal);
});

test("pyawait repl: without readline", { skip }, async () => {
  const path = mkdtempSync(join(folder, "path-"));
  writeFileSync(join(path, "readline.py"), "raise ImportError('there is none')");
  const terminal = await open({ PYTHONPATH: path });
  await gives(terminal, "70 + 7", "\n77\n");
  await terminal.enter("if True:", "... ");
  await givesUp(terminal);
  const shown = await gives(terminal, "70 + 8", "\n78\n");
  assert(!shown.includes("ZeroDivisionError"), shown);
  await leave(terminal);
});

test("pyawait repl: a file is run to its end, as by python -m asyncio", async () => {
  const input = "import sys\nawait asyncio.sleep(0, 'first')\n1 / 0\ndef f():\n    return await_me\n\nprint('after', file=sys.stdout)\n";
  const ours = await pyawait(["repl"], folder, { input }), theirs = await plainPython(["-m", "asyncio"], folder, { input });
  const output = ">>> >>> 'first'\n>>> >>> ... ... >>> after\n>>> ";
  assertEquals([ours.code, ours.stdout], [theirs.code, output], ours.stderr);
  assertMatch(ours.stderr, /ZeroDivisionError: division by zero/);
  const ended = await pyawait(["repl"], folder, { input: "js.console.log('log')\nexit(5)\nprint('not run')\n" });
  assertEquals([ended.code, ended.stdout], [5, ">>> log\n>>> "]);
  assertEquals((await pyawait(["repl"], folder, { input: "" })).code, 0);
});

test("pyawait repl: usage", async () => {
  const { code, stdout } = await pyawait(["repl", "--help"], folder);
  assertEquals(code, 0);
  assertStringIncludes(stdout, "pyawait repl [--module NAME=FILE]...");
  for (const args of [["x.py"], ["--module"], ["--module", "x"], ["--modul=x=y"]]) {
    const wrong = await pyawait(["repl", ...args], folder);
    assertEquals([wrong.code, wrong.stdout], [2, ""]);
    assertStringIncludes(wrong.stderr, "repl takes nothing but --module NAME=FILE");
  }
  assertStringIncludes((await pyawait(["repl", "--module", "x=none.mjs"], folder)).stderr, "there is no file");
});
