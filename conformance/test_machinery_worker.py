"""A worker finds what is wrong with an expectation, and survives what a program does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Tuple

import pytest

from conformance.compare import Verdict, judge
from conformance.reading import HERE, read_suite

PROGRAM = """
title = "two passes"
rules = ["3.4"]
program = '''
def f(items):
    for item in items:       #: header
        found = [
            use(one)         #: element
            for one in item
        ]
    return found             #: return

print(len(f([[1], []])))
'''
expected = '''
f
  header #1
  element #1 one=1
  header #2
  header #3
  return #1
'''
output = "0"
[[breakpoint]]
at = "header"
[[breakpoint]]
at = "element"
captures = ["one"]
[[breakpoint]]
at = "return"
counters = {hits = 1}
"""

#: Small programs with one breakpoint, each by its name.
ONE = """
title = "one breakpoint"
rules = ["1.1"]
program = '''
%s
'''
expected = '''
%s
'''
%s
[[breakpoint]]
at = "here"
%s
"""


def _changed(old: str, new: str) -> str:
    assert old in PROGRAM
    return PROGRAM.replace(old, new, 1)


SCENARIOS = {
    "right": PROGRAM,
    "wrong_hits": _changed("  header #3\n", ""),
    "wrong_value": _changed("one=1", "one=2"),
    "wrong_function": _changed("element #1", "element@<listcomp> #1"),
    "wrong_number": _changed("header #3", "header #4"),
    "more_activations": _changed("expected = '''", "expected = '''\n<module>\n  header #1"),
    "wrong_line": _changed('at = "return"', 'at = "return"\nresolves = "header"'),
    "wrong_hit_line": _changed('at = "return"', 'at = "return"\nlines = ["header"]'),
    "wrong_state": _changed('at = "return"', 'at = "return"\nstate = "exhausted"'),
    "wrong_reason": _changed('at = "return"', 'at = "return"\nreason = "at line {header}"'),
    "wrong_counter": _changed("hits = 1", "hits = 2"),
    "wrong_output": _changed('output = "0"', 'output = "1"'),
    "wrong_exception": _changed('output = "0"', 'raises = "ValueError"'),
    "syntax": ONE % ("pass if  #: here", "", "", 'state = "refused"'),
    "raises": ONE % ("print(1 / 0)  #: here", "<module>\n  here #1", 'raises = "ZeroDivisionError"', ""),
    "exits": ONE % ("import os\nos._exit(3)  #: here", "", "", ""),
    "forks": ONE
    % (
        "import os\nchild = os.fork()\nif child:\n    os.waitpid(child, 0)\n    use(1)  #: here",
        "<module>\n  here #1",
        "",
        "",
    ),
    "condition_fails": ONE % ("use(1)  #: here", "", "", "condition = 'absent'"),
    "condition_may_fail": ONE % ("use(1)  #: here", "", "errors = true", "condition = 'absent'"),
    "recursion": ONE
    % (
        "def f(n):\n    use(n)  #: here\n    if n:\n        f(n - 1)\n\nf(1)",
        "f\n  here #1\nf\n  here #2",
        "",
        "",
    ),
    "threads": ONE
    % (
        "import threading\ndef f():\n    for _ in range(2):\n        use(1)  #: here\n\n"
        "for _ in range(2):\n    threading.Thread(target=f).start()",
        "f\n  here\n  here\nf\n  here\n  here",
        "",
        "counters = {hits = 4}",
    ),
    "log": ONE % ("a = 7\nuse(a)  #: here", "<module>\n  here #1 a is 7", "", "kind = 'log'\ntemplate = 'a is {a}'"),
    "count": ONE % ("use(1)  #: here", "", "", "kind = 'count'\ncounters = {hits = 1}"),
    "added": ONE
    % (
        "for step in range(5):\n    if step == 1: add('here')\n    if step == 2: disable('here')\n"
        "    if step == 3: enable('here')\n    if step == 4: remove('here')\n    use(step)  #: here",
        "<module>\n  here #1 step=1\n  here #2 step=3",
        "",
        "initial = false\ncaptures = ['step']",
    ),
    "never_added": ONE % ("use(1)  #: here", "", "", "initial = false"),
    "unverified": ONE % ("use(1)\n#: here", "", "", "state = 'unverified'\nreason = 'nearest: 1'"),
}

Runs = Tuple[Any, Dict[str, Any]]


def _run(folder: Path, *options: str) -> Dict[str, Any]:
    command = [sys.executable, "-m", "conformance.worker", "--backend", "settrace", "--suite", str(folder), *options]
    done = subprocess.run(
        [*command, "--results", str(folder / "results")],
        cwd=HERE.parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: Dict[str, Any] = json.loads(Path(done.stdout.strip()).read_text("utf-8"))
    return found


def _write(folder: Path, scenarios: Dict[str, str]) -> Path:
    (folder / "scenarios").mkdir()
    (folder / "reviewed.toml").write_text("", "utf-8")
    for name, text in scenarios.items():
        (folder / f"scenarios/{name}.toml").write_text(text, "utf-8")
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    folder = _write(tmp_path_factory.mktemp("suite"), SCENARIOS)
    return read_suite(folder), _run(folder)


def _verdict(runs: Runs, name: str) -> Verdict:
    suite, run = runs
    return judge(suite, suite.scenarios[name], run["interpreter"], "settrace", run["results"][name])


@pytest.mark.parametrize(
    "name",
    [
        *("right", "raises", "forks", "condition_may_fail", "recursion", "threads", "log", "count", "added"),
        *("never_added", "unverified"),
    ],
)
def test_what_is_as_expected_passes(runs: Runs, name: str) -> None:
    verdict = _verdict(runs, name)
    assert verdict.word == "PASS", str(verdict)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("wrong_hits", r"\+   header #3 +\| for item in items:"),
        ("wrong_value", r"-   element #1 one=2"),
        ("wrong_function", r"-   element@<listcomp> #1"),
        ("wrong_number", r"-   header #4"),
        ("more_activations", r"- <module>"),
        ("wrong_line", r"return: it resolved to line 7 `return found .*, not 2 `for item in items:"),
        ("wrong_hit_line", r"return: a hit reports line 7 `return found"),
        ("wrong_state", r"return: it is bound, not exhausted"),
        ("wrong_reason", r"return: its reason '.*' does not contain 'at line 2'"),
        ("wrong_counter", r"return: hits is 1, not 2"),
        ("wrong_output", r"(?s)it printed .*- 1.*\+ 0"),
        ("wrong_exception", r"it raised nothing, not ValueError"),
        ("syntax", r"it raised SyntaxError, not nothing"),
        ("exits", r"its process died"),
        ("condition_fails", r"(?s)nonstop warned.*absent"),
    ],
)
def test_what_is_not_as_expected_is_told(runs: Runs, name: str, message: str) -> None:
    import re

    verdict = _verdict(runs, name)
    assert verdict.word == "FAIL"
    assert re.search(message, str(verdict)), str(verdict)
    assert str(verdict).startswith(f"FAIL {runs[1]['interpreter']}/settrace {name}\n")


def test_a_program_that_hangs_is_ended_and_shows_where(tmp_path: Path) -> None:
    text = ONE % ("import time\ndef wait():\n    time.sleep(1000)  #: here\n\nwait()", "", "", "")
    run = _run(_write(tmp_path, {"hangs": text}), "--timeout", "2")
    suite = read_suite(tmp_path)
    verdict = judge(suite, suite.scenarios["hangs"], run["interpreter"], "settrace", run["results"]["hangs"])
    assert verdict.lines[0] == "it hung"
    assert "in wait" in str(verdict)


def test_the_command_prints_verdicts_and_fails(tmp_path: Path) -> None:
    _write(tmp_path, {"right": PROGRAM, "wrong_hits": SCENARIOS["wrong_hits"]})
    command = [sys.executable, "-m", "conformance.worker", "--backend", "settrace", "--suite", str(tmp_path)]
    done = subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True, timeout=60, check=False)
    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert [line.split("/")[-1] for line in lines if line.startswith(("PASS", "FAIL"))] == [
        "settrace right",
        "settrace wrong_hits",
    ]
    assert lines[-1] == "2 scenarios, 1 failed"
