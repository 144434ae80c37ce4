"""faulthandler beside an engine of WebAssembly, which handles the same faults (ffi/shim/faults.c)."""

import faulthandler


def _guard_faulthandler(enable):
    @functools.wraps(enable)
    def guarded(*args, **kwargs):
        _shim["save_faults"]()
        try:
            enable(*args, **kwargs)
        finally:
            _shim["guard_faults"]()

    return guarded


faulthandler.enable = _guard_faulthandler(faulthandler.enable)
