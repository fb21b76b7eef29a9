"""`nonstop run -b` captures what a print at the same place prints, and the program prints the same with and without it."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.real_code.cases import CASES, Case

_HERE = Path(__file__).parent


def _module_file(case: Case) -> Path:
    spec = importlib.util.find_spec(case.file.replace("/", ".")[: -len(".py")])
    assert spec is not None and spec.origin is not None, case.file
    return Path(spec.origin)


def _place(case: Case, source: list[str]) -> int:
    """The line of the case, counted from 1."""
    starts = [number for number, line in enumerate(source) if case.function in line]
    assert starts, f"no {case.function!r} in {case.file}"
    for number in range(starts[0], len(source)):
        if case.text in source[number]:
            return number + 1
    raise AssertionError(f"no {case.text!r} after {case.function!r} in {case.file}")


def _with_print(case: Case, module: Path, tree: Path) -> None:
    """Copy the module into `tree`, with a print before the line of the case."""
    top = case.file.split("/")[0]
    if "/" in case.file:
        shutil.copytree(module.parent, tree / top)
    else:
        shutil.copy(module, tree / top)
    source = module.read_text("utf-8").splitlines(keepends=True)
    at = _place(case, source) - 1
    indent = source[at][: len(source[at]) - len(source[at].lstrip())]
    guard = f"if {case.condition}: " if case.condition else ""
    source.insert(at, f"{indent}{guard}__import__('probe').probe({', '.join(case.captures)})\n")
    (tree / case.file).write_text("".join(source), "utf-8")
    shutil.copy(_HERE / "probe.py", tree)


def _run(arguments: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, env={**clean, **environment}, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_captures_equal_a_print_at_the_same_place(case: Case, tmp_path: Path) -> None:
    module = _module_file(case)
    program = tmp_path / "program.py"
    program.write_text(case.program, "utf-8")
    tree = tmp_path / "tree"
    tree.mkdir()
    _with_print(case, module, tree)
    printed = tmp_path / "printed"
    plain = _run([str(program)])
    _run([str(program)], PYTHONPATH=str(tree), PROBE_OUT=str(printed))
    expected = [json.loads(line) for line in printed.read_text().splitlines()]
    assert expected, "the program never comes to the line: the case shows nothing"

    line = _place(case, module.read_text("utf-8").splitlines())
    location = f"{module}:{line}" + (f" if {case.condition}" if case.condition else "")
    captures = [word for expression in case.captures for word in ("--capture", expression)]
    out = tmp_path / "hits.jsonl"
    observed = _run(["-m", "nonstop", "run", "-b", location, *captures, "--jsonl", str(out), str(program)])
    assert observed.stdout == plain.stdout

    hits = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    captured = [[hit["captures"][expression]["value"] for expression in case.captures] for hit in hits]
    if "thread" in case.name:
        # Which thread comes first is not promised.
        captured.sort()
        expected.sort()
    assert captured == expected
