"""Where a line or a function resolves to, through the engine: docs/semantics.md, 2, line by line.

In the tables the number before each line is where a breakpoint on it resolves to; `-`: nowhere, it is unverified. Two
numbers are for interpreters that make no code for `pass`, constants and headers with a constant test (CPython up to
3.9, PyPy 3.9), and for the others.
"""

from __future__ import annotations

import re
import sys
import textwrap
from typing import Any

import pytest
from nonstop import core, sources
from nonstop.code_objects import code_lines, nested_code

OLD = sys.version_info < (3, 10)
PATH = b"/srv/example.py"


def report_all(text: str, targets: list[Any], path: bytes = PATH) -> list[tuple[core.Report, str]]:
    """Breakpoints at these targets, after their file was registered: reports with reasons."""
    engine = core.Engine()
    specs = [core.Spec(core.COUNT, path + b":" + str(target).encode()) for target in targets]
    ids = engine.add(specs) if specs else []
    engine.register_source(path, "", sources.unit_rows(text, "example.py"))
    return [(engine.report(number), engine.reason(number)) for number in ids]


def armed(text: str, target: Any) -> dict[str, list[int]]:
    """The lines that a breakpoint arms, by the names of the code objects that the interpreter makes of the text."""
    engine = core.Engine()
    engine.add([core.Spec(core.COUNT, PATH + b":" + str(target).encode())])
    engine.register_source(PATH, "", sources.unit_rows(text, "example.py"))
    found: dict[str, list[int]] = {}
    for key, code in enumerate(nested_code(compile(text, "example.py", "exec", dont_inherit=True)), 1):
        facts = (key, PATH, "", code.co_name, getattr(code, "co_qualname", ""), code.co_firstlineno)
        arms = engine.code_decide(*facts, code_lines(code)).arms
        if arms:
            found.setdefault(code.co_name, []).extend(arm.line for arm in arms)
    return found


TABLES = {
    "a function": '''
         1 | def total(items):
         5 |     """What they cost."""
         5 |     # comment
         5 |
         5 |     price = 0
         6 |     for item in items:
         8 |         # comment
         8 |         price += item.price
         - |         # the end of the loop
        11 |     # of the function
        11 |     return price
        14 |
        14 |
        14 | class Cart:
        16 |
        16 |     def total(self):
        18 |         # comment
        18 |         return 1
         - |         # the end of the function
         - |     # the end of the class
        22 |
        22 | print(total([]))
         - | # the end
         - |
    ''',
    "statements over several lines": """
         1 | a = f(
         1 |     # comment
         1 |     1,
         1 |
         1 | )
         6 | b = 1; c = (
         6 |     2); d = \\
         6 |     3
         9 | if e: f()
        10 | else: g()
        11 | h = '''
        11 | # no comment
        11 | '''
    """,
    "headers over several lines": """
         1 | @a
         1 | @b(
         1 |     1)
         1 | # comment
         1 | def f(
         1 |     c,
         1 | ):
         8 |     while (
         8 |         c and
         8 |         d
         8 |     ):
        12 |         c = g()
        13 |     with h(
        13 |         c
        13 |     ) as i:
        17 |         # comment
        17 |         j()
    """,
    "if, elif and else": """
         1 | if a:
         2 |     b()
         - |     # the end of the body
         5 | # what comes next
         5 | elif c:
         6 |     d()
         8 |
         8 | elif e:
        10 |     # comment
        10 |     f()
        14 |
        14 | # otherwise
        14 | else:
        14 |     g()
        16 |
        16 | h()
    """,
    "try with all its parts": """
         1 | try:
         3 |     # comment
         3 |     a()
         5 | # what may happen
         5 | except B:
         6 |     c()
         8 | # what else
         8 | except:
         9 |     d()
        12 |
        12 | else:
        12 |     e()
        15 | finally:
        15 |     # comment
        15 |     f()
         - |     # the end
        18 | # comment
        18 | g()
    """,
    "loops with else": """
         1 | for a in b:
         2 |     c()
         4 | else:
         4 |     d()
         5 | while e:
         6 |     f()
         9 | # when it is over
         9 | else:
         9 |     g()
    """,
    "while True": """
       2/1 | while True:
         2 |     if a():
         3 |         break
         4 |     b()
         5 | c()
    """,
    "while True at the end of its block": """
         1 | def f():
       3/2 |     while True:
         3 |         a()
    """,
    "pass": """
         1 | def f():
       3/2 |     pass
         3 |     a()
         4 |     for b in c:
         5 |         pass
         6 |     b()
         7 |     pass
    """,
    "constants": """
         1 | def f():
       6/2 |     1
       6/3 |     'text'
       6/4 |     ...
         6 |     # comment
         6 |     return 1
    """,
    "what never has code": """
         1 | def f():
         3 |     global a
         3 |     a = 1
         5 |     b: int
         5 |     return a
         - |     c: int
         - |     d()
    """,
    "a test that never holds": """
         1 | def f():
       4/2 |     if 0:
         - |         a()
         4 |     b()
       7/5 |     while 0:
         - |         c()
         7 |     return d
    """,
    "a test that always holds": """
         1 | def f():
       3/2 |     if 1:
         3 |         a()
         4 |     b()
         5 |     if c:
         6 |         d()
       8/7 |     elif __debug__:
         8 |         e()
    """,
    "comprehensions": """
         1 | a = [
         2 |     f(
         2 |         b
         2 |     )
         1 |     for b in c
         6 |     if b
         7 |     if g(
         7 |        b)
         1 | ]
        10 | h = {i for i in j
        10 |      for k in i}
    """,
    "lambdas": """
         1 | a = f(
         2 |     lambda: (
         2 |         1),
         1 |     2)
         5 | def g(b=lambda: 1): return b()
         6 | class C: d = lambda self: 1
    """,
    "an element in a lambda": """
         1 | a = lambda b: [
         2 |     c
         1 |     for c in b]
    """,
}

