"""Reads the suite's files. A mistake in one is an error that names the file."""

from __future__ import annotations

import fnmatch
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.scenario import (
    COUNTERS,
    PROGRAM,
    Alternative,
    Breakpoint,
    Expectation,
    Need,
    Outcome,
    Scenario,
    Suite,
)
from conformance.texts import ScenarioError, labels, parse_expected

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HERE = Path(__file__).resolve().parent
SEMANTICS = HERE.parent / "docs/semantics.md"

#: States in which a breakpoint stands at no line.
_NOWHERE = ("unverified", "pending", "refused")
_KINDS = ("snapshot", "count", "log")
_PLACES = ("at", "at_disk", "line", "function")
_RULES = ("condition", "hit_condition", "max_hits", "rate", "expires", "thread")
#: What a scenario expects as a whole, and of one breakpoint by its name.
_WHOLE = ("expected", "output", "raises", "errors")
_BY_NAME = ("resolves", "states", "reasons", "counters", "lines")

_SCENARIO_KEYS = ("title", "rules", "needs", "program", "source", "disk", "files", "breakpoint", "variant", *_WHOLE)
_OUTCOME_KEYS = ("resolves", "lines", "state", "reason", "counters")
_BREAKPOINT_KEYS = (*_PLACES, *_RULES, "name", "file", "kind", "template", "captures", "initial", *_OUTCOME_KEYS)
_VARIANT_KEYS = ("where", *_WHOLE, *_BY_NAME)
_GAP_KEYS = ("scenario", "reason", *_VARIANT_KEYS)
_NEED_KEYS = ("name", "lacking", "reason", "check")

_PLACE = re.compile(r"(python|pypy)3\.\d+(/[a-z]+)?")


def read_suite(folder: Path = HERE, pattern: str = "*") -> Suite:
    """The scenarios of ``folder/scenarios`` whose name (``loops/for_else``) matches, with ``folder/reviewed.toml``."""
    reviewed = folder / "reviewed.toml"
    needs, gaps = _named(reviewed, lambda: _reviewed(_table(reviewed)))
    rules = known_rules()
    scenarios, mistakes = {}, []
    for path in sorted((folder / "scenarios").rglob("*.toml")):
        name = path.relative_to(folder / "scenarios").with_suffix("").as_posix()
        if fnmatch.fnmatch(name, pattern):
            try:
                # Called at once, with this name and path.
                scenarios[name] = _named(path, lambda: _scenario(name, _table(path), rules, needs))  # noqa: B023
            except ScenarioError as error:
                mistakes.append(str(error))
    if mistakes:
        raise ScenarioError("\n".join(mistakes))
    if not scenarios:
        raise ScenarioError(f"no scenario in {folder / 'scenarios'} has a name like {pattern!r}")
    found: dict[str, tuple[Alternative, ...]] = {}
    for gap in gaps:
        scenario = scenarios.get(gap["scenario"])
        if scenario is not None:
            one = _named(reviewed, lambda: _alternative(gap, scenario, "a gap"))  # noqa: B023
            found[scenario.name] = (*found.get(scenario.name, ()), one)
        elif pattern == "*":
            raise ScenarioError(f"{reviewed}: a gap names the scenario {gap['scenario']!r}, which does not exist")
    return Suite(scenarios, needs, found)


def _named(path: Path, read: Any) -> Any:
    try:
        return read()
    except ScenarioError as error:
        raise ScenarioError(f"{path}: {error}") from None


def known_rules(path: Path = SEMANTICS) -> frozenset[str]:
    """The numbers of the rules of the contract: its sections (``3``) and their items (``3.4``)."""
    found, section = set(), ""
    for line in path.read_text("utf-8").splitlines():
        head, item = re.match(r"## (\d+) ", line), re.match(r"(\d+)\. ", line)
        if head:
            section = head.group(1)
            found.add(section)
        if item and section:
            found.add(f"{section}.{item.group(1)}")
    return frozenset(found)


