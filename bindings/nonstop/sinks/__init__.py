"""Where snapshots go: a function, a JSON Lines file, the program's log, a terminal.

A sink is given with a breakpoint (``sink=``) or to a debugger (``sinks=``); what :func:`make_sink` understands may be
given in its place.
"""

from nonstop.sinks.base import Sink
from nonstop.sinks.callback import CallbackSink
from nonstop.sinks.jsonl import JsonLinesSink
from nonstop.sinks.logger import LoggingSink
from nonstop.sinks.make import make_sink
from nonstop.sinks.terminal import TerminalSink

__all__ = ["CallbackSink", "JsonLinesSink", "LoggingSink", "Sink", "TerminalSink", "make_sink"]
