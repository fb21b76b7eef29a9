"""The tests of the standard library give the same results with a counter on every unit of the code that they test.

::

    python -m conformance.real_code.stdlib [--backend NAME] [--only PACKAGE] [--tests FOLDER]

by an interpreter that has nonstop and its `test` package, or with the folder that another one of the same version has it
in: PyPy is often packed without. Each package is tested in processes of its own, with counters and without; what a
process gives twice differently without them is not compared.
"""

from __future__ import annotations

import argparse
import glob
import importlib
import importlib.util
import json
import os
import pkgutil
import platform
import subprocess
import sys
import time
import unittest
from typing import Any, Dict, Iterator, List, Sequence, Tuple

_IS_PYPY = sys.implementation.name == "pypy"

#: By package: the modules that carry the counters, and the modules of tests; `package.*` is each module of a package.
PACKAGES: Dict[str, Tuple[List[str], List[str]]] = {
    "json": (["json", "json.decoder", "json.encoder", "json.scanner", "json.tool"], ["test.test_json"]),
    "re": (["re", "sre_parse", "sre_compile", "re._parser", "re._compiler"], ["test.test_re"]),
    "difflib": (["difflib"], ["test.test_difflib"]),
    "textwrap": (["textwrap"], ["test.test_textwrap"]),
    "argparse": (["argparse"], ["test.test_argparse"]),
    "ast": (["ast"], ["test.test_ast", "test.test_unparse"]),
    "tokenize": (["tokenize"], ["test.test_tokenize"]),
    "decimal": (["_pydecimal"], ["test.test_decimal"]),
    "statistics": (["statistics"], ["test.test_statistics"]),
    "heapq": (["heapq"], ["test.test_heapq"]),
    "dataclasses": (["dataclasses"], ["test.test_dataclasses"]),
    "asyncio": (["asyncio.*"], ["test.test_asyncio"]),
    "concurrent.futures": (["concurrent.futures.*"], ["test.test_concurrent_futures"]),
    "unittest": (["unittest.*"], ["unittest.test.*", "test.test_unittest"]),
}
#: Tests that hang on PyPy, without a debugger.
_HANGING = frozenset(
    {"test_gh105829_should_not_deadlock_if_wakeup_pipe_full", "test_hang_global_shutdown_lock"} if _IS_PYPY else ()
)
#: Seconds after which a process is taken to hang.
TIMEOUT = 900


