// TypeScript declarations for Python modules: `pyawait types`.
//
// The one thing to know: `src/py/describe.py` reads stubs, annotations and signatures and gives a small tree; this
// prints it. Arguments are what conversions accept, results what they give.
import { python } from "./python.ts";
import { pythonText } from "./source.ts";

type Type = [kind: string, ...rest: unknown[]];

interface Parameter {
  name: string;
  type: Type;
  optional: boolean;
}

interface CallShape {
  positional: Parameter[];
  rest: Type | null;
  keywords: Parameter[];
  open: boolean;
  result: Type;
  doc: string | null;
}

type Member =
  | { kind: "value"; type: Type; doc: string | null }
  | { kind: "function"; calls: CallShape[] }
  | { kind: "class"; bases: string[]; members: Record<string, Member>; doc: string | null };

interface ModuleShape {
  name: string;
  doc: string | null;
  members: Record<string, Member>;
  stub: boolean;
}

const isName = (name: string) => /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name);
const key = (name: string) => isName(name) ? name : JSON.stringify(name);
const reserved = new Set(
  "arguments await break case catch class const continue debugger default delete do else enum eval export extends false finally for function if implements import in instanceof interface let new null package private protected public return static super switch this throw true try typeof var void while with yield"
    .split(" "),
);
const parameterName = (name: string) => reserved.has(name) ? `${name}_` : name;

/** One module's printer: `prefix` keeps the classes of two modules apart. */
class Printer {
  readonly #prefix: string;
  readonly #classes: Set<string>;

  constructor(module: ModuleShape) {
    this.#prefix = module.name.replace(/\W/g, "_");
    this.#classes = new Set(Object.keys(module.members).filter((name) => module.members[name].kind === "class"));
  }

  interfaceName(name: string): string {
    return `${this.#prefix}_${name}`;
  }

  /** A type as an argument (`into` Python) or as a result. */
  type([kind, ...rest]: Type, into: boolean): string {
    const inner = (at = 0) => this.type(rest[at] as Type, into);
    switch (kind) {
      case "number":
      case "string":
      case "boolean":
      case "null":
      case "never":
      case "unknown":
      case "any":
        return kind === "null" && into ? "null | undefined" : kind;
      case "bytes":
        return "Uint8Array";
      case "literal":
        return JSON.stringify(rest[0]);
      case "union":
        return this.#union(rest as Type[], into);
      case "list":
        return into ? `Iterable<${inner()}> | PyProxy` : "PyProxy";
      case "dict":
        return into ? `Record<string, ${inner()}> | Map<unknown, ${inner()}> | PyProxy` : "PyProxy";
      case "set":
        return into ? `Set<${inner()}> | PyProxy` : "PyProxy";
      case "awaitable":
        return into ? `PromiseLike<${inner()}> | PyProxy` : `PyProxy & PromiseLike<${inner()}>`;
      case "iterator":
        return into ? `Iterable<${inner()}> | PyProxy` : `PyIterable<${inner()}>`;
      case "async":
        return into ? `AsyncIterable<${inner()}> | PyProxy` : `PyAsyncIterable<${inner()}>`;
      case "function":
        return this.#functionType(rest[0] as Type[] | null, rest[1] as Type, into);
      case "class":
        return this.#classes.has(rest[0] as string) ? this.interfaceName(rest[0] as string) : "any";
      default:
        return into ? "any" : "PyProxy";
    }
  }

