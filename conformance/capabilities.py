"""Makes docs/capabilities.md: what each interpreter can do under each backend, from the results of a run.

The document is made of tables with a row or column for each interpreter, and of texts that are the same whichever ran.
Where some did not run, what the document says of them is kept.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from conformance.scenario import Alternative, Scenario, Suite

    Run = Mapping[str, Any]
    #: By section, row and column.
    Cells = Mapping[tuple[str, str, str], str]

#: What a backend may be able to do beyond observing lines, by nonstop's own word.
_ABILITIES = {
    "running_frames": "functions that are running when the breakpoint is set",
    "suspended_generators": "generators that are suspended when the breakpoint is set",
    "earlier_threads": "threads that were started before",
}
_BACKENDS = "Backends"
_MISSED = "What nonstop reports where a thread was started before it"
_UNKNOWN = "not run"
_ABSENT = "–"

_HEAD = """\
# What each interpreter can do

Made by `scripts/conformance --update` from a run of the conformance suite on every interpreter under every backend that
it has; the run fails where this page is out of date. What a breakpoint has to do is said in
[semantics.md](semantics.md), and shown by the scenarios in [conformance/](../conformance), one folder for each topic.
"""
_LEGEND = """\
*yes*: every scenario of the topic gives what the contract says. *all but*, *none*: the numbered notes below tell why.
–: the interpreter does not have this backend.
"""


def order(run: Run, supported: Sequence[str]) -> tuple[int, int]:
    """Sorts runs: by interpreter, then with the fastest backend first."""
    place = supported.index(run["interpreter"]) if run["interpreter"] in supported else len(supported)
    return place, list(run["backends"]).index(run["backend"])


def compare(suite: Suite, runs: Sequence[Run], supported: Sequence[str], path: Path, *, update: bool) -> list[str]:
    """What is wrong with the document; with `update` it is written instead."""
    present = path.read_text("utf-8") if path.exists() else ""
    wanted = document(suite, runs, supported, cells(present))
    if wanted == present:
        return []
    if update:
        path.write_text(wanted, "utf-8")
        print(f"{path.name} was written")
        return []
    lines = [line for line in wanted.splitlines() if line not in present.splitlines()]
    shown = "\n".join(f"  + {line}" for line in lines[:10])
    return [f"FAIL {path.name} is out of date: run scripts/conformance --update\n{shown}"]


def document(suite: Suite, runs: Sequence[Run], supported: Sequence[str], known: Cells) -> str:
    """The text. `known`: what is said of interpreters that did not run."""
    names = list(runs[0]["backends"])
    by_place = {(run["interpreter"], run["backend"]): run for run in runs}
    backends = {run["interpreter"]: run["backends"] for run in runs}
    parts = [_HEAD, _backends(names, backends, supported, known), _missed(names, by_place, supported, known)]
    numbers = _numbers(suite)
    for name in names:
        section = _backend(suite, name, by_place, backends, supported, known, numbers)
        if section:
            parts.append(section)
    parts += [_notes(suite, numbers), _variants(suite)]
    return "\n".join(part for part in parts if part)


def cells(text: str) -> dict[tuple[str, str, str], str]:
    """The cells of all tables of a document."""
    found: dict[tuple[str, str, str], str] = {}
    section = ""
    head: list[str] = []
    for line in text.splitlines():
        if line.startswith("## "):
            section, head = line[3:], []
        elif line.startswith("|"):
            row = [cell.strip() for cell in line.strip("|").split("|")]
            if not head:
                head = row
            elif not set(row[0]) <= {"-"} or not row[0]:
                found.update({(section, row[0], column): cell for column, cell in zip(head[1:], row[1:])})
    return found


def _table(section: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    return "\n".join([f"## {section}\n", lines[0], "|---" * len(head) + "|", *lines[1:]]) + "\n"


def _backends(names: Sequence[str], backends: Mapping[str, Any], supported: Sequence[str], known: Cells) -> str:
    rows = []
    for interpreter in supported:
        row = [interpreter]
        default = next((name for name, reason in backends.get(interpreter, {}).items() if reason is None), None)
        for name in names:
            if interpreter not in backends:
                row.append(known.get((_BACKENDS, interpreter, name), _UNKNOWN))
            elif backends[interpreter][name] is None:
                row.append("yes, the default" if name == default else "yes")
            else:
                row.append(f"no: {backends[interpreter][name]}")
        rows.append(row)
    return _table(_BACKENDS, ["", *names], rows)


def _missed(
    names: Sequence[str], by_place: Mapping[tuple[str, str], Run], supported: Sequence[str], known: Cells
) -> str:
    present = {interpreter for interpreter, _ in by_place}
    rows = []
    for interpreter in supported:
        row = [interpreter]
        for name in names:
            run = by_place.get((interpreter, name))
            if interpreter not in present:
                row.append(known.get((_MISSED, interpreter, name), _UNKNOWN))
            else:
                row.append(_ABSENT if run is None else "; ".join(run["missed"]) or "nothing is missed")
        rows.append(row)
    return _table(_MISSED, ["", *names], rows)


def _backend(
    suite: Suite,
    name: str,
    by_place: Mapping[tuple[str, str], Run],
    backends: Mapping[str, Any],
    supported: Sequence[str],
    known: Cells,
    numbers: Mapping[object, int],
) -> str:
    """The table of one backend; empty where no interpreter has it."""

    def row(head: str, rules: str, cell: Any) -> list[str]:
        made = [head, rules]
        for interpreter in supported:
            if interpreter not in backends:
                made.append(known.get((name, head, interpreter), _UNKNOWN))
            else:
                run = by_place.get((interpreter, name))
                made.append(_ABSENT if run is None else cell(run))
        return made

    rows = [
        row(text, "", lambda run: "yes" if word in run["capabilities"] else "no")  # noqa: B023 (called at once)
        for word, text in _ABILITIES.items()
    ]
    for topic in sorted({scenario.topic for scenario in suite.scenarios.values()}):
        scenarios = [one for one in suite.scenarios.values() if one.topic == topic]
        rules = sorted({rule for one in scenarios for rule in one.rules}, key=_rule_key)
        rows.append(
            row(topic, ", ".join(rules), lambda run: _topic(suite, scenarios, run, numbers))  # noqa: B023
        )
    if all(set(one[2:]) <= {_ABSENT, _UNKNOWN} for one in rows):
        return ""
    return _table(name, ["", "rules", *supported], rows) + "\n" + _LEGEND


def _topic(suite: Suite, scenarios: Sequence[Scenario], run: Run, numbers: Mapping[object, int]) -> str:
    """Which notes tell of scenarios that do not pass as they are."""
    place = (run["interpreter"], run["backend"])
    notes, passing = set(), 0
    for scenario in scenarios:
        lacking, gap = suite.lacking(scenario, *place), suite.gap(scenario, *place)
        if lacking:
            notes |= {numbers[need.name] for need in lacking}
        elif gap is not None:
            notes.add(numbers[id(gap)])
        else:
            passing += 1
    shown = ", ".join(map(str, sorted(notes)))
    return "yes" if not notes else f"all but {shown}" if passing else f"none: {shown}"


def _numbers(suite: Suite) -> dict[object, int]:
    """The numbers of the notes, by need and gap, in the order of reviewed.toml."""
    gaps = [id(gap) for name in sorted(suite.gaps) for gap in suite.gaps[name]]
    return {one: number for number, one in enumerate([*suite.needs, *gaps], 1)}


def _notes(suite: Suite, numbers: Mapping[object, int]) -> str:
    lines = []
    for need in suite.needs.values():
        topics = sorted({one.topic for one in suite.scenarios.values() if need.name in one.needs})
        lines.append(
            f"{numbers[need.name]}. No {need.name} on {', '.join(need.lacking)}: {need.reason}. "
            f"Scenarios that need it, in {', '.join(topics)}, are skipped there."
        )
    for name in sorted(suite.gaps):
        for gap in suite.gaps[name]:
            scenario = suite.scenarios[name]
            lines.append(f"{numbers[id(gap)]}. {_sentence(scenario, gap)}: {gap.reason}.")
    return "\n".join(["## Notes\n", *lines]) + "\n" if lines else ""


def _variants(suite: Suite) -> str:
    lines = [f"- {_sentence(one, variant)}" for one in suite.scenarios.values() for variant in one.variants]
    head = (
        "## Differences that the contract allows\n\n"
        "Scenarios that expect something else where an interpreter makes no code for a unit (2.5, 3.7), or in what is "
        "not promised (5):\n"
    )
    return "\n".join([head, *lines]) + "\n" if lines else ""


def _sentence(scenario: Scenario, other: Alternative) -> str:
    title = re.sub(r"\.$", "", scenario.title)
    return f"`{scenario.name}` ({title}; {', '.join(scenario.rules)}) on {', '.join(other.where)}"


def _rule_key(rule: str) -> list[int]:
    return [int(part) for part in rule.split(".")]
