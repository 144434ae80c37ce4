/**
 * Ctrl-C, as a terminal gives it: a signal, or on Windows an event of the console that the program has for itself.
 *
 * There it is Python that starts the program, because only the processes of a console can send the event, and whatever
 * tests are run in must not get it.
 */
import process from "node:process";

const starter = `
import ctypes, subprocess, sys
kernel, lines, command = ctypes.windll.kernel32, sys.argv[1].encode().split(b","), sys.argv[2:]
child = subprocess.Popen(command, stdout=subprocess.PIPE, creationflags=subprocess.CREATE_NEW_CONSOLE)
for printed in child.stdout:
    sys.stdout.buffer.write(printed), sys.stdout.buffer.flush()
    if printed.strip() in lines:
        kernel.FreeConsole(), kernel.AttachConsole(child.pid), kernel.SetConsoleCtrlHandler(None, True)
        kernel.GenerateConsoleCtrlEvent(0, 0)
kernel.ExitProcess(ctypes.c_uint(child.wait()))
`;

/** On Windows: the program and the arguments that run a command in a console, and press Ctrl-C when it has printed one of the lines. */
export function inConsole(lines: readonly string[], command: readonly string[]): [string, ...string[]] {
  return [process.env.PYAWAIT_PYTHON ?? "python", "-c", starter, lines.join(","), ...command];
}

/** The exit code of a process that Ctrl-C has ended on Windows. Bun gives the lowest 8 bits of it. */
export const endedByCtrlC: number = "Bun" in globalThis ? 0x3a : 0xc000013a;
