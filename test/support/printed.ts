/**
 * What programs print, and how they end, as on other systems: Python ends lines with "\r\n" on Windows, JavaScript with "\n"
 * everywhere.
 */
import { onWindows } from "./skip.ts";

/** A text whose lines end with "\n". */
export function plainLines(text: string): string {
  return onWindows ? text.replaceAll("\r\n", "\n") : text;
}

/** An exit code as Windows shows it: 32 bits without a sign, which Deno gives as a number with one. */
export function unsigned(code: number | null): number | null {
  return code === null ? null : code >>> 0;
}
