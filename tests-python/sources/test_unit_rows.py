"""The rows of a unit table: which statements, headers, lambdas and elements a source has, on which lines.

The rows are the same on every interpreter that can parse the source; what has code there is marked apart.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from typing import Any

import pytest
from nonstop import sources
from nonstop.errors import LocationError
from nonstop.unit_kinds import ELEMENT, LAMBDA, NO_CODE, REENTERED
from nonstop.unit_table import SourceRows

_LETTERS = "shwmle"  # statement, header, with, match, lambda, element

#: Interpreters that make no code for `pass`, constants and headers with a constant test.
OLD = sys.version_info < (3, 10)


def rows_of(text: str) -> SourceRows:
    """The rows of a text; one that begins with an empty line is indented like the test around it."""
    return sources.unit_rows(textwrap.dedent(text)[1:] if text.startswith("\n    ") else text, "example.py")


def named(unit: Any) -> str:
    kind, first, last = unit[:3]
    return _LETTERS[kind] + (str(first) if first == last else f"{first}-{last}")


def shown(text: str) -> str:
    """The units in the order of their first lines: `h1 s2-3` is a header on line 1 and a statement on lines 2 and 3."""
    return " ".join(named(unit) for unit in sorted(rows_of(text).units, key=lambda unit: unit[1]))


def marked(text: str, flag: int) -> str:
    return " ".join(named(unit) for unit in rows_of(text).units if unit[7] & flag)


def scopes(text: str) -> list[tuple[str, int]]:
    return [(scope[6], scope[1]) for scope in rows_of(text).scopes[1:]]


# One row for each construct: what it is, the source, its units.
CONSTRUCTS = [
    ("nothing", "", ""),
    ("a lone newline", "\n", ""),
    ("comments only", "# one\n\n# two\n", ""),
    ("a simple statement a line", "import a\nb = 1\nb += 1\nassert b\ndel b\npass\n", "s1 s2 s3 s4 s5 s6"),
    ("the last line without its newline", "a = 1\nb = 2", "s1 s2"),
    ("annotations", "a: int\nb: int = 1\n", "s1 s2"),
    ("statements of functions", "def f():\n    global a\n    yield 1\n    raise a\n    return 1\n", "h1 s2 s3 s4 s5"),
    ("a call over several lines", "f(\n    1,\n    2,\n)\ng()\n", "s1-4 s5"),
    ("an import over several lines", "from a import (\n    b,\n    c,\n)\n", "s1-4"),
    ("a statement that begins with its bracket", "(\n    a\n)\n(\n    b\n).c()\n", "s1-3 s4-6"),
    ("a string over several lines", 'a = """\n# no comment\nlambda for\n"""\nb = 1\n', "s1-4 s5"),
    ("a display with comments in it", "a = [\n    # one\n    1,\n\n    2,\n]\n", "s1-6"),
    ("continued by a backslash", "a = 1 + \\\n    2\nb = 1\n", "s1-2 s3"),
    ("statements that share a line", "a = 1; b = 2\nc = 3;\n", "s1 s2"),
    ("statements that share lines in a chain", "a = [\n1]; b = [\n2]; c = 3\nd = 4\n", "s1-3 s4"),
    ("a walrus", "if (a := f(\n    1\n)):\n    b\n", "h1-3 s4"),
    ("if, elif, else", "if a:\n    b\nelif c:\n    d\nelse:\n    e\n", "h1 s2 h3 s4 s6"),
    ("else with an if in it", "if a:\n    b\nelse:\n    if c:\n        d\n", "h1 s2 h4 s5"),
    ("a test over several lines", "if (\n    a\n    and b\n):\n    c\n", "h1-4 s5"),
    ("a colon after a comment with one", "if (a  # one: two\n        ):  # three: four\n    b\n", "h1-2 s3"),
    ("if with its body on its line", "if a: b\nelif c: d\nelse: e\nf\n", "s1 s2 s3 s4"),
    ("the body after a colon on a later line", "if (a and\n        b): c = (1,\n    2)\nd\n", "s1-3 s4"),
    ("for and else", "for a in b:\n    c\nelse:\n    d\n", "h1 s2 s4"),
    ("a loop on a line", "for a in b: c\nwhile a: b; c\n", "s1 s2"),
    ("while and else", "while a:\n    b\nelse:\n    c\n", "h1 s2 s4"),
    ("while True", "while True:\n    a\n    break\n", "h1 s2 s3"),
    (
        "try with all its parts",
        "try:\n    a\nexcept B:\n    c\nexcept (D,\n        E) as e:\n    f\nexcept:\n    g\n"
        "else:\n    h\nfinally:\n    i\n",
        "h1 s2 h3 s4 h5-6 s7 h8 s9 s11 s13",
    ),
    ("try and finally", "try:\n    a\nfinally:\n    b\n", "h1 s2 s4"),
    ("try on two lines", "try: a\nexcept B: c\nelse: d\nfinally: e\n", "s1 s2 s3 s4"),
    ("with", "with a as b, c as (d, e):\n    f\n", "w1 s2"),
    ("with over several lines", "with a(\n    b\n) as c, \\\n        d:\n    e\n", "w1-4 s5"),
    ("with on a line", "with a: b\nc\n", "s1 s2"),
    (
        "async",
        "async def f():\n    async with a as b:\n        await c\n    async for d in e:\n        yield d\n",
        "h1 w2 s3 h4 s5",
    ),
    ("a function", "def f(a, b=1, *c, d: int = 2, **e) -> int:\n    return a\n", "h1 s2"),
    ("a signature over several lines", "def f(\n    a,  # one: two\n    b=1,\n) -> int:\n    return a\n", "h1-4 s5"),
    ("decorators", "@a\n@b(\n    1\n)\n# comment\ndef f():\n    return 1\n", "h1-6 s7"),
    (
        "a decorated class",
        "@a\nclass B(\n    C,\n    d=1,\n):\n    e = 1\n\n    @f\n    def g(self): pass\n",
        "h1-5 s6 s8-9 l9",
    ),
    ("a function on a line", "def f(): return 1\nf()\n", "s1 l1 s2"),
    ("a function on a line with two statements", "def f(): a = 1; return a\n", "s1 l1"),
    ("the body of a function at the end of its signature", "def f(a,\n      b): return g(\n    a)\n", "s1-3 l2-3"),
    ("a class on a line", "class A: pass\nclass B: c = lambda self: 1\n", "s1 s2 l2"),
    ("nested functions", "def f():\n    def g():\n        return 1\n    return g\n", "h1 h2 s3 s4"),
    ("a class in a function", "def f():\n    class A:\n        b = 1\n    return A\n", "h1 h2 s3 s4"),
    ("a docstring", 'def f():\n    """One.\n\n    Two.\n    """\n    return 1\n', "h1 s2-5 s6"),
    ("a lambda", "a = lambda: 1\n", "s1 l1"),
    ("lambdas on one line", "a = (lambda: 1), lambda: (lambda: 2)\n", "s1 l1 l1 l1"),
    ("a lambda over several lines", "a = f(\n    lambda b,\n           c=1:\n        b + c,\n    1,\n)\n", "s1-6 l4"),
    ("a lambda whose body is in brackets", "a = f(lambda b: (\n    b + 1\n))\n", "s1-3 l1-3"),
    ("a lambda with a colon in its default", "a = lambda b={1: 2}, *, c=d[1:2]: \\\n    b\n", "s1-2 l2"),
    (
        "a lambda with a comment before its body",
        "a = (lambda b,  # one: two\n     *c:\n     # three\n     b)\n",
        "s1-4 l4",
    ),
    ("lambdas in defaults", "def f(a=lambda: 1,\n      b=lambda: 2):\n    return a\n", "h1-2 l1 l2 s3"),
    (
        "lambdas in annotations",
        "def f(a: g(lambda: 1),\n      *b: g(lambda: 2)) -> g(lambda: 3):\n    c: g(lambda: 4) = 5\n",
        "h1-2 l1 l2 l2 s3 l3",
    ),
    ("a lambda in a decorator", "@a(lambda: 1)\ndef f():\n    return 1\n", "h1-2 l1 s3"),
    ("a lambda in a class header", "class A(b, c=lambda: 1):\n    d = 1\n", "h1 l1 s2"),
    ("a comprehension on a line", "a = [b for c in d if e]\n", "s1"),
    ("clauses on lines of their own", "a = [b\n     for c in d\n     for e in f]\n", "s1-3"),
    ("an element on a line of its own", "a = [\n    b\n    for c in d\n]\n", "s1-4 e2"),
    (
        "an element over several lines",
        "a = {\n    (\n        b\n    ): f(\n        c\n    )\n    for c in d\n}\n",
        "s1-8 e2-6",
    ),
    ("an element before a for on its last line", "a = (\n    b(\n        1\n    ) for c in d)\n", "s1-4 e2-4"),
    (
        "conditions on lines of their own",
        "a = {b for c in d\n     if e\n     if f(\n         1)\n     for g in h if\n     i}\n",
        "s1-6 e2 e3-4 e6",
    ),
    (
        "a comprehension in an element",
        "a = [\n    [\n        b\n        for b in c\n    ]\n    for c in d\n]\n",
        "s1-7 e2-5 e3",
    ),
    ("a lambda in an element", "a = [\n    lambda: (\n        b)\n    for b in c\n]\n", "s1-5 e2-3 l2-3"),
    ("an element in a lambda", "a = lambda b: [\n    c\n    for c in b\n]\n", "s1-4 l1-4 e2"),
    ("a generator as the only argument", "a(\n    b\n    for b in c\n)\n", "s1-4 e2"),
    ("an element in the iterable of another", "a = [b for b in [\n    c\n    for c in d\n]]\n", "s1-4 e2"),
    (
        "an asynchronous comprehension",
        "async def f():\n    return [\n        a\n        async for a in b\n        if await c]\n",
        "h1 s2-5 e3 e5",
    ),
    ("a lambda in an f-string", "a = f'{(lambda: 1)()} {[b for b in c]}'\n", "s1 l1"),
    ("an f-string in a statement over several lines", "a = g(\n    f'{(lambda: 1)()}',\n    2)\n", "s1-3 l2"),
    ("an f-string over several lines", "a = f'''\n{(lambda: 1)()}\n{[b\nfor b in c]}\n'''\nd\n", "s1-5 s6"),
    ("a name list that looks like a loop", "def f():\n    global a  # for b\n    a = 1\n", "h1 s2 s3"),
    ("a name that begins like a keyword", "if a:\n    b\nelse:\n    elsewhere = 1\nelsewhere\n", "h1 s2 s4 s5"),
    ("form feeds", "a = 1\n\x0c\nif b:\n\x0c    c = '\x0c'\n\x0celse:\n    e\n", "s1 h3 s4 s6"),
    ("tabs", "if a:\n\tb\n\tif c:\n\t\td\n", "h1 s2 h3 s4"),
    ("separators of Unicode in a string", "a = '\u2028\u2029\x85\x1c\x0b'; b = 1\nc\n", "s1 s2"),
    (
        "letters outside of ASCII",
        "größe = {'ä': lambda ö: (\n    ö)}; b = [\n    'ü'\n    for c in d]\n",
        "s1-4 l1-2 e3",
    ),
]

