"""The test suites of Jinja2, click and packaging give the same results with and without breakpoints in hot functions.

Run as ``python -m conformance.real_code.suites DIRECTORY`` by an interpreter that has nonstop, pytest and the suites' own
requirements (`requirements.txt` beside this file). DIRECTORY keeps the unpacked source distributions between runs.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Dict, NamedTuple, Tuple


class Suite(NamedTuple):
    """A source distribution and the breakpoints that its suite runs under."""

    requirement: str
    breakpoints: Tuple[str, ...]


SUITES = (
    # The lexer's generator, the compiler's visitor, and the loop context that templates call.
    Suite(
        "Jinja2==3.1.6",
        ("jinja2/lexer.py:tokeniter", "jinja2/compiler.py:visit_Output", "jinja2/runtime.py:LoopContext.__next__"),
    ),
    Suite("click==8.1.8", ("click/parser.py:parse_args", "click/core.py:Context.invoke", "click/types.py:convert")),
    Suite(
        "packaging==24.2",
        ("packaging/version.py:Version.__init__", "packaging/specifiers.py:contains", "packaging/_tokenizer.py:read"),
    ),
)


def _unpacked(requirement: str, directory: Path) -> Path:
    found = directory / requirement
    if not found.exists():
        with tempfile.TemporaryDirectory() as download:
            subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "pip",
                    "download",
                    "-q",
                    "--no-deps",
                    "--no-binary",
                    ":all:",
                    "-d",
                    download,
                    requirement,
                ],
                check=True,
            )
            (archive,) = Path(download).iterdir()
            # In a process of its own: which filters there are differs from version to version.
            subprocess.run([sys.executable, "-W", "ignore", "-m", "tarfile", "-e", archive, found], check=True)
    (inside,) = found.iterdir()
    return inside


def _outcomes(tree: Path, prefix: list[str], report: Path) -> Dict[str, str]:
    """The outcome of each test: its name, and passed, failed, skipped or error."""
    command = [
        sys.executable,
        *prefix,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
        f"--junitxml={report}",
    ]
    subprocess.run(command, cwd=tree, check=False, stdout=subprocess.DEVNULL, timeout=1800)
    outcomes = {}
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        outcomes[name] = (
            case[0].tag if len(case) and case[0].tag not in ("system-out", "system-err", "properties") else "passed"
        )
    return outcomes


def compare(suite: Suite, directory: Path) -> bool:
    """Run one suite both ways and say what differs; whether nothing does, and tests did run."""
    tree = _unpacked(suite.requirement, directory)
    with tempfile.TemporaryDirectory() as scratch:
        plain = _outcomes(tree, [], Path(scratch) / "plain.xml")
        hits = Path(scratch) / "hits.jsonl"
        prefix = ["-m", "nonstop", "run", "--rate", "1000", "--jsonl", str(hits)]
        for location in suite.breakpoints:
            prefix += ["-b", location]
        watched = _outcomes(tree, prefix, Path(scratch) / "watched.xml")
        captured = hits.read_bytes().count(b"\n")
    different = sorted(name for name in plain.keys() | watched.keys() if plain.get(name) != watched.get(name))
    passed = sum(outcome == "passed" for outcome in plain.values())
    print(f"{suite.requirement}: {len(plain)} tests, {passed} passed, {len(different)} different, {captured} snapshots")
    for name in different[:20]:
        print(f"  {name}: {plain.get(name)} without, {watched.get(name)} with")
    return not different and passed > 0 and captured > 0


def main() -> int:
    """Compare all suites."""
    directory = Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    results = [compare(suite, directory) for suite in SUITES]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
