"""Judges the results of workers: each against its expectation, all against each other, the reviewed list, the docs.

Whatever is not as the scenarios and reviewed.toml say fails. The last line sums up.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from conformance import capabilities
from conformance.compare import Verdict, cross_check, judge
from conformance.reading import HERE, known_rules, read_suite
from conformance.texts import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from conformance.scenario import Suite

DOCUMENT = HERE.parent / "docs/capabilities.md"
#: Section 5 lists what is not promised: nothing shows it.
_NOT_PROMISED = "5"


class Checked(NamedTuple):
    """What came of a check."""

    passed: int
    skipped: int
    gaps: int
    #: What is wrong, each with its lines.
    problems: list[str]


def load(folder: Path) -> list[dict[str, Any]]:
    """The runs whose results are in a folder, one for each interpreter and backend."""
    return [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))]


def verdicts(suite: Suite, runs: Iterable[Mapping[str, Any]]) -> list[Verdict]:
    """The verdict of each scenario in each run."""
    found = []
    for run in runs:
        for scenario in suite.scenarios.values():
            result = run["results"].get(scenario.name, {"status": "missing"})
            found.append(judge(suite, scenario, run["interpreter"], run["backend"], result))
    return found


def check(suite: Suite, runs: Sequence[Mapping[str, Any]], *, whole: bool = True) -> Checked:
    """Judge all results. `whole`: every scenario was run under every backend, so that unused entries are wrong."""
    judged = verdicts(suite, runs)
    problems = [*_failures(judged), *_differences(suite, runs, judged), *_needs(suite, runs)]
    if whole:
        problems += [
            *_missing_backends(runs),
            *_unused(suite, runs, judged),
            *_unshown_rules(suite),
            *_never_run(judged),
        ]
    words = Counter(verdict.word for verdict in judged)
    return Checked(words["PASS"], words["SKIP"], words["GAP"], problems)


def _failures(judged: Iterable[Verdict]) -> list[str]:
    """Failures; those that are the same in several places are shown once."""
    same: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for verdict in judged:
        if verdict.failed:
            same.setdefault((verdict.scenario, verdict.lines), []).append(f"{verdict.interpreter}/{verdict.backend}")
    return ["\n  ".join([f"FAIL {name} on {', '.join(places)}", *lines]) for (name, lines), places in same.items()]


def _differences(suite: Suite, runs: Sequence[Mapping[str, Any]], judged: Iterable[Verdict]) -> list[str]:
    failed: dict[str, set[tuple[str, str]]] = {}
    for verdict in judged:
        if verdict.failed:
            failed.setdefault(verdict.scenario, set()).add((verdict.interpreter, verdict.backend))
    problems = []
    for name, scenario in suite.scenarios.items():
        results = {(run["interpreter"], run["backend"]): run["results"][name] for run in runs if name in run["results"]}
        lines, differ = cross_check(suite, scenario, results, failed.get(name, ()))
        if differ:
            problems.append("\n  ".join([f"FAIL {name} is not the same everywhere", *lines]))
    return problems


def _needs(suite: Suite, runs: Iterable[Mapping[str, Any]]) -> list[str]:
    """Whether what reviewed.toml says of needs is true."""
    problems = []
    for run in runs:
        place = f"{run['interpreter']}/{run['backend']}"
        for name, met in run["needs"].items():
            need = suite.needs.get(name)
            listed = need is not None and bool({run["interpreter"], place} & set(need.lacking))
            if need is not None and listed == met:
                word = "has it, and is listed" if met else "has it not, and is not listed"
                problems.append(f"FAIL reviewed.toml, need {name!r}: {place} {word} as lacking it")
    return problems


def _missing_backends(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    problems = []
    ran = {(run["interpreter"], run["backend"]) for run in runs}
    for interpreter, backends in sorted({run["interpreter"]: run["backends"] for run in runs}.items()):
        for name, reason in backends.items():
            if reason is None and (interpreter, name) not in ran:
                problems.append(f"FAIL {interpreter} has the backend {name}, and no results under it")
    return problems


def _unused(suite: Suite, runs: Iterable[Mapping[str, Any]], judged: Iterable[Verdict]) -> list[str]:
    """Entries of the reviewed list that nothing needs any more."""
    used = {need for scenario in suite.scenarios.values() for need in scenario.needs}
    problems = [f"FAIL reviewed.toml: no scenario needs {name!r}" for name in suite.needs if name not in used]
    interpreters = {run["interpreter"] for run in runs}
    seen: dict[str, set[str]] = {}
    for verdict in judged:
        if verdict.word == "GAP":
            place = f"{verdict.interpreter}/{verdict.backend}"
            seen.setdefault(verdict.scenario, set()).update((verdict.interpreter, place))
    for name, gaps in suite.gaps.items():
        for place in (place for gap in gaps for place in gap.where):
            if place.partition("/")[0] in interpreters and place not in seen.get(name, ()):
                problems.append(f"FAIL reviewed.toml: the gap of {name} on {place} does not occur")
    return problems


def _unshown_rules(suite: Suite) -> list[str]:
    shown = {rule for scenario in suite.scenarios.values() for rule in scenario.rules}
    rules = sorted((rule for rule in known_rules() if "." in rule), key=lambda rule: [*map(int, rule.split("."))])
    return [
        f"FAIL no scenario shows rule {rule}"
        for rule in rules
        if rule not in shown and rule.partition(".")[0] != _NOT_PROMISED
    ]


def _never_run(judged: Iterable[Verdict]) -> list[str]:
    words: dict[str, set[str]] = {}
    for verdict in judged:
        words.setdefault(verdict.scenario, set()).add(verdict.word)
    return [f"FAIL {name} is skipped everywhere" for name, found in words.items() if found == {"SKIP"}]


def _table(judged: Iterable[Verdict], runs: Iterable[Mapping[str, Any]]) -> list[str]:
    words: dict[tuple[str, str], Counter[str]] = {}
    for verdict in judged:
        words.setdefault((verdict.interpreter, verdict.backend), Counter())[verdict.word] += 1
    lines = []
    for run in runs:
        place = (run["interpreter"], run["backend"])
        counts = words.get(place, Counter())
        shown = "  ".join(f"{counts[word]:4} {name}" for name, word in _COUNTED)
        lines.append(f"{'/'.join(place):22} {shown} {run['seconds']:6.0f} s")
    return lines


_COUNTED = (("passed", "PASS"), ("failed", "FAIL"), ("skipped", "SKIP"), ("gaps", "GAP"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the results in a folder."""
    parser = argparse.ArgumentParser(prog="python -m conformance.check", description=__doc__.partition("\n")[0])
    parser.add_argument("results", type=Path, help="the folder that workers wrote to")
    parser.add_argument("--supported", nargs="+", required=True, metavar="NAME", help="all interpreters, in order")
    parser.add_argument("--expect", nargs="*", default=(), metavar="NAME", help="interpreters that must have results")
    parser.add_argument("--scenario", default="*", metavar="GLOB", help="the scenarios that were run")
    parser.add_argument("--one-backend", action="store_true", help="not every backend was run")
    parser.add_argument("--suite", type=Path, default=HERE, metavar="FOLDER")
    parser.add_argument("--document", type=Path, default=DOCUMENT, metavar="FILE")
    parser.add_argument("--update", action="store_true", help="write the document, where it is out of date")
    given = parser.parse_args(arguments)
    try:
        suite = read_suite(given.suite, given.scenario)
    except ScenarioError as error:
        print(error)
        print("0 passed, 1 failed, 0 skipped, 0 gaps")
        return 1
    runs = load(given.results)
    runs.sort(key=lambda run: capabilities.order(run, given.supported))
    whole = given.scenario == "*" and not given.one_backend
    checked = check(suite, runs, whole=whole)
    problems = checked.problems
    ran = {run["interpreter"] for run in runs}
    problems += [f"FAIL there are no results of {name}" for name in given.expect if name not in ran]
    if not runs:
        problems.append("FAIL there are no results at all")
    if whole and not problems:
        problems += capabilities.compare(suite, runs, given.supported, given.document, update=given.update)
    elif whole:
        print(f"{given.document.name} is not looked at: it describes a run without failures")
    for problem in problems:
        print(problem)
    print("\n".join(_table(verdicts(suite, runs), runs)))
    print(f"{checked.passed} passed, {len(problems)} failed, {checked.skipped} skipped, {checked.gaps} gaps")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
