// What was found: one Python, ready to be loaded.

/** What the caller may name. Paths are taken relative to the working directory. */
export interface LocateOptions {
  /** A python, or the folder of a virtual environment. */
  executable?: string;
  /** libpython itself. */
  library?: string;
}

/** The Python that was chosen. */
export interface Location {
  /** Absolute; a virtual environment's own python, unresolved. Null: only a library was given, and no python fits it. */
  executable: string | null;
  /** Absolute path of libpython. */
  library: string;
  /** "3.11.7"; "3.11" if only the library's name tells. */
  version: string;
  /** "cpython". */
  implementation: string;
  /** False for a free-threaded build. */
  gil: boolean;
  prefix: string;
  basePrefix: string;
  /** How it was chosen, in words. */
  source: string;
}

/** "3.11" of "3.11.7". */
export function minor(version: string): string {
  return version.split(".", 2).join(".");
}
