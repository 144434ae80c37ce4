"""The frame under a call from JavaScript: what a function sees that looks at its caller (`eval`, `globals`, `warnings`).

It is a frame of `__main__`, as under a script's call: its local variables are that module's globals. So the code of the
function that makes the call is not optimised, and has what it calls in cells, which `locals()` leaves out.
"""

import __main__

_FRAME_FILE = "<javascript>"


def _as_module_code(function):
    code = function.__code__
    flags = code.co_flags & ~(inspect.CO_OPTIMIZED | inspect.CO_NEWLOCALS | inspect.CO_NESTED)
    names = {"co_name": "<module>", "co_filename": _FRAME_FILE, "co_firstlineno": 1}
    if hasattr(code, "co_qualname"):
        names["co_qualname"] = "<module>"
    return code.replace(co_flags=flags, **names)


def _invert_code(operand=None):
    return _as_module_code(lambda: ~operand)


def _call_code(function=None, args=None, kwargs=None):
    return _as_module_code(lambda: function(*args, **kwargs))


_invert_code, _call_code = _invert_code(), _call_code()


def _frame_function(code, **cells):
    closure = tuple(types.CellType(cells[name]) for name in code.co_freevars)
    return types.FunctionType(code, __main__.__dict__, "<module>", None, closure)


def make_frame(operand):
    """The function from whose frame the shim calls; `~operand` makes the call."""
    return _frame_function(_invert_code, operand=operand)


def call_framed(function, args, kwargs):
    """Calls on another thread than JavaScript's, with such a frame underneath."""
    try:
        return _frame_function(_call_code, function=function, args=args, kwargs=kwargs)()
    except BaseException as error:
        strip_traceback(error)
        raise error


def strip_traceback(error):
    """Takes the frames of calls from JavaScript, and of pyawait's functions that called, out of a traceback."""
    first = entry = BaseException.__traceback__.__get__(error)
    while entry is not None and (
        entry.tb_frame.f_globals is globals() or entry.tb_frame.f_code in (_invert_code, _call_code)
    ):
        entry = entry.tb_next
    if entry is not first:
        BaseException.__traceback__.__set__(error, entry)
