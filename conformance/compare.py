"""A result against its expectation, and results against each other: what differs, small."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from conformance.scenario import PROGRAM
from conformance.texts import Activation, Hit, spaced

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from conformance.scenario import Expectation, Outcome, Scenario, Suite

    Result = Mapping[str, Any]


_LABEL_COMMENT = re.compile(r"\s*#:.*")


_NO_RESULT = {
    "hung": "it hung",
    "died": "its process died",
    "skipped": "it was skipped, and reviewed.toml lists no reason",
    "missing": "it has no result",
}


class Verdict(NamedTuple):
    """What is said of one scenario under one interpreter and backend."""

    scenario: str
    interpreter: str
    backend: str
    #: ``"PASS"``, ``"SKIP"``, ``"GAP"`` (one that is on the reviewed list) or ``"FAIL"``.
    word: str
    #: What differs, or why it is skipped.
    lines: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether it fails the run."""
        return self.word == "FAIL"

    def __str__(self) -> str:
        head = f"{self.word} {self.interpreter}/{self.backend} {self.scenario}"
        return "\n".join([head, *(f"  {line}" for line in self.lines)])


def judge(suite: Suite, scenario: Scenario, interpreter: str, backend: str, result: Result) -> Verdict:
    """Whether a result is what the scenario, with the reviewed list, says."""

    def verdict(word: str, lines: Iterable[str] = ()) -> Verdict:
        return Verdict(scenario.name, interpreter, backend, word, tuple(lines))

    lacking = suite.lacking(scenario, interpreter, backend)
    if lacking:
        return verdict("SKIP", [f"{need.name}: {need.reason}" for need in lacking])
    gap = suite.gap(scenario, interpreter, backend)
    wrong = differences(scenario, suite.expectation(scenario, interpreter, backend), result)
    if gap is None:
        return verdict("FAIL" if wrong else "PASS", wrong)
    if not wrong:
        return verdict("FAIL", ["reviewed.toml lists a gap that is none any more"])
    other = differences(scenario, gap.expectation, result)
    if other:
        return verdict("FAIL", ["reviewed.toml lists a gap, and this is another one:", *other])
    return verdict("GAP", [gap.reason])


def differences(scenario: Scenario, expected: Expectation, result: Result) -> list[str]:
    """What in a result is not as expected; empty where all is."""
    if result["status"] != "ran":
        return [_NO_RESULT[result["status"]], *_printed(result)]
    wrong = _hit_differences(scenario, expected, result)
    for one in scenario.breakpoints:
        found = result["breakpoints"].get(one.name)
        if found is not None:
            wrong += _breakpoint_differences(scenario, one.name, expected.outcomes[one.name], found)
            wrong += _line_differences(scenario, one.name, one.file, expected.outcomes[one.name], result)
        elif one.initial:
            wrong.append(f"{one.name}: it was not added")
    if expected.output is not None and expected.output.strip() != result["output"].strip():
        wrong += ["it printed (- expected, + found):", *_diff(expected.output, result["output"])]
    if expected.raises != result["raised"]:
        wrong.append(f"it raised {result['raised'] or 'nothing'}, not {expected.raises or 'nothing'}")
        wrong += _printed(result)
    if result["warnings"] and not expected.errors:
        wrong += ["nonstop warned:", *(f"  {message}" for message in result["warnings"])]
    return wrong


def _printed(result: Result) -> list[str]:
    """The part of stderr that says most: where threads are, innermost first; or the end of a traceback."""
    lines = result.get("stderr", "").splitlines()
    return [f"  | {line}" for line in (lines[:20] if result["status"] == "hung" else lines[-12:])]


def _breakpoint_differences(scenario: Scenario, name: str, expected: Outcome, found: Result) -> list[str]:
    wrong = []
    if found["state"] != expected.state:
        wrong.append(f"{name}: it is {found['state']}, not {expected.state} ({found['reason'] or 'no reason given'})")
    elif expected.resolves is not None and found["resolved"] != expected.resolves:
        file = next(one.file for one in scenario.breakpoints if one.name == name)
        shown = [f"{line} `{scenario.line_text(file, line)}`" for line in (found["resolved"], expected.resolves)]
        wrong.append(f"{name}: it resolved to line {shown[0]}, not {shown[1]}")
    if expected.reason not in found["reason"]:
        wrong.append(f"{name}: its reason {found['reason']!r} does not contain {expected.reason!r}")
    for counter, value in expected.counters.items():
        if found[counter] != value:
            wrong.append(f"{name}: {counter} is {found[counter]}, not {value}")
    arrivals = found["skipped"] + found["false"] + found["errors"] + found["hits"]
    hits = found["passed"] + found["limited"] + found["captured"] + found["dropped"]
    if (arrivals, hits) != (found["arrivals"], found["hits"]):
        wrong.append(f"{name}: its counters do not add up: {dict(found)}")
    if found["dropped"]:
        wrong.append(f"{name}: {found['dropped']} hits were dropped")
    return wrong


def _line_differences(scenario: Scenario, name: str, file: str, expected: Outcome, result: Result) -> list[str]:
    """A hit reports the line that its breakpoint resolved to, or one that the scenario allows."""
    allowed = expected.lines or {result["breakpoints"][name]["resolved"]}
    wrong: dict[str, None] = {}
    for activation in result["activations"]:
        for hit in activation["hits"]:
            if hit["breakpoint"] != name:
                continue
            if hit["file"] != ("absent/" if scenario.source == "absent" and file == PROGRAM else "") + file:
                wrong[f"{name}: a hit reports the file {hit['file']}"] = None
            if hit["line"] not in allowed and allowed != {0}:
                text = scenario.line_text(file, hit["line"])
                wrong[f"{name}: a hit reports line {hit['line']} `{text}`, not one of {sorted(allowed)}"] = None
    return list(wrong)


