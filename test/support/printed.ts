/**
 * What programs print, and how they end, as on other systems: Python ends lines with "\r\n" on Windows, JavaScript with "\n"
 * everywhere.
 */
import { onWindows } from "./skip.ts";

const remark = /^Internal error: directory mismatch for directory .* You don't need to do anything.*\n/gm; // Bun's, under Wine

/** A text whose lines end with "\n". */
export function plainLines(text: string): string {
  return onWindows ? text.replaceAll("\r\n", "\n").replace(remark, "") : text;
}

/** An exit code as Windows shows it: 32 bits without a sign, which Deno gives as a number with one. */
export function unsigned(code: number | null): number | null {
  return code === null ? null : code >>> 0;
}
