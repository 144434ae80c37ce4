"""What objects become in JSON: what a web API would send.

The shim writes exact dicts with str keys, lists, tuples, str, int, float, bool and None itself, and asks `to_json` for
what takes any other object's place. Each form is shallow: what is in it is asked for in turn. The form of a type is
found once.
"""


def to_json(value):
    """What takes the object's place; the object itself if JSON has nothing for it, or its own code raises."""
    try:
        form = _form_of_type(type(value))
        return value if form is None else form(value)
    except (MemoryError, _NoJson):
        raise
    except Exception:
        return value


class _NoJson(TypeError):
    """Raised where JSON would lose something."""


_NoJson.__name__ = _NoJson.__qualname__ = "TypeError"


@functools.lru_cache(256)
def _form_of_type(cls):
    return _find_form(cls)


def _find_form(cls):
    """A function that gives the form of objects of a class, or None."""
    if _is_subclass(cls, JsProxy) or _is_subclass(cls, JsException):
        return None  # JavaScript's own
    for package, name in [(_package_of(base), type.__dict__["__name__"].__get__(base)) for base in _mro_of(cls)]:
        if (package, name) in _forms_by_name:
            return _forms_by_name[package, name]
        if package in _packages_of_urls and name.lower().endswith("url"):
            return str
    for base, form in _forms_by_base.items():
        if _is_subclass(cls, base):
            return form
    return _form_by_members(cls)


def _form_by_members(cls):
    has = functools.partial(_has_method, cls)
    if has("__dataclass_fields__"):
        return _form_of_dataclass(cls)
    if has("__attrs_attrs__"):
        return _of_attrs
    if has("model_dump") and has("model_fields"):
        return _of_pydantic
    if has("__fields__") and has("dict"):
        return _of_pydantic_1
    if _is_subclass(cls, tuple):
        return _of_named_tuple if has("_fields") else lambda value: tuple.__getitem__(value, slice(None))
    if _is_subclass(cls, dict):
        return lambda value: _with_text_keys(dict.items(value) if type(value) is dict else value.items())
    if _is_subclass(cls, list):
        return lambda value: list.__getitem__(value, slice(None))
    if _is_subclass(cls, collections.abc.Mapping):
        return lambda value: _with_text_keys(value.items())
    if has("keys") and has("__getitem__") and not _is_subclass(cls, type):  # SQL rows
        return lambda value: _with_text_keys((key, value[key]) for key in value.keys())
    if has("_mapping") and has("_fields"):  # SQLAlchemy's rows
        return lambda value: _with_text_keys(value._mapping.items())
    for base in (collections.abc.Sequence, collections.abc.Set, collections.abc.MappingView, collections.deque):
        if _is_subclass(cls, base):
            return list
    return None


def _of_bytes(value):
    value = bytes(value)
    try:
        return value.decode()
    except UnicodeDecodeError:
        import binascii

        return binascii.b2a_base64(value, newline=False).decode()


def _of_memoryview(value):
    return _of_bytes(value) if value.format in "bBc" else value.tolist()


def _of_datetime(value):
    """A moment as JavaScript's Date writes it, with microseconds if there are any; a naive one without a zone."""
    if value.utcoffset() is None:
        return value.isoformat()
    moment = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    return moment.isoformat(timespec="auto" if moment.microsecond % 1000 else "milliseconds") + "Z"


def _form_of_dataclass(cls):
    fields = cls.__dataclass_fields__
    field = sys.modules["dataclasses"]._FIELD  # not a ClassVar
    names = [name for name in fields if fields[name]._field_type is field]
    return lambda value: {name: getattr(value, name) for name in names}


def _of_attrs(value):
    return {each.name: getattr(value, each.name) for each in value.__attrs_attrs__}


def _of_pydantic(value):
    return value.model_dump(by_alias=True)


def _of_pydantic_1(value):
    return value.dict(by_alias=True)


def _of_named_tuple(value):
    return dict(zip(value._fields, tuple.__iter__(value)))


def _with_text_keys(items):
    """A dict of items whose keys are text."""
    found = {}
    for key, value in items:
        text = _text_of_key(key)
        if text in found:
            raise _NoJson("Cannot write this as JSON: two of its keys would be %r" % text)
        found[text] = value
    return found


def _text_of_key(key):
    """A key as text: as Python's json writes it, else as the text that it becomes in JSON, else str()."""
    if type(key) is str:
        return key
    if key is None or isinstance(key, bool):
        return "null" if key is None else "true" if key else "false"
    for _ in range(3):  # an Enum may have a numpy scalar as its value
        plain = to_json(key)
        if plain is key:
            break
        key = plain
    return key if isinstance(key, str) else str(key)


def _of_numpy(value):
    """A list of an array's items, or a scalar's; dates as datetimes, whatever their unit is."""
    dtype = value.dtype
    if dtype.kind in "mM" and dtype.name.endswith(("[ns]", "[ps]", "[fs]", "[as]")):
        value = value.astype(dtype.kind + "8[us]")  # the items of finer units are integers
    if dtype.kind == "f" and dtype.itemsize > 8:
        value = value.astype(float)  # the items of a longdouble are numpy's own
    items = value.tolist()
    if dtype.names is None:
        return items
    return [dict(zip(dtype.names, row)) for row in items] if isinstance(items, list) else dict(zip(dtype.names, items))


def _of_data_frame(value):
    """Records: an object for each row."""
    names = list(_with_text_keys((name, None) for name in value.columns))
    columns = [value.iloc[:, index].tolist() for index in range(len(names))]
    return [dict(zip(names, row)) for row in zip(*columns)] if names else [{} for _ in range(len(value))]


def _to_list(value):
    return value.tolist()


# Classes that are recognised by the package and name of one of their bases, so that nothing is imported for them.
_forms_by_name = {
    ("enum", "Enum"): lambda value: value._value_,
    ("decimal", "Decimal"): str,
    ("uuid", "UUID"): str,
    ("pathlib", "PurePath"): str,
    ("collections", "UserString"): str,
    ("urllib", "ParseResult"): lambda value: value.geturl(),
    ("urllib", "SplitResult"): lambda value: value.geturl(),
    ("numpy", "ndarray"): _of_numpy,
    ("numpy", "generic"): _of_numpy,
    ("pandas", "DataFrame"): _of_data_frame,
    ("pandas", "Series"): _to_list,
    ("pandas", "Index"): _to_list,
    ("pandas", "ExtensionArray"): _to_list,
    ("pandas", "Period"): str,
    ("pandas", "NaTType"): lambda value: None,
    ("pandas", "NAType"): lambda value: None,
    ("polars", "DataFrame"): lambda value: value.to_dicts(),
    ("polars", "Series"): lambda value: value.to_list(),
}
_packages_of_urls = frozenset(("yarl", "httpx", "pydantic", "pydantic_core", "starlette", "furl", "hyperlink"))

# Classes that are there anyway; the first that fits counts.
_forms_by_base = {
    str: str.__str__,
    int: lambda value: int.__int__(value) if -(2**53) < value < 2**53 else int.__repr__(value),
    float: float.__float__,
    bytes: _of_bytes,
    bytearray: _of_bytes,
    memoryview: _of_memoryview,
    datetime.datetime: _of_datetime,
    datetime.date: lambda value: value.isoformat(),
    datetime.time: lambda value: value.isoformat(),
    datetime.timedelta: lambda value: value.total_seconds(),
    array.array: _to_list,
}
