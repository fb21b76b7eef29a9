"""The mutation check: every fault of mutations.toml, put into the code, must be caught by the suite.

::

    scripts/mutations                           # all of them; --only 'GLOB' for those whose names match
    python -m conformance.mutations --python python3.13=/some/bin/python

The tree is copied once, to a directory of its own. There one fault after the other is put in place, the library is built
where the fault is in it, and the part of the suite that is to catch the fault is run. That part must fail with the
fault, as it must pass without any. What survives shows that the suite has a hole.
"""

from __future__ import annotations

import argparse
import contextlib
import fnmatch
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
LIST = HERE / "mutations.toml"

#: Used where an entry names no interpreter: one on which nothing is out of the ordinary.
DEFAULT = "python3.13"
#: The parts of the suite that can catch a fault. The first takes the names of scenarios, the last a part of the names of
#: tests.
SCENARIOS, ENGINE_CALLS, RUST_TESTS = "scenarios", "engine calls", "rust tests"

_KEYS = {"name", "file", "old", "new", "caught_by", "interpreters"}
_NOT_COPIED = (".git", "target", ".venvs", "dist", "__pycache__", ".*_cache", "_native")
#: Seconds for one scenario, and for one part. What takes longer hangs.
_SCENARIO_SECONDS, _PART_SECONDS = 10, 300

#: The package of the library, as maturin makes it.
_LIBRARY = "lib_native.so"
_PACKAGE = f"""
import os
from .ffi import ffi

lib = ffi.dlopen(os.path.join(os.path.dirname(__file__), {_LIBRARY!r}))
"""

_FAILED_SCENARIO = re.compile(r"^FAIL \S+ (\S+)$", re.M)
_PASSED_SCENARIO = re.compile(r"^(?:PASS|GAP) \S+ \S+$", re.M)
_FAILED_TEST = re.compile(r"^(?:FAILED|ERROR) [^\[\n]*(?:\[(.+?)\])?(?: - .*)?$", re.M)
_PASSED_TESTS = re.compile(r"^(?:.* )?(\d+) passed", re.M)
_FAILED_RUST_TEST = re.compile(r"^test (\S+) \.\.\. FAILED", re.M)


class ListError(Exception):
    """Something in the list is wrong."""


class BuildError(Exception):
    """The library cannot be built."""


class Part(NamedTuple):
    """A part of the suite, in one interpreter."""

    kind: str
    which: str
    interpreter: str

    def __str__(self) -> str:
        where = "" if self.kind == RUST_TESTS else f" on {self.interpreter}"
        return f"{self.kind} {self.which}".rstrip() + where


class Fault(NamedTuple):
    """A deliberate fault, and what catches it."""

    name: str
    file: str
    old: str
    new: str
    parts: tuple[Part, ...]

    @property
    def is_in_library(self) -> bool:
        """Whether it needs a build."""
        return self.file.startswith("src/")


class Outcome(NamedTuple):
    """What came of a part."""

    #: Names of what failed, and how much passed.
    failed: tuple[str, ...]
    passed: int
    #: All that was printed.
    text: str


class Said(NamedTuple):
    """What is said of a fault."""

    #: ``"caught"``, ``"survived"``, ``"broken"`` (it says nothing of the suite) or ``"skipped"``.
    word: str
    detail: str


def read_faults(path: Path = LIST) -> list[Fault]:
    """The list."""
    with open(path, "rb") as file:
        table = tomllib.load(file)
    faults: dict[str, Fault] = {}
    for entry in table.get("fault", ()):
        name = entry.get("name", "")
        if not name or name in faults:
            raise ListError(f"a fault has no name, or that of another: {name!r}")
        missing, unknown = _KEYS - {"interpreters"} - set(entry), set(entry) - _KEYS
        if missing or unknown:
            raise ListError(f"{name}: lacks {sorted(missing)}, has {sorted(unknown)} besides")
        if entry["old"] == entry["new"]:
            raise ListError(f"{name}: it changes nothing")
        kind, which = _part(name, entry["caught_by"])
        interpreters = ["rust"] if kind == RUST_TESTS else entry.get("interpreters", [DEFAULT])
        parts = tuple(Part(kind, which, interpreter) for interpreter in interpreters)
        faults[name] = Fault(name, entry["file"], entry["old"], entry["new"], parts)
    return list(faults.values())