#: The same for what came later, with the version that it came in.
LATER_CONSTRUCTS = [
    ((3, 10), "with in brackets", "with (\n    a as b,\n    c,\n):\n    d\n", "w1-4 s5"),
    (
        (3, 10),
        "match",
        "match a, (\n    b):\n    # comment\n    case [1, {'b': c}] if (\n            c):\n"
        "        d\n    case E(f=1) | (\n        2\n    ):\n        h\n    case _: i\n",
        "m1-2 h4-5 s6 h7-9 s10 s11",
    ),
    ((3, 10), "a lambda in a guard", "match a:\n    case b if (lambda: b)():\n        c\n", "m1 h2 l2 s3"),
    ((3, 10), "names that are keywords elsewhere", "match = case = 1\nmatch[case]\ncase(match)\n", "s1 s2 s3"),
    ((3, 11), "except*", "try:\n    a\nexcept* B as c:\n    d\nexcept* (E, F):\n    g\n", "h1 s2 h3 s4 h5 s6"),
    ((3, 12), "a type alias", "type A[B] = dict[\n    B, int]\nc\n", "s1-2 s3"),
    (
        (3, 12),
        "generics",
        "def f[A: (int,\n      str), *B](c: A):\n    return c\nclass D[E]:\n    g = 1\n",
        "h1-2 s3 h4 s5",
    ),
    (
        (3, 12),
        "a lambda in a bound",
        "def f[A: g(lambda: 1)](b):\n    return b\ntype C = g(lambda: 2)\n",
        "h1 l1 s2 s3 l3",
    ),
    ((3, 12), "an f-string over lines of its expressions", "a = f'{\n    b[1:2]\n}'\nc\n", "s1-3 s4"),
    ((3, 12), "a quote in an f-string", "a = f'{'b'} {(lambda: 'c')()}'\n", "s1 l1"),
    ((3, 14), "except without brackets", "try:\n    a\nexcept B, C:\n    d\n", "h1 s2 h3 s4"),
    ((3, 14), "template strings", "a = t'{(lambda: b)()}'\n", "s1 l1"),
    (
        (3, 15),
        "unpacking in a comprehension",
        "a = [\n    *b\n    for b in c\n]\nd = {\n    **e\n    for e in f\n}\n",
        "s1-4 e2 s5-8 e6",
    ),
    ((3, 15), "a lazy import", "lazy import a\nlazy from b import (\n    c)\n", "s1 s2-3"),
]


