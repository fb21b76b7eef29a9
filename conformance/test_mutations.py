"""Tests of the mutation check itself: its list fits the tree, and what it says of a fault is so."""

from __future__ import annotations

import ast
import fnmatch
import re
from pathlib import Path
from typing import Any

import pytest

from conformance.mutations import (
    ENGINE_CALLS,
    HERE,
    ROOT,
    RUST_TESTS,
    SCENARIOS,
    Fault,
    ListError,
    Outcome,
    Part,
    check,
    in_place,
    occurrences,
    outcome,
    read_faults,
    run,
)

FAULTS = read_faults()
BACKENDS = ROOT / "bindings/nonstop/backends"


# The list


def test_the_text_of_each_fault_stands_once_in_its_file() -> None:
    wrong = [f"{fault.name}: {occurrences(fault, ROOT)} times in {fault.file}" for fault in FAULTS]
    assert [line for line in wrong if ": 1 times in " not in line] == []


def test_faults_in_python_leave_it_python() -> None:
    for fault in FAULTS:
        if fault.file.endswith(".py"):
            ast.parse((ROOT / fault.file).read_text("utf-8").replace(fault.old, fault.new), fault.name)


def test_every_module_of_the_engine_has_a_fault() -> None:
    folders = [path for path in ROOT.glob("src/**/") if path != ROOT / "src"]
    alone = [path for path in ROOT.glob("src/*.rs") if path.name != "lib.rs" and not path.with_suffix("").is_dir()]
    files = {ROOT / fault.file for fault in FAULTS}
    for folder in folders:
        # The module of the folder `engine` is the file `engine.rs`.
        own = {file.parent for file in files} | {file.with_suffix("") for file in files}
        assert folder in own, f"no fault is in {folder.relative_to(ROOT)}"
    for module in alone:
        assert module in files, f"no fault is in {module.relative_to(ROOT)}"


def test_every_backend_has_a_fault() -> None:
    files = {ROOT / fault.file for fault in FAULTS}
    for path in BACKENDS.glob("*.py"):
        # No scenario has anything to run in a thread of nonstop: tests-cpython shows that they are left alone. What is done
        # in one on PyPy only makes sooner what comes anyway.
        if path.name not in ("__init__.py", "base.py", "choose.py", "errand.py", "own_threads.py"):
            assert path in files, f"no fault is in {path.relative_to(ROOT)}"


def test_what_is_to_catch_a_fault_exists() -> None:
    folder = HERE / "scenarios"
    names = [path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.toml")]
    for kind, which, interpreter in {part for fault in FAULTS for part in fault.parts}:
        if kind == SCENARIOS:
            assert fnmatch.filter(names, which), which
        if kind == RUST_TESTS:
            place = ROOT / "src" / which.replace("::", "/")
            assert place.is_dir() or place.with_suffix(".rs").is_file(), which
        else:
            assert re.fullmatch(r"(python|pypy)3\.\d+", interpreter)


def test_most_faults_are_caught_by_scenarios() -> None:
    counts = dict.fromkeys((SCENARIOS, ENGINE_CALLS, RUST_TESTS), 0)
    for fault in FAULTS:
        counts[fault.parts[0].kind] += 1
    assert counts[SCENARIOS] >= 20
    assert counts[SCENARIOS] + counts[ENGINE_CALLS] > 4 * counts[RUST_TESTS]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("name = 'a'", "name = ''"), "no name"),
        (("new = 'y'", "new = 'x'"), "changes nothing"),
        (("new = 'y'", ""), "lacks ['new']"),
        (("new = 'y'", "new = 'y'\nwhy = ''"), "has ['why']"),
        (("engine calls", "luck"), "caught by 'luck'"),
        (("engine calls", "engine calls of hits"), "caught by"),
        (("engine calls", "scenarios"), "caught by"),
    ],
)
def test_a_mistake_in_the_list_is_told(tmp_path: Path, change: tuple[str, str], problem: str) -> None:
    text = "[[fault]]\nname = 'a'\nfile = 'f'\nold = 'x'\nnew = 'y'\ncaught_by = 'engine calls'\n"
    (tmp_path / "list.toml").write_text(text, "utf-8")
    assert [fault.name for fault in read_faults(tmp_path / "list.toml")] == ["a"]
    (tmp_path / "list.toml").write_text(text.replace(*change), "utf-8")
    with pytest.raises(ListError, match=re.escape(problem)):
        read_faults(tmp_path / "list.toml")


# Putting faults in place


def _fault(**other: Any) -> Fault:
    return Fault("it", "src/a.rs", "one", "two", (Part(ENGINE_CALLS, "", "python3.13"),))._replace(**other)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.rs").write_text("zero one\n", "utf-8")
    return tmp_path


def test_a_fault_is_there_and_then_no_more(root: Path) -> None:
    with in_place(_fault(), root):
        assert (root / "src/a.rs").read_text("utf-8") == "zero two\n"
    assert (root / "src/a.rs").read_text("utf-8") == "zero one\n"


