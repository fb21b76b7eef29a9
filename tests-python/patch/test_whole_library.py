"""Every code object of many files of the standard library, with a probe at each entry of each unit."""

from __future__ import annotations

import collections
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from nonstop.code_objects import nested_code
from nonstop.dialect import LNOTAB, bytecode_of, read_facts
from nonstop.errors import ArgumentError
from rewriting import REWRITES, Program, patch_of

pytestmark = pytest.mark.skipif(not REWRITES, reason="nothing is put into code here")

_LIBRARY = Path(json.__file__).parents[1]
FILES = (
    "_pydecimal.py",
    "argparse.py",
    "ast.py",
    "asyncio/base_events.py",
    "asyncio/streams.py",
    "asyncio/tasks.py",
    "contextlib.py",
    "dataclasses.py",
    "difflib.py",
    "heapq.py",
    "inspect.py",
    "json/decoder.py",
    "json/encoder.py",
    "statistics.py",
    "tarfile.py",
    "textwrap.py",
    "tokenize.py",
    "typing.py",
    "unittest/case.py",
    "unittest/mock.py",
)


def programs(*, without_text: bool) -> Iterator[Program]:
    for name in FILES:
        yield Program(str(_LIBRARY / name), without_text=without_text)


# Where each line is a unit, a comprehension over several lines goes back and forth between its own.
@pytest.mark.parametrize(("without_text", "most_refused"), [(False, 0), (True, 1 / 500)], ids=["units", "lines"])
def test_what_is_rewritten_adds_up(without_text: bool, most_refused: float) -> None:
    count = probed = 0
    refused: collections.Counter[str] = collections.Counter()
    for program in programs(without_text=without_text):
        for code in nested_code(program.code):
            probes = program.probes(code)
            count += 1
            probed += len(probes)
            try:
                patch = patch_of(code, probes)
            except ArgumentError as error:
                assert "cannot be told apart" in str(error), (program.path, code.co_name, code.co_firstlineno)
                refused[re.sub(r"\d+", "n", str(error))] += 1
                continue
            assert len(patch.code) > len(code.co_code) or not probes
    assert count > 2000
    assert probed > 15000
    assert sum(refused.values()) <= most_refused * count, refused


def test_without_probes_all_is_as_it_was() -> None:
    for program in programs(without_text=False):
        for code in nested_code(program.code):
            patch = patch_of(code, [])
            same = patch.code, patch.line_table, patch.exception_table
            if read_facts().line_table == LNOTAB:
                # The compiler may go to a line in several steps where one is enough.
                assert (same[0], same[2]) == bytecode_of(code)[::2]
            else:
                assert same == bytecode_of(code), (program.path, code.co_name)
            assert patch.stack_size == code.co_stacksize
