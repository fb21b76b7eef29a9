"""JSON Lines: whole lines from many processes, and what happens when the file, disk or pipe fails."""

from __future__ import annotations

import gc
import json
import logging
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import pytest
from nonstop.errors import SinkError
from nonstop.sinks import JsonLinesSink
from nonstop.sinks.descriptor import LineWriter


def hits(path: Any) -> list[int]:
    with open(path, "rb") as file:
        return [json.loads(line)["hit"] for line in file.read().splitlines()]


def refusal(path: Any) -> str:
    with pytest.raises(SinkError) as caught:
        JsonLinesSink(path)
    assert caught.value.code == "unusable_sink"
    return str(caught.value)


# Lines


def test_line_is_the_document_as_the_engine_wrote_it(tmp_path: Path, snapshot_of: Any) -> None:
    sink = JsonLinesSink(tmp_path / "hits.jsonl")
    snapshot = snapshot_of()
    sink.emit(snapshot)
    # Before it is closed: a reader that follows the file sees it at once.
    assert (tmp_path / "hits.jsonl").read_bytes() == snapshot.json.encode() + b"\n"
    assert sink.taken == 1
    sink.close()


def test_existing_file_is_continued(tmp_path: Path, snapshot_of: Any) -> None:
    path = tmp_path / "hits.jsonl"
    for hit in (1, 2):
        sink = JsonLinesSink(path)
        sink.emit(snapshot_of(hit=hit))
        sink.close()
    assert hits(path) == [1, 2]


def test_line_that_lacks_its_end_stays_alone(tmp_path: Path, snapshot_of: Any) -> None:
    path = tmp_path / "hits.jsonl"
    path.write_bytes(b'{"hit":1')
    sink = JsonLinesSink(path)
    sink.emit(snapshot_of(hit=2))
    sink.emit(snapshot_of(hit=3))
    sink.close()
    first, rest = path.read_bytes().split(b"\n", 1)
    assert first == b'{"hit":1'
    assert [json.loads(line)["hit"] for line in rest.splitlines()] == [2, 3]


def test_line_that_another_process_is_writing_is_left_to_it(tmp_path: Path) -> None:
    path = tmp_path / "hits.jsonl"
    path.touch()
    pid = os.fork()
    if not pid:
        try:
            other = os.open(path, os.O_WRONLY | os.O_APPEND)
            for _ in range(2_000):  # readers see each in parts
                os.write(other, b"x" * 200_000 + b"\n")
                os.truncate(path, 0)
        finally:
            os._exit(0)
    sinks = []
    while os.waitpid(pid, os.WNOHANG) == (0, 0):
        sinks.append(JsonLinesSink(path))
        sinks[-1].close()
    assert len(sinks) > 2
    assert not any(sink._writer._within_line for sink in sinks)


def test_new_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "hits.jsonl"
    JsonLinesSink(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_path_that_is_no_text_works(tmp_path: Path, snapshot_of: Any) -> None:
    path = os.fsencode(tmp_path) + b"/caf\xe9.jsonl"
    sink = JsonLinesSink(path)
    sink.emit(snapshot_of(hit=5))
    sink.close()
    assert hits(path) == [5]
    again = JsonLinesSink(os.fsdecode(path))
    again.emit(snapshot_of(hit=6))
    again.close()
    assert hits(path) == [5, 6]


def test_file_is_not_inherited_by_programs_that_are_started(tmp_path: Path) -> None:
    sink = JsonLinesSink(tmp_path / "hits.jsonl")
    assert not os.get_inheritable(sink._fileno())
    sink.close()


def test_current_directory_may_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshot_of: Any) -> None:
    monkeypatch.chdir(tmp_path)
    sink = JsonLinesSink("hits.jsonl")
    monkeypatch.chdir("/")
    sink.emit(snapshot_of())
    sink.close()
    assert hits(tmp_path / "hits.jsonl") == [2]


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_processes_append_whole_lines(tmp_path: Path, snapshot_of: Any) -> None:
    path = tmp_path / "hits.jsonl"
    sink = JsonLinesSink(path)
    filler = {"type": "str", "value": "x" * 20_000}
    children = []
    for child in range(3):
        pid = os.fork()
        if not pid:
            status = 1
            try:
                mine = sink if child else JsonLinesSink(path)
                for number in range(200):
                    mine.emit(snapshot_of(hit=child * 1000 + number, captures={"text": filler}))
                status = mine.lost
            finally:
                os._exit(status)
        children.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0, 0, 0]
    sink.close()
    found = hits(path)
    assert sorted(found) == [child * 1000 + number for child in range(3) for number in range(200)]
    for child in range(3):
        mine = [hit for hit in found if hit // 1000 == child]
        assert mine == sorted(mine)


# Closing


def test_closing_twice_is_fine_and_later_snapshots_are_lost(
    tmp_path: Path, snapshot_of: Any, caplog: pytest.LogCaptureFixture
) -> None:
    sink = JsonLinesSink(tmp_path / "hits.jsonl")
    sink.close()
    with open(tmp_path / "other", "w+") as other:  # gets the number that the sink had
        sink.close()
        sink.emit(snapshot_of())
        assert other.read() == ""
    assert (sink.taken, sink.lost) == (0, 1)
    assert "it was closed" in caplog.text


def test_file_that_nobody_closes_is_closed_without_a_warning(tmp_path: Path) -> None:
    sink = JsonLinesSink(tmp_path / "hits.jsonl")
    number = sink._fileno()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del sink
        gc.collect()
        gc.collect()
    with pytest.raises(OSError):
        os.fstat(number)


# What cannot be opened


def test_directory_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"cannot write snapshots to {tmp_path}: Is a directory; give the path of a file in it"


def test_missing_folder_is_named(tmp_path: Path) -> None:
    message = refusal(tmp_path / "logs" / "hits.jsonl")
    assert "No such file or directory" in message
    assert message.endswith(f"make the directory {tmp_path / 'logs'} first")


def test_file_in_the_place_of_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("")
    assert refusal(tmp_path / "logs" / "hits.jsonl").endswith("Not a directory; a part of the path is a file")


def test_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        message = refusal(tmp_path / "hits.jsonl")
    finally:
        os.seteuid(user)
        tmp_path.chmod(0o700)
    assert "Permission denied; give a path that this user may write to" in message


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "the path is empty"),
        ("a\0b", r"a\x00b"),
        ("-", "/dev/stdout"),
        (b"-", "/dev/stdout"),
        ("x" * 300, "shorter"),
        (b"/nowhere/caf\xe9", r"caf\udce9"),
        ("/dev/fd/987654", "Bad file descriptor"),
    ],
)
def test_path_that_makes_no_sense_is_named(path: Any, words: str) -> None:
    assert words in refusal(path)


