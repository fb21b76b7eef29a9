"""A source file that is run both ways: with a call at every entry of every unit, and under the tracer of nonstop."""

from __future__ import annotations

import inspect
import os
import sys
import types
import warnings
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from nonstop import core, sources
from nonstop.backends import settrace
from nonstop.code_objects import dialect, nested_code
from nonstop.core import Engine, Patch, Probe, Spec
from nonstop.dialect import bytecode_of, read_facts
from nonstop.planner import Planner

#: Whether calls can be put into code here.
REWRITES = read_facts().call is not None

#: Where control entered a unit: the name and first line of the code object, and the offset of the entry.
Entered = tuple


def replaced(code: CodeType, patch: Patch, constants: tuple[Any, ...]) -> CodeType:
    """The code object with calls in it."""
    changes: dict[str, Any] = {
        "co_code": patch.code,
        "co_linetable" if hasattr(code, "co_linetable") else "co_lnotab": patch.line_table,
        "co_stacksize": patch.stack_size,
        "co_consts": constants,
    }
    if hasattr(code, "co_exceptiontable"):
        changes["co_exceptiontable"] = patch.exception_table
    return code.replace(**changes)


def patch_of(code: CodeType, probes: list[Probe]) -> Patch:
    return Patch(dialect(), bytecode_of(code), code.co_firstlineno, code.co_stacksize, probes)


class _Arrivals:
    """In the place of what answers to arrivals."""

    plan_ended = None

    def __init__(self, entered: list[Entered]) -> None:
        self.entered = entered

    def arrive(self, frame: FrameType, site: int, needs_thread_name: bool) -> None:
        self.entered.append((frame.f_code.co_name, frame.f_code.co_firstlineno, frame.f_lasti))

    def failed(self, error: BaseException) -> None:
        raise error


class Program:
    """A source file with a breakpoint at each unit."""

    def __init__(self, path: str, *, without_text: bool = False) -> None:
        self.path = path
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.code = compile(sources.read_source(path), path, "exec", dont_inherit=True)
        self.engine = Engine()
        self.planner = Planner(self.engine)
        name = os.fsencode(path)
        if without_text:
            self.engine.source_without_units(name)
            lines = sorted({line for one in nested_code(self.code) for line in _lines(one)})
        else:
            self.planner.register(name, "")
            lines = self.engine.source_lines(name)
        self.engine.add([Spec(core.COUNT, name + b":%d" % line) for line in lines])
        self.planner.edited()

    def probes(self, code: CodeType) -> list[Probe]:
        """A probe for each entry of each unit of a code object, without constants."""
        found = self.planner.examine(code, {"__name__": "observed"})
        if found is None:
            return []
        epoch, probes = self.engine.code_probes(found[0].key)
        assert epoch == found[1].epoch
        assert [(one.offset, one.site) for one in probes] == [(one.offset, one.site) for one in found[1].entries]
        return probes

    def rewritten(self, hook: Callable[[Entered], object], code: CodeType | None = None) -> CodeType:
        """The code of the file with calls in it, also in all that is made inside of it."""
        code = self.code if code is None else code
        constants = tuple(self.rewritten(hook, one) if inspect.iscode(one) else one for one in code.co_consts)
        probes = self.probes(code)
        places = [(code.co_name, code.co_firstlineno, probe.offset) for probe in probes]
        first = len(constants) + 1
        probes = [probe._replace(hook=first - 1, argument=first + at) for at, probe in enumerate(probes)]
        return replaced(code, patch_of(code, probes), (*constants, hook, *places))

    def run(self, code: CodeType, exercise: Callable[[Any], Any], package: str = "") -> Any:
        """Run the code as a module, and then what is done with it."""
        module = types.ModuleType("observed")
        module.__file__ = self.path
        module.__package__ = package
        before = sys.modules.get("observed")
        sys.modules["observed"] = module
        try:
            exec(code, module.__dict__)
            return exercise(module)
        finally:
            del sys.modules["observed"]
            if before is not None:
                sys.modules["observed"] = before

    def entered_by_tracer(self, entered: list[Entered], exercise: Callable[[Any], Any], package: str = "") -> Any:
        """Run the code as it is, and note where the tracer arrives."""
        arrivals = _Arrivals(entered)
        backend = settrace.SettraceBackend(self.planner, arrivals)  # type: ignore[arg-type]
        # Its trace functions alone: all the rest is for frames that run already.
        settrace._known, settrace._active = backend.decisions.codes.known, backend
        before = sys.gettrace()
        sys.settrace(settrace.trace_call)
        try:
            return self.run(self.code, exercise, package)
        finally:
            sys.settrace(before)
            settrace._active, settrace._known = None, {}

    def told(self, events: list[Any], code: CodeType, exercise: Callable[[Any], Any], package: str = "") -> Any:
        """Run code, and note all that a tracer is told."""

        def trace(frame: FrameType, event: str, arg: Any) -> Any:
            own = frame.f_code
            if own.co_filename != self.path:
                return None
            events.append((event, own.co_name, own.co_firstlineno, frame.f_lineno))
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            return self.run(code, exercise, package)
        finally:
            sys.settrace(before)


def _lines(code: CodeType) -> list[int]:
    return dialect().lines(bytecode_of(code), code.co_firstlineno)