# What the tables of the files mean


def _reviewed(table: dict[str, Any]) -> tuple[dict[str, Need], list[dict[str, Any]]]:
    _only(table, ("need", "gap"), "the list")
    needs = {}
    for one in table.get("need", ()):
        _only(one, _NEED_KEYS, "a need")
        need = Need(_get(one, "name", str), _places(one, "lacking"), _get(one, "reason", str), _get(one, "check", str))
        if need.name in needs:
            raise ScenarioError(f"the need {need.name!r} is there twice")
        needs[need.name] = need
    for one in table.get("gap", ()):
        _only(one, _GAP_KEYS, "a gap")
        _get(one, "scenario", str)
        _get(one, "reason", str)
    return needs, table.get("gap", [])


def _scenario(name: str, table: dict[str, Any], rules: frozenset[str], needs: Mapping[str, Need]) -> Scenario:
    _only(table, _SCENARIO_KEYS, "a scenario")
    cited = tuple(_get(table, "rules", list))
    if not cited:
        raise ScenarioError("it names no rule")
    for rule in cited:
        if rule not in rules:
            raise ScenarioError(f"docs/semantics.md has no rule {rule!r}")
    for need in table.get("needs", ()):
        if need not in needs:
            raise ScenarioError(f"reviewed.toml, which lists what some interpreter lacks, has no need {need!r}")
    source = table.get("source", "file")
    if source not in ("file", "absent", "stale") or (source == "stale") != ("disk" in table):
        raise ScenarioError("source is 'absent', or 'stale' with a text `disk`")
    texts = {PROGRAM: _get(table, "program", str), **table.get("files", {})}
    breakpoints, outcomes = [], {}
    for one in table.get("breakpoint", ()):
        breakpoint, outcome = _breakpoint(one, texts, table.get("disk", ""))
        if breakpoint.name in outcomes:
            raise ScenarioError(f"two breakpoints are called {breakpoint.name!r}: give one a name")
        breakpoints.append(breakpoint)
        outcomes[breakpoint.name] = outcome
    if not breakpoints:
        raise ScenarioError("it has no breakpoint")
    _get(table, "expected", str)
    scenario = Scenario(
        name,
        _get(table, "title", str),
        cited,
        tuple(table.get("needs", ())),
        texts[PROGRAM],
        source,
        table.get("disk", ""),
        table.get("files", {}),
        tuple(breakpoints),
        Expectation((), outcomes, None, "", False),
        (),
    )
    scenario = replace(scenario, expectation=_changed(scenario, table, _WHOLE))
    variants = [_alternative(one, scenario, "a variant") for one in table.get("variant", ())]
    return replace(scenario, variants=tuple(variants))


def _breakpoint(table: dict[str, Any], texts: Mapping[str, str], disk: str) -> tuple[Breakpoint, Outcome]:
    _only(table, _BREAKPOINT_KEYS, "a breakpoint")
    places = [key for key in _PLACES if key in table]
    if len(places) != 1:
        raise ScenarioError(f"a breakpoint has one of {', '.join(_PLACES)}; this one has {places}")
    key = places[0]
    file = table.get("file", PROGRAM)
    # The program may make a file and then add the breakpoint.
    if file not in texts and not file.startswith("<") and table.get("initial", True):
        raise ScenarioError(f"there is no file {file!r}")
    known = labels(disk if key == "at_disk" else texts.get(file, ""))
    place = _get(table, key, int if key == "line" else str)
    line = 0 if key == "function" else _line(place, known)
    kind = table.get("kind", "snapshot")
    if kind not in _KINDS or (kind == "log") != ("template" in table) or (kind != "snapshot" and "captures" in table):
        raise ScenarioError(f"kind is one of {', '.join(_KINDS)}; a log has a template, and only a snapshot captures")
    state = table.get("state", "bound")
    resolves = table.get("resolves", None if state in _NOWHERE else line or None)
    breakpoint = Breakpoint(
        table.get("name", {"line": f"line {place}", "function": f"{place}()"}.get(key, place)),
        file,
        line,
        place if key == "function" else "",
        kind,
        table.get("template", ""),
        tuple(table.get("captures", ())),
        {key: tuple(table[key]) if isinstance(table[key], list) else table[key] for key in _RULES if key in table},
        table.get("initial", True),
    )
    return breakpoint, Outcome(
        None if resolves is None else _line(resolves, known),
        state,
        _with_lines(table.get("reason", ""), known),
        _counters(table.get("counters", {})),
        frozenset(_line(one, known) for one in table.get("lines", ())),
    )