@pytest.mark.parametrize(("text", "units"), [row[1:] for row in CONSTRUCTS], ids=[row[0] for row in CONSTRUCTS])
def test_construct_has_its_units(text: str, units: str) -> None:
    assert shown(text) == units


@pytest.mark.parametrize(
    ("since", "text", "units"),
    [(row[0], *row[2:]) for row in LATER_CONSTRUCTS],
    ids=[row[1] for row in LATER_CONSTRUCTS],
)
def test_later_construct_has_its_units(since: tuple[int, int], text: str, units: str) -> None:
    if sys.version_info < since:
        pytest.skip(f"came in {since}")
    assert shown(text) == units


@pytest.mark.parametrize("newline", ["\r\n", "\r"])
@pytest.mark.parametrize(("text", "units"), [row[1:] for row in CONSTRUCTS], ids=[row[0] for row in CONSTRUCTS])
def test_other_newlines_change_nothing(text: str, units: str, newline: str) -> None:
    assert shown(text.replace("\n", newline)) == units


# Scopes


def test_scopes_are_named_like_their_code_objects() -> None:
    text = """
    @a
    def f(b=lambda: 1):
        global g, G
        def g(): return [c for c in b]
        class G:
            def h(self): pass
        def i():
            def __j(): pass
        return {c for c in b}
    class K:
        def __l(self):
            return (m for m in self)
        class N:
            o = lambda: 1
        global p
        def p(self): pass
    async def q():
        return {r: r async for r in b}
    """
    assert scopes(text) == [
        ("<lambda>", 2),
        ("f", 1),
        ("g", 4),
        ("g.<locals>.<listcomp>", 4),
        ("G", 5),
        ("G.h", 6),
        ("f.<locals>.i", 7),
        ("f.<locals>.i.<locals>.__j", 8),
        ("f.<locals>.<setcomp>", 9),
        ("K", 10),
        ("K.__l", 11),
        ("K.__l.<locals>.<genexpr>", 12),
        ("K.N", 13),
        ("K.N.<lambda>", 14),
        ("p", 16),
        ("q", 17),
        ("q.<locals>.<dictcomp>", 18),
    ]


