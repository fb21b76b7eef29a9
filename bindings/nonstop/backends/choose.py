"""Which backends this interpreter has, which one is used, and why not the others."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from nonstop.errors import BackendError

if TYPE_CHECKING:
    from nonstop.backends.base import Backend

#: Every backend, fastest first: its class, in the module that has its name. One that is not asked for is not imported.
_BACKENDS = {
    "monitoring": "MonitoringBackend",
    "bytecode": "BytecodeBackend",
    "settrace": "SettraceBackend",
}


def _class_of(name: str) -> type[Backend]:
    found: type[Backend] = getattr(importlib.import_module(f"nonstop.backends.{name}"), _BACKENDS[name])
    return found


def why_unavailable(name: str) -> str | None:
    """Why the backend called `name` cannot be used here; None where it can.

    >>> why_unavailable("settrace")
    >>> why_unavailable("telepathy")
    'no such backend; there are monitoring, bytecode, settrace'
    """
    if name not in _BACKENDS:
        return f"no such backend; there are {', '.join(_BACKENDS)}"
    return _class_of(name).why_unavailable()


def all_backends() -> dict[str, str | None]:
    """Every backend by name, fastest first, with the reason that it cannot be used here (None where it can)."""
    return {name: why_unavailable(name) for name in _BACKENDS}


def available_backends() -> list[str]:
    """Names of the backends that can be used here, fastest first.

    >>> "settrace" in available_backends()
    True
    """
    return [name for name, reason in all_backends().items() if reason is None]


def choose_backend(name: str | None) -> type[Backend]:
    """Give the backend called `name`, or the fastest that there is.

    Raises :class:`~nonstop.errors.BackendError` with code ``unavailable_backend``.
    """
    if name is None:
        name = next(one for one in _BACKENDS if why_unavailable(one) is None)
    reason = why_unavailable(name)
    if reason is not None:
        raise BackendError(
            f"the backend {name!r} cannot be used: {reason}; available: {', '.join(available_backends())}",
            code="unavailable_backend",
        )
    return _class_of(name)
