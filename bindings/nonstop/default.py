"""The debugger behind ``nonstop.breakpoint``, ``nonstop.logpoint`` and ``nonstop.counter``."""

from __future__ import annotations

import functools
import inspect
import threading
from typing import TYPE_CHECKING, Any

from nonstop.debugger import Debugger

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from typing_extensions import Concatenate, ParamSpec  # in every type checker; `typing` has them from 3.10 on

    P = ParamSpec("P")
    R = TypeVar("R")

_lock = threading.Lock()
_debugger: Debugger | None = None


def default_debugger() -> Debugger:
    """The debugger of the module-level functions: made at the first use, observing while it has breakpoints."""
    global _debugger
    with _lock:
        if _debugger is None or _debugger.closed:
            _debugger = Debugger()
            _debugger.stops_when_idle = True
        return _debugger


def _on_default(method: Callable[Concatenate[Debugger, P], R]) -> Callable[P, R]:
    @functools.wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        return method(default_debugger(), *args, **kwargs)

    call.__module__ = "nonstop"
    call.__qualname__ = method.__name__
    signature = inspect.signature(method)
    described: Any = call
    described.__signature__ = signature.replace(parameters=list(signature.parameters.values())[1:])
    return call


breakpoint = _on_default(Debugger.breakpoint)
logpoint = _on_default(Debugger.logpoint)
counter = _on_default(Debugger.counter)
