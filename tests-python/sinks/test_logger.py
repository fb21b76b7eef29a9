"""Snapshots as records of `logging`."""

from __future__ import annotations

import logging
import time
from typing import Any, Iterator

import pytest
from nonstop.errors import ArgumentError
from nonstop.sinks import LoggingSink


class Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[Any] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    made = logging.getLogger("nonstop-test.shop")
    made.setLevel(logging.INFO)
    made.propagate = False
    yield made
    made.handlers.clear()
    made.filters.clear()
    made.disabled = False


@pytest.fixture
def kept(logger: logging.Logger) -> Kept:
    handler = Kept()
    logger.addHandler(handler)
    return handler


def test_snapshot_is_one_line_with_its_values(logger: logging.Logger, kept: Kept, snapshot_of: Any) -> None:
    LoggingSink(logger).emit(snapshot_of())
    (record,) = kept.records
    assert record.getMessage() == "/srv/shop.py:42 total: count=3, name='Zoë'"
    assert record.levelno == logging.INFO


def test_captured_expressions_stand_for_the_variables(logger: logging.Logger, kept: Kept, snapshot_of: Any) -> None:
    captures = {"len(items)": {"type": "int", "value": 9}}
    LoggingSink(logger).emit(snapshot_of(captures=captures))
    assert kept.records[0].getMessage() == "/srv/shop.py:42 total: len(items)=9"


def test_logpoint_is_its_message(logger: logging.Logger, kept: Kept, snapshot_of: Any) -> None:
    LoggingSink(logger).emit(snapshot_of(message="100 % of %s\nor {0}"))
    assert kept.records[0].getMessage() == "100 % of %s\nor {0}"


def test_record_is_where_and_when_the_hit_was(logger: logging.Logger, kept: Kept, snapshot_of: Any) -> None:
    now = time.time()
    shortly_before = int((now - 5) * 1e9)
    LoggingSink(logger).emit(snapshot_of(time_ns=shortly_before))
    (record,) = kept.records
    assert (record.pathname, record.filename, record.module) == ("/srv/shop.py", "shop.py", "shop")
    assert (record.lineno, record.funcName) == (42, "total")
    assert (record.thread, record.threadName) == (7, "worker-1")
    assert record.created == pytest.approx(now - 5, abs=1e-3)
    assert record.msecs == shortly_before // 1_000_000 % 1000
    fresh = logging.makeLogRecord({})
    assert record.relativeCreated == pytest.approx(fresh.relativeCreated - 5000, abs=1000)


def test_record_has_the_task_where_records_have_tasks(logger: logging.Logger, kept: Kept, snapshot_of: Any) -> None:
    LoggingSink(logger).emit(snapshot_of(task="Task-7"))
    (record,) = kept.records
    assert getattr(record, "taskName", "Task-7") == "Task-7"
    assert record.nonstop_snapshot["task"] == "Task-7"


def test_record_carries_the_document(logger: logging.Logger, kept: Kept, snapshot_of: Any) -> None:
    snapshot = snapshot_of()
    LoggingSink(logger).emit(snapshot)
    assert kept.records[0].nonstop_snapshot == snapshot.document


def test_record_can_be_formatted_whole(logger: logging.Logger, kept: Kept, snapshot_of: Any) -> None:
    LoggingSink(logger).emit(snapshot_of())
    formatter = logging.Formatter("%(name)s %(levelname)s %(threadName)s %(process)d %(asctime)s,%(message)s")
    assert "nonstop-test.shop INFO worker-1" in formatter.format(kept.records[0])


@pytest.mark.parametrize(("level", "number"), [("WARNING", 30), (logging.ERROR, 40), (17, 17)])
def test_level_can_be_chosen(logger: logging.Logger, kept: Kept, snapshot_of: Any, level: Any, number: int) -> None:
    sink = LoggingSink(logger.name, level=level)
    logger.setLevel(1)
    sink.emit(snapshot_of())
    assert kept.records[0].levelno == number


def test_disabled_level_makes_no_record(
    logger: logging.Logger, kept: Kept, snapshot_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    logger.setLevel(logging.WARNING)
    monkeypatch.setattr(logger, "makeRecord", None)
    LoggingSink(logger).emit(snapshot_of())
    assert kept.records == []


def test_filters_of_the_logger_hold(logger: logging.Logger, kept: Kept, snapshot_of: Any) -> None:
    logger.addFilter(lambda record: record.nonstop_snapshot["hit"] > 2)
    sink = LoggingSink(logger)
    sink.emit(snapshot_of(hit=2))
    sink.emit(snapshot_of(hit=3))
    assert [record.nonstop_snapshot["hit"] for record in kept.records] == [3]


@pytest.mark.parametrize("logger", [None, 3, logging.NullHandler()])
def test_what_is_no_logger_is_named(logger: Any) -> None:
    with pytest.raises(ArgumentError, match="is no logger"):
        LoggingSink(logger)


@pytest.mark.parametrize("level", ["LOUD", 2.5, None, True, -1])
def test_what_is_no_level_is_named(level: Any) -> None:
    with pytest.raises(ArgumentError, match="level is") as caught:
        LoggingSink("shop", level=level)
    assert repr(level) in str(caught.value)