def test_descriptor_that_is_only_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "read").write_text("")
    with open(tmp_path / "read") as file:
        assert "not open for writing" in refusal(f"/dev/fd/{file.fileno()}")


def test_pipe_without_a_reader_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path / "pipe").endswith("nobody reads this named pipe; start its reader first")


# Disks and pipes that fail

FULL = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a disk that is always full")


@FULL
def test_full_disk_is_told_once_and_counted(snapshot_of: Any, caplog: pytest.LogCaptureFixture) -> None:
    sink = JsonLinesSink("/dev/full")
    for hit in range(1, 6):
        sink.emit(snapshot_of(hit=hit))
    sink.close()
    assert (sink.taken, sink.lost) == (0, 5)
    assert sink.failure == "cannot write to /dev/full: No space left on device"
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("nonstop", logging.WARNING)
    assert record.getMessage().startswith(f"{sink.failure}; the snapshot of /srv/shop.py:42, hit 1, is lost")


def test_full_disk_leaves_one_broken_line_and_goes_on_when_there_is_room(tmp_path: Path, snapshot_of: Any) -> None:
    path = tmp_path / "hits.jsonl"
    sink = JsonLinesSink(path)
    sink.emit(snapshot_of(hit=1))
    length = path.stat().st_size
    # The limit of a file's size is as good as a full disk: the last write is a short one, the next fails.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (length + 10, limits[1]))
    try:
        for hit in (2, 3, 4):
            sink.emit(snapshot_of(hit=hit))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.stat().st_size == length + 10
    for hit in (5, 6):
        sink.emit(snapshot_of(hit=hit))
    sink.close()
    assert (sink.taken, sink.lost) == (3, 3)
    lines = path.read_bytes().splitlines()
    assert lines.pop(1) == snapshot_of().json.encode()[:10]
    assert [json.loads(line)["hit"] for line in lines] == [1, 5, 6]


def test_pipe_whose_reader_goes_away_works_again_with_the_next(
    tmp_path: Path, snapshot_of: Any, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    sink = JsonLinesSink(path)
    sink.emit(snapshot_of(hit=1))
    assert json.loads(os.read(reader, 65536))["hit"] == 1
    os.close(reader)
    sink.emit(snapshot_of(hit=2))
    sink.emit(snapshot_of(hit=3))
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    sink.emit(snapshot_of(hit=4))
    assert json.loads(os.read(reader, 65536))["hit"] == 4
    os.close(reader)
    sink.close()
    assert (sink.taken, sink.lost) == (2, 2)
    assert caplog.text.count("Broken pipe") == 1


def test_closed_pipe_ends_no_program_for_which_sigpipe_is_deadly(tmp_path: Path, snapshot_of: Any) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    sink = JsonLinesSink(path)
    os.close(reader)
    before = signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        sink.emit(snapshot_of())
        sink.emit(snapshot_of())
        assert signal.SIGPIPE not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
        assert signal.SIGPIPE not in signal.sigpending()
    finally:
        signal.signal(signal.SIGPIPE, before)
    sink.close()
    assert sink.lost == 2


def test_pipe_of_a_program_that_made_it_nonblocking_gets_whole_lines() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    got: list[bytes] = []

    def read() -> None:
        time.sleep(0.05)
        while True:
            part = os.read(reader, 65536)
            if not part:
                return
            got.append(part)

    thread = threading.Thread(target=read)
    thread.start()
    text = b"x" * 1_000_000 + b"\n"
    LineWriter().write(lambda: writer, text)
    os.close(writer)
    thread.join()
    os.close(reader)
    assert b"".join(got) == text


# The streams of the program

OWN_STREAM = """
import sys
from nonstop.sinks import JsonLinesSink
from nonstop.snapshots import Snapshot
print("before", flush=True)
sink = JsonLinesSink(sys.argv[1])
sink.emit(Snapshot(b'{"hit":1}'))
print("between", flush=True)
sink.emit(Snapshot(b'{"hit":2}'))
sink.close()
print("after", flush=True)
"""


@pytest.mark.parametrize("path", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
@pytest.mark.parametrize("kind", ["file", "pipe"])
def test_own_stdout_is_written_in_order(tmp_path: Path, path: str, kind: str) -> None:
    command = [sys.executable, "-c", OWN_STREAM, path]
    if kind == "pipe":
        written = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=60).stdout
    else:
        with open(tmp_path / "out", "wb") as out:  # not for appending: each writer minds the position
            subprocess.run(command, stdout=out, check=True, timeout=60)
        written = (tmp_path / "out").read_bytes()
    assert written.splitlines() == [b"before", b'{"hit":1}', b"between", b'{"hit":2}', b"after"]
