"""A failing example as the text of a scenario, to be put into conformance/scenarios/ once its expectation was thought over."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Dict, List, Tuple

from conformance.random_programs import support
from conformance.random_programs.checking import Case, Difference
from conformance.random_programs.running import EDITS, MAX_HITS, Hit, Wanted

#: What a text needs that not every interpreter has (conformance/reviewed.toml), by how one of its lines begins.
_NEEDS = {
    "match statement": r"match .*:$|match Point\($",
    "except groups": r"except\*",
    "parenthesised with": r"(async )?with \($",
}


def scenario_text(difference: Difference, title: str) -> str:
    """The TOML of a scenario with the expectation of the oracle."""
    case = difference.case
    program = case.written.plain
    needs = [name for name, line in _NEEDS.items() if re.search(rf"^ *(?:{line})", program, re.M)]
    lines = [f"title = {_quoted(title)}", 'rules = ["3"]']
    if needs:
        lines.append(f"needs = [{', '.join(map(_quoted, needs))}]")
    lines += ["program = '''", program + "'''", "expected = '''", *_activations(case), "'''"]
    support_text = Path(support.__file__).read_text("utf-8")
    lines += ["[files]", f"\"support.py\" = '''\n{support_text}'''"]
    for one in case.wanted:
        if one.initial or re.search(rf'(?:{"|".join(EDITS)})\("{one.name}"\)', program):
            lines += _breakpoint(case, one)
    return "\n".join(lines) + "\n"


def _activations(case: Case) -> List[str]:
    expected = case.expected(case.bound)
    found: Dict[int, Tuple[str, List[str]]] = {}
    numbers: Dict[str, int] = {}
    for _, hit in expected.hits:
        numbers[hit.breakpoint] = numbers.get(hit.breakpoint, 0) + 1
        if hit.breakpoint not in expected.counted:
            of = found.setdefault(hit.activation, (hit.function, []))[1]
            of.append(f"  {hit.breakpoint} #{numbers[hit.breakpoint]}")
    return [line for function, hits in found.values() for line in (function, *hits)]


def _breakpoint(case: Case, one: Wanted) -> List[str]:
    lines = ["[[breakpoint]]", f"line = {one.line}", f"name = {_quoted(one.name)}"]
    hits = sum(hit.breakpoint == one.name for _, hit in case.expected(case.bound).hits)
    if one.kind == "count":
        lines += ['kind = "count"', f"counters = {{hits = {hits}}}"]
    if one.kind == "limited":
        lines.append(f"max_hits = {MAX_HITS}")
    if one.kind == "limited" and hits == MAX_HITS:
        lines.append('state = "exhausted"')
    if not one.initial:
        lines.append("initial = false")
    place = case.written.places[one.line]
    line = case.lines.get(one.name)
    if line is None:
        lines.append('state = "refused"')
    elif line != one.line:
        lines.append(f"resolves = {line}")
    first = None if place is None else place.around
    if first is not None and line is not None and first.last > line:
        lines.append(f"lines = {list(range(line, first.last + 1))}")
    return lines


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def described(difference: Difference, seed: int, backend: str) -> str:
    """All that there is to know of a difference."""
    case = difference.case
    shown = [f"{number:4} {line}" for number, line in enumerate(case.written.plain.splitlines(), 1)]
    wanted = [
        f"  {one.name}: line {one.line}, {one.kind}" + ("" if one.initial else ", added later") for one in case.wanted
    ]
    expected = [_hit(hit) for hit in case.expected(case.bound).told]
    observed = [] if case.observed is None else [_hit(hit) for hit in case.observed.hits]
    parts = [
        f"seed {seed}, backend {backend}: {difference}",
        "the program:",
        *shown,
        "with breakpoints:",
        *wanted,
        "expected:",
        *expected,
        "observed:",
        *observed,
        "the program with probes:",
        case.written.probed,
        "as a scenario:",
        scenario_text(difference, f"found by random_programs with the seed {seed}"),
    ]
    return "\n".join(parts)


def _hit(hit: Hit) -> str:
    return f"  {hit.breakpoint} in {hit.function}, activation {hit.activation}"
