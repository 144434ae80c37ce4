/**
 * The law of the shim's files, read from their text: shim.c includes them in order, and a file uses only what files before
 * it define; and functions.h declares just those functions that cross files.
 */

const keywords = new Set(["if", "for", "while", "switch", "return", "sizeof", "do", "else", "case", "defined"]);

/** The text without comments, string and character literals. */
const bare = (text) => text.replace(/\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g, (match) => match[0] === "/" ? " " : '""');

/** The text without preprocessor lines, and with empty braces in place of everything inside braces. */
function topLevel(text) {
  const code = text.replace(/^[ \t]*#(?:.*\\\n)*.*$/gm, "");
  let depth = 0, result = "";
  for (const character of code) {
    if (character === "}") depth--;
    if (depth === 0) result += character;
    if (character === "{") depth++;
  }
  return result;
}

/** The functions, variables, macros and types that a file defines. */
export function definitions(text) {
  const clean = bare(text), top = topLevel(clean), names = { functions: new Set(), others: new Set() };
  const initialiser = /=[^;{}]*(?:\{\}[^;{}]*)*(?=;)/g;
  for (const [, name] of clean.matchAll(/^[ \t]*#[ \t]*define[ \t]+(\w+)/gm)) names.others.add(name);
  for (const [, name] of top.matchAll(/\b(?:struct|enum|union)\s+(\w+)\s*\{\}/g)) names.others.add(name);
  for (const [, name] of top.matchAll(/\b(\w+)\s*\((?:[^(){};]|\([^(){};]*\))*\)\s*\{\}/g)) {
    if (!keywords.has(name)) names.functions.add(name);
  }
  for (const statement of top.replace(/\)\s*\{\}/g, ");").replace(initialiser, "").split(";")) {
    const typedef = /\btypedef\b[\s\S]*?(?:\(\*(\w+)\)\s*\([\s\S]*|\b(\w+)\s*)$/.exec(statement);
    if (typedef) names.others.add(typedef[1] ?? typedef[2]);
    else if (/^\s*(?:static|extern|int)\b/.test(statement) && !statement.includes("(")) {
      for (const [, name] of statement.matchAll(/(\w+)\s*(?:\[[^\]]*\])*\s*(?:,|$)/g)) names.others.add(name);
    }
  }
  return names;
}

/** The names that a file uses, but for the members of structs. */
function uses(text) {
  return new Set([...bare(text).matchAll(/(?<!\.|->|\.\s|->\s)\b[A-Za-z_]\w*/g)].map(([name]) => name));
}

/** The .c files in the order in which shim.c includes them; the two of a system are at the same place. */
export const included = (shim) => [...shim.matchAll(/^#include "(\w+\.c)"$/gm)].map(([, name]) => name);
const place = (name) => name.replace(/_(posix|win32)\.c$/, "");

/**
 * What breaks the law, in words.
 *
 * @param sources the text of every .c file, by name
 */
export function violations(sources) {
  const order = included(sources.get("shim.c")), wrong = [];
  const left = [...sources.keys()].filter((name) => name !== "shim.c" && !order.includes(name));
  for (const name of left) wrong.push(`shim.c does not include ${name}`);
  const defined = new Map(order.map((name) => [name, definitions(sources.get(name))]));
  for (const [index, name] of order.entries()) {
    const used = uses(sources.get(name)), own = defined.get(name);
    for (const later of order.slice(index + 1)) {
      if (place(later) === place(name)) continue;
      const { functions, others } = defined.get(later);
      for (const each of [...functions, ...others]) {
        if (used.has(each) && !own.functions.has(each) && !own.others.has(each)) wrong.push(`${name} uses ${each} of ${later}`);
      }
    }
  }
  return wrong;
}

/** The functions that other files than their own use, by file. */
export function crossing(sources) {
  const order = included(sources.get("shim.c")), result = new Map();
  for (const name of order) {
    const others = order.filter((other) => place(other) !== place(name)).map((other) => uses(sources.get(other)));
    const names = [...definitions(sources.get(name)).functions].filter((each) => others.some((used) => used.has(each)));
    if (names.length > 0) result.set(name, names);
  }
  return result;
}

/** What functions.h declares too much or too little. */
export function wrongPrototypes(sources, header) {
  const declared = new Set(
    [...topLevel(bare(header)).matchAll(/^(?!typedef)\w[^=(){};]*?\b(\w+)\((?:[^(){}]|\([^(){}]*\))*\);/gm)].map(([, name]) => name),
  );
  const needed = new Set([...crossing(sources).values()].flat());
  return [
    ...[...needed].filter((name) => !declared.has(name)).map((name) => `functions.h does not declare ${name}`),
    ...[...declared].filter((name) => !needed.has(name)).map((name) => `functions.h declares ${name}, which no other file uses`),
  ];
}