def test_qualified_names_are_those_of_the_interpreter() -> None:
    text = """
    def f():
        global g
        def g():
            class A:
                def __b(self): return lambda: 1
            return A
        return g
    class C:
        def d(self):
            def e(): pass
            return e
    """
    namespace: dict[str, Any] = {}
    exec(textwrap.dedent(text), namespace)
    inner = namespace["f"]()()
    method = inner._A__b
    functions = [namespace["f"], namespace["g"], inner, method, method(None), namespace["C"].d, namespace["C"]().d()]
    assert {function.__qualname__ for function in functions} <= {name for name, _ in scopes(text)}


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the syntax came in 3.12")
def test_generic_functions_and_classes_have_plain_names() -> None:
    text = "class A[T]:\n    def f[U](self):\n        def g[V](): pass\n"
    assert scopes(text) == [("A", 1), ("A.f", 2), ("A.f.<locals>.g", 3)]


def test_first_iterable_and_defaults_belong_to_the_scope_around() -> None:
    rows = rows_of("def f():\n    return [a for b in (lambda: 1)() for c in (lambda d=lambda: 2: 3)()]\n")
    names = [scope[6].replace(".<locals>", "") for scope in rows.scopes[1:]]
    assert sorted(names) == sorted(
        ["f", "f.<listcomp>", "f.<lambda>", "f.<listcomp>.<lambda>", "f.<listcomp>.<lambda>"]
    )


