"""Modules of the standard library with a call at every entry of every unit: they do what they did, the calls come where
the tracer of nonstop arrives, and a tracer is told what it was told.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from exercises import EXERCISES
from rewriting import REWRITES, Program

pytestmark = pytest.mark.skipif(not REWRITES, reason="nothing is put into code here")

_LIBRARY = Path(json.__file__).parents[1]


@pytest.mark.parametrize("name", EXERCISES)
def test_calls_come_where_the_tracer_arrives(name: str) -> None:
    package, exercise = EXERCISES[name]
    program = Program(str(_LIBRARY / name))
    expected = program.run(program.code, exercise, package)
    entered: list[Any] = []
    assert repr(program.run(program.rewritten(entered.append), exercise, package)) == repr(expected)
    arrived: list[Any] = []
    assert repr(program.entered_by_tracer(arrived, exercise, package)) == repr(expected)
    assert entered == arrived
    assert len(entered) > 100


@pytest.mark.parametrize("name", EXERCISES)
def test_tracer_is_told_the_same(name: str) -> None:
    package, exercise = EXERCISES[name]
    program = Program(str(_LIBRARY / name))
    # Caches are warm in both runs.
    program.run(program.code, exercise, package)
    before: list[Any] = []
    after: list[Any] = []
    program.told(before, program.code, exercise, package)
    program.told(after, program.rewritten([].append), exercise, package)
    assert after == before
