"""`python.import` and `python.importAsync`: modules by name, files by path, and what to do where one is missing."""

_files_by_name = {}  # {name: (file, a package's folder or None)} of modules that only this finder finds
_names_by_file = {}  # {real path: name} of everything that was imported as a file


class _FileFinder:
    """Finds modules that JavaScript has imported as files: importlib then loads them, with its locks."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name not in _files_by_name:
            return None
        file, folder = _files_by_name[name]
        folders = None if folder is None else [folder]
        return importlib.util.spec_from_file_location(name, file, submodule_search_locations=folders)


def import_module(name):
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        explain_missing_module(error, name)
        raise


def import_file(path):
    """The module of a `.py` file or of a package's folder; the same real path gives the same module."""
    file, folder = _file_to_import(path)
    name = _names_by_file.get(file) or _name_of_loaded(file) or _choose_name(file, folder)
    try:
        module = import_module(name)
    except BaseException:
        if name not in sys.modules:  # `import name` in Python goes on finding nothing
            _files_by_name.pop(name, None)
            _names_by_file.pop(file, None)
        raise
    _names_by_file[file] = name
    return module


def _file_to_import(path):
    """The real path of the file to run, and the folder if it is a package's."""
    real = os.path.realpath(path)
    file = os.path.join(real, "__init__.py") if os.path.isdir(real) else real
    if not os.path.isfile(file):
        if file != real:
            raise ImportError("Cannot import %s: a folder needs an __init__.py to be a package" % path, path=path)
        other = next((found for found in (real + ".py", real[:-3]) if os.path.exists(found)), None)
        advice = "" if other is None else "; there is %s" % other
        raise ModuleNotFoundError("Cannot import %s: there is no such file%s" % (path, advice), path=path)
    if not file.endswith(".py"):
        raise ImportError(
            "Cannot import %s: only .py files and the folders of packages can be imported" % path, path=path
        )
    return file, os.path.dirname(file) if os.path.basename(file) == "__init__.py" else None


def _name_of_loaded(file):
    """The name of a module that Python has loaded from this file by itself."""
    for name, module in list(sys.modules.items()):
        origin = module.__dict__.get("__file__") if isinstance(module, types.ModuleType) else None
        if name != "__main__" and isinstance(origin, str) and os.path.basename(origin) == os.path.basename(file):
            if os.path.realpath(origin) == file:
                return name
    return None


def _choose_name(file, folder):
    """The stem; with a hash if another module has that name."""
    name = os.path.basename(folder or file[:-3]).replace(".", "_")
    taken, origin = name in sys.modules, None
    if not taken:
        try:
            spec = importlib.util.find_spec(name)
            taken, origin = spec is not None, getattr(spec, "origin", None)
        except Exception:
            taken = True
    if taken and isinstance(origin, str) and os.path.realpath(origin) == file:
        return name  # it is on sys.path
    if taken:
        import hashlib

        name = "%s_%s" % (name, hashlib.sha256(file.encode("utf-8", "surrogatepass")).hexdigest()[:8])
    if _FileFinder not in sys.meta_path:
        sys.meta_path.insert(0, _FileFinder)
    _files_by_name[name] = file, folder
    return name


async def import_async(by, name):
    """Imports on Python's main thread: `by` is "import_module" or "import_file"."""
    if threading.current_thread() is threading.main_thread():
        return globals()[by](name)
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(import_async(by, name), _background))


# What to do about a module that is missing ---------------------------------------------------------------------------

_projects = {  # whose names are not their modules'
    "bs4": "beautifulsoup4",
    "Crypto": "pycryptodome",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "git": "GitPython",
    "jwt": "PyJWT",
    "OpenSSL": "pyOpenSSL",
    "PIL": "pillow",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "PyYAML",
}


def explain_missing_module(error, requested=None):
    """Adds to the message which Python has looked where, and what installs or finds the module. Once per error."""
    try:
        if "_pyawait_explained" in error.__dict__ or not isinstance(error.msg, str) or not isinstance(error.name, str):
            return
        error._pyawait_explained = True
        advice = _advice_for(error, error.name.partition(".")[0], requested or error.name)
        error.msg = "\n".join([error.msg, *advice])
    except Exception:
        pass  # it is of a class of the user's, or Python code has changed what this asks


def _advice_for(error, top, requested):
    if requested.endswith(".py") or "/" in requested or "\\" in requested:
        path = requested if requested.endswith(".py") else requested + ".py"
        return [
            "python.import takes the name of a module, or the path of a file: python.import(%s)" % _quoted("./" + path)
        ]
    if top in sys.modules:
        return []  # a package that lacks a submodule
    sibling = _find_sibling(error.__traceback__, top)
    if sibling is not None:
        return [
            "%s is beside the file that imports it, but sys.path does not have that folder." % sibling,
            "Import it first: python.import(%s); or import the folder as a package, whose files use `from . import %s`;"
            % (_quoted(sibling), top),
            "or put the folder on sys.path: python.configure({ path: [%s] })" % _quoted(os.path.dirname(sibling)),
        ]
    looked = "Python %s (%s) has looked in %s" % (version_text(), sys.executable, ", ".join(map(str, sys.path)))
    if top in getattr(sys, "stdlib_module_names", ()):
        return [looked, "It is part of Python's standard library, but this Python was built without it"]
    return [
        looked,
        "To install it: %s" % _install_command(_projects.get(top, top)),
        "If it is a file of yours: python.import(%s), or python.configure({ path: [folder] }). "
        "If another Python has it: python.configure({ executable })" % _quoted("./%s.py" % top),
    ]


def _quoted(text):
    return '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"')


def _find_sibling(entry, name):
    """A module of this name in the folder of one of the files that were running."""
    for frame, _ in traceback.walk_tb(entry):
        folder = os.path.dirname(frame.f_code.co_filename)
        for file in (name + ".py", os.path.join(name, "__init__.py")):
            if os.path.isabs(folder) and os.path.isfile(os.path.join(folder, file)):
                return (
                    os.path.dirname(os.path.join(folder, file)) if file != name + ".py" else os.path.join(folder, file)
                )
    return None


def _install_command(project):
    import sysconfig

    python = '"%s"' % sys.executable if " " in sys.executable else sys.executable
    if _is_made_by_uv() or importlib.util.find_spec("pip") is None:
        return "uv pip install --python %s %s" % (python, project)
    managed = os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")
    if sys.prefix == sys.base_prefix and os.path.exists(managed):  # pip refuses
        own = os.path.join(".venv", "Scripts" if os.name == "nt" else "bin", "python")
        return "%s -m venv .venv && %s -m pip install %s" % (python, own, project)
    return "%s -m pip install %s" % (python, project)


def _is_made_by_uv():
    try:
        with open(os.path.join(sys.prefix, "pyvenv.cfg"), encoding="utf-8") as file:
            return any(line.partition("=")[0].strip() == "uv" for line in file)
    except (OSError, ValueError):
        return False
