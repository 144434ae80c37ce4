/**
 * What programs print, as on other systems: Python ends lines with "\r\n" on Windows, JavaScript with "\n" everywhere.
 */
import { onWindows } from "./skip.ts";

/** A text whose lines end with "\n". */
export function plainLines(text: string): string {
  return onWindows ? text.replaceAll("\r\n", "\n") : text;
}
