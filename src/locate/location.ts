// The result of the search: one Python, ready to be loaded.
//
// A virtual environment's python stays unresolved: Python finds `pyvenv.cfg` by the path of the link.

/** What the user may name. Paths are relative to the working directory. */
export interface LocateOptions {
  /** A python, or the folder of a virtual environment. */
  executable?: string;
  /** The shared library, libpython. */
  library?: string;
}

/** The Python that was chosen. */
export interface Location {
  /**
   * Absolute path; a virtual environment's own python, unresolved. `null`: only a library was named and no python fits
   * it.
   */
  executable: string | null;
  /** Absolute path of libpython. */
  library: string;
  /** "3.11.7"; "3.11" where only the library's name tells. */
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
