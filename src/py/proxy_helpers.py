"""What proxies do: functions that JavaScript calls by name, besides those of operator and builtins.

JavaScript looks each up once, through `entry`, and keeps it for the life of the process.
"""

_missing = object()


def entry(name):
    """A function of this module, of operator or of builtins, by name."""
    return (
        globals()[name]
        if name in globals()
        else getattr(operator, name, _missing)
        if hasattr(operator, name)
        else getattr(builtins, name)
    )


def next_step(iterator):
    """(True, item) or (False, the generator's return value)."""
    try:
        return (True, next(iterator))
    except StopIteration as stop:
        return (False, stop.value)


def send_step(generator, value):
    try:
        return (True, generator.send(value))
    except StopIteration as stop:
        return (False, stop.value)


def throw_step(generator, error):
    try:
        return (True, generator.throw(to_error(error)))
    except StopIteration as stop:
        return (False, stop.value)


def close_iterator(iterator):
    """Leaving a loop closes a generator; a file that was iterated stays open, as in Python."""
    if isinstance(iterator, collections.abc.Generator):
        iterator.close()


def has_index(sequence, index):
    try:
        return index < len(sequence)
    except TypeError:
        return len(item_at(sequence, index)) > 0


def item_at(sequence, index):
    """(item,), or () where there is none: `list[5]` in JavaScript is never an IndexError."""
    try:
        return (sequence[index],)
    except (IndexError, KeyError):
        return ()


def shown(value, limit):
    """repr(value) for a console; behind `limit` characters (None: no limit) only how many more there are."""
    text = repr(value)
    more = 0 if limit is None else len(text) - limit
    return text if more <= 0 else "%s... %d more character%s" % (text[:limit], more, "s" if more > 1 else "")


def list_names(value):
    return list(dict.fromkeys(name for name in dir(value) if isinstance(name, str)))


def type_name(value):
    return type(value).__name__


def version_text():
    return "%d.%d.%d" % sys.version_info[:3]


def prefix_text():
    return sys.prefix


def number_of(value, strict):
    """What `+x` is in JavaScript: the number of an object that has one, else None."""
    try:
        return operator.index(value)
    except TypeError:
        pass
    try:
        return float(value) if hasattr(type(value), "__float__") else None  # float() also parses text and bytes
    except TypeError:
        return None
    except ValueError:
        if strict:
            raise
        return None


def is_of_type(value, cls):
    """isinstance, where an object whose own `__class__` raises is what its type says."""
    try:
        return isinstance(value, cls)
    except MemoryError:
        raise
    except Exception:
        return _is_subclass(type(value), cls)


def hasattr_statically(value, name):
    """Whether there is such an attribute, without evaluating a property."""
    import inspect

    try:
        inspect.getattr_static(value, name)
        return True
    except AttributeError:
        return False


def close_coroutine(coroutine):
    coroutine.close()


def held_by_javascript_alone(objects):
    """A byte for each object: 1 if the caller's reference is the only one."""
    objects.append(object())
    *counts, none = [sys.getrefcount(each) for each in objects]
    return bytes(count == none + 1 for count in counts)