  #union(types: Type[], into: boolean): string {
    const printed = [...new Set(types.map((type) => this.type(type, into)))];
    return printed.includes("any")
      ? "any"
      : printed.map((type) => type.includes("=>") || type.includes("&") ? `(${type})` : type).join(" | ") || "any";
  }

  #functionType(parameters: Type[] | null, result: Type, into: boolean): string {
    if (!into) return "PyProxy";
    const listed = parameters ? parameters.map((type, index) => `arg${index}: ${this.type(type, false)}`).join(", ") : "...args: any[]";
    return `((${listed}) => ${this.type(result, true)}) | PyProxy`;
  }

  call(call: CallShape, result = this.type(call.result, false)): string {
    const parts: string[] = [];
    let optional = false;
    for (const { name, type, optional: mayBeLeftOut } of call.positional) {
      optional ||= mayBeLeftOut;
      parts.push(`${parameterName(name)}${optional ? "?" : ""}: ${this.type(type, true)}${optional ? " | Keywords" : ""}`);
    }
    if (call.rest) parts.push(`...args: (${this.type(call.rest, true)} | Keywords)[]`);
    else if (call.keywords.length > 0 || call.open || call.positional.length > 0) {
      parts.push(`keywords${call.keywords.some((each) => !each.optional) && !optional ? "" : "?"}: Keywords`);
    }
    return `(${parts.join(", ")}): ${result}`;
  }

  members(members: Record<string, Member>, indent: string): string {
    return Object.entries(members).map(([name, member]) => this.#member(name, member, indent)).join("");
  }

  #member(name: string, member: Member, indent: string): string {
    if (member.kind === "value") return `${doc(member.doc, indent)}${indent}${key(name)}: ${this.type(member.type, false)};\n`;
    if (member.kind === "function") {
      const overloads = member.calls.map((call) => `${indent}${key(name)}${this.call(call)};\n`);
      return doc(member.calls[0]?.doc ?? null, indent) + overloads.join("");
    }
    const instance = this.interfaceName(name);
    const made = member.members["__init__"];
    const calls = made?.kind === "function"
      ? made.calls
      : [{ positional: [], rest: ["any"], keywords: [], open: true, result: ["any"], doc: null } as CallShape];
    const callable = calls.map((call) => `${this.call(call, instance)}; new ${this.call(call, instance)}`).join("; ");
    return `${doc(member.doc, indent)}${indent}${key(name)}: PyMembers & { ${callable} };\n`;
  }

  classInterfaces(members: Record<string, Member>): string {
    let text = "";
    for (const [name, member] of Object.entries(members)) {
      if (member.kind !== "class") continue;
      const bases = member.bases.filter((base) => this.#classes.has(base)).map((base) => this.interfaceName(base));
      const visible = Object.fromEntries(Object.entries(member.members).filter(([each]) => !each.startsWith("_")));
      // Members by intersection: TypeScript would refuse an override that Python allows.
      text += `type ${this.interfaceName(name)} = ${["PyProxy", ...bases].join(" & ")} & {\n${this.members(visible, "  ")}};\n`;
    }
    return text;
  }
}

function doc(text: string | null, indent: string): string {
  const [line] = (text ?? "").split("\n\n");
  const short = line.replace(/\s+/g, " ").replaceAll("*/", "*\\/").trim();
  return short === "" ? "" : `${indent}/** ${short.length > 300 ? `${short.slice(0, 297)}...` : short} */\n`;
}

/** Written where they are used: proxies whose calls, or whose items, are typed by somebody else. */
const helpers: [name: string, type: string][] = [
  ["PyMembers", "PyMembers = Pick<PyProxy, keyof PyProxy>"],
  ["PyIterable<", "PyIterable<T> = Iterable<T> & Omit<PyProxy, typeof Symbol.iterator>"],
  ["PyAsyncIterable<", "PyAsyncIterable<T> = AsyncIterable<T> & Omit<PyProxy, typeof Symbol.asyncIterator>"],
];

/**
 * Declarations of Python modules, as the text of a `.d.ts` file that types `python.import(name)`.
 *
 * @param names the modules
 * @throws {PythonError} if one cannot be imported
 */
export function declare(names: readonly string[]): string {
  const globals = python.builtins.dict();
  globals.$set("names", names);
  python.exec(pythonText("describe"), { globals, filename: "<pyawait/describe.py>" });
  const modules = JSON.parse(globals.$get("result")) as ModuleShape[];
  let text = `// Made by \`pyawait types ${names.join(" ")}\` with Python ${python.version}.\n`;
  text += 'import type { Keywords, PyProxy } from "pyawait";\n\ndeclare module "pyawait" {\n  interface PythonModules {\n';
  for (const { name } of modules) text += `    ${key(name)}: ${name.replace(/\W/g, "_")};\n`;
  text += "  }\n}\n";
  let body = "";
  for (const module of modules) {
    const printer = new Printer(module);
    body += `\n${printer.classInterfaces(module.members)}${doc(module.doc, "")}`;
    body += `type ${module.name.replace(/\W/g, "_")} = PyProxy & {\n${printer.members(module.members, "  ")}};\n`;
  }
  for (const [name, type] of helpers) if (body.includes(name)) text += `\ntype ${type};\n`;
  return text + body;
}
