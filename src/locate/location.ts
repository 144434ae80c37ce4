// What the search asks, and its result: one Python, ready to be loaded.
//
// A virtual environment's python stays unresolved: Python finds `pyvenv.cfg` by the path of the link.

/** Environment variables, like `process.env`. */
export type Environment = Record<string, string | undefined>;

/** A Python's description of itself. An empty string means that it does not say. */
export interface Python {
  implementation: string;
  /** "3.11.7"; "3.11" where only a file name tells. */
  version: string;
  /** False for a free-threaded build. */
  gil: boolean;
  /** What follows the version in file names: "", "t" (free-threaded), "d" (debug) or "td". */
  abi: string;
  /** 32 or 64, and its platform ("linux-x86_64"); for messages. */
  bits: number;
  machine: string;
  executable: string;
  prefix: string;
  basePrefix: string;
  baseExecPrefix: string;
  multiarch: string;
  /** INSTSONAME and LDLIBRARY: the library's names as built. */
  names: string[];
  libdir: string;
  libpl: string;
  frameworkPrefix: string;
  /** Windows: the DLL that the executable itself has loaded. */
  dll: string;
}

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