@pytest.mark.parametrize(("text", "count"), [("zero\n", 0), ("one one\n", 2)])
def test_a_text_that_does_not_stand_once_is_refused(root: Path, text: str, count: int) -> None:
    (root / "src/a.rs").write_text(text, "utf-8")
    with pytest.raises(ListError, match=f"{count} times"), in_place(_fault(), root):
        pass
    assert (root / "src/a.rs").read_text("utf-8") == text


# What is said


def test_the_output_of_scenarios_is_understood() -> None:
    text = "PASS python3.13/settrace a/b\nSKIP python3.13/settrace a/c\nFAIL python3.13/settrace a/d\n  FAIL x y\n"
    assert outcome(SCENARIOS, 1, f"{text}3 scenarios, 1 failed\n")[:2] == (("a/d",), 1)


def test_the_output_of_pytest_is_understood() -> None:
    text = "FAILED conformance/test_x.py::test_y[arrivals: a hit] - assert None\n1 failed, 20 passed in 1.2s\n"
    assert outcome(ENGINE_CALLS, 1, text)[:2] == (("arrivals: a hit",), 20)
    assert outcome(ENGINE_CALLS, 1, text.replace("[arrivals: a hit]", ""))[:2] == (("a test",), 20)
    assert outcome(ENGINE_CALLS, 0, "20 passed in 1.2s\n")[:2] == ((), 20)


def test_the_output_of_cargo_is_understood() -> None:
    text = "test a::b ... ok\ntest a::c ... FAILED\ntest result: FAILED. 1 passed; 1 failed; 0 ignored\n"
    assert outcome(RUST_TESTS, 101, text)[:2] == (("a::c",), 1)


@pytest.mark.parametrize("kind", [SCENARIOS, ENGINE_CALLS, RUST_TESTS])
def test_a_part_that_breaks_down_says_nothing(kind: str) -> None:
    assert outcome(kind, 1, "Traceback (most recent call last):\nImportError: FAIL\n")[:2] == ((), 0)


class FakeTree:
    """Parts give what a test says, by whether the fault is in place."""

    def __init__(self, path: Path, good: Outcome, bad: Outcome) -> None:
        self.path = path
        self.outcomes = {"one": good, "two": bad}
        self.used: list[str] = []

    def build_clean(self) -> None:
        self.used.append("clean")

    def build(self) -> None:
        self.used.append("built")

    def use_clean(self) -> None:
        self.used.append("clean")

    def run(self, part: Part, python: Path | None) -> Outcome:
        return self.outcomes[(self.path / "src/a.rs").read_text("utf-8").split()[1]]


GOOD, BAD, NOTHING = Outcome((), 5, "fine"), Outcome(("a", "b"), 3, "wrong"), Outcome((), 0, "Traceback")
PYTHONS = {"python3.13": Path("python"), "rust": None}


@pytest.mark.parametrize(("bad", "word"), [(BAD, "caught"), (GOOD, "survived"), (NOTHING, "broken")])
def test_a_fault_is_caught_if_its_part_fails(root: Path, bad: Outcome, word: str) -> None:
    tree: Any = FakeTree(root, GOOD, bad)
    said: list[str] = []
    status = run([_fault()], tree, PYTHONS, said.append)
    assert tree.used == ["clean", "built"]
    assert said[1].startswith(word)
    assert f"1 {word}" in said[-1]
    assert status == (0 if word == "caught" else 1)


def test_what_fails_without_the_fault_catches_nothing(root: Path) -> None:
    tree: Any = FakeTree(root, BAD, BAD)
    said: list[str] = []
    assert run([_fault()], tree, PYTHONS, said.append) == 1
    assert len(said) == 2  # it went no further
    assert run([_fault()], tree, PYTHONS, said.append, go_on=True) == 1
    assert "1 survived" in said[-1]


def test_a_fault_whose_text_is_gone_fails(root: Path) -> None:
    tree: Any = FakeTree(root, GOOD, BAD)
    assert check(_fault(old="three"), tree, PYTHONS, {}).word == "broken"


def test_a_fault_of_an_interpreter_that_is_not_there_is_skipped(root: Path) -> None:
    tree: Any = FakeTree(root, GOOD, BAD)
    said: list[str] = []
    assert run([_fault()], tree, {"rust": None}, said.append) == 1  # nothing was caught
    assert said[1].startswith("skipped")


def test_a_fault_must_be_caught_in_every_interpreter_that_is_named(root: Path) -> None:
    parts = (Part(ENGINE_CALLS, "", "python3.13"), Part(ENGINE_CALLS, "", "python3.9"))
    pythons = {**PYTHONS, "python3.9": Path("python")}
    tree: Any = FakeTree(root, GOOD, BAD)
    runs = iter([BAD, GOOD])
    tree.run = lambda part, python: next(runs)
    said = check(_fault(parts=parts), tree, pythons, {part: set() for part in parts})
    assert said.word == "survived"
    assert "python3.9" in said.detail


def test_a_fault_of_the_bindings_needs_no_build(root: Path) -> None:
    (root / "bindings").mkdir()
    (root / "bindings/a.py").write_text("one", "utf-8")
    tree: Any = FakeTree(root, GOOD, BAD)
    fault = _fault(file="bindings/a.py")
    tree.run = lambda part, python: BAD
    assert check(fault, tree, PYTHONS, {part: set() for part in fault.parts}).word == "caught"
    assert tree.used == ["clean"]