# Blocks and inner lines


def blocks(text: str) -> list[tuple[int, int, int]]:
    return [block[:3] for block in rows_of(text).blocks]


def test_comments_belong_to_the_block_that_they_are_indented_like() -> None:
    text = """
    def f():
        if a:
            b

            # of the body of `if`
        # of the body of f
    # of the module
    """
    assert blocks(text) == [(1, 7, 0), (2, 6, 0), (3, 5, 1)]


def test_comment_that_is_indented_less_ends_the_block_for_good() -> None:
    text = """
    if a:
        b
    # one
        # two
    c
    """
    assert blocks(text) == [(1, 5, 0), (2, 2, 0)]


def test_what_stands_before_a_later_clause_belongs_to_it() -> None:
    text = """
    try:
        a
    # comment
    except B:
        c
    else:
        d

    finally:
        # comment
        e
    """
    # The module, try, all handlers, one handler, else, finally.
    assert blocks(text) == [(1, 11, 0), (2, 2, 0), (3, 5, 0), (5, 5, 2), (6, 7, 0), (8, 11, 0)]


def test_each_elif_has_a_block_of_its_own_beside_the_first() -> None:
    text = """
    if a:
        b
    elif c:
        d
    elif e:
        f
    else:
        g
    """
    assert blocks(text) == [(1, 8, 0), (2, 2, 0), (3, 4, 0), (4, 4, 2), (5, 6, 0), (6, 6, 4), (7, 8, 0)]


def test_inner_lines_of_with_are_its_body() -> None:
    rows = rows_of("with a:\n    # comment\n    b\n    c(\n        1)\n")
    assert rows.units[0][5:7] == (3, 5)
    assert rows_of("with a: b\n").units[0][5:7] == (0, 0)


@pytest.mark.skipif(sys.version_info < (3, 10), reason="the syntax came in 3.10")
def test_inner_lines_of_match_are_its_cases() -> None:
    rows = rows_of("match a:\n    # comment\n    case 1:\n        b\n    case 2:\n        c\n")
    assert rows.units[0][5:7] == (3, 6)


# Flags


@pytest.mark.parametrize(
    ("body", "flagged"),
    [
        ("a\n    b", "s2"),
        ("pass\n    a", "s2 s3"),
        ("'text'\n    global c\n    a\n    b", "s2 s3 s4"),
        ("1 + 1\n    a", "s2 s3"),
        ("assert a\n    b", "s2 s3"),
        ("if a:\n        b\n    c", "h2"),
        ("if 0:\n        a\n    b\n    c", "h2 s3 s4"),
        ("if not 1:\n        a\n    else:\n        b\n    c", "h2 s3 s5"),
        ("if 1:\n        pass\n    elif 2:\n        a\n    else:\n        b\n    c\n    d", "h2 s3 h4 s5 s8"),
        ("if a:\n        pass\n    elif 1:\n        pass\n    b", "h2"),
        ("if __debug__:\n        pass\n    a", "h2 s3 s4"),
        ("while 0:\n        a\n    b", "h2 s4"),
        ("while True:\n        a\n    b", "h2 s3"),
        ("try:\n        a\n    except B:\n        c", "h2 s3"),
        ("with a:\n        b", "w2"),
        ("for a in b:\n        c", "h2"),
        ("a: int\n    b: int = 1\n    c", "s2 s3"),
    ],
)
def test_first_statement_of_an_endless_loop_can_follow_itself(body: str, flagged: str) -> None:
    assert marked(f"while True:\n    {body}\nd\n", REENTERED) == flagged