# Hits


def activations(result: Result, unnumbered: Iterable[str] = ()) -> list[Activation]:
    """The activations of a result; hits of `unnumbered` breakpoints have no number."""
    without = set(unnumbered)

    def hit(found: Result) -> Hit:
        number = None if found["breakpoint"] in without else found["number"]
        return Hit(found["breakpoint"], found["function"], number, spaced(found["values"]))

    return [Activation(one["function"], tuple(map(hit, one["hits"]))) for one in result["activations"]]


def _hit_differences(scenario: Scenario, expected: Expectation, result: Result) -> list[str]:
    found = activations(result, expected.unnumbered)
    missing, more = Counter(expected.activations) - Counter(found), Counter(found) - Counter(expected.activations)
    if not missing and not more:
        return []
    # Activations that are as expected are not shown.
    before = [line for one in expected.activations if missing[one] for line in rendered(one, scenario)]
    after = [line for one in found if more[one] for line in rendered(one, scenario)]
    return ["hits (- expected, + found):", *_diff("\n".join(before), "\n".join(after))]


def rendered(activation: Activation, scenario: Scenario) -> list[str]:
    """An activation in lines, as scenarios have it, with the texts of the program's lines."""
    lines = [activation.function]
    for hit in activation.hits:
        one = scenario.breakpoint(hit.breakpoint)
        other = "" if hit.function == activation.function else f"@{hit.function}"
        number = "" if hit.number is None else f" #{hit.number}"
        values = f" {hit.values}" if hit.values else ""
        text = _LABEL_COMMENT.sub("", scenario.line_text(one.file, one.line))
        shown = f"  {hit.breakpoint}{other}{number}{values}"
        lines.append(f"{shown:40} | {text}" if text else shown)
    return lines


def _diff(before: str, after: str, *, context: bool = True) -> list[str]:
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return [f"  {line}".rstrip() for line in lines if line[0] in ("- +" if context else "-+")]


def described(scenario: Scenario, result: Result) -> str:
    """A result as text."""
    if result["status"] != "ran":
        return str(dict(result))
    lines = [line for one in activations(result) for line in rendered(one, scenario)]
    lines += [f"{name}: {dict(found)}" for name, found in result["breakpoints"].items()]
    lines += [f"warning: {message}" for message in result["warnings"]]
    return "\n".join([*lines, result["output"], result.get("stderr", "")])


# Against each other


def cross_check(
    suite: Suite, scenario: Scenario, results: Mapping[tuple[str, str], Result], failed: Container[tuple[str, str]] = ()
) -> tuple[list[str], bool]:
    """How the results of one scenario differ by interpreter and backend where they should be the same.

    They should wherever the same expectation holds. What an expectation leaves open is compared too: counters, output,
    the numbers of hits. `failed`: places whose result is not the expected one, which is said elsewhere; the second
    value tells whether the others differ among themselves.
    """
    by_expectation: dict[int, dict[tuple[str, ...], list[tuple[str, str]]]] = {}
    for (interpreter, backend), result in results.items():
        if result["status"] == "skipped" or suite.lacking(scenario, interpreter, backend):
            continue
        other = suite.gap(scenario, interpreter, backend) or scenario.variant(interpreter, backend)
        expectation = scenario.expectation if other is None else other.expectation
        text = tuple(_canonical(scenario, expectation, result))
        by_expectation.setdefault(id(other), {}).setdefault(text, []).append((interpreter, backend))
    lines, differ = [], False
    for groups in by_expectation.values():
        if len(groups) < 2:
            continue
        by_size = sorted(groups.items(), key=lambda group: -len(group[1]))
        lines.append(f"{len(groups)} different results:")
        for number, (_, places) in enumerate(by_size, 1):
            lines.append(f"  {number}: {', '.join('/'.join(place) for place in places)}")
        good = [
            (number, text)
            for number, (text, places) in enumerate(by_size, 1)
            if any(place not in failed for place in places)
        ]
        for number, text in good[1:]:
            differ = True
            lines.append(f"  - {good[0][0]}, + {number}:")
            lines += _diff("\n".join(good[0][1]), "\n".join(text), context=False)
    return lines, differ


def _canonical(scenario: Scenario, expectation: Expectation, result: Result) -> list[str]:
    """All of a result that must be the same everywhere, as text."""
    if result["status"] != "ran":
        return [result["status"]]
    found = sorted(activations(result, expectation.unnumbered), key=repr)
    lines = [line for one in found for line in rendered(one, scenario)]
    for one in scenario.breakpoints:
        values = dict(result["breakpoints"].get(one.name, {"state": "never added"}))
        # Texts may differ. So may what a disabled breakpoint sees (4.5), and what a rate lets through.
        open_keys = {"reason", "arrivals", "skipped"} | (
            {"hits", "limited", "captured"} if "rate" in one.rules else set()
        )
        lines.append(f"{one.name}: {', '.join(f'{key} {values[key]}' for key in values if key not in open_keys)}")
    return [*lines, f"raised: {result['raised']}", *result["output"].splitlines()]
