"""`python.exec` and `python.execAsync`.

If the last statement is an expression it is compiled separately, so that its value can be returned.

What runs is in `linecache`, so that tracebacks, pdb and inspect.getsource show its lines. Code without a file name of
its own gets one that no other code has: `<exec>`, `<exec 2>`, …
"""

_NO_FILE = "<exec>"
_MOST_SOURCES, _MOST_CHARACTERS = 500, 4000000  # the oldest ones go
_sources_by_name = {}  # texts in linecache, oldest first
_last_number = _characters = 0
_naming = threading.RLock()  # a finalizer may run code, too


def _drop_source(name):
    global _characters
    _characters -= len(_sources_by_name.pop(name, ""))
    linecache.cache.pop(name, None)


def _keep_source(name, text):
    """Shows the text as the file of this name."""
    global _characters
    with _naming:
        _drop_source(name)
        _sources_by_name[name], _characters = text, _characters + len(text)
        linecache.cache[name] = (len(text), None, text.splitlines(True), name)
        while len(_sources_by_name) > _MOST_SOURCES or _characters > _MOST_CHARACTERS:
            _drop_source(next(iter(_sources_by_name)))


def _has_inner_code(code):
    """Whether it may leave functions or classes, which refer to its lines."""
    return code is not None and any(isinstance(constant, types.CodeType) for constant in code.co_consts)


class _Program:
    """Compiled code, and its name while anything may refer to that."""

    def __init__(self, code, filename, flags):
        global _last_number
        text = textwrap.dedent(code)
        self.number, self.name = 0, filename
        if filename == _NO_FILE:
            with _naming:
                self.number = _last_number = _last_number + 1
            if self.number > 1:
                self.name = "<exec %d>" % self.number
        try:
            self.body, self.value = _compile(text, self.name, flags)
        except BaseException:
            self._give_name_back()
            raise
        _keep_source(self.name, text)

    def _give_name_back(self):
        global _last_number
        with _naming:
            if self.number and self.number == _last_number:
                _last_number -= 1

    def end(self):
        """It has ended without an error: its lines can be forgotten if no function has them."""
        if self.number and not _has_inner_code(self.body) and not _has_inner_code(self.value):
            with _naming:
                _drop_source(self.name)
                self._give_name_back()


def _parse(code, filename, mode="exec"):
    """Retries `ast.parse`: CPython before 3.13 shares one depth counter between threads, and may fail because of
    another thread (gh-106905).
    """
    for attempt in range(20):
        try:
            return ast.parse(code, filename, mode)
        except SystemError as error:
            if "recursion depth mismatch" not in str(error) or attempt == 19:
                raise


def _compile(text, filename, flags):
    tree = _parse(text, filename)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    body = compile(tree, filename, "exec", flags=flags, dont_inherit=True) if tree.body else None
    value = compile(ast.Expression(last.value), filename, "eval", flags=flags, dont_inherit=True) if last else None
    return body, value


def _namespace(given):
    return __main__.__dict__ if given is None else given


def execute(code, namespace, filename):
    program = _Program(code, filename, 0)
    namespace = _namespace(namespace)
    if program.body is not None:
        exec(program.body, namespace)
    result = eval(program.value, namespace) if program.value is not None else None
    program.end()
    return result


async def execute_async(code, namespace, filename):
    program = _Program(code, filename, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    namespace = _namespace(namespace)
    result = None
    for part in (program.body, program.value):
        if part is None:
            continue
        result = eval(part, namespace)
        if part.co_flags & 0x80:  # CO_COROUTINE: it awaits at its top level
            result = await result
    program.end()
    return result if program.value is not None else None
