"""Snapshots to a function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nonstop.errors import ArgumentError
from nonstop.sinks.base import Sink

if TYPE_CHECKING:
    from collections.abc import Callable

    from nonstop.snapshots import Snapshot


class CallbackSink(Sink):
    """Calls a function with each snapshot, in nonstop's thread.

    Raises :class:`~nonstop.errors.ArgumentError` for what cannot be called, and for an ``async`` function, whose
    coroutine nothing would await.

    >>> from nonstop.snapshots import Snapshot
    >>> hits = []
    >>> sink = CallbackSink(lambda snapshot: hits.append(snapshot.hit))
    >>> sink.emit(Snapshot(b'{"hit":7}'))
    >>> hits, sink.taken
    ([7], 1)
    """

    def __init__(self, function: Callable[[Snapshot], object]) -> None:
        if not callable(function):
            raise ArgumentError(f"{function!r} cannot be called; give a function that takes a snapshot")
        if _is_async(function):
            raise ArgumentError(
                f"{function!r} is async, and nothing would await it; give a plain function, which may hand snapshots "
                "on with loop.call_soon_threadsafe(queue.put_nowait, snapshot)"
            )
        self._function = function

    def emit(self, snapshot: Snapshot) -> None:
        """Call the function; what it raises goes on to the debugger, which counts it."""
        self._function(snapshot)
        self.taken += 1


def _is_async(function: Any) -> bool:
    import inspect

    return any(map(inspect.iscoroutinefunction, (function, type(function).__call__)))