def _part(name: str, text: str) -> tuple[str, str]:
    for kind in (SCENARIOS, ENGINE_CALLS, RUST_TESTS):
        if text == kind or text.startswith(f"{kind} "):
            which = text[len(kind) + 1 :]
            if bool(which) == (kind == ENGINE_CALLS):
                break
            return kind, which
    raise ListError(f"{name}: it is caught by {text!r}; write 'scenarios NAMES', 'engine calls' or 'rust tests NAMES'")


def occurrences(fault: Fault, root: Path) -> int:
    """How often the text that a fault changes stands in its file."""
    path = root / fault.file
    return path.read_text("utf-8").count(fault.old) if path.is_file() else 0


@contextlib.contextmanager
def in_place(fault: Fault, root: Path) -> Iterator[None]:
    """Put a fault into the tree below `root`, and the text that was there back afterwards."""
    if occurrences(fault, root) != 1:
        raise ListError(f"its text stands {occurrences(fault, root)} times in {fault.file}, not once")
    path = root / fault.file
    text = path.read_text("utf-8")
    path.write_text(text.replace(fault.old, fault.new), "utf-8")
    try:
        yield
    finally:
        path.write_text(text, "utf-8")


class Tree:
    """A copy of the tree that faults are put into, with the library beside the Python package as a wheel has it."""

    def __init__(self, folder: Path, source: Path = ROOT) -> None:
        folder = folder.absolute()
        self.path = folder / "tree"
        self._target = folder / "build"
        self._clean = folder / "clean"
        self._native = self.path / "bindings/nonstop/_native"
        shutil.rmtree(self.path, ignore_errors=True)
        # With new times: cargo takes what is older than its last build, which may have been of a fault, for built.
        ignored = shutil.ignore_patterns(*_NOT_COPIED)
        shutil.copytree(source, self.path, ignore=ignored, copy_function=shutil.copy)

    def build_clean(self) -> None:
        """Build what is used where no fault is in the library."""
        self.build()
        shutil.copy(self._native / _LIBRARY, self._clean)
        # As maturin makes it for a wheel, from the declarations that the build wrote.
        from cffi import FFI

        maker = FFI()
        maker.set_source("ffi", None)
        maker.cdef((self._target / "header.h").read_text("utf-8"))
        with contextlib.redirect_stdout(io.StringIO()):
            maker.emit_python_code(str(self._native / "ffi.py"))
        (self._native / "__init__.py").write_text(_PACKAGE, "utf-8")

    def build(self) -> None:
        """Build the library, and put it into the package."""
        # Of the crate's three forms the package needs one.
        status, text = self._run(("cargo", "rustc", "--locked", "--quiet", "--lib", "--crate-type", "cdylib"))
        if status:
            raise BuildError(f"it does not build:\n{text}")
        self._put(next(path for path in (self._target / "debug").glob("libnonstop.*") if path.suffix != ".d"))

    def use_clean(self) -> None:
        """Put the library without a fault into the package."""
        self._put(self._clean)

    def _put(self, library: Path) -> None:
        self._native.mkdir(exist_ok=True)
        place = self._native / _LIBRARY
        place.unlink(missing_ok=True)  # a process that still runs keeps what it has loaded
        shutil.copy(library, place)

    def run(self, part: Part, python: Path | None) -> Outcome:
        """Run a part of the suite."""
        if part.kind == RUST_TESTS:
            command: Sequence[object] = ("cargo", "test", "--locked", "--lib", part.which)
        elif part.kind == ENGINE_CALLS:
            command = (python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "conformance/test_engine_calls.py")
        else:
            only = ("--scenario", part.which, "--timeout", _SCENARIO_SECONDS)
            command = (python, "-m", "conformance.worker", *only)
        return outcome(part.kind, *self._run(command))

    def _run(self, command: Sequence[object]) -> tuple[int, str]:
        environment = {
            **os.environ,
            "CARGO_TARGET_DIR": str(self._target),
            "PYTHONPATH": str(self.path / "bindings"),
            # Times and sizes tell the interpreter whether its bytecode is outdated: two faults can have the same.
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=self.path,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        try:
            text, _ = process.communicate(timeout=_PART_SECONDS)
        except BaseException as error:
            # With what it started: cargo's tests are processes of their own.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            return -1, f"it hangs: {_PART_SECONDS} s are over"
        return process.returncode, text


def outcome(kind: str, status: int, text: str) -> Outcome:
    """What a part's output says."""
    if kind == SCENARIOS:
        failed, passed = _FAILED_SCENARIO.findall(text), len(_PASSED_SCENARIO.findall(text))
    elif kind == ENGINE_CALLS:
        failed = [name or "a test" for name in _FAILED_TEST.findall(text)]
        passed = sum(map(int, _PASSED_TESTS.findall(text)))
    else:
        failed = _FAILED_RUST_TEST.findall(text)
        passed = sum(map(int, re.findall(r"(\d+) passed;", text)))
    if bool(status) != bool(failed):
        # It ended before it could say what failed, or what it said is not understood.
        return Outcome((), 0, text)
    return Outcome(tuple(failed), passed, text)


def check(fault: Fault, tree: Tree, pythons: Mapping[str, Path | None], anyway: Mapping[Part, set[str]]) -> Said:
    """Whether the suite catches a fault: every part that is named, in every interpreter that is there.

    :param anyway: what fails in each part without the fault: that says nothing.
    """
    parts = [part for part in fault.parts if part.interpreter in pythons]
    if not parts:
        return Said("skipped", ", ".join(part.interpreter for part in fault.parts))
    details = []
    try:
        with in_place(fault, tree.path):
            if not fault.is_in_library:
                tree.use_clean()
            elif parts[0].kind != RUST_TESTS:
                tree.build()
            for part in parts:
                found = tree.run(part, pythons[part.interpreter])
                failed = [name for name in found.failed if name not in anyway[part]]
                if failed:
                    details.append(f"{part}: {len(failed)} of {len(found.failed) + found.passed}, first {failed[0]}")
                elif found.passed:
                    return Said("survived", f"{part}: {found.passed} pass")
                else:
                    return Said("broken", f"{part} says nothing:\n{found.text}")
    except (ListError, BuildError) as error:
        return Said("broken", str(error))
    return Said("caught", "; ".join(details))


def run(
    faults: Sequence[Fault],
    tree: Tree,
    pythons: Mapping[str, Path | None],
    tell: Callable[[str], None],
    *,
    go_on: bool = False,
) -> int:
    """Check all faults, telling a line for each; the exit status. `go_on`: also where parts fail without any fault."""
    started = time.monotonic()
    tree.build_clean()
    anyway: dict[Part, set[str]] = {}
    for part in dict.fromkeys(part for fault in faults for part in fault.parts if part.interpreter in pythons):
        found = tree.run(part, pythons[part.interpreter])
        anyway[part] = set(found.failed)
        if found.failed:
            tell(f"{part} fails without a fault: {', '.join(found.failed)}")
        elif not found.passed:
            raise BuildError(f"{part} says nothing without a fault:\n{found.text}")
    wrong = sum(map(bool, anyway.values()))
    tell(f"{len(anyway)} parts without a fault: {wrong} fail, {time.monotonic() - started:.0f} s")
    if wrong and not go_on:
        return 1
    counts = dict.fromkeys(("caught", "survived", "broken", "skipped"), 0)
    for fault in faults:
        began = time.monotonic()
        said = check(fault, tree, pythons, anyway)
        counts[said.word] += 1
        tell(f"{said.word:8} {time.monotonic() - began:4.0f} s  {fault.file}: {fault.name}\n    {said.detail}")
    tell(f"{', '.join(f'{count} {word}' for word, count in counts.items())}, {time.monotonic() - started:.0f} s")
    return 1 if wrong or counts["survived"] or counts["broken"] or not counts["caught"] else 0


def main() -> int:
    """Run, and tell what catches each fault."""
    parser = argparse.ArgumentParser(prog="python -m conformance.mutations", description=__doc__.partition("\n")[0])
    parser.add_argument("--only", action="append", metavar="GLOB", help="faults whose name or file matches")
    parser.add_argument(
        "--python",
        action="append",
        required=True,
        metavar="NAME=PATH",
        help="an interpreter with what the tests need: its name in the list, its path",
    )
    parser.add_argument("--folder", type=Path, default=ROOT / "target/mutations", help="for the copy of the tree")
    parser.add_argument("--go-on", action="store_true", help="also where parts fail without any fault")
    arguments = parser.parse_args()
    pythons: dict[str, Path | None] = {"rust": None}
    for name, _, path in (word.partition("=") for word in arguments.python):
        pythons[name] = Path(path).absolute()
    try:
        wanted = arguments.only or ["*"]
        faults = [
            fault
            for fault in read_faults()
            if any(fnmatch.fnmatch(text, glob) for text in (fault.name, fault.file) for glob in wanted)
        ]
        if not faults:
            raise ListError(f"no fault has a name or file like {' or '.join(wanted)}")
        tree = Tree(arguments.folder)
        return run(faults, tree, pythons, lambda line: print(line, flush=True), go_on=arguments.go_on)
    except (ListError, BuildError) as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
