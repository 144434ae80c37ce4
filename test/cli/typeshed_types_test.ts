/**
 * `pyawait types` reads typeshed, a small one that is made here and that of an installed type checker: a misspelt member
 * is an error where the stub is complete, and a correct program never is.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { assert, assertEquals, assertMatch } from "#std/assert";
import { python } from "../../mod.ts";
import { declare } from "../../src/cli/declarations.ts";
import { declared, problemsIn } from "../support/declared.ts";
import { folder, write } from "../support/typescript.ts";

const members = 'import type { PyMembers } from "pyawait";\n';

// A typeshed of its own -----------------------------------------------------------------------------------------------

write("shed/stdlib/VERSIONS", "# comments\nmath: 3.0-\njson: 3.0-\nshelve: 3.99-\ncolorsys: 3.0-3.1\nstring: 3.0-  # more\n");
write(
  "shed/stdlib/builtins.pyi",
  `from typing import Any
class object:
    def __getattribute__(self, name: str, /) -> Any: ...
class int: ...
class float: ...
class str: ...
class bool(int): ...
class type: ...
class BaseException:
    args: tuple[Any, ...]
    def __init__(self, *args: object) -> None: ...
class Exception(BaseException): ...
class ValueError(Exception): ...
class property: ...
`,
);
write(
  "shed/stdlib/typing.pyi",
  "class Any: ...\nclass SupportsFloat: ...\nclass SupportsIndex: ...\nUnion: object\nFinal: object\nclass TypeVar: ...\n",
);
write(
  "shed/stdlib/_typeshed/__init__.pyi",
  "import os\nfrom typing import Union\nfrom os import PathLike\nStrPath = Union[str, PathLike[str]]\n",
);
write("shed/stdlib/os/__init__.pyi", "from . import path as _path\nclass PathLike: ...\n");
write(
  "shed/stdlib/math.pyi",
  `import sys
from typing import SupportsFloat, SupportsIndex, Final, TypeVar, Union
_Number = SupportsFloat | SupportsIndex
_T = TypeVar("_T")
_Loop = Union[int, _Loop]
pi: Final[float]
tau: Final = 6.28
def sqrt(x: _Number, /) -> float: ...
def comb(n: _T, k: _T) -> _Loop: ...
if sys.version_info >= (3, 0):
    def floor(x: _Number, /) -> int: ...
else:
    def old(x: _Number) -> int: ...
if sys.platform == "no such system":
    def elsewhere() -> int: ...
def not_in_this_python() -> int: ...
`,
);
write(
  "shed/stdlib/json/__init__.pyi",
  "from .decoder import JSONDecodeError as Error, JSONDecoder as JSONDecoder\nfrom .decoder import *\nfrom . import decoder\n__all__ = ['JSONDecoder']\n__all__ += decoder.__all__\n",
);
write(
  "shed/stdlib/json/decoder.pyi",
  `from _typeshed import StrPath
import builtins as _b
__all__ = ["JSONDecodeError"]
class _Base:
    shared: int
    def loads(self) -> JSONDecodeError: ...
class JSONDecodeError(ValueError, _Base):
    lineno: int
    def at(self, path: StrPath) -> _b.str: ...
    twice = at
class JSONDecoder:
    def __init__(self, *, strict: bool = True) -> None: ...
    def __getattr__(self, name: str) -> int: ...
`,
);
write("shed/stdlib/string.pyi", "from typing import Any\ndigits: str\ndef __getattr__(name: str) -> Any: ...\n");
const shed = join(folder, "shed");

test("a typeshed in a folder: across its modules, for this Python, and what it has misspelt", () => {
  const uses = `${members}
const math = python.import("math"), json = python.import("json"), text = python.import("string");
expectType<number>()(math.pi, true);
expectType<number>()(math.tau, true);
expectType<number>()(math.sqrt(2), true);
expectType<number>()(math.sqrt(2n), true);
expectType<number>()(math.sqrt(python.builtins.int(1)), true);
expectType<any>()(math.comb(1, 2), true);
expectType<number>()(math.floor(2), true);
math.gcd(4, 6); // the module has more than this stub says
const error = new json.JSONDecodeError("a", "b", 1);
expectType<number>()(error.lineno, true);
expectType<number>()(error.shared, true);
expectType<number>()(error.loads().lineno, true);
expectType<string>()(error.at("path"), true);
error.at(python.import("math"));
expectType<string>()(error.twice("path"), true);
expectType<PyProxy>()(error.args, true);
error.with_traceback; // the class has more than this stub says
error.__cause__, error._private, error.$type, String(error), JSON.stringify(error), error.toJSON;
json.JSONDecodeError.at(error, "path"), json.JSONDecodeError.mro(), json.JSONDecodeError.__name__;
new json.JSONDecoder(kw({ strict: false })).whatever;
json.decoder.anything, json.tool.main; // submodules, imported or not
text.whatever;
expectType<string>()(text.digits, true);
function takes(proxy: PyProxy, like: PyMembers) { void [proxy, like]; }
takes(math, math), takes(error, error), takes(math.sqrt, math.sqrt), json.JSONDecodeError satisfies PyMembers;
// @ts-expect-error -- a number
math.sqrt("2");
// @ts-expect-error -- misspelt
math.sqroot(2);
// @ts-expect-error -- not in this Python
math.old(2);
// @ts-expect-error -- not on this system
math.elsewhere();
// @ts-expect-error -- not in this Python
math.not_in_this_python();
// @ts-expect-error -- misspelt
error.linenumber;
// @ts-expect-error -- misspelt
json.JSONDecodeError.att;
// @ts-expect-error -- misspelt
json.dumbs({});
// @ts-expect-error -- a path is a string or an object of Python's
error.at(5);
`;
  assertEquals(problemsIn(["math", "json", "string"], uses, { stubs: [shed] }), []);
});

test("what typeshed says does not exist in this Python is not taken from it", () => {
  const lines: string[] = [];
  declare(["colorsys", "math"], { stubs: [shed], report: (line) => lines.push(line) });
  assertEquals(lines.length, 2);
  assert(!lines[0].includes(shed), lines[0]);
  assertEquals(lines[1], `types of math: stubs in ${shed}`);
});

test("a package of stubs, and one whose stubs are partial", () => {
  for (const [name, typed] of [["whole", ""], ["part", "partial\n"]]) {
    write(`${name}/__init__.py`, "class Shape:\n    def area(self): return 1\n    def more(self): return 1\n");
    write(`${name}/extra.py`, "");
    write(`${name}-stubs/__init__.pyi`, "class Shape:\n    def area(self) -> int: ...\n");
    write(`${name}-stubs/py.typed`, typed);
  }
  const uses = `
const whole = python.import("whole"), part = python.import("part");
expectType<number>()(new whole.Shape().area(), true);
expectType<number>()(new part.Shape().area(), true);
new whole.Shape().more(), whole.extra.x;
part.whatever, new part.Shape().whatever;
// @ts-expect-error -- misspelt
whole.Shap;
// @ts-expect-error -- misspelt
new whole.Shape().arae();
`;
  assertEquals(problemsIn(["whole", "part"], uses), []);
  assertMatch(declare(["whole"]), /^\/\/ whole: from whole-stubs\.$/m);
});

// The whole of typeshed -----------------------------------------------------------------------------------------------

function install(): string | false {
  if (process.env.PYAWAIT_TEST_TYPESHED === "0") return "TYPESHED HAS NOT BEEN TESTED: PYAWAIT_TEST_TYPESHED=0";
  const options = ["--quiet", "--disable-pip-version-check", "--only-binary", ":all:", "--no-deps", "--target", join(folder, "checker")];
  try {
    execFileSync(process.env.PYAWAIT_PYTHON ?? "python3", ["-m", "pip", "install", ...options, "mypy"], {
      stdio: "pipe",
      timeout: 120_000,
    });
    return false;
  } catch (error) {
    return `TYPESHED HAS NOT BEEN TESTED: mypy cannot be installed: ${String(error).split("\n")[0]}`;
  }
}
const skip = install();
if (skip) console.log(`skip: ${skip}`);

test("an installed mypy: programs that use the standard library, and misspelt members", { skip }, () => {
  const names = "math json os pathlib subprocess collections asyncio http datetime re random logging sys itertools functools time enum";
  const more = "uuid csv sqlite3 threading concurrent.futures argparse io decimal typing dataclasses contextlib hashlib base64 builtins";
  const uses = `${members}
const math = python.import("math");
expectType<number>()(math.sqrt(2), true);
expectType<number>()(math.ceil(2.5), true);
math.sqrt(python.import("decimal").Decimal("2")), math.__name__, math.$type, String(math);
const json = python.import("json");
expectType<string>()(json.dumps({ a: 1 }, kw({ indent: 2 })), true);
expectType<any>()(json.loads(new Uint8Array()), true);
const error = new json.JSONDecodeError("a", "b", 1);
expectType<number>()(error.lineno, true);
error.args, error.with_traceback, error.__cause__;
const os = python.import("os");
os.path.join("a", "b"), os.environ.$get("A"), os.environ.get("A");
expectType<string>()(os.getcwd(), true);
const { Path } = python.import("pathlib");
const path = new Path("a", "b");
expectType<string>()(path.parent.name, true);
expectType<string>()(Path.cwd().read_text(), true);
expectType<number>()(path.stat().st_size, true);
for (const each of path.iterdir()) expectType<string>()(each.name, true);
Path.exists(path), Path.mro(), new Path(path), os.stat(path);
function takes(proxy: PyProxy) { void proxy; }
takes(path), takes(Path), takes(math), takes(math.sqrt);
const counter = new (python.import("collections").Counter)(["a"]);
counter.most_common(1), counter.keys(), counter.items();
python.import("subprocess").run(["a"], kw({ capture_output: true })).returncode;
const asyncio = python.import("asyncio");
async function use() {
  await asyncio.sleep(1), await asyncio.gather(asyncio.sleep(1), asyncio.sleep(2)), await asyncio.wait_for(asyncio.sleep(1), 5);
  const queue = new asyncio.Queue(), task = asyncio.create_task(asyncio.sleep(1));
  await queue.put(1), await task, task.cancel(), task.add_done_callback(() => {});
  expectType<number>()(queue.qsize(), true);
}
void use;
expectType<number>()(python.import("http").HTTPStatus.OK, true);
const dates = python.import("datetime");
expectType<string>()(new dates.datetime(2020, 1, 1).isoformat(), true);
dates.datetime.now(dates.timezone.utc).year, dates.datetime.combine(new Date(), dates.time(1));
const re = python.import("re");
re.compile("a").match("b")?.group(0), re.sub("a", () => "x", "c"), re.IGNORECASE;
const logging = python.import("logging");
logging.getLogger("a").info("x", 1), logging.handlers.anything;
expectType<bigint>()(python.import("sys").maxsize, true);
python.import("sys").path.insert(0, "x");
for (const each of python.import("itertools").chain([1], [2])) void each;
python.import("functools").partial(math.sqrt, 2)();
expectType<number>()(python.import("time").time(), true);
python.import("enum").Enum("A", "B C").B;
expectType<string>()(python.import("uuid").uuid4().hex, true);
for (const row of python.import("csv").DictReader(["a"])) void row;
const db = python.import("sqlite3").connect(":memory:");
db.execute("select 1").fetchone(), db.row_factory = python.import("sqlite3").Row;
new (python.import("threading").Thread)(kw({ target: () => 1 })).start();
new (python.import("concurrent.futures").ThreadPoolExecutor)(2).submit(math.sqrt, 2).result();
new (python.import("argparse").ArgumentParser)().parse_args([]).whatever;
expectType<string>()(new (python.import("io").StringIO)("x").getvalue(), true);
expectType<string>()(python.import("hashlib").sha256(new Uint8Array()).hexdigest(), true);
expectType<Uint8Array>()(python.import("base64").b64encode(new Uint8Array()), true);
const built = python.import("builtins");
built.list([1]).append(2), built.sorted([1], kw({ reverse: true })), built.print("x", 1), built.dict({ a: 1 }).items();
built.type(built.list([1])).anything, built.isinstance(1, built.int), built.sum([1, 2]), built.ValueError("x").args;
expectType<number>()(built.len([1]), true);
class Worker extends python.import("threading").Thread {
  #ran = false;
  override run() {
    this.#ran = true;
  }
  get ran() {
    return [this.#ran, this.name.length, this._target, Worker.__name__, Worker._bootstrap];
  }
}
new Worker(kw({ name: "x" })).start();
class Encoder extends json.JSONEncoder {
  override default(value: unknown) {
    return super.default(value) ?? String(value);
  }
}
new Encoder().encode(1);
class Handler extends logging.Handler {
  override emit(record: PyProxy) {
    this.format(record);
  }
}
new Handler(10);
// @ts-expect-error -- misspelt
math.sqroot(2);
// @ts-expect-error -- misspelt
error.linenr;
// @ts-expect-error -- misspelt
os.environ.gett("A");
// @ts-expect-error -- misspelt
os.stat("/").st_sise;
// @ts-expect-error -- misspelt
path.exist();
// @ts-expect-error -- misspelt
Path.cwdd();
// @ts-expect-error -- misspelt
asyncio.gahter();
`;
  python.import("sys").path.insert(0, join(folder, "checker"));
  assertEquals(problemsIn([...names.split(" "), ...more.split(" ")], uses), []);
  assertMatch(declared(["math"]).text, /^\/\/ math: stubs of mypy \d/m);
});

test("an installed mypy: the declarations of the rest of the standard library compile", { skip }, () => {
  const names =
    "abc array ast bisect calendar cmd codecs collections.abc configparser contextvars copy ctypes difflib email.message glob gzip";
  const more = "heapq http.client http.server inspect ipaddress locale mailbox mimetypes multiprocessing numbers operator pickle queue";
  const rest =
    "shutil signal socket ssl statistics string struct tarfile tempfile tokenize traceback types unittest unittest.mock urllib.parse";
  const last = "urllib.request warnings weakref xml.dom.minidom xml.etree.ElementTree zipfile importlib.abc encodings.idna optparse typing";
  assertEquals(problemsIn([names, more, rest, last].join(" ").split(" "), ""), []);
});
