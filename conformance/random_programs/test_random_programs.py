"""Random programs, the same at each run: `make check` tries others."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Iterator, List

import pytest

from conformance.random_programs import searching
from conformance.random_programs.checking import Case, Difference, Example, Pick
from conformance.random_programs.drawing import joined, text
from conformance.random_programs.expressions import Number
from conformance.random_programs.functions import Function, Program, Signature
from conformance.random_programs.running import Runner
from conformance.random_programs.scenario_text import described, scenario_text
from conformance.random_programs.statements import For, Simple
from conformance.reading import read_suite

#: About ten seconds' worth.
_PROGRAMS = 50 if sys.implementation.name == "pypy" else 100


@pytest.fixture(scope="module")
def runners() -> Iterator[List[Runner]]:
    found = searching.runners()
    yield found
    for runner in found:
        runner.close()


def test_breakpoints_tell_what_probes_tell(runners: List[Runner]) -> None:
    found = searching.search(1, runners, _PROGRAMS)
    assert found.difference is None, described(found.difference, found.seed, found.difference.backend)
    assert found.programs >= _PROGRAMS // 2


def _loop() -> Case:
    """A function with a loop over two items, and breakpoints on its lines."""
    body = (Simple(joined("use(", ")")(text("v0"))),)
    loop = For(text("v0"), joined("items(", ")")(Number(2)), body, (), False)
    program = Program((Function("plain", Signature(), (loop,)),), (), (False,))
    # Lines are counted from the first one that can carry a breakpoint: these are 5 and 6.
    return Case(Example(program, tuple(Pick(line, "snapshot", True) for line in (3, 4)), False))


def test_an_entry_is_a_probe() -> None:
    case = _loop()
    assert case.written.plain.splitlines()[4:6] == ["    for v0 in items(2):", "        use(v0)"]
    assert case.written.probed.splitlines()[-5:-2] == [
        "    for v0 in each(3, (p(3), items(2))[-1]):",
        "        p(4)",
        "        use(v0)",
    ]
    assert [unit for unit, _ in case.probed.events] == [0, 1, 2, 5, 3, 4, 3, 4, 3]


def test_hits_are_what_the_probes_tell(runners: List[Runner]) -> None:
    case = _loop()
    observed = runners[0].run(case.written.plain, case.wanted)
    case.check("settrace", observed)
    assert [hit.breakpoint for hit in observed.hits] == ["b0", "b1", "b0", "b1", "b0"]


def test_a_difference_is_told_as_a_scenario(runners: List[Runner], tmp_path: Path) -> None:
    case = _loop()
    observed = runners[0].run(case.written.plain, case.wanted)
    del observed.hits[-1]
    with pytest.raises(Difference) as caught:
        case.check("settrace", observed)
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios/found.toml").write_text(scenario_text(caught.value, "found"), "utf-8")
    (tmp_path / "reviewed.toml").write_text("", "utf-8")
    scenario = read_suite(tmp_path).scenarios["found"]
    (activation,) = scenario.expectation.activations
    assert activation.function == "p0"
    assert [(hit.breakpoint, hit.number) for hit in activation.hits] == [
        ("b0", 1),
        ("b1", 1),
        ("b0", 2),
        ("b1", 2),
        ("b0", 3),
    ]


@pytest.mark.parametrize("lost", [0, 2, -1])
def test_a_lost_hit_is_found(runners: List[Runner], lost: int) -> None:
    case = _loop()
    observed = runners[0].run(case.written.plain, case.wanted)
    del observed.hits[lost]
    with pytest.raises(Difference, match="hit"):
        case.check("settrace", observed)


def test_another_outcome_is_found(runners: List[Runner]) -> None:
    case = _loop()
    observed = runners[0].run(case.written.plain, case.wanted)
    changed = observed._replace(outcome=observed.outcome._replace(trace=("other",)))
    with pytest.raises(Difference, match="does something else"):
        case.check("settrace", changed)