LATER_TABLES = {
    "match": """
         1 | match a:
         3 |     # comment
         3 |     case 1:
         4 |         b()
         6 |
         6 |     case _:
         7 |         c()
         - |         # the end of the case
        10 |     # the end of all: what follows is another statement
        10 | d()
    """,
    "match over several lines": """
         1 | match (
         1 |     a
         1 | ):
         4 |     case B(
         4 |         1
         4 |     ) if (
         4 |         c
         4 |     ):
         9 |         d()
        10 |     case _: e()
    """,
    "with in brackets": """
         1 | with (
         1 |     a as b,
         1 |     # comment
         1 |     c,
         1 | ):
         6 |     d()
    """,
}


def table(text: str) -> tuple[str, list[int]]:
    """The source in a table, and where each line is expected; 0: nowhere."""
    rows = [line.partition("|") for line in textwrap.dedent(text).strip("\n").split("\n") if "|" in line]
    source = "".join(row[2][1:] + "\n" for row in rows)
    places = [row[0].strip().split("/")[0 if OLD else -1] for row in rows]
    return source, [0 if place == "-" else int(place) for place in places]


def check(text: str) -> None:
    source, expected = table(text)
    reports = report_all(source, list(range(1, len(expected) + 1)))
    found = [0 if report.state == "unverified" else report.resolved_line for report, _ in reports]
    shown = list(zip(source.split("\n"), expected, found))
    assert found == expected, "\n".join(f"{want:4} {got:4} | {line}" for line, want, got in shown)
    assert {report.state for report, _ in reports} <= {"pending", "unverified"}
    assert [report.requested_line for report, _ in reports] == list(range(1, len(expected) + 1))


@pytest.mark.parametrize("text", TABLES.values(), ids=TABLES.keys())
def test_line_resolves_to(text: str) -> None:
    check(text)


@pytest.mark.skipif(sys.version_info < (3, 10), reason="the syntax came in 3.10")
@pytest.mark.parametrize("text", LATER_TABLES.values(), ids=LATER_TABLES.keys())
def test_line_of_later_syntax_resolves_to(text: str) -> None:
    check(text)


@pytest.mark.parametrize("text", [*TABLES.values(), *LATER_TABLES.values()], ids=[*TABLES, *LATER_TABLES])
def test_lines_of_a_source_resolve_to_themselves(text: str) -> None:
    source, _ = table(text)
    if text in LATER_TABLES.values() and sys.version_info < (3, 10):
        pytest.skip("the syntax came in 3.10")
    engine = core.Engine()
    engine.register_source(PATH, "", sources.unit_rows(source, "example.py"))
    lines = engine.source_lines(PATH)
    assert lines
    assert [report.resolved_line for report, _ in report_all(source, lines)] == lines


