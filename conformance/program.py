"""Runs one scenario in this process, which ends with it: the child of a worker."""

from __future__ import annotations

import builtins
import io
import logging
import os
import sys
import threading
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nonstop

from conformance.scenario import COUNTERS, PROGRAM, Breakpoint, Scenario

if TYPE_CHECKING:
    from types import FrameType

#: Python up to 3.11 and PyPy give a comprehension a frame; it is part of the activation around it (rule 1.7).
_COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>")
#: Of a snapshot only the captures are looked at; the rest costs as much as all else together.
_LIMITS = {"frames": 1, "frames_with_locals": 1}
#: Ends the message of a logpoint: a logpoint captures nothing beside it.
_MARK = " activation="


class Activations:
    """Numbers the activations of the program, by the frame that each has.

    Frames are kept, so that no other gets the address of one that ended. Only frames of the calling thread are looked
    at: on PyPy those of others can't be.
    """

    def __init__(self, own_files: tuple[str, ...]) -> None:
        #: How the names of the scenario's files begin: the frames of others belong to the observer.
        self._own_files = own_files
        self._frames: dict[int, FrameType] = {}
        self._numbers: dict[int, int] = {}
        self.functions: list[str] = []
        self._lock = threading.Lock()

    def __call__(self) -> int:
        frame: Any = sys._getframe(1)
        while not frame.f_code.co_filename.startswith(self._own_files):
            frame = frame.f_back
        while frame.f_code.co_name in _COMPREHENSIONS:
            frame = frame.f_back
        with self._lock:
            number = self._numbers.get(id(frame))
            if number is None:
                self._frames[id(frame)] = frame
                number = self._numbers[id(frame)] = len(self.functions)
                self.functions.append(frame.f_code.co_name)
            return number


