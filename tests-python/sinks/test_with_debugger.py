"""Sinks behind a debugger: what is captured arrives where it was to go."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nonstop
import pytest
from nonstop.sinks import JsonLinesSink, TerminalSink


def price(amount: int) -> int:
    return amount * 2


def test_all_kinds_at_once_get_each_snapshot(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    called: list[Any] = []
    screen = io.StringIO()
    path = tmp_path / "hits.jsonl"
    logger = logging.getLogger("nonstop-test.prices")
    with caplog.at_level(logging.INFO), nonstop.Debugger(sinks=[called.append, path, logger, screen]) as debugger:
        debugger.breakpoint(price, capture="amount * 10")
        for amount in (1, 2, 3):
            price(amount)
    lines = path.read_text("utf-8").splitlines()
    assert [json.loads(line)["captures"]["amount * 10"]["value"] for line in lines] == [10, 20, 30]
    assert [snapshot.json for snapshot in called] == lines
    assert [record.getMessage().rpartition(": ")[2] for record in caplog.records] == [
        f"amount * 10={value}" for value in (10, 20, 30)
    ]
    assert screen.getvalue().count("in price, hit ") == 3
    assert "    amount * 10 = 20\n" in screen.getvalue()


def test_log_record_is_that_of_the_line(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("nonstop-test.prices")
    with caplog.at_level(logging.INFO), nonstop.Debugger() as debugger:
        debugger.logpoint(price, "amount is {amount}", sink=logger)
        price(20)
    (record,) = caplog.records
    assert record.getMessage() == "amount is 20"
    assert (record.pathname, record.lineno, record.funcName) == (__file__, price.__code__.co_firstlineno + 1, "price")
    assert record.threadName == "MainThread"


def test_one_sink_may_serve_several_breakpoints_and_debuggers(tmp_path: Path) -> None:
    sink = JsonLinesSink(tmp_path / "hits.jsonl")
    with nonstop.Debugger(sinks=[sink]) as debugger:
        debugger.logpoint(price, "a", sink=sink)
        debugger.logpoint(price, "b", sink=sink)
        debugger.logpoint(price, "c")
        price(1)
    assert sink.taken == 3
    messages = [json.loads(line)["message"] for line in (tmp_path / "hits.jsonl").read_text().splitlines()]
    assert sorted(messages) == ["a", "b", "c"]


def test_failing_sink_takes_nothing_from_the_others(tmp_path: Path) -> None:
    stream = io.StringIO()
    closed = TerminalSink(stream)
    stream.close()
    got: list[Any] = []
    with nonstop.Debugger(sinks=[closed, got.append]) as debugger:
        watched = debugger.breakpoint(price)
        assert [price(amount) for amount in (1, 2)] == [2, 4]
    assert (watched.captured, len(got), closed.lost) == (2, 2, 2)


FORKING = """
import os, sys
import nonstop
def price(amount):
    return amount * 2
nonstop.breakpoint(price, capture="amount", sink=sys.argv[1])
price(0)
pids = []
for child in (1, 2, 3):
    pid = os.fork()
    if not pid:
        for number in range(20):
            price(child * 100 + number)
        sys.exit()
    pids.append(pid)
statuses = [os.waitpid(pid, 0)[1] for pid in pids]
price(1)
print(statuses)
"""


def test_children_of_a_fork_append_to_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "hits.jsonl"
    command = [sys.executable, "-W", "ignore", "-c", FORKING, os.fspath(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.stderr) == ("[0, 0, 0]\n", "")
    amounts = [json.loads(line)["captures"]["amount"]["value"] for line in path.read_text().splitlines()]
    wanted = [0, 1] + [child * 100 + number for child in (1, 2, 3) for number in range(20)]
    assert sorted(amounts) == sorted(wanted)