@pytest.mark.parametrize(
    ("body", "old"),
    [
        ("'doc'", sys.implementation.name == "cpython"),
        ("global a", True),
        ("a: int", True),
    ],
)
def test_function_of_one_statement_without_code(body: str, old: bool) -> None:
    """Up to 3.9 what returns None is on its line."""
    source = f"def f():\n    {body}\n"
    ((report, reason),) = report_all(source, [2])
    if OLD and old:
        assert (report.state, report.resolved_line) == ("pending", 2)
    else:
        assert report.state == "unverified"
        assert reason == "no code at /srv/example.py:2 (this interpreter makes no code for it); nearest: 1"


def test_nearest_usable_lines_are_named() -> None:
    source = "a = 1\nif b:\n    c()\n    # the end\nd()\n"
    ((report, reason),) = report_all(source, [4])
    assert (report.state, report.resolved_line) == ("unverified", 0)
    assert reason == (
        "no code at /srv/example.py:4 (a blank line or comment with nothing after it in its block); nearest: 3, 5"
    )


def test_line_beyond_the_end_says_how_long_the_file_is() -> None:
    for source, lines, nearest in [
        ("a = 1\nb = 2", 2, "nearest: 2"),
        ("a = 1\n\n", 2, "nearest: 1"),
        ("# comment", 1, "the file has no line that can carry a breakpoint"),
        ("", 0, "the file has no line that can carry a breakpoint"),
    ]:
        ((report, reason),) = report_all(source, [lines + 1])
        assert report.state == "unverified"
        assert reason == f"no code at /srv/example.py:{lines + 1} (the file has {lines} lines); {nearest}"


def test_only_newlines_count_as_lines() -> None:
    source = "a = '\u2028\x0c\x1c\x85'\r\nb = 1\rc = '''\u2029\n'''\n\x0cd = 1\n"
    assert [report.resolved_line for report, _ in report_all(source, [1, 2, 3, 4, 5])] == [1, 2, 3, 3, 5]


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("total", 4),
        ("Cart.total", 8),
        ("Cart.Item.name", 11),
        ("load.inner", 16),
        ("inner", 16),
        ("declared", 18),
        ("short", 20),
        ("Late.short", 25),
        ("__private", 24),
    ],
)
def test_function_resolves_to_the_first_unit_of_its_body(target: str, line: int) -> None:
    source = """\
def total(items):
    "What they cost."
    # comment
    return 1

class Cart:
    def total(self):
        return 2
    class Item:
        def name(self):
            return 3

@property
def load():
    def inner():
        return 4
    global declared
    def declared(): return 5

def short(): return (
    6) if 7 else 8
class Late:
    def __private(self):
        return 9
    def short(self): return 10
"""
    ((report, reason),) = report_all(source, [target])
    assert (report.state, report.resolved_line) == ("pending", line), reason


def test_every_function_of_a_name_is_armed() -> None:
    source = """\
def f():
    return 1
class A:
    def f(self): return 2
    async def g(self):
        def f():
            return 3
"""
    assert armed(source, "f") == {"f": [2, 4, 7]}
    assert armed(source, "A.f") == {"f": [4]}
    assert armed(source, "g.f") == {"f": [7]}


def test_unknown_function_names_the_closest() -> None:
    ((report, reason),) = report_all("def total(): pass\nclass A:\n    def totals(self): pass\n", ["totla"])
    assert report.state == "unverified"
    assert "no function totla in /srv/example.py" in reason
    assert "total" in reason and "A.totals" in reason


LAMBDAS = """\
handlers = [
    lambda event: handle(
        event,
        name,
    )
    for name in names
]
app.route("/", lambda request: (
    render(request)
))
def short(): return (
    1)
def default(key=lambda: 2):
    return key
class Short: key = lambda self: 3
"""


@pytest.mark.parametrize(
    ("line", "names"),
    [
        (1, {"<module>"}),
        (2, {"<lambda>", "element"}),
        (3, {"<lambda>", "element"}),
        (4, {"<lambda>", "element"}),
        (6, {"<module>"}),
        (8, {"<module>", "<lambda>"}),
        (9, {"<module>", "<lambda>"}),
        (10, {"<module>", "<lambda>"}),
        (11, {"<module>", "short"}),
        (12, {"<module>", "short"}),
        (13, {"<module>", "<lambda>"}),
        (14, {"default"}),
        (15, {"<module>", "<lambda>"}),
    ],
)
def test_line_in_a_lambda_or_a_function_on_a_line_arms_it_beside_its_statement(line: int, names: set[str]) -> None:
    # Comprehensions have code objects of their own up to 3.11 and on PyPy.
    own = any(code.co_name == "<listcomp>" for code in nested_code(compile(LAMBDAS, "example.py", "exec")))
    expected = {("<listcomp>" if own else "<module>") if name == "element" else name for name in names}
    assert set(armed(LAMBDAS, line)) == expected


