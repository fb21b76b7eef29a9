"""Mistakes in the suite's files are errors that name the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.reading import read_suite
from conformance.texts import Activation, Hit, ScenarioError, labels, parse_expected

GOOD = """
title = "a statement fires"
rules = ["1.1"]
program = '''
a = 1  #: first
b = 2  #: the second
'''
expected = '''
<module>
  first #1
  the second #1
'''
[[breakpoint]]
at = "first"
[[breakpoint]]
at = "the second"
"""


def _suite(folder: Path, text: str, reviewed: str = "") -> Path:
    (folder / "scenarios/topic").mkdir(parents=True)
    (folder / "scenarios/topic/one.toml").write_text(text, "utf-8")
    (folder / "reviewed.toml").write_text(reviewed, "utf-8")
    return folder


def test_a_scenario_is_called_by_its_topic_and_file(tmp_path: Path) -> None:
    scenario = read_suite(_suite(tmp_path, GOOD)).scenarios["topic/one"]
    assert (scenario.topic, scenario.rules) == ("topic", ("1.1",))
    assert [(one.name, one.line) for one in scenario.breakpoints] == [("first", 1), ("the second", 2)]


def test_a_program_may_make_a_file_and_add_its_breakpoints_then(tmp_path: Path) -> None:
    made = 'file = "made.py"\nline = 1\nname = "first"\ninitial = false'
    scenario = read_suite(_suite(tmp_path, GOOD.replace('at = "first"', made))).scenarios["topic/one"]
    assert (scenario.breakpoints[0].file, scenario.breakpoints[0].line) == ("made.py", 1)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('rules = ["1.1"]', 'rules = ["1.1"]\nrule = "1.2"', "a scenario has no 'rule'"),
        ('rules = ["1.1"]', 'rules = ["1.9"]', "no rule '1.9'"),
        ('rules = ["1.1"]', "rules = []", "names no rule"),
        ('rules = ["1.1"]', 'rules = ["1.1"]\nneeds = ["wings"]', "no need 'wings'"),
        ('title = "a statement fires"', "", "'title' is missing"),
        ('at = "first"', 'at = "third"', "no line has the label 'third'"),
        ('at = "first"', 'at = "first"\nline = 1', "one of at, at_disk, line, function"),
        ('at = "first"', 'at = "first"\nkind = "poem"', "kind is one of"),
        ('at = "first"', 'at = "first"\ncounters = {sneezes = 1}', "counters has no 'sneezes'"),
        ('at = "first"', 'at = "the second"', "two breakpoints are called 'the second'"),
        ("#: first", "#: the second", "stands at lines 1 and 2"),
        ("  first #1", "  fist #1", "no breakpoint is called what 'fist #1' begins with"),
        ("<module>\n", "", "has no activation above it"),
        ("  first #1\n  the second #1\n", "", "has no hits"),
        ("  first #1", "  first #1\n  first", "with and without a number"),
        ('at = "the second"', 'at = "the second"\n[[variant]]\nwhere = ["python3.9"]', "changes nothing"),
        (
            'at = "the second"',
            'at = "the second"\n[[variant]]\nwhere = ["cpython"]\noutput = ""',
            "'cpython' is no interpreter",
        ),
        (
            'at = "the second"',
            'at = "the second"\n[[variant]]\nwhere = ["python3.9"]\nstates = {third = "pending"}',
            "there is no breakpoint 'third'",
        ),
        ('at = "first"', 'file = "made.py"\nline = 1\nname = "first"', "there is no file 'made.py'"),
        ("title =", "title", "no TOML"),
    ],
)
def test_mistakes_name_the_file(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(ScenarioError) as caught:
        read_suite(_suite(tmp_path, GOOD.replace(old, new, 1)))
    assert message in str(caught.value)
    assert str(tmp_path / "scenarios/topic/one.toml") in str(caught.value)


@pytest.mark.parametrize(
    ("reviewed", "message"),
    [
        ("[[need]]\nname = 'wings'\nlacking = []\nreason = ''\ncheck = ''", "lacking is empty"),
        ("[[need]]\nname = 'wings'\nlacking = ['pypy3.9']\nreason = ''", "'check' is missing"),
        ("[[gap]]\nscenario = 'topic/two'\nwhere = ['pypy3.9']\nreason = ''\noutput = ''", "which does not exist"),
        ("[[gap]]\nscenario = 'topic/one'\nwhere = ['pypy3.9']\noutput = ''", "'reason' is missing"),
    ],
)
def test_mistakes_in_the_reviewed_list_name_it(tmp_path: Path, reviewed: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message) as caught:
        read_suite(_suite(tmp_path, GOOD, reviewed))
    assert str(tmp_path / "reviewed.toml") in str(caught.value)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    _suite(tmp_path, GOOD.replace("1.1", "9.9"))
    (tmp_path / "scenarios/topic/two.toml").write_text("", "utf-8")
    with pytest.raises(ScenarioError, match=r"(?s)one\.toml.*two\.toml"):
        read_suite(tmp_path)


def test_a_pattern_chooses_by_name(tmp_path: Path) -> None:
    _suite(tmp_path, GOOD)
    (tmp_path / "scenarios/topic/two.toml").write_text("nothing that could be read", "utf-8")
    assert list(read_suite(tmp_path, "*/one").scenarios) == ["topic/one"]
    with pytest.raises(ScenarioError, match="no scenario"):
        read_suite(tmp_path, "topc/*")


def test_lines_are_counted_as_python_does() -> None:
    # A form feed and a file separator end a line for str.splitlines, and none for the parser.
    assert labels("a = 1\x0c\nb = '\x1c'\n#: third\n") == {"third": 3}


def test_a_hit_has_a_function_a_number_and_values() -> None:
    text = "f\n  in the loop@g #2 a=1   b='x y'\n  in #1\n"
    assert parse_expected(text, ["in", "in the loop"]) == (
        Activation("f", (Hit("in the loop", "g", 2, "a=1 b='x y'"), Hit("in", "f", 1, ""))),
    )
