"""Non-breaking breakpoints: set a breakpoint in a running program and get the data each time the line runs; nothing
pauses.

>>> import nonstop
>>> def price(amount):
...     return amount * 2
>>> with nonstop.breakpoint(price, capture="amount") as watched:
...     total = price(20)
...     print(next(watched.snapshots(timeout=5)).captures["amount"].value)
20
"""

from nonstop.backends.choose import available_backends
from nonstop.breakpoint import Armed, Breakpoint, BreakpointReport
from nonstop.debugger import Debugger
from nonstop.default import breakpoint, counter, logpoint
from nonstop.errors import (
    ArgumentError,
    BackendError,
    ConditionError,
    LibraryError,
    LocationError,
    NonstopError,
    SinkError,
    StateError,
    TemplateError,
)
from nonstop.limits import Limits
from nonstop.snapshots import Snapshot, Value

__version__ = "0.1.0"

__all__ = [
    "ArgumentError",
    "Armed",
    "BackendError",
    "Breakpoint",
    "BreakpointReport",
    "ConditionError",
    "Debugger",
    "LibraryError",
    "Limits",
    "LocationError",
    "NonstopError",
    "SinkError",
    "Snapshot",
    "StateError",
    "TemplateError",
    "Value",
    "available_backends",
    "breakpoint",
    "counter",
    "logpoint",
]
