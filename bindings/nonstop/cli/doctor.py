"""``nonstop doctor``: what there is, what works, and what does not, with the reason.

It must work where nonstop does not: whatever it asks may fail, and that is then the answer.
"""

from __future__ import annotations

import importlib
import os
import platform
import sys
import threading
from typing import TYPE_CHECKING, Any

import nonstop
from nonstop import core
from nonstop.backends.choose import all_backends, available_backends, choose_backend
from nonstop.backends.threads import tracer_name
from nonstop.cli.outcome import FAILED
from nonstop.errors import LibraryError
from nonstop.sinks.style import Style

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What a backend may be able to do, and what is missing where it cannot.
_CAPABILITIES = {
    "running_frames": "does not reach functions that run already when a breakpoint is set",
    "suspended_generators": "does not reach generators that are suspended when a breakpoint is set",
    "earlier_threads": "reaches threads that run already, or that `threading` did not start, only from the next "
    "garbage collection in them on",
}


def doctor() -> int:
    """Show everything on stdout. Gives the exit status."""
    style = Style(sys.stdout)
    problem = library_problem()
    _table(style, "Interpreter", interpreter())
    _table(style, "nonstop", library(problem))
    _table(style, "Backends", backends(style, problem))
    _table(style, "Other tools in this process", other_tools())
    if problem is not None:
        print(style.red(f"nonstop does not work here: {problem}"))
        return FAILED
    print(style.green("nonstop works here."))
    return 0


def library_problem() -> str | None:
    """Why the native library cannot be used; None where it can."""
    try:
        core.load()
    except LibraryError as error:
        return str(error)
    return None


def interpreter() -> Iterator[tuple[str, str]]:
    """What runs this."""
    yield "implementation", _implementation()
    yield "Python", sys.version.replace("\n", " ")
    yield "executable", sys.executable or "unknown"
    yield "platform", platform.platform()
    gil = getattr(sys, "_is_gil_enabled", None)
    if gil is not None:
        yield "GIL", "on" if gil() else "off"


def library(problem: str | None) -> Iterator[tuple[str, str]]:
    """The package and its library."""
    yield "version", nonstop.__version__
    yield "package", os.path.dirname(os.path.abspath(nonstop.__file__))
    if problem is None:
        yield "library", f"{core.library_version()}, ABI {core.ABI_VERSION}"
    else:
        yield "library", "cannot be used (see below)"
    yield "cffi", _cffi_version()


def backends(style: Style, problem: str | None = None) -> Iterator[tuple[str, str]]:
    """Each backend, fastest first: whether it can be used or why not, and what it cannot reach."""
    default = (available_backends() or [""])[0]
    for name, reason in all_backends().items():
        if reason is not None:
            yield name, style.yellow(f"not available: {reason}")
            continue
        yield name, style.green("available" + (", the default" if name == default else ""))
        backend = choose_backend(name)
        for remark in backend.remarks() if problem is None else ():
            yield "", remark
        capabilities = backend.capabilities
        for capability, consequence in _CAPABILITIES.items():
            if capability not in capabilities:
                yield "", consequence


def other_tools() -> Iterator[tuple[str, str]]:
    """Tracers and profilers that are there already: nonstop never replaces one."""
    hooks = {
        "sys.settrace": sys.gettrace(),
        "threading.settrace": getattr(threading, "_trace_hook", None),
        "sys.setprofile": sys.getprofile(),
    }
    for name, hook in hooks.items():
        yield name, "none" if hook is None else tracer_name(hook)
    monitoring: Any = getattr(sys, "monitoring", None)
    if monitoring is not None:
        tools = {number: monitoring.get_tool(number) for number in range(6)}
        taken = [f"{number}: {tool}" for number, tool in tools.items() if tool is not None]
        yield "sys.monitoring", ", ".join(taken) or "none"


def _implementation() -> str:
    info = sys.implementation
    version = ".".join(map(str, info.version[:3]))
    return f"{platform.python_implementation()} {version}"


def _cffi_version() -> str:
    try:
        return str(importlib.import_module("_cffi_backend").__version__)
    except ImportError as error:
        return f"missing ({error}); install it: pip install cffi"


def _table(style: Style, title: str, rows: Iterator[tuple[str, str]]) -> None:
    print(style.bold(title))
    found = list(rows)
    width = max((len(name) for name, _ in found), default=0)
    for name, value in found:
        print(f"  {name:<{width}}  {value}")
    print()
