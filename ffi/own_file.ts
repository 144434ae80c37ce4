// The file that this code runs from, as a URL: this source, a file of the package, or a program into which a bundler
// has put the code.
//
// Bundlers that make CommonJS leave `import.meta.url` undefined; there `__filename` is the program. It is read into a
// constant first, because webpack and Vite take `new URL(name, import.meta.url)` for a file to copy.
import { pathToFileURL } from "node:url";

declare const __filename: string | undefined;

const url: string | undefined = import.meta.url;

/** `undefined` where the program is no file. */
export const ownUrl: string | undefined = url ?? (typeof __filename === "string" ? pathToFileURL(__filename).href : undefined);
