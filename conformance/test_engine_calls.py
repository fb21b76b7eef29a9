"""The language-neutral scenarios (conformance/engine) through cffi, on every interpreter."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from conformance.engine_calls.runner import Runner
from conformance.engine_calls.tables import tables
from conformance.engine_calls.words import DIRECTORY, Scenario, WrongError, scenarios

_ALL = scenarios(DIRECTORY)
_MISTAKES = scenarios(DIRECTORY / "mistakes")
_TABLES = tables()


def _name(scenario: Scenario) -> str:
    return f"{scenario.file.stem}: {scenario.title}"


def _stopped(scenario: Scenario) -> tuple[int, str] | None:
    """The line at which a scenario stops, and why; None when all is as it says."""
    runner = Runner(_TABLES)
    for at, line in scenario.lines:
        try:
            runner.run(line)
        except WrongError as why:
            return at, f"{scenario.file}:{at}: {line}\n    {why}"
    return None


@cache
def _rules() -> set[str]:
    """The numbers of the contract: of its sections, and of the rules in them."""
    found = set()
    section = ""
    for line in (Path(__file__).parent.parent / "docs" / "semantics.md").read_text("utf-8").splitlines():
        heading, rule = re.match(r"## (\d+) ", line), re.match(r"(\d+)\. ", line)
        if heading:
            section = heading[1]
            found.add(section)
        elif rule and section:
            found.add(f"{section}.{rule[1]}")
    return found


@pytest.mark.parametrize("scenario", _ALL, ids=_name)
def test_a_scenario_gives_its_answers(scenario: Scenario) -> None:
    stopped = _stopped(scenario)
    assert stopped is None, stopped[1]
    assert set(scenario.rules) <= _rules()


@pytest.mark.parametrize("scenario", _MISTAKES, ids=_name)
def test_a_mistake_is_found_at_its_line(scenario: Scenario) -> None:
    stopped = _stopped(scenario)
    assert stopped is not None, "nothing is found"
    assert stopped[0] == scenario.lines[-1][0], stopped[1]


def test_the_scenarios_are_all_there() -> None:
    assert len(_ALL) >= 30
    names = [_name(scenario) for scenario in _ALL]
    assert len(names) == len(set(names))
