"""What can be given as a sink, and what is said about the rest."""

from __future__ import annotations

import functools
import io
import logging
import sys
from pathlib import Path
from typing import Any

import nonstop
import pytest
from nonstop.errors import ArgumentError, SinkError
from nonstop.sinks import CallbackSink, JsonLinesSink, LoggingSink, Sink, TerminalSink, make_sink


def test_sink_stands_for_itself() -> None:
    sink = CallbackSink(print)
    assert make_sink(sink) is sink


def test_object_with_the_methods_of_a_sink_stands_for_itself() -> None:
    class Own:
        def emit(self, snapshot: object) -> None: ...

        def close(self) -> None: ...

    own = Own()
    assert make_sink(own) is own


def test_what_can_be_called_is_called() -> None:
    assert type(make_sink([].append)) is CallbackSink
    assert type(make_sink(functools.partial(print, end=""))) is CallbackSink


def test_path_is_a_json_lines_file(tmp_path: Path) -> None:
    path = tmp_path / "hits.jsonl"
    for given in (path, str(path), bytes(path)):
        sink = make_sink(given)
        assert type(sink) is JsonLinesSink
        sink.close()


def test_logger_is_logged_to() -> None:
    assert type(make_sink(logging.getLogger("shop"))) is LoggingSink


def test_text_stream_is_written_to() -> None:
    assert type(make_sink(sys.stderr)) is TerminalSink
    assert type(make_sink(io.StringIO())) is TerminalSink


@pytest.mark.parametrize("value", [3, 2.5, object(), ["/srv/hits.jsonl"], bytearray(b"/srv/hits.jsonl")])
def test_other_values_are_named_with_what_is_possible(value: Any) -> None:
    with pytest.raises(ArgumentError) as caught:
        make_sink(value)
    assert repr(value) in str(caught.value)
    assert "a function that takes a snapshot, a path" in str(caught.value)
    assert caught.value.code == "invalid_argument"


def test_none_is_no_sink() -> None:
    with pytest.raises(ArgumentError, match="sink is None"):
        make_sink(None)


@pytest.mark.parametrize("kind", [TerminalSink, Sink])
def test_class_of_a_sink_is_told_from_its_instance(kind: type) -> None:
    with pytest.raises(ArgumentError, match=f"the class {kind.__name__}; give an instance"):
        make_sink(kind)


def test_handler_is_told_from_its_logger() -> None:
    with pytest.raises(ArgumentError, match="give the logger"):
        make_sink(logging.NullHandler())


def test_binary_stream_is_refused() -> None:
    with pytest.raises(ArgumentError, match="binary stream"):
        make_sink(io.BytesIO())


def test_unusable_sink_sets_no_breakpoint(tmp_path: Path) -> None:
    def price(amount: int) -> int:
        return amount * 2

    with nonstop.Debugger() as debugger:
        with pytest.raises(SinkError):
            debugger.breakpoint(price, sink=tmp_path)
        assert debugger.breakpoints == []
        assert not debugger.running
    with pytest.raises(SinkError):
        nonstop.Debugger(sinks=[tmp_path / "missing" / "hits.jsonl"])


def test_import_of_the_sinks_loads_nothing_heavy() -> None:
    import subprocess

    heavy = {"shutil", "select", "unicodedata", "subprocess", "tempfile", "asyncio"}
    code = "import sys; before = set(sys.modules); import nonstop.sinks; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert not heavy & set(done.stdout.split())
