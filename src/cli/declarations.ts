// TypeScript declarations for Python modules: `pyawait types`.
//
// `py/describe.py` reads stubs, annotations and signatures and returns a small tree, which this file prints. Arguments
// are typed as what conversions accept, results as what they give.
import { python } from "../python.ts";
import { pythonText } from "../interpreter/python_text.ts";

type Type = [kind: string, ...rest: unknown[]];

interface Parameter {
  name: string;
  type: Type;
  optional: boolean;
  /** Cannot be given by keyword. */
  only: boolean;
}

interface CallShape {
  positional: Parameter[];
  rest: Type | null;
  keywords: Parameter[];
  open: boolean;
  result: Type;
}

type Member =
  | { kind: "value"; type: Type; doc: string | null }
  | { kind: "function"; calls: CallShape[]; doc: string | null }
  | { kind: "class"; name: string };

interface ClassShape {
  bases: string[];
  members: Record<string, Member>;
  /** The members of the class itself. */
  statics: Record<string, Member>;
  calls: CallShape[] | null;
  /** The type of its instances in JavaScript if they do not stay proxies. */
  plain: Type | null;
  protocol: boolean;
  awaits: boolean;
  /** There may be other members. */
  open: boolean;
  /** A call makes a class. */
  functional: boolean;
  /** Names of the class itself that begin with an underscore. */
  hidden: string[];
  doc: string | null;
}

interface ModuleShape {
  name: string;
  doc: string | null;
  /** Where its types come from. */
  source: string;
  open: boolean;
  members: Record<string, Member>;
  classes: Record<string, ClassShape>;
}

type Part = "members" | "statics";

const isName = (name: string) => /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name);
// A member named `new` would be a construct signature.
const key = (name: string) => isName(name) && name !== "new" ? name : JSON.stringify(name);

/** Names that types or parameters cannot have, or that the generated text uses itself. */
const reserved = [
  "abstract any arguments as asserts async await bigint boolean break case catch class const continue debugger declare",
  "default delete do else enum eval export extends false finally for function global if implements import in infer",
  "instanceof interface intrinsic is keyof let module namespace never new null number object package private protected",
  "public readonly return static string super switch symbol this throw true try type typeof undefined unique unknown",
  "var void while with yield",
  "Array ArrayBuffer ArrayBufferView AsyncIterable DataView Exclude Iterable Keywords Map Omit Pick PromiseLike",
  "PyAsyncIterable PyBase PyBuffer PyClass PyFunction PyHidden PyIterable PyKnown PyMembers PyObject PyProxy PythonModules Record Set",
  "SharedArrayBuffer Symbol Uint8Array",
].join(" ").split(" ");

/** Returns a function that makes names unique and not reserved. */
function uniqueNames(): (name: string) => string {
  const taken = new Set(reserved);
  return (name) => {
    while (taken.has(name)) name += "_";
    taken.add(name);
    return name;
  };
}

const anyCall: CallShape = { positional: [], rest: ["any"], keywords: [], open: true, result: ["any"] };

/** Prints the declarations of one module. */
class Printer {
  readonly name: string;
  readonly #module: ModuleShape;
  /** The instance type of each class. The names of its parts end in `$…`, which no Python name does. */
  readonly #aliases: Map<string, string>;

  constructor(module: ModuleShape, unique: (name: string) => string) {
    const ascii = (name: string) => name.replace(/[^A-Za-z0-9]/g, "_");
    this.#module = module;
    this.name = unique(ascii(module.name));
    this.#aliases = new Map(Object.keys(module.classes).map((name) => [name, unique(`${this.name}_${ascii(name)}`)]));
  }

