/**
 * For the tests of what the package exports: the names of an entry, and the file that declares each.
 */
import { readFileSync } from "node:fs";
import { posix } from "node:path";

export interface Exported {
  readonly name: string;
  /** Whether only its type is exported. */
  readonly isType: boolean;
  /** The path from the project's folder of the file that declares it, however often it is exported again on the way. */
  readonly file: string;
}

/** The names that a file of the project exports from others. */
export function exportedNames(entry: string): Exported[] {
  const lists = readFileSync(entry, "utf8").matchAll(/^export (type )?\{([^}]*)\} from "(\.[^"]+)";$/gm);
  return [...lists].flatMap(([, type, names, path]) => {
    const file = posix.join(posix.dirname(entry), path);
    const again = exportedNames(file);
    return names.split(",").map((name) => name.trim().split(" as ")[0]).filter(Boolean).map((name) => ({
      name,
      isType: type !== undefined,
      file: again.find((other) => other.name === name)?.file ?? file,
    }));
  });
}
