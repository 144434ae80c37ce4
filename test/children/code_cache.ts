/** Says whether Python's half was compiled, or was kept by an earlier process and marked by the test. */
import { python } from "../../mod.ts";

console.log(python.exec('import builtins; getattr(builtins, "code_was", "compiled")'));
