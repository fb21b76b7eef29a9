"""The programs of the conformance suite with a call at every entry of every unit, as the modules of the library."""

from __future__ import annotations

import builtins
import io
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from rewriting import REWRITES, Program

from conformance.program import use
from conformance.reading import read_suite
from conformance.scenario import PROGRAM, Scenario

pytestmark = pytest.mark.skipif(not REWRITES, reason="nothing is put into code here")

_SUITE = read_suite()
#: The others are about what is around programs.
TOPICS = (
    "classes",
    "comprehensions",
    "conditionals",
    "coroutines",
    "expressions",
    "functions",
    "generators",
    "lambdas",
    "loops",
    "match",
    "raising",
    "statements",
    "try",
    "with",
)
#: What is left of a generator is finalised when the collector comes to it.
_AT_ANY_TIME = {"coroutines/async_for_left"}


@pytest.fixture(autouse=True)
def helpers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtins, "use", use, raising=False)
    monkeypatch.setattr(builtins, "activation", lambda: 0, raising=False)
    for name in ("add", "remove", "enable", "disable"):
        monkeypatch.setattr(builtins, name, lambda name: None, raising=False)


def programs(topic: str, folder: Path) -> Iterator[tuple[Scenario, Program]]:
    for scenario in _SUITE.scenarios.values():
        if scenario.topic == topic and scenario.source == "file" and not scenario.files:
            path = folder / scenario.name.replace("/", "_") / PROGRAM
            path.parent.mkdir()
            path.write_text(scenario.program, "utf-8")
            try:
                yield scenario, Program(str(path))
            except SyntaxError:
                continue  # of later versions


def ended(run: Any, *arguments: Any) -> tuple[Any, str, str]:
    """What a run gives, prints and raises."""
    printed = io.StringIO()
    limit = sys.getrecursionlimit()
    with redirect_stdout(printed):
        try:
            return run(*arguments, lambda module: None), printed.getvalue(), ""
        except BaseException as error:
            return None, printed.getvalue(), repr(error)
        finally:
            sys.setrecursionlimit(limit)


@pytest.mark.parametrize("topic", TOPICS)
def test_calls_come_where_the_tracer_arrives(topic: str, tmp_path: Path) -> None:
    count = 0
    for scenario, program in programs(topic, tmp_path):
        entered: list[Any] = []
        code = program.rewritten(entered.append)
        _, *outcome = ended(program.run, code)
        arrived: list[Any] = []
        _, *expected = ended(program.entered_by_tracer, arrived)
        assert outcome == expected, scenario.name
        assert entered == arrived, scenario.name
        count += 1
    assert count > 5 or (topic == "match" and sys.version_info < (3, 10))


@pytest.mark.parametrize("topic", TOPICS)
def test_tracer_is_told_the_same(topic: str, tmp_path: Path) -> None:
    for scenario, program in programs(topic, tmp_path):
        if scenario.name not in _AT_ANY_TIME:
            before: list[Any] = []
            after: list[Any] = []
            ended(program.told, before, program.code)
            ended(program.told, after, program.rewritten([].append))
            assert after == before, scenario.name
