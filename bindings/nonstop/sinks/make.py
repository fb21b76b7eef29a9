"""What users give as a sink, made into one."""

from __future__ import annotations

import io
import logging
import os
from typing import Any

from nonstop.errors import ArgumentError
from nonstop.sinks.base import Sink
from nonstop.sinks.callback import CallbackSink
from nonstop.sinks.jsonl import JsonLinesSink
from nonstop.sinks.logger import LoggingSink
from nonstop.sinks.terminal import TerminalSink

_POSSIBLE = (
    "a sink is a function that takes a snapshot, a path (JSON Lines), a logging.Logger, a text stream such as "
    "sys.stderr, or a sink of nonstop.sinks"
)


def make_sink(value: Any) -> Sink:
    """The sink that `value` stands for.

    A sink, or an object with its methods ``emit`` and ``close``, stands for itself; a path (text, bytes or path object)
    for a :class:`~nonstop.sinks.JsonLinesSink`, a logger for a :class:`~nonstop.sinks.LoggingSink`, a text stream for a
    :class:`~nonstop.sinks.TerminalSink`, anything else that can be called for a
    :class:`~nonstop.sinks.CallbackSink`.

    Raises :class:`~nonstop.errors.ArgumentError` for other values, and :class:`~nonstop.errors.SinkError` for a path or
    stream that cannot be written.

    >>> import sys
    >>> type(make_sink(print)).__name__, type(make_sink(sys.stdout)).__name__
    ('CallbackSink', 'TerminalSink')
    >>> make_sink(3)
    Traceback (most recent call last):
    nonstop.errors.ArgumentError: sink is 3; a sink is a function that takes a snapshot, a path (JSON Lines), a \
logging.Logger, a text stream such as sys.stderr, or a sink of nonstop.sinks
    """
    if isinstance(value, Sink):
        return value
    if isinstance(value, (str, bytes, os.PathLike)):
        return JsonLinesSink(value)
    if isinstance(value, logging.Logger):
        return LoggingSink(value)
    if isinstance(value, type) and _has_methods(value, "emit"):
        raise ArgumentError(f"sink is the class {value.__name__}; give an instance of it")
    if isinstance(value, logging.Handler):
        raise ArgumentError(f"sink is {value!r}, a handler of logging; give the logger that it is added to")
    if isinstance(value, (io.RawIOBase, io.BufferedIOBase)):
        raise ArgumentError(f"sink is {value!r}, a binary stream; give its path, or a text stream")
    if not isinstance(value, type):
        if _has_methods(value, "emit", "close"):
            sink: Sink = value
            return sink
        if _has_methods(value, "write"):
            return TerminalSink(value)
    if callable(value):
        return CallbackSink(value)
    raise ArgumentError(f"sink is {value!r}; {_POSSIBLE}")


def _has_methods(value: object, *names: str) -> bool:
    return all(callable(getattr(value, name, None)) for name in names)
