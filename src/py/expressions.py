"""py`expression` of JavaScript: an expression with values in it becomes a function of these values.

In the text a name of one's own stands for each value. Whether Python takes that for a value is seen in the syntax tree:
it has to be exactly one name that is loaded, and part of nothing else.
"""

_last_expression = 0


def _value_names(parts):
    """A name for each value, none of which is in the text."""
    prefix = "_"
    while any(prefix in part for part in parts):
        prefix += "_"
    return ["%s%d" % (prefix, index) for index in range(len(parts) - 1)]


def _fill_in(parts, names):
    # the blanks keep a name apart from what is beside it: py`1if ${x}else 2`
    return parts[0] + "".join(" %s %s" % (name, part) for name, part in zip(names, parts[1:]))


def _syntax_error(message):
    return SyntaxError("%s, in py`…`" % message)


def _parse_expression(text, filename):
    """The tree of an expression of any number of lines, in brackets.

    In both kinds of them, so that it cannot close them itself: `1) + (2`.
    """
    try:
        tree = _parse("(%s\n)" % text, filename, "eval").body
        listed = _parse("[%s\n]" % text, filename, "eval").body
    except SyntaxError as error:
        _advise_statement(error, text)
        raise
    if not isinstance(listed, ast.List):
        raise _syntax_error("a generator expression needs parentheses of its own")
    if not listed.elts:
        raise _syntax_error("there is no expression")
    for node in ast.walk(tree):  # as if the bracket were not there
        if getattr(node, "lineno", None) == 1:
            node.col_offset = max(0, node.col_offset - 1)
        if getattr(node, "end_lineno", None) == 1:
            node.end_col_offset = max(0, node.end_col_offset - 1)
    return tree


def _advise_statement(error, text):
    """Names what runs statements, where the text is one."""
    if error.text is not None and error.lineno == 1 and error.text[:1] in "([":
        error.text, error.offset = error.text[1:], max(1, (error.offset or 1) - 1)
    try:
        tree = _parse(textwrap.dedent(text).strip(), "<py>")
    except (SyntaxError, ValueError):
        return
    waits = any(isinstance(node, (ast.Await, ast.AsyncFor, ast.AsyncWith)) for node in ast.walk(tree))
    error.msg += ": py`…` takes an expression; python.%s runs statements" % ("execAsync" if waits else "exec")


def _places_of(name, tree):
    """What is made of a value's name: "" for a value, else what stands there."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == name:
            yield "" if isinstance(node.ctx, ast.Load) else "as a target, to which something is assigned"
        elif isinstance(node, ast.arg) and node.arg == name:
            yield "as the name of a parameter"
        elif isinstance(node, ast.keyword) and node.arg == name:
            yield "as the name of an argument; **${{ name: value }} passes such names"
        elif isinstance(node, ast.Attribute) and node.attr == name:
            yield "as the name of an attribute; getattr(object, ${name}) reads it"
        elif isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
            text = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
            if re.search(name + r"(?!\d)", text):
                yield 'in a string; f"{${value}}" puts it into one'


def _check_values(names, tree):
    for number, name in enumerate(names, 1):
        places = list(_places_of(name, tree)) or ["in a comment"]
        wrong = next(filter(None, places), None)
        if wrong is None and len(places) > 1:
            wrong = "where Python reads it more than once"
        if wrong is not None:
            raise _syntax_error("value %d stands where no expression can: %s" % (number, wrong))


def _check_kind(node):
    """Refuses what would make another kind of function of it."""
    if isinstance(node, ast.Await):
        raise _syntax_error("there is an await; python.execAsync awaits, or JavaScript awaits the result")
    if isinstance(node, (ast.Yield, ast.YieldFrom)):
        raise _syntax_error("there is a yield")
    if not isinstance(node, ast.Lambda):
        for child in ast.iter_child_nodes(node):
            _check_kind(child)


def compile_expression(parts):
    """The function of the values of py`…`; `parts` is the text around them."""
    global _last_expression
    names = _value_names(parts)
    text = _fill_in(parts, names)
    _last_expression += 1
    filename = "<py %d>" % _last_expression if _last_expression > 1 else "<py>"
    tree = _parse_expression(text, filename)
    _check_values(names, tree)
    _check_kind(tree)
    arguments = _parse("lambda %s: 0" % ", ".join(names), filename, "eval").body.args
    function = ast.copy_location(ast.Lambda(arguments, tree), tree)
    try:
        code = compile(ast.Expression(function), filename, "eval", dont_inherit=True)
    except SyntaxError as error:
        if "async" in error.msg:
            error.msg += "; python.execAsync can do this"
        raise
    _keep_source(filename, text)
    return eval(code, __main__.__dict__)