def _alternative(table: dict[str, Any], scenario: Scenario, what: str) -> Alternative:
    _only(table, _GAP_KEYS if what == "a gap" else _VARIANT_KEYS, what)
    where = _places(table, "where")
    if not set(table) & {*_WHOLE, *_BY_NAME}:
        raise ScenarioError(f"{what} of {scenario.name} changes nothing")
    return Alternative(where, table.get("reason", ""), _changed(scenario, table, (*_WHOLE, *_BY_NAME)))


def _changed(scenario: Scenario, table: Mapping[str, Any], keys: Iterable[str]) -> Expectation:
    """The scenario's expectation with what `table` says instead."""
    outcomes = dict(scenario.expectation.outcomes)
    whole: dict[str, Any] = {}
    for key in keys:
        if key not in table:
            continue
        if key == "expected":
            names = [one.name for one in scenario.breakpoints if one.kind != "count"]
            whole["activations"] = parse_expected(table[key], names)
        elif key in _WHOLE:
            whole[key] = table[key]
        else:
            for name, value in table[key].items():
                if name not in outcomes:
                    raise ScenarioError(f"{key}: there is no breakpoint {name!r}")
                file = scenario.breakpoint(name).file
                known = labels(scenario.program if file == PROGRAM else scenario.files.get(file, ""))
                outcomes[name] = replace(outcomes[name], **_other(key, value, known))
    return replace(scenario.expectation, outcomes=outcomes, **whole)


def _other(key: str, value: Any, known: Mapping[str, int]) -> dict[str, Any]:
    """The fields of an outcome that an alternative changes."""
    if key == "resolves":
        return {"resolves": _line(value, known)}
    if key == "states":
        return {"state": value, **({"resolves": None} if value in _NOWHERE else {})}
    if key == "reasons":
        return {"reason": _with_lines(value, known)}
    if key == "counters":
        return {"counters": _counters(value)}
    return {"lines": frozenset(_line(one, known) for one in value)}


def _line(place: Any, known: Mapping[str, int]) -> int:
    if isinstance(place, int):
        return place
    if place not in known:
        raise ScenarioError(f"no line has the label {place!r}; there are {sorted(known)}")
    return known[place]


def _with_lines(text: str, known: Mapping[str, int]) -> str:
    return re.sub(r"\{(.+?)\}", lambda match: str(_line(match.group(1), known)), text)


def _counters(table: dict[str, int]) -> dict[str, int]:
    _only(table, COUNTERS, "counters")
    return table


def _places(table: dict[str, Any], key: str) -> tuple[str, ...]:
    places = tuple(_get(table, key, list))
    for place in places:
        if not _PLACE.fullmatch(place):
            raise ScenarioError(f"{key}: {place!r} is no interpreter, as 'python3.9' and 'pypy3.9/settrace' are")
    if not places:
        raise ScenarioError(f"{key} is empty")
    return places


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"no TOML: {error}") from None


def _get(table: dict[str, Any], key: str, kind: type) -> Any:
    if not isinstance(table.get(key), kind):
        raise ScenarioError(f"{key!r} is missing, or no {kind.__name__}")
    return table[key]


def _only(table: Mapping[str, Any], keys: Iterable[str], what: str) -> None:
    known = sorted(keys)
    for key in table:
        if key not in known:
            raise ScenarioError(f"{what} has no {key!r}; it has {', '.join(known)}")