class Run:
    """The breakpoints of a scenario and what came of them."""

    def __init__(self, scenario: Scenario, backend: str, folder: Path) -> None:
        self.scenario = scenario
        self.folder = folder
        #: Absent: a name that leads to nothing.
        self.program = str(folder / ("absent" if scenario.source == "absent" else ".") / PROGRAM)
        made = [one.file for one in scenario.breakpoints if one.file.startswith("<")]
        self.activations = Activations((str(folder) + os.sep, *made))
        self.snapshots: list[nonstop.Snapshot] = []
        self.warnings: list[str] = []
        self.handles: dict[str, nonstop.Breakpoint] = {}
        self.names: dict[int, str] = {}
        self.refused: dict[str, dict[str, Any]] = {}
        self.debugger = nonstop.Debugger(backend=backend, sinks=[self.snapshots.append])

    def result(self) -> dict[str, Any]:
        """Run the program and give what came of it, as JSON has it."""
        printed, raised = self._run()
        breakpoints = {name: _report(handle) for name, handle in self.handles.items()}
        self.debugger.close()
        wrong = list(self.warnings)
        captured = sum(
            breakpoints[one.name]["captured"]
            for one in self.scenario.breakpoints
            if one.kind != "count" and one.name in breakpoints
        )
        if captured != len(self.snapshots):
            wrong.append(f"{captured} snapshots were captured and {len(self.snapshots)} delivered")
        return {
            "activations": self._activations(),
            "breakpoints": {**breakpoints, **self.refused},
            "output": printed,
            "raised": raised,
            "warnings": wrong,
        }

    def _run(self) -> tuple[str, str]:
        scenario = self.scenario
        texts = {PROGRAM: scenario.disk if scenario.source == "stale" else scenario.program, **scenario.files}
        if scenario.source == "absent":
            del texts[PROGRAM]
        for name, text in texts.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text(text, "utf-8")
        module = types.ModuleType("__main__")
        module.__file__ = self.program
        sys.modules["__main__"] = module
        sys.argv = [self.program]
        sys.path.insert(0, str(self.folder))
        self._help()
        logger = logging.getLogger("nonstop")
        logger.addHandler(_Warnings(self.warnings))
        logger.propagate = False
        with self.debugger.batch():
            for one in scenario.breakpoints:
                if one.initial:
                    self.add(one.name)
        stdout, sys.stdout = sys.stdout, io.StringIO()
        raised = ""
        try:
            exec(compile(scenario.program, self.program, "exec", dont_inherit=True), module.__dict__)
        except BaseException as error:
            raised = type(error).__name__
            sys.excepthook(*sys.exc_info())
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and not thread.daemon:
                thread.join()
        printed = sys.stdout.getvalue()
        sys.stdout = stdout
        return printed, raised

    # What the program sees as builtins

    def _help(self) -> None:
        helpers: Any = builtins
        helpers.use = use
        helpers.activation = self.activations
        for method in (self.add, self.remove, self.enable, self.disable):
            setattr(helpers, method.__name__, method)

    def add(self, name: str) -> None:
        """Add a breakpoint of the scenario."""
        one = next(one for one in self.scenario.breakpoints if one.name == name)
        try:
            handle = self._add(one)
        except nonstop.NonstopError as error:
            state = "unverified" if error.code in ("no_code", "no_such_function") else "refused"
            self.refused[name] = {"state": state, "reason": str(error), "resolved": 0, **dict.fromkeys(COUNTERS, 0)}
        else:
            self.handles[name] = handle

    def remove(self, name: str) -> None:
        """Remove one."""
        self.handles[name].remove()

    def enable(self, name: str) -> None:
        """Enable one."""
        self.handles[name].enable()

    def disable(self, name: str) -> None:
        """Disable one."""
        self.handles[name].disable()

    def _add(self, one: Breakpoint) -> nonstop.Breakpoint:
        location = f"{self._file(one)}:{one.function or one.line}"
        if one.kind == "count":
            handle = self.debugger.counter(location, **one.rules)
        elif one.kind == "log":
            handle = self.debugger.logpoint(location, f"{one.template}{_MARK}{{activation()}}", **one.rules)
        else:
            captures = (*one.captures, "activation()")
            handle = self.debugger.breakpoint(location, capture=captures, limits=_LIMITS, **one.rules)
        self.names[handle.id] = one.name
        return handle

    def _file(self, one: Breakpoint) -> str:
        if one.file.startswith("<"):
            return one.file
        return self.program if one.file == PROGRAM else str(self.folder / one.file)

    # What came of it

    def _activations(self) -> list[dict[str, Any]]:
        found: dict[int, dict[str, Any]] = {}
        by_name = {one.name: one for one in self.scenario.breakpoints}
        for snapshot in self.snapshots:
            one = by_name[self.names[snapshot.breakpoint]]
            if one.kind == "log":
                values, _, number = (snapshot.message or "").rpartition(_MARK)
            else:
                shown = snapshot.captures
                number = str(shown["activation()"])
                values = " ".join(f"{name}={_shown(shown[name])}" for name in one.captures)
            function = self.activations.functions[int(number)]
            activation = found.setdefault(int(number), {"function": function, "hits": []})
            place = snapshot.location
            activation["hits"].append(
                {
                    "breakpoint": one.name,
                    "number": snapshot.hit,
                    "function": place.function,
                    "file": os.path.relpath(place.file, self.folder) if os.path.isabs(place.file) else place.file,
                    "line": place.line,
                    "values": values,
                }
            )
        return list(found.values())


class _Warnings(logging.Handler):
    def __init__(self, messages: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._messages = messages

    def emit(self, record: logging.LogRecord) -> None:
        self._messages.append(record.getMessage())


def use(*values: Any) -> Any:
    """Opaque to the compiler: gives its first argument, or None."""
    return values[0] if values else None


def _report(handle: nonstop.Breakpoint) -> dict[str, Any]:
    report = handle.report()
    counters = {name: getattr(report, name) for name in COUNTERS}
    return {"state": report.state, "reason": report.reason, "resolved": report.resolved_line, **counters}


def _shown(value: nonstop.Value) -> str:
    document = value._document
    if "cut" in document and not {"value", "items", "entries", "fields", "ref"} & set(document):
        return f"!{value.type}"
    return str(value)
