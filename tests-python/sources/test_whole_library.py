"""The unit tables of a hundred and fifty files of the standard library: what holds for every source."""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import NamedTuple

import pytest
from nonstop import core, sources
from nonstop.code_objects import code_lines, nested_code
from nonstop.errors import LocationError
from nonstop.unit_kinds import CLASS, COMPREHENSION, ELEMENT, FUNCTION, LAMBDA, NO_CODE
from nonstop.unit_table import SourceRows

_COUNT = 150


class Source(NamedTuple):
    path: str
    rows: SourceRows
    #: Lines with code, by name and first line of their code objects.
    codes: dict[tuple[str, int], set[int]]


def codes_of(code: CodeType) -> dict[tuple[str, int], set[int]]:
    found: dict[tuple[str, int], set[int]] = {}
    for one in nested_code(code):
        first = 1 if one.co_name == "<module>" else one.co_firstlineno
        found.setdefault((one.co_name, first), set()).update(code_lines(one))
    return found


def library() -> Iterator[str]:
    """A sample of the library, the same at each run."""
    folder = Path(json.__file__).parents[1]
    files = sorted(
        str(path)
        for pattern in ("*.py", "[!s]*/*.py")  # not site-packages
        for path in folder.glob(pattern)
        if path.is_file() and path.stat().st_size < 200_000
    )
    return iter(files[:: max(1, len(files) // _COUNT)][:_COUNT])


@pytest.fixture(scope="module")
def corpus() -> list[Source]:
    found = []
    for path in library():
        try:
            text = sources.read_source(path)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                code = compile(text, path, "exec", dont_inherit=True)
        except (LocationError, SyntaxError, ValueError):
            # The library's tests have such files. One that the interpreter compiles has units, below.
            continue
        found.append(Source(path, sources.unit_rows(text, path), codes_of(code)))
    assert len(found) > _COUNT * 0.9
    return found


def test_statements_and_headers_are_in_order_and_apart(corpus: list[Source]) -> None:
    for path, rows, _ in corpus:
        flat = [unit for unit in rows.units if unit[0] not in (LAMBDA, ELEMENT)]
        for before, after in zip(flat, flat[1:]):
            assert before[1] <= before[2] < after[1], (path, before, after)


def test_blocks_are_nested_or_apart_and_hold_their_units(corpus: list[Source]) -> None:
    for path, rows, _ in corpus:
        for number, (first, last, parent, _) in enumerate(rows.blocks[1:], 1):
            assert parent < number, (path, number)
            assert rows.blocks[parent][0] <= first <= last <= rows.blocks[parent][1], (path, number)
        for before, after in zip(rows.blocks[1:], rows.blocks[2:]):
            # In the order of the text: the next one begins later, inside of this one or behind it.
            assert before[0] <= after[0], (path, before, after)
            assert after[1] <= before[1] or after[0] > before[1] or before[0] == before[1], (path, before, after)
        for unit in rows.units:
            first, last = rows.blocks[unit[3]][:2]
            assert first <= unit[1] <= unit[2] <= last <= rows.line_count, (path, unit)


def test_every_line_with_code_is_in_a_unit(corpus: list[Source]) -> None:
    for path, rows, codes in corpus:
        if not rows.units:
            continue  # what returns None from a module without statements is on its first line (3.9 and PyPy)
        covered = {line for unit in rows.units for line in range(unit[1], unit[2] + 1)}
        for name, lines in codes.items():
            assert lines <= covered, (path, name, lines - covered)


def test_every_unit_with_code_has_a_line_with_code(corpus: list[Source]) -> None:
    for path, rows, codes in corpus:
        everywhere = set().union(*codes.values())
        for unit in rows.units:
            has_code = any(line in everywhere for line in range(unit[1], unit[2] + 1))
            # The other way round a line may have code of another scope.
            assert has_code or unit[7] & NO_CODE, (path, unit)


def test_every_scope_is_a_code_object_or_has_no_code(corpus: list[Source]) -> None:
    for path, rows, codes in corpus:
        with_code = {unit[4] for unit in rows.units if not unit[7] & NO_CODE}
        for number, (kind, first, _, _, _, name, _) in enumerate(rows.scopes):
            # Comprehensions may be part of the code around them; classes on one line have no unit inside.
            assert (name, first) in codes or number not in with_code or kind == COMPREHENSION, (path, name, first)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="type parameters and aliases have code objects too")
def test_every_function_and_class_is_a_scope(corpus: list[Source]) -> None:
    for path, rows, codes in corpus:
        known = {(scope[5], scope[1]) for scope in rows.scopes if scope[0] in (FUNCTION, CLASS)}
        assert {code for code in codes if not code[0].startswith("<")} <= known, path


def test_every_usable_line_resolves_to_itself(corpus: list[Source]) -> None:
    for source in corpus[::3]:
        path = os.fsencode(source.path)
        engine = core.Engine()
        engine.register_source(path, "", source.rows)
        lines = engine.source_lines(path)
        assert lines == sorted({unit[1] for unit in source.rows.units if not unit[7] & NO_CODE})
        if not lines:
            continue
        numbers = engine.add([core.Spec(core.COUNT, path + b":%d" % line) for line in lines])
        engine.register_source(path, "", source.rows)
        assert [engine.report(number).resolved_line for number in numbers] == lines, source.path
