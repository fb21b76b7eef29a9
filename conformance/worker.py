"""Runs scenarios in this interpreter, under one backend: each in a fork of its own, so that none knows of another.

::

    python -m conformance.worker --backend settrace --scenario 'loops/*'

prints what passes and what differs.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import json
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nonstop
from nonstop.backends.choose import all_backends, choose_backend

from conformance.compare import described, judge
from conformance.program import Run
from conformance.reading import HERE, read_suite
from conformance.scenario import Scenario, Suite
from conformance.texts import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Callable

    Result = dict[str, Any]

#: Seconds after which a scenario is taken to hang.
TIMEOUT = 30.0


def interpreter() -> str:
    """The name of this interpreter, as reviewed.toml has it."""
    kind = "pypy" if sys.implementation.name == "pypy" else "python"
    return f"{kind}{sys.version_info[0]}.{sys.version_info[1]}"


def run_all(suite: Suite, backend: str, timeout: float, done: Callable[[Scenario, Result], None]) -> dict[str, Any]:
    """The results of all scenarios in this interpreter, under one backend. `done` is called after each."""
    started = time.monotonic()
    name = interpreter()
    results = {}
    for scenario in suite.scenarios.values():
        lacking = suite.lacking(scenario, name, backend)
        result = {"status": "skipped"} if lacking else run(scenario, backend, timeout)
        results[scenario.name] = result
        done(scenario, result)
    return {
        "interpreter": name,
        "backend": backend,
        "backends": all_backends(),
        "capabilities": sorted(choose_backend(backend).capabilities),
        "missed": _in_child(lambda _: _missed(backend), timeout).get("missed", []),
        "needs": {need.name: _meets(need.check, backend) for need in suite.needs.values()},
        "results": results,
        "seconds": time.monotonic() - started,
    }


def run(scenario: Scenario, backend: str, timeout: float = TIMEOUT) -> Result:
    """The result of one scenario."""
    return _in_child(lambda folder: Run(scenario, backend, folder).result(), timeout)


def _in_child(call: Callable[[Path], Result], timeout: float) -> Result:
    """What `call` gives in a child of this process, which has one thread and has loaded all that is needed."""
    folder = Path(os.path.realpath(tempfile.mkdtemp(prefix="conformance-")))
    try:
        result = _forked(call, folder, timeout)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    # Paths are told without the folder, which is another one each time.
    named: Result = json.loads(json.dumps(result).replace(f"{folder}/", ""))
    return named


def _forked(call: Callable[[Path], Result], folder: Path, timeout: float) -> Result:
    started = time.monotonic()
    log = folder / "stderr"
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _child(lambda: call(folder), writing, log)
    os.close(writing)
    try:
        line = _read_line(reading, started + timeout)
    finally:
        os.close(reading)
    status = os.waitpid(child, 0)[1] if line is not None else _aborted(child)
    # It led a session of its own: end what it left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    result: Result
    if line is None:
        result = {"status": "hung"}
    elif not line.endswith(b"\n"):
        result = {"status": "died", "exit": status}
    else:
        result = {"status": "ran", **json.loads(line)}
    result["stderr"] = log.read_text("utf-8", "replace") if log.exists() else ""
    result["seconds"] = round(time.monotonic() - started, 3)
    return result


def _child(call: Callable[[], Result], writing: int, log: Path) -> None:
    me = os.getpid()
    try:
        os.setsid()
        stderr = open(log, "w", encoding="utf-8", buffering=1)  # noqa: SIM115 (until the process ends)
        os.dup2(stderr.fileno(), 2)
        os.dup2(stderr.fileno(), 1)
        sys.stderr = stderr
        # Shows where it is when it crashes, or when the parent aborts it. Not `dump_traceback_later`: a child that the
        # program forks would wait for that thread, which it has not.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        faulthandler.enable(file=stderr)
        result = call()
        if os.getpid() == me:  # no child of the program that went on here
            _write(writing, json.dumps(result).encode() + b"\n")
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


def _aborted(child: int) -> int:
    """Let a child that hangs show where it is, and end it whether it does or not; its status."""
    os.kill(child, signal.SIGABRT)
    for _ in range(20):
        time.sleep(0.05)
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _read_line(descriptor: int, deadline: float) -> bytes | None:
    """What comes up to a newline or the end; None if neither came in time."""
    read = b""
    while not read.endswith(b"\n"):
        ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return None
        part = os.read(descriptor, 1 << 16)
        if not part:
            break
        read += part
    return read


def _missed(backend: str) -> Result:
    """What nonstop says that it does not reach, where a thread was started before it."""
    end = threading.Event()
    thread = threading.Thread(target=end.wait, name="worker")
    thread.start()
    with nonstop.Debugger(backend=backend) as debugger:
        debugger.counter(_missed)
        missed = debugger.missed()
    end.set()
    thread.join()
    return {"missed": missed}


def _meets(check: str, backend: str) -> bool:
    """Whether the program of a need runs here."""

    def call(_: Path) -> Result:
        exec(compile(check, "<check>", "exec", dont_inherit=True), {"__name__": "check", "backend": backend})
        return {}

    return bool(_in_child(call, TIMEOUT)["status"] == "ran")


def main() -> int:
    """Run, and tell what passes and what differs."""
    parser = argparse.ArgumentParser(prog="python -m conformance.worker", description=__doc__.partition("\n")[0])
    parser.add_argument("--backend", choices=nonstop.available_backends(), help="default: each that there is")
    parser.add_argument("--scenario", default="*", metavar="GLOB", help="those whose name matches, such as 'loops/*'")
    parser.add_argument("--verbose", action="store_true", help="show all that came of each")
    parser.add_argument("--results", type=Path, metavar="FOLDER", help="write results there, and print the file's name")
    parser.add_argument("--suite", type=Path, default=HERE, metavar="FOLDER", help="of scenarios and reviewed.toml")
    parser.add_argument("--timeout", type=float, default=TIMEOUT, metavar="SECONDS", help="for one scenario")
    arguments = parser.parse_args()
    try:
        suite = read_suite(arguments.suite, arguments.scenario)
    except ScenarioError as error:
        print(error, file=sys.stderr)
        return 2
    with nonstop.Debugger() as debugger:
        debugger.counter(main)  # what nonstop loads and reads at the first use: not again in every child
    failed = 0
    for backend in [arguments.backend] if arguments.backend else nonstop.available_backends():

        def done(scenario: Scenario, result: Result) -> None:
            nonlocal failed
            if not arguments.results:
                verdict = judge(suite, scenario, interpreter(), backend, result)  # noqa: B023 (called at once)
                failed += verdict.failed
                print(verdict, flush=True)
                if arguments.verbose:
                    print(described(scenario, result))

        results = run_all(suite, backend, arguments.timeout, done)
        if arguments.results:
            arguments.results.mkdir(parents=True, exist_ok=True)
            file = arguments.results / f"{interpreter()}-{backend}.json"
            file.write_text(json.dumps(results, indent=1), "utf-8")
            print(file)
    if not arguments.results:
        print(f"{len(suite.scenarios)} scenarios, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
