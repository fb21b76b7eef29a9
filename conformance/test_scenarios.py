"""Every scenario under every backend of this interpreter. Workers keep the results for the comparison with others."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, Dict

import nonstop
import pytest

from conformance.compare import judge
from conformance.reading import HERE, read_suite

ROOT = HERE.parent
RESULTS = ROOT / "target/conformance"
SUITE = read_suite()

Results = Dict[str, Dict[str, Any]]


@pytest.fixture(scope="module")
def runs() -> Results:
    """One run for each backend, by its name."""
    found = {}
    for backend in nonstop.available_backends():
        command = [sys.executable, "-m", "conformance.worker", "--backend", backend, "--results", str(RESULTS)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        path = done.stdout.strip()
        with open(path, encoding="utf-8") as file:
            found[backend] = json.load(file)
    return found


@pytest.mark.parametrize("backend", nonstop.available_backends())
@pytest.mark.parametrize("name", sorted(SUITE.scenarios))
def test_scenario(runs: Results, backend: str, name: str) -> None:
    run = runs[backend]
    verdict = judge(SUITE, SUITE.scenarios[name], run["interpreter"], backend, run["results"][name])
    if verdict.word == "SKIP":
        pytest.skip("; ".join(verdict.lines))
    if verdict.word == "GAP":
        pytest.xfail("; ".join(verdict.lines))
    assert not verdict.failed, str(verdict)