def test_statement_does_not_arm_the_lines_of_elements_in_it() -> None:
    source = "a = [\n    f(b)\n    for b in c\n    if b\n]\n"
    statement = armed(source, 1)
    assert 1 in statement["<module>"]
    assert not {2, 4} & {line for lines in statement.values() for line in lines}
    for line in (2, 4):
        assert list(armed(source, line).values()) == [[line]]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the syntax came in 3.12")
def test_generic_function_is_armed_in_its_body_and_its_statement_around() -> None:
    source = "def f[T: int](\n        a=1):\n    return a\nclass B[T](f):\n    c = 1\n"
    assert set(armed(source, 1)) == {"<module>"}
    assert armed(source, 3) == {"f": [3]}
    assert set(armed(source, 4)) == {"<module>"}
    assert armed(source, 5) == {"B": [5]}


def test_lambda_in_an_annotation_is_armed_where_it_has_code() -> None:
    source = "def f(a: g(lambda: 1) = 2):\n    return a\n"
    assert set(armed(source, 1)) == {"<module>", "<lambda>"}
    assert set(armed("from __future__ import annotations\n" + source, 2)) == {"<module>"}


# Several files


def test_location_that_matches_two_files_says_so() -> None:
    engine = core.Engine()
    (number,) = engine.add([core.Spec(core.COUNT, b"shop.py:2")])
    rows = sources.unit_rows("a = 1\nb = 2\n", "shop.py")
    engine.register_source(b"/srv/a/shop.py", "a.shop", rows)
    assert engine.reason(number) == "its code has not run yet"
    engine.register_source(b"/srv/b/shop.py", "b.shop", rows)
    reason = engine.reason(number)
    assert re.search(r"shop\.py:2 stands in 2 files: /srv/./shop\.py, /srv/./shop\.py; write more of the path", reason)
    assert engine.report(number).state == "pending"


@pytest.mark.parametrize("short_first", [False, True])
def test_file_where_it_has_a_place_outweighs_one_where_it_has_none(short_first: bool) -> None:
    engine = core.Engine()
    (number,) = engine.add([core.Spec(core.COUNT, b"shop.py:2")])
    long, short = sources.unit_rows("a = 1\nb = 2\n", "shop.py"), sources.unit_rows("a = 1\n", "shop.py")
    files = [(b"/srv/a/shop.py", long), (b"/srv/b/shop.py", short)]
    for path, rows in reversed(files) if short_first else files:
        engine.register_source(path, "", rows)
    report = engine.report(number)
    assert (report.state, report.resolved_line) == ("pending", 2)


def test_source_that_was_written_again_places_anew() -> None:
    engine = core.Engine()
    (number,) = engine.add([core.Spec(core.COUNT, PATH + b":3")])
    engine.register_source(PATH, "", sources.unit_rows("a = 1\n", "example.py"))
    assert engine.report(number).state == "unverified"
    engine.register_source(PATH, "", sources.unit_rows("a = 1\nb = 2\nc = 3\n", "example.py"))
    assert (engine.report(number).state, engine.report(number).resolved_line) == ("pending", 3)


def test_path_that_is_not_utf8_has_units() -> None:
    ((report, _),) = report_all("a = 1\n\nb = 2\n", [2], b"/srv/caf\xe9.py")
    assert (report.state, report.resolved_line) == ("pending", 3)


def test_breakpoint_set_after_the_source_was_registered_is_placed() -> None:
    engine = core.Engine()
    engine.register_source(PATH, "", sources.unit_rows("a = 1\n\nb = 2\n", "example.py"))
    (number,) = engine.add([core.Spec(core.COUNT, PATH + b":2")])
    engine.code_decide(1, PATH, "", "", "", 0, ())
    assert engine.report(number).resolved_line == 3


def test_file_of_many_lines_is_registered_and_placed_in_no_time() -> None:
    source = "".join(f"a{number} = {number}\n\n" for number in range(5000))
    reports = report_all(source, list(range(1, 10_001)))
    assert [report.resolved_line for report, _ in reports[:-1]] == [line + 1 - line % 2 for line in range(1, 10_000)]
    assert reports[-1][0].state == "unverified"