class _Outcomes(unittest.TestResult):
    """The outcome of each test by its name."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Dict[str, str] = {}

    def stopTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().stopTest(test)
        self.found.setdefault(test.id(), "passed")

    def addError(self, test: Any, error: Any) -> None:  # noqa: N802
        self.found[test.id()] = f"error: {error[0].__name__}"

    def addFailure(self, test: Any, error: Any) -> None:  # noqa: N802
        self.found[test.id()] = "failed"

    def addSkip(self, test: Any, reason: str) -> None:  # noqa: N802
        self.found[test.id()] = "skipped"

    def addSubTest(self, test: Any, subtest: Any, error: Any) -> None:  # noqa: N802
        if error is not None:
            self.found[test.id()] = "failed in a part"


class _Loader(unittest.TestLoader):
    def getTestCaseNames(self, case: Any) -> Sequence[str]:  # noqa: N802
        return [name for name in super().getTestCaseNames(case) if name not in _HANGING]


def _files(modules: List[str]) -> List[str]:
    """The source files of modules."""
    files = []
    for name in modules:
        try:
            module = importlib.import_module(name[:-2] if name.endswith(".*") else name)
        except ImportError:
            continue  # this version has none
        path = str(module.__file__)
        files += sorted(glob.glob(os.path.join(os.path.dirname(path), "*.py"))) if name.endswith(".*") else [path]
    return sorted({path for path in files if path.endswith(".py")})


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:  # of the package around
        return False


def _each(modules: List[str]) -> Iterator[str]:
    """The modules of tests that this installation has."""
    for name in modules:
        if not name.endswith(".*"):
            if _is_there(name):
                yield name
        elif _is_there(name[:-2]):
            package = importlib.import_module(name[:-2])
            yield from (
                one.name
                for one in pkgutil.iter_modules(package.__path__, name[:-1])
                if one.name[len(name) - 1 :].startswith("test")
            )


def _set_counters(backend: str, modules: List[str]) -> Any:
    import nonstop
    from nonstop.planner import source_rows

    debugger = nonstop.Debugger(backend=backend)
    with debugger.batch():
        for path in _files(modules):
            for line in sorted({first_line for _, first_line, *_ in source_rows(path).units}):
                try:
                    debugger.counter(f"{path}:{line}")
                except nonstop.NonstopError:
                    continue  # no code, and nothing after it in its block
    return debugger


def _make_tests_importable(folder: str) -> None:
    if folder:
        import test

        test.__path__ = [os.path.join(folder, "test")]
        # Up to 3.11 it has its tests inside. What is tested are its own modules: they come first.
        unittest.__path__.append(os.path.join(folder, "unittest"))
    try:
        importlib.import_module("_testcapi")
    except ImportError:
        pass
    except OSError:
        # PyPy compiles it from C when it is imported, and was packed without the file. Tests that need it skip themselves.
        sys.modules["_testcapi"] = None  # type: ignore[assignment]


def child(package: str, backend: str, folder: str) -> None:
    """Run the tests of a package in this process; the result goes to the standard output, as the last line."""
    _make_tests_importable(folder)
    modules, tests = PACKAGES[package]
    found = list(_each(tests))
    if not found:
        print("\n" + json.dumps({"outcomes": {}, "missing": tests}))
        return
    debugger = _set_counters(backend, modules) if backend else None
    loader, outcomes = _Loader(), _Outcomes()
    for name in found:
        try:
            importlib.import_module(name)
        except (ImportError, unittest.SkipTest):
            continue
        loader.loadTestsFromName(name).run(outcomes)
    told: Dict[str, Any] = {"outcomes": outcomes.found}
    if debugger is not None:
        told["hits"] = sum(one.hits for one in debugger.breakpoints)
        told["counters"] = len(debugger.breakpoints)
        told["errors"] = debugger._hits.internal_errors
    print("\n" + json.dumps(told), flush=True)
    # Threads that a test left behind would keep the process.
    os._exit(0)


def _outcomes(package: str, backend: str, folder: str) -> Dict[str, Any]:
    command = [sys.executable, "-W", "ignore", "-m", "conformance.real_code.stdlib", "--child", package]
    command += ["--backend", backend, "--tests", folder]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=TIMEOUT, check=False)
    last = done.stdout.decode("utf-8", "replace").strip().rpartition("\n")[2]
    try:
        found: Dict[str, Any] = json.loads(last)
    except ValueError:
        return {"outcomes": {"the process": f"ended with {done.returncode}"}}
    return found


def compare(package: str, backend: str, folder: str) -> bool:
    """Run the tests of one package both ways and say what differs; whether nothing does, and there were hits."""
    started = time.monotonic()
    try:
        plain, again, counted = (_outcomes(package, one, folder) for one in ("", "", backend))
    except subprocess.TimeoutExpired:
        print(f"  {package}: a process hangs")
        return False
    if plain.get("missing"):
        print(f"  {package}: skipped: {' and '.join(plain['missing'])} is not part of this installation", flush=True)
        return True
    expected, repeated, found = plain["outcomes"], again["outcomes"], counted["outcomes"]
    steady = {name for name in expected if expected[name] == repeated.get(name)}
    different = sorted(name for name in steady if expected[name] != found.get(name))
    passed = sum(outcome == "passed" for outcome in expected.values())
    print(
        f"  {package}: {len(expected)} tests, {passed} passed, {len(different)} different, "
        f"{len(expected) - len(steady)} not compared, {counted.get('counters', 0)} counters, {counted.get('hits', 0)} hits, "
        f"{counted.get('errors', 0)} errors of nonstop, {time.monotonic() - started:.0f} s",
        flush=True,
    )
    for name in different[:20]:
        print(f"    {name}: {expected[name]} without, {found.get(name)} with")
    return not different and passed > 0 and counted.get("hits", 0) > 0 and not counted.get("errors", 1)


def main() -> int:
    """Compare all packages."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--backend", default="")
    parser.add_argument("--only", choices=PACKAGES)
    parser.add_argument("--tests", default="", metavar="FOLDER", help="where the tests are that are to be used")
    parser.add_argument("--child", choices=PACKAGES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        child(given.child, given.backend, given.tests)
        return 0
    import nonstop

    backend = given.backend or nonstop.available_backends()[0]
    print(f"{platform.python_implementation()} {platform.python_version()}, {backend}")
    packages = [given.only] if given.only else list(PACKAGES)
    results = [compare(package, backend, given.tests) for package in packages]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
