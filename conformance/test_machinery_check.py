"""Results of several interpreters: the reviewed list, the cross-check, and the document that is made of them."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, Dict, List

import pytest

from conformance import capabilities, check
from conformance.compare import cross_check
from conformance.reading import known_rules, read_suite
from conformance.scenario import Suite

#: Every rule that must be shown, so that only what a test changes is wrong.
RULES = sorted(rule for rule in known_rules() if "." in rule and not rule.startswith("5."))
SCENARIO = f"""
title = "one hit"
rules = {json.dumps(RULES)}
program = "a = 1  #: here"
expected = '''
<module>
  here #1
'''
[[breakpoint]]
at = "here"
"""
NEEDING = SCENARIO.replace("program =", "needs = ['wings']\nprogram =")
NEED = "[[need]]\nname = 'wings'\nlacking = ['pypy3.9']\nreason = 'it came later'\ncheck = ''\n"
GAP = "[[gap]]\nscenario = 'topic/one'\nwhere = ['pypy3.9']\nreason = 'nothing fires'\nexpected = ''\n"
INTERPRETERS = ("python3.9", "python3.14", "pypy3.9")


def _suite(folder: Path, reviewed: str = "", **scenarios: str) -> Suite:
    (folder / "scenarios/topic").mkdir(parents=True)
    (folder / "reviewed.toml").write_text(reviewed, "utf-8")
    for name, text in (scenarios or {"one": SCENARIO}).items():
        (folder / f"scenarios/topic/{name}.toml").write_text(text, "utf-8")
    return read_suite(folder)


COUNTERS = {"skipped": 0, "false": 0, "errors": 0, "passed": 0, "limited": 0, "dropped": 0}


def _result(hits: int = 1) -> Dict[str, Any]:
    found = [
        {"breakpoint": "here", "number": number, "function": "<module>", "file": "program.py", "line": 1, "values": ""}
        for number in range(1, hits + 1)
    ]
    return {
        "status": "ran",
        "activations": [{"function": "<module>", "hits": found}] if hits else [],
        "breakpoints": {
            "here": dict(COUNTERS, state="bound", reason="", resolved=1, arrivals=hits, hits=hits, captured=hits)
        },
        "output": "",
        "raised": "",
        "warnings": [],
    }


def _runs(suite: Suite, interpreters: Any = INTERPRETERS) -> List[Dict[str, Any]]:
    return [
        {
            "interpreter": name,
            "backend": "settrace",
            "backends": {"monitoring": "not built", "settrace": None},
            "capabilities": ["running_frames"],
            "missed": [],
            "needs": {need: name not in one.lacking for need, one in suite.needs.items()},
            "results": {name: _result() for name in suite.scenarios},
            "seconds": 1.0,
        }
        for name in interpreters
    ]


def test_a_good_run_has_no_problem(tmp_path: Path) -> None:
    suite = _suite(tmp_path)
    assert check.check(suite, _runs(suite)) == (3, 0, 0, [])


def test_equal_failures_are_shown_once(tmp_path: Path) -> None:
    suite = _suite(tmp_path)
    runs = _runs(suite)
    for run in runs[:2]:
        run["results"]["topic/one"] = _result(0)
    (problem,) = check.check(suite, runs).problems
    assert problem.startswith("FAIL topic/one on python3.9/settrace, python3.14/settrace\n")
    assert "-   here #1" in problem


def test_a_result_that_is_missing_fails(tmp_path: Path) -> None:
    suite = _suite(tmp_path)
    runs = _runs(suite)
    del runs[0]["results"]["topic/one"]
    assert "it has no result" in check.check(suite, runs).problems[0]


def test_a_skip_that_is_not_listed_fails(tmp_path: Path) -> None:
    suite = _suite(tmp_path)
    runs = _runs(suite)
    runs[0]["results"]["topic/one"] = {"status": "skipped"}
    assert "it was skipped, and reviewed.toml lists no reason" in check.check(suite, runs).problems[0]


def test_a_listed_skip_is_counted(tmp_path: Path) -> None:
    suite = _suite(tmp_path, NEED, one=NEEDING)
    runs = _runs(suite)
    runs[2]["results"]["topic/one"] = {"status": "skipped"}
    assert check.check(suite, runs) == (2, 1, 0, [])


@pytest.mark.parametrize(("interpreter", "met"), [(0, False), (2, True)])
def test_what_the_list_says_of_needs_must_be_true(tmp_path: Path, interpreter: int, met: bool) -> None:
    suite = _suite(tmp_path, NEED, one=NEEDING)
    runs = _runs(suite)
    runs[interpreter]["needs"]["wings"] = met
    (problem,) = check.check(suite, runs).problems
    assert problem.startswith(f"FAIL reviewed.toml, need 'wings': {INTERPRETERS[interpreter]}/settrace ")


def test_a_need_that_no_scenario_has_fails(tmp_path: Path) -> None:
    suite = _suite(tmp_path, NEED)
    assert check.check(suite, _runs(suite)).problems == ["FAIL reviewed.toml: no scenario needs 'wings'"]


def test_a_scenario_that_runs_nowhere_fails(tmp_path: Path) -> None:
    suite = _suite(tmp_path, NEED.replace("'pypy3.9'", str([*INTERPRETERS])[1:-1]), one=NEEDING)
    assert "FAIL topic/one is skipped everywhere" in check.check(suite, _runs(suite)).problems


def test_a_gap_passes_where_it_is_exactly_as_recorded(tmp_path: Path) -> None:
    suite = _suite(tmp_path, GAP)
    runs = _runs(suite)
    runs[2]["results"]["topic/one"] = _result(0)
    assert check.check(suite, runs) == (2, 0, 1, [])


@pytest.mark.parametrize(("hits", "message"), [(1, "a gap that is none any more"), (2, "this is another one")])
def test_a_gap_that_changed_fails(tmp_path: Path, hits: int, message: str) -> None:
    suite = _suite(tmp_path, GAP)
    runs = _runs(suite)
    runs[2]["results"]["topic/one"] = _result(hits)
    assert any(message in problem for problem in check.check(suite, runs).problems)


def test_a_gap_of_a_backend_that_is_not_there_fails(tmp_path: Path) -> None:
    suite = _suite(tmp_path, GAP.replace("pypy3.9", "pypy3.9/bytecode"))
    problems = check.check(suite, _runs(suite)).problems
    assert problems == ["FAIL reviewed.toml: the gap of topic/one on pypy3.9/bytecode does not occur"]


def test_a_gap_of_an_interpreter_that_did_not_run_is_no_failure(tmp_path: Path) -> None:
    suite = _suite(tmp_path, GAP)
    assert not check.check(suite, _runs(suite, INTERPRETERS[:2])).problems


def test_a_backend_without_results_fails(tmp_path: Path) -> None:
    suite = _suite(tmp_path)
    runs = _runs(suite)
    runs[0]["backends"]["monitoring"] = None
    assert check.check(suite, runs).problems == ["FAIL python3.9 has the backend monitoring, and no results under it"]


def test_a_rule_without_a_scenario_fails(tmp_path: Path) -> None:
    suite = _suite(tmp_path, one=SCENARIO.replace(json.dumps(RULES), json.dumps(RULES[1:])))
    assert check.check(suite, _runs(suite)).problems == [f"FAIL no scenario shows rule {RULES[0]}"]


def test_what_the_expectation_leaves_open_is_compared(tmp_path: Path) -> None:
    suite = _suite(tmp_path)
    runs = _runs(suite)
    # Printed, and asked of no interpreter: only the others show that it is wrong.
    runs[1]["results"]["topic/one"]["output"] = "more\n"
    (problem,) = check.check(suite, runs).problems
    assert problem.splitlines() == [
        "FAIL topic/one is not the same everywhere",
        "  2 different results:",
        "    1: python3.9/settrace, pypy3.9/settrace",
        "    2: python3.14/settrace",
        "    - 1, + 2:",
        "    + more",
    ]


def test_counters_are_compared(tmp_path: Path) -> None:
    suite = _suite(tmp_path)
    runs = _runs(suite)
    runs[0]["results"]["topic/one"]["breakpoints"]["here"].update(false=1, arrivals=2)
    (problem,) = check.check(suite, runs).problems
    assert "+ here: " in problem or "- here: " in problem


def test_results_with_declared_differences_are_not_compared_with_others(tmp_path: Path) -> None:
    text = SCENARIO + "[[variant]]\nwhere = ['pypy3.9']\noutput = 'more'\n"
    suite = _suite(tmp_path, one=text)
    runs = _runs(suite)
    runs[2]["results"]["topic/one"]["output"] = "more\n"
    assert not check.check(suite, runs).problems


def test_results_where_a_need_is_lacking_are_not_compared(tmp_path: Path) -> None:
    suite = _suite(tmp_path, NEED, one=NEEDING)
    runs = _runs(suite)
    runs[2]["results"]["topic/one"]["output"] = "more\n"  # of a run before the need was listed
    assert not check.check(suite, runs).problems


def test_a_difference_that_fails_anyway_is_told_once(tmp_path: Path) -> None:
    suite = _suite(tmp_path)
    scenario = suite.scenarios["topic/one"]
    places = [(name, "settrace") for name in INTERPRETERS]
    results = dict(zip(places, [_result(), _result(2), _result()]))
    lines, differ = cross_check(suite, scenario, results, {places[1]})
    assert not differ
    assert lines[0] == "2 different results:"
    assert not any(line.startswith("  -") for line in lines)


# The command, and the document


def _command(folder: Path, runs: List[Dict[str, Any]], *options: str) -> int:
    results = folder / "results"
    results.mkdir(exist_ok=True)
    for old in results.iterdir():
        old.unlink()
    for run in runs:
        (results / f"{run['interpreter']}.json").write_text(json.dumps(run), "utf-8")
    place = ["--suite", str(folder), "--document", str(folder / "capabilities.md"), "--supported", *INTERPRETERS]
    return check.main([str(results), *place, *options])


def test_the_document_is_made_and_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _suite(tmp_path, NEED + GAP, one=SCENARIO, two=SCENARIO, three=NEEDING)
    (tmp_path / "scenarios/other").mkdir()
    (tmp_path / "scenarios/other/needing.toml").write_text(NEEDING, "utf-8")
    suite = read_suite(tmp_path)
    runs = _runs(suite)
    skipped = {"status": "skipped"}
    runs[2]["results"].update({"topic/one": _result(0), "topic/three": skipped, "other/needing": skipped})
    assert _command(tmp_path, runs) == 1
    assert "capabilities.md is out of date" in capsys.readouterr().out
    assert _command(tmp_path, runs, "--update") == 0
    assert _command(tmp_path, runs) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "9 passed, 0 failed, 2 skipped, 1 gaps"
    cells = capabilities.cells((tmp_path / "capabilities.md").read_text("utf-8"))
    assert cells["settrace", "topic", "python3.9"] == "yes"
    assert cells["settrace", "topic", "pypy3.9"] == "all but 1, 2"
    assert cells["settrace", "other", "pypy3.9"] == "none: 1"
    assert cells["Backends", "pypy3.9", "settrace"] == "yes, the default"
    assert cells["Backends", "pypy3.9", "monitoring"] == "no: not built"


def test_columns_of_interpreters_that_did_not_run_are_kept(tmp_path: Path) -> None:
    suite = _suite(tmp_path)
    runs = _runs(suite)
    assert _command(tmp_path, runs, "--update") == 0
    before = (tmp_path / "capabilities.md").read_text("utf-8")
    assert _command(tmp_path, runs[:1]) == 0
    changed = copy.deepcopy(runs[:1])
    changed[0]["capabilities"] = []
    assert _command(tmp_path, changed) == 1
    assert _command(tmp_path, changed, "--update") == 0
    cells = capabilities.cells((tmp_path / "capabilities.md").read_text("utf-8"))
    different = {key for key, cell in capabilities.cells(before).items() if cells[key] != cell}
    assert {column for _, _, column in different} == {"python3.9"}


def test_a_run_that_fails_writes_no_document(tmp_path: Path) -> None:
    suite = _suite(tmp_path)
    runs = _runs(suite)
    runs[0]["results"]["topic/one"] = _result(0)
    assert _command(tmp_path, runs, "--update") == 1
    assert not (tmp_path / "capabilities.md").exists()


def test_interpreters_that_left_no_results_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suite = _suite(tmp_path)
    assert _command(tmp_path, _runs(suite)[:1], "--update", "--expect", "python3.9", "pypy3.9") == 1
    assert "FAIL there are no results of pypy3.9" in capsys.readouterr().out
    assert _command(tmp_path, [], "--scenario", "*") == 1


def test_a_mistake_in_a_scenario_fails_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    suite = _suite(tmp_path)
    runs = _runs(suite)
    (tmp_path / "scenarios/topic/one.toml").write_text("titel = ''", "utf-8")
    assert _command(tmp_path, runs) == 1
    assert "one.toml: a scenario has no 'titel'" in capsys.readouterr().out
