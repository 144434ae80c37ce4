"""What every peer calls."""


async def identity(value):
    return value


def noop():
    pass


def add(a, b):
    return a + b


def same(value):
    return value


def size(value):
    return len(value)


kept = []


def keep(value):
    """Takes a value in, for `kept_value` to give it out."""
    kept[:] = [value]
    return len(value)


def kept_value():
    return kept[0]