@pytest.mark.parametrize("test", ["a", "0", "None", "not True", "a or True", "1 == 1"])
def test_other_loops_have_code_in_their_headers_or_do_not_run(test: str) -> None:
    assert marked(f"while {test}:\n    b\nc\n", REENTERED) == ""


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        ("pass\na\n", "s1", ""),
        ("def f():\n    pass\n", "", ""),
        ("def f():\n    1\n    'text'\n    ...\n    -1\n    return 1\n", "s2 s3 s4 s5", ""),
        ("def f():\n    'doc'\n    return 1\n", "s2", "s2"),
        ("'doc'\nclass A:\n    'doc'\n", "", ""),
        ("def f():\n    global a\n    a = 1\n", "s2", "s2"),
        ("def f():\n    a = 1\n    def g():\n        nonlocal a\n        a = 2\n", "s4", "s4"),
        ("def f():\n    a: int\n    return 1\n", "s2", "s2"),
        ("def f(a):\n    a.b: int\n    a.b: int = 1\n", "", ""),
        ("def f():\n    del ()\n    return 1\n", "s2", "s2"),
        ("def f():\n    if 0:\n        a\n    b\n", "h2 s3", "s3"),
        ("def f():\n    if 0:\n        a\n    else:\n        b\n    c\n", "h2 s3", "s3"),
        ("def f():\n    if 1:\n        a\n    b\n", "h2", ""),
        ("def f():\n    if a:\n        b\n    elif 0:\n        c\n    d\n", "h4 s5", "s5"),
        ("def f():\n    if __debug__:\n        a\n    b\n", "h2", ""),
        ("def f():\n    while True:\n        if a:\n            break\n    b\n", "h2", ""),
        ("def f():\n    while 0:\n        a\n    b\n", "h2 s3", "s3"),
        ("def f():\n    return 1\n    a\n    b\n", "s3 s4", "s3 s4"),
        ("def f():\n    try:\n        a\n    except:\n        b\n    finally:\n        c\n", "", ""),
        ("def f():\n    for a in b:\n        break\n    else:\n        pass\n", "", ""),
        ("def f():\n    if 0:\n        def g():\n            return 1\n    return 2\n", None, "h3 s4"),
        ("from __future__ import annotations\ndef f(a: (lambda: 1)): return 1\n", "l2", "l2"),
        ("def f():\n    a: (lambda: 1) = 2\n", "l2", "l2"),
        ("def f(a: (lambda: 1) = 2):\n    return a\n", "", ""),
    ],
)
def test_units_without_code_are_marked(text: str, old: str | None, new: str) -> None:
    expected = old if OLD else new
    if expected is None:
        pytest.skip("this interpreter makes dead code")
    if "if 0:\n        def" in text and sys.version_info < (3, 12) and sys.implementation.name == "cpython":
        pytest.skip("this interpreter keeps the code object of a dead function")
    assert marked(text, NO_CODE) == expected


@pytest.mark.parametrize(("text", "since"), [("a: int\nb = 1\n", None), ("class A:\n    a: int\n    b = 1\n", (3, 14))])
def test_bare_annotations_have_code_until_they_are_deferred(text: str, since: tuple[int, int] | None) -> None:
    deferred = since is not None and sys.version_info >= since
    assert marked(text, NO_CODE) == ("s2" if deferred else "")


def test_code_of_another_scope_on_the_line_does_not_count() -> None:
    rows = sources.mark_code(rows_of("a = 1\nb = lambda: 1\n"), [("<module>", 1, [1]), ("<lambda>", 2, [2])])
    assert [named(unit) for unit in rows.units if unit[7] & NO_CODE] == ["s2"]


def test_element_has_the_code_of_its_comprehension_or_of_the_scope_that_it_became_part_of() -> None:
    rows = rows_of("a = [\n    b\n    for c in d\n]\n")
    (own,) = [unit for unit in sources.mark_code(rows, [("<listcomp>", 1, [2])]).units if unit[0] == ELEMENT]
    (inlined,) = [unit for unit in sources.mark_code(rows, [("<module>", 1, [1, 2])]).units if unit[0] == ELEMENT]
    (none,) = [
        unit for unit in sources.mark_code(rows, [("<module>", 1, [1]), ("f", 1, [2])]).units if unit[0] == ELEMENT
    ]
    assert (own[7], inlined[7], none[7]) == (0, 0, NO_CODE)


# Sources that are no everyday ones


@pytest.mark.parametrize("count", [1000, 2500])
def test_long_chain_of_elif(count: int) -> None:
    """So long a chain is nested a thousand deep in the tree; the interpreter itself compiles it."""
    text = "".join(f"{'elif' if number else 'if'} a == {number}:\n    b\n" for number in range(count))
    rows = sources.unit_rows(text + "else:\n    c\nd\n", "example.py")
    assert len(rows.units) == 2 * count + 2
    assert named(rows.units[-3]) == f"s{2 * count}"
    assert named(rows.units[-1]) == f"s{2 * count + 3}"