  /** Prints a type, as an argument (`into` Python) or as a result. */
  type([kind, ...rest]: Type, into: boolean): string {
    const inner = (at = 0) => this.type(rest[at] as Type, into);
    switch (kind) {
      case "number":
      case "string":
      case "boolean":
      case "never":
      case "unknown":
      case "any":
        return kind;
      case "null":
        return into ? "null | undefined" : kind;
      case "int":
      case "float":
        return into ? "number | bigint" : "number";
      case "bigint":
        return rest.length > 0 ? `${rest[0]}n` : kind;
      case "numeric":
        return into ? "number | bigint | PyProxy" : "any";
      case "buffer":
        return into ? "ArrayBufferView | ArrayBuffer | SharedArrayBuffer | PyBuffer | PyProxy" : "any";
      case "object":
        return into ? "PyProxy" : "PyProxy";
      case "bytes":
        return into ? "Uint8Array | ArrayBuffer | DataView | PyProxy" : "Uint8Array";
      case "literal":
        return JSON.stringify(rest[0]);
      case "union":
        return this.#union(rest as Type[], into);
      case "accepted": // a type parameter: which of these types it is, or of what classes below, only a call says
        return into ? this.#union(rest as Type[], into) : "any";
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
        return this.#classType(rest[0] as string, into);
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
    // Not PyProxy, which is callable: TypeScript would not infer the parameters of a function literal.
    return `((${listed}) => ${result[0] === "null" ? "void" : this.type(result, true)}) | PyMembers`;
  }

  #classType(name: string, into: boolean): string {
    const { plain, protocol } = this.#module.classes[name];
    if (plain) return this.type(plain, into);
    // Many results are only known to be proxies, and any object may satisfy a protocol.
    return !into ? this.#aliases.get(name)! : protocol ? "any" : `${this.#aliases.get(name)} | PyProxy`;
  }

