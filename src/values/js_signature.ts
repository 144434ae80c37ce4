// The parameters of a JavaScript function, read from its source, for Python's `inspect.signature`.
//
// This is a best effort: parameters that are destructured, or of native functions, are named `arg0`, `arg1` …

/** One parameter: its name, whether it is `...rest`, whether it has a default. */
export type Parameter = [name: string, rest: boolean, optional: boolean];

/** The text between the parentheses of the parameter list, or the single name before `=>`. */
function parameterText(source: string): string | undefined {
  const single = /^(?:async\s+)?([\p{ID_Start}$_][\p{ID_Continue}$]*)\s*=>/u.exec(source);
  if (single) return single[1];
  const open = source.startsWith("class") ? source.search(/\bconstructor\s*\(/) : 0;
  if (open < 0) return "";
  const start = source.indexOf("(", open);
  for (let at = start, depth = 0; at >= 0 && at < source.length; at++) {
    if ("([{".includes(source[at])) depth++;
    else if (")]}".includes(source[at]) && --depth === 0) return source.slice(start + 1, at);
  }
  return undefined;
}

function split(text: string): string[] {
  const parts: string[] = [];
  let depth = 0, part = "";
  for (const character of text) {
    if ("([{".includes(character)) depth++;
    else if (")]}".includes(character)) depth--;
    if (character === "," && depth === 0) parts.push(part), part = "";
    else part += character;
  }
  return [...parts, part].map((each) => each.trim()).filter((each) => each !== "");
}

/** Matches a string, which is captured, or a comment. */
const stringsAndComments = /("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)|\/\*[^]*?\*\/|\/\/.*$/gm;

/** The parameters, as far as the source shows them. */
// deno-lint-ignore ban-types
export function signatureOf(fn: Function): Parameter[] {
  const source = Function.prototype.toString.call(fn).replace(stringsAndComments, (_, string) => string ? '""' : "");
  const text = /\[native code\]/.test(source) ? undefined : parameterText(source);
  if (text === undefined) return Array.from({ length: fn.length }, (_, index): Parameter => [`arg${index}`, false, false]);
  let optional = false;
  return split(text).map((part, index): Parameter => {
    const rest = part.startsWith("...");
    optional ||= !rest && /=(?!>)/.test(part);
    const name = /^(?:\.\.\.)?([\p{ID_Start}_][\p{ID_Continue}]*)/u.exec(part)?.[1] ?? `arg${index}`;
    return [name, rest, optional];
  });
}