def test_long_expressions() -> None:
    text = "a = " + " + ".join(["b"] * 500) + " + (lambda: 1)()\nc = [" + "[" * 60 + "lambda: 1" + "]" * 60 + "]\n"
    assert shown(text) == "s1 l1 s2 l2"


def test_deep_blocks() -> None:
    depth = 19 if sys.implementation.name == "cpython" else 15  # CPython: no more than twenty loops may be nested
    text = "".join(" " * level + f"for a{level} in b:\n" for level in range(depth)) + " " * depth + "c\n"
    assert len(rows_of(text).units) == depth + 1
    text = "".join(" " * level + "if a:\n" for level in range(90)) + " " * 90 + "c\n"
    assert len(rows_of(text).units) == 91


def test_what_the_interpreter_warns_of_was_said_before() -> None:
    # Warnings are errors here.
    assert shown("a = 1 is 1\nb = '\\d'\nassert (c, 'text')\n") == "s1 s2 s3"


def test_filters_of_warnings_stay_as_they_are() -> None:
    import warnings

    before = list(warnings.filters)
    version = getattr(warnings, "_filters_version", None)
    sources.unit_rows("a = '\\d'\n", "example.py")
    with pytest.raises(LocationError):
        sources.unit_rows("a =", "example.py")
    assert list(warnings.filters) == before
    assert getattr(warnings, "_filters_version", None) == version


@pytest.mark.skipif(sys.version_info < (3, 14), reason="the option came in 3.14")
def test_warnings_of_a_context_stay_silent_too() -> None:
    program = "from nonstop import sources; print(len(sources.unit_rows('a = 1 is 1', 'example.py').units))"
    options = ["-X", "context_aware_warnings=1", "-W", "error"]
    done = subprocess.run([sys.executable, *options, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("1\n", "")


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        ("a = 1\nb = = 2\n", ["example.py", "invalid syntax", "line 2"]),
        ("if a:\nb\n", ["indented block", "line 2"]),
        ("if a:\n\tb\n        c\n", ["inconsistent use of tabs", "line 3"]),
        ("a = 1\nreturn 2\n", ["outside function", "line 2"]),
        ("a = '\0'\n", ["null byte"]),
        ("a = '\udc80'\n", ["surrogates"]),
        ("\ufeffa = 1\n", ["U+FEFF", "line 1"]),
    ],
)
def test_text_that_does_not_compile_is_refused_with_its_line(text: str, texts: list[str]) -> None:
    with pytest.raises(LocationError) as caught:
        sources.unit_rows(text, "example.py")
    assert caught.value.code == "invalid_source"
    for part in texts:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["(" * 5000, "a = " + "-" * 100_000 + "1", "a" + "(b" * 3000 + ")" * 3000],
    ids=["brackets", "signs", "calls"],
)
def test_text_too_deep_for_the_parser_is_refused(text: str) -> None:
    """Or taken, where the parser is able to; it never ends the process."""
    program = """
import sys
from nonstop import sources
from nonstop.errors import LocationError
try:
    sources.unit_rows(sys.stdin.read(), "example.py")
except LocationError as error:
    assert error.code == "invalid_source", error
"""
    done = subprocess.run([sys.executable, "-c", program], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_file_of_50_000_lines_takes_a_few_seconds_at_most() -> None:
    part = """
    def f{0}(a, b=1):
        "What it does."
        c = [x for x in a if x]
        for d in c:
            if d > b:
                g(
                    d,
                    lambda: d,
                )
            else:
                h(d)
        return c

    """
    text = "".join(textwrap.dedent(part).lstrip("\n").format(number) for number in range(3600))
    assert text.count("\n") > 45_000
    started = time.perf_counter()
    rows = sources.unit_rows(text, "example.py")
    seconds = time.perf_counter() - started
    assert len(rows.units) == 9 * 3600
    assert sum(unit[0] == LAMBDA for unit in rows.units) == 3600
    # About a second on an idle machine, two on PyPy; what must not come is a time that grows with the square.
    assert seconds < 30