  /** The signatures of one call; several where a required argument may also be given by keyword. */
  #signatures(call: CallShape, result = this.type(call.result, false)): string[] {
    const unique = uniqueNames();
    const parameters = call.positional.map((each) => ({ ...each, name: unique(isName(each.name) ? each.name : "arg") }));
    const byKeyword = call.keywords.length > 0 || call.open || parameters.some(({ only }) => !only);
    const keywords = unique("keywords");
    const parts: string[] = [];
    const signatures: string[] = [];
    let optional = false;
    for (const { name, type, optional: mayBeLeftOut, only } of parameters) {
      optional ||= mayBeLeftOut;
      const printed = this.type(type, true);
      const required = call.positional.filter((each) => !each.optional).length;
      // A parameter of type `any` accepts the keywords as well.
      const accepted = printed === "any" && required === parts.length + 1;
      if (!optional && !only && !accepted) signatures.push(`(${[...parts, `${keywords}: Keywords`].join(", ")}): ${result}`);
      parts.push(optional ? `${name}?: ${byKeyword ? oneOf(printed, "Keywords") : printed}` : `${name}: ${printed}`);
    }
    if (call.rest) {
      const printed = this.type(call.rest, true);
      parts.push(`...${unique("args")}: Array<${byKeyword ? oneOf(printed, "Keywords") : printed}>`);
    } else if (byKeyword) {
      parts.push(`${keywords}${call.keywords.some((each) => !each.optional) && !optional ? "" : "?"}: Keywords`);
    }
    return [`(${parts.join(", ")}): ${result}`, ...signatures];
  }

  #overloads(calls: CallShape[], result?: string): string[] {
    // TypeScript takes the first that fits; what takes and gives anything would hide the others.
    const says = ({ positional: [first], result }: CallShape) =>
      first && this.type(first.type, true) === "any" && this.type(result, false) === "any" ? 1 : 0;
    const sorted = [...calls].sort((a, b) => says(a) - says(b));
    return [...new Set(sorted.flatMap((call) => this.#signatures(call, result)))];
  }

  #callable(calls: CallShape[]): string {
    return `PyFunction & { ${this.#overloads(calls).join("; ")} }`;
  }

  members(members: Record<string, Member>, indent: string): string {
    return Object.entries(members)
      .filter(([name]) => name !== "then") // hidden on proxies that are not awaitable
      .map(([name, member]) => this.#member(name, member, indent))
      .join("");
  }

  #member(name: string, member: Member, indent: string): string {
    if (member.kind === "class") {
      const { doc: text } = this.#module.classes[member.name];
      return `${doc(text, indent)}${indent}${key(name)}: ${this.#aliases.get(member.name)}$class;\n`;
    }
    const type = member.kind === "value" ? this.type(member.type, false) : this.#callable(member.calls);
    return `${doc(member.doc, indent)}${indent}${key(name)}: ${type};\n`;
  }

  /** The names of all members of a class, including inherited ones. */
  #namesIn(name: string, part: Part): string[] {
    const shape = this.#module.classes[name];
    return [...Object.keys(shape[part]), ...shape.bases.flatMap((base) => this.#namesIn(base, part))];
  }

  #awaits(name: string): boolean {
    const { awaits, bases } = this.#module.classes[name];
    return awaits || bases.some((base) => this.#awaits(base));
  }

  /** The members of a class. What it overrides is omitted from its bases, because Python allows another type. */
  #inherited(name: string, part: Part): string {
    const { bases, [part]: own } = this.#module.classes[name];
    const taken = new Set(Object.keys(own));
    const parts = bases.filter((base) => this.#namesIn(base, part).length > 0).map((base) => {
      const names = this.#namesIn(base, part);
      const overridden = [...new Set(names.filter((each) => taken.has(each)))];
      for (const each of names) taken.add(each);
      const type = `${this.#aliases.get(base)}$${part}`;
      return overridden.length > 0 ? `Omit<${type}, ${overridden.map((each) => JSON.stringify(each)).join(" | ")}>` : type;
    });
    return [...parts, `{\n${this.members(own, "  ")}}`].join(" & ");
  }

  /** What a class with known members has of its instances: their methods, unbound, and descriptors; and hidden names. */
  #ofInstances(name: string, hidden: string[]): string {
    const alias = this.#aliases.get(name)!, names = ["toJSON", ...hidden].map((each) => JSON.stringify(each));
    const has = (part: Part) => this.#namesIn(name, part).length > 0;
    if (has("members")) {
      names.unshift(has("statics") ? `Exclude<keyof ${alias}$members, keyof ${alias}$statics>` : `keyof ${alias}$members`);
    }
    return `{ [name in ${names.join(" | ")}]: any }`;
  }

  #methodNames(name: string): Set<string> {
    const { members, bases } = this.#module.classes[name];
    const names = new Set(bases.flatMap((base) => [...this.#methodNames(base)]));
    for (const [each, { kind }] of Object.entries(members)) kind === "function" && each !== "then" ? names.add(each) : names.delete(each);
    return names;
  }

  /**
   * The methods of a class as a JavaScript class that extends it may override them: by any other, as in Python. They have
   * the syntax of methods, because TypeScript lets no method override a property.
   */
  #methods(name: string): string {
    const names = this.#methodNames(name);
    const inherited = this.#module.classes[name].bases.map((base) => [this.#aliases.get(base), this.#methodNames(base)] as const);
    const parts = inherited.filter(([, those]) => those.size > 0 && [...those].every((each) => names.has(each)));
    const own = [...names].filter((each) => !parts.some(([, those]) => those.has(each)));
    const printed = parts.map(([base]) => `${base}$methods`);
    if (own.length > 0) printed.push(`{ ${own.map((each) => `${key(each)}(...args: any[]): any`).join("; ")} }`);
    return printed.join(" & ");
  }

  classes(): string {
    let text = "";
    for (const [name, { plain, calls, open, functional, hidden }] of Object.entries(this.#module.classes)) {
      const alias = this.#aliases.get(name)!;
      const instance = [open ? "PyProxy" : "PyKnown"], itself = [open ? "PyMembers" : "PyClass"];
      if (this.#awaits(name)) instance.push("PromiseLike<any>");
      for (const [part, types] of [["members", instance], ["statics", itself]] as [Part, string[]][]) {
        if (this.#namesIn(name, part).length === 0) continue;
        text += `type ${alias}$${part} = ${this.#inherited(name, part)};\n`;
        types.push(`${alias}$${part}`);
      }
      if (!open) itself.push(this.#ofInstances(name, hidden));
      const signatures = (result: string) => this.#overloads(calls ?? [anyCall], result);
      const made = signatures(functional ? "any" : alias);
      const methods = this.#methods(name), base = `PyBase<${alias}$members, ${methods ? `${alias}$methods` : "object"}>`;
      if (methods) text += `type ${alias}$methods = ${methods};\n`;
      // A class that extends this one takes the last: of the constructors only those without type parameters.
      const extended = plain || functional || this.#namesIn(name, "members").length === 0 ? [] : signatures(base);
      const constructors = made.map((each) => extended.length > 0 ? `new <_>${each}` : `new ${each}`);
      itself.push(`{ ${[...made, ...constructors, ...extended.map((each) => `new ${each}`)].join("; ")} }`);
      text += `type ${alias} = ${plain ? this.type(plain, false) : instance.join(" & ")};\n`;
      text += `type ${alias}$class = ${itself.join(" & ")};\n`;
    }
    return text;
  }
}

const oneOf = (type: string, other: string) => type === "any" || type === "unknown" ? type : `${type} | ${other}`;

function doc(text: string | null, indent: string): string {
  const [line] = (text ?? "").split("\n\n");
  const short = line.replace(/\s+/g, " ").replaceAll("*/", "*\\/").replaceAll("@ts-", "@ ts-").trim();
  return short === "" ? "" : `${indent}/** ${short.length > 300 ? `${short.slice(0, 297)}...` : short} */\n`;
}

/** Helper types, printed where they are used: proxies whose calls or items are typed elsewhere. */
const helpers: [name: string, type: string][] = [
  ["PyKnown", "PyKnown = PyObject & { (...args: any[]): any; new (...args: any[]): any; toJSON: any }"],
  ["PyBase<", "PyBase<T, M> = PyProxy & M & { [name in Exclude<keyof T, keyof M> as 0 extends 1 & T[name] ? never : name]: T[name] }"],
  // Without an index signature, which TypeScript would want of a class that extends it.
  [
    "PyClass ",
    'PyClass = Pick<PyObject, Exclude<keyof PyObject, `_${string}` | "$copy">> & { [name in PyHidden | "$copy"]: any }',
  ],
  ["PyFunction", "PyFunction = PyMembers & (new (...args: any[]) => any)"],
  ["PyIterable<", "PyIterable<T> = Iterable<T> & Omit<PyProxy, typeof Symbol.iterator>"],
  ["PyAsyncIterable<", "PyAsyncIterable<T> = AsyncIterable<T> & Omit<PyProxy, typeof Symbol.asyncIterator>"],
];

/** The names that begin with an underscore and that every class has. */
function hiddenInAll(): string {
  const { dir, object, type } = python.builtins;
  return [...new Set<string>([...dir(type), ...dir(object)])].filter((name) => name.startsWith("_")).map((name) => JSON.stringify(name))
    .join(" | ");
}

/** Options of {@linkcode declare}. */
export interface DeclareOptions {
  /** Folders with stubs, such as a typeshed, which come before all others. */
  readonly stubs?: readonly string[];
  /** Is told where the types of each module come from, in one line. */
  readonly report?: (line: string) => void;
}

/**
 * Declarations of Python modules, as the text of a `.d.ts` file that types `python.import(name)`.
 *
 * @param names the modules
 * @throws {PythonError} if one cannot be imported
 */
export function declare(names: readonly string[], options: DeclareOptions = {}): string {
  const globals = python.builtins.dict();
  globals.$set("names", names);
  globals.$set("folders", options.stubs ?? []);
  for (const part of ["annotations", "shapes", "attributes", "stub_files", "stubs", "describe"]) {
    python.exec(pythonText(`cli/py/${part}.py`), { globals, filename: `<pyawait/${part}.py>` });
  }
  const modules = JSON.parse(globals.$get("result")) as ModuleShape[];
  for (const { name, source } of modules) options.report?.(`types of ${name}: ${source}`);
  const unique = uniqueNames();
  const printers = modules.map((module) => new Printer(module, unique));
  let text = `// Made by \`pyawait types ${names.join(" ")}\` with Python ${python.version}.\n`;
  for (const { name, source } of modules) text += `// ${name}: from ${source}.\n`.replace("from stubs", "stubs");
  text +=
    'import type { Keywords, PyBuffer, PyMembers, PyObject, PyProxy } from "pyawait";\n\ndeclare module "pyawait" {\n  interface PythonModules {\n';
  modules.forEach(({ name }, at) => text += `    ${key(name)}: ${printers[at].name};\n`);
  text += "  }\n}\n";
  let body = "";
  modules.forEach((module, at) => {
    body += `\n${printers[at].classes()}${doc(module.doc, "")}`;
    body += `type ${printers[at].name} = ${module.open ? "PyProxy" : "PyKnown"} & {\n${printers[at].members(module.members, "  ")}};\n`;
  });
  if (body.includes("PyClass ")) text += `\ntype PyHidden = ${hiddenInAll()};\n`;
  for (const [name, type] of helpers) if (body.includes(name)) text += `\ntype ${type};\n`;
  return text + body;
}
