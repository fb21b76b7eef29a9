"""`nonstop run`: what it shows, writes and sums up, and what it refuses."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, NamedTuple

import pytest

PYPY = sys.implementation.name == "pypy"
SHOP = """\
import sys

def total(items):
    result = 0
    for item in items:
        result += item
    return result

print("out", total([1, 2, 3]))
sys.exit(3)
"""


class Ended(NamedTuple):
    out: str
    err: str
    status: int


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    file = tmp_path / "shop.py"
    file.write_text(SHOP)
    return file


def environment(**more: str) -> Dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "FORCE_", "NO_COLOR"))}
    return {**clean, **more}


def python(folder: Path, *words: str, **options: Any) -> Ended:
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment(), **options}
    done = subprocess.run([sys.executable, *words], cwd=folder, text=True, timeout=60, **options)
    # Shown where a test fails.
    sys.stdout.write(f"{words} ended with {done.returncode}, and wrote:\n{done.stderr}")
    return Ended(done.stdout, done.stderr, done.returncode)


def nonstop(folder: Path, *words: str, **options: Any) -> Ended:
    return python(folder, "-m", "nonstop", "run", *words, **options)


def documents(path: Path) -> List[Any]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def program(folder: Path, text: str, name: str = "main.py") -> None:
    (folder / name).write_text(text)


# What it shows and writes


def test_snapshots_and_messages_are_shown_on_stderr_as_they_come(shop: Path) -> None:
    ended = nonstop(
        shop.parent,
        "-b",
        "shop.py:6 if item > 1",
        "--capture",
        "item * 10",
        "--log",
        "shop.py:total: got {items}",
        "shop.py",
    )
    assert (ended.out, ended.status) == ("out 6\n", 3)
    live, _, after = ended.err.partition("nonstop: ")
    assert "shop.py:4 got [1, 2, 3]" in live
    assert re.findall(r"item \* 10 = (\d+)", live) == ["20", "30"]
    assert after.startswith("2 breakpoints, ")


def test_summary_tells_what_came_of_each_breakpoint(shop: Path) -> None:
    ended = nonstop(
        shop.parent,
        *("-b", "shop.py:6 if item > 1", "--count", "shop.py:total", "--count", "shop.py:7 if result.x"),
        *("--count", "no_such_module:3", "--jsonl", "hits.jsonl", "shop.py"),
    )
    summary = ended.err[ended.err.index("nonstop: 4 breakpoints") :]
    assert re.match(r"nonstop: 4 breakpoints, [\d.]+ (µs|ms|s) spent at hits \(backend \w+\)\n", summary)
    for text in (
        "  shop.py:6 if item > 1\n    line 6: 2 hits of 3 arrivals (1 condition false)\n",
        "  shop.py:total\n    line 4: 1 hit\n",
        "  shop.py:7 if result.x\n    line 7: 0 hits of 1 arrival (1 condition failed)\n",
        "  no_such_module:3\n    never reached\n    pending",
        "  2 snapshots written to hits.jsonl\n",
    ):
        assert text in summary
    assert "nonstop: the condition 'result.x' of the breakpoint at shop.py:7 failed: AttributeError" in ended.err


def test_breakpoint_that_is_bound_and_never_reached_is_told(tmp_path: Path) -> None:
    program(tmp_path, "def f():\n    return 1\n")
    assert "main.py:2\n    line 2: never reached\n" in nonstop(tmp_path, "-b", "main.py:2", "main.py").err


def test_jsonl_goes_to_the_file_and_nothing_live_to_stderr(shop: Path) -> None:
    out = shop.parent / "hits.jsonl"
    ended = nonstop(shop.parent, "-b", "shop.py:6", "--capture", "item", "--jsonl", str(out), "shop.py")
    assert [one["captures"]["item"]["value"] for one in documents(out)] == [1, 2, 3]
    assert ended.err.startswith("nonstop: 1 breakpoint, ")


def test_quiet_says_nothing(shop: Path) -> None:
    ended = nonstop(shop.parent, "--quiet", "-b", "shop.py:6", "--count", "shop.py:6 if item.x", "shop.py")
    assert ended == ("out 6\n", "", 3)


def test_rules_hold_for_every_breakpoint(shop: Path) -> None:
    out = shop.parent / "hits.jsonl"
    nonstop(
        shop.parent,
        *("-b", "shop.py:6", "--log", "shop.py:6: {item}", "--max-hits", "1", "--hit", ">= 2"),
        *("--thread", "MainThread", "--expires", "60", "--rate", "100", "--jsonl", str(out), "shop.py"),
    )
    snapshot, message = sorted(documents(out), key=lambda document: "message" in document)
    assert snapshot["frames"][0]["locals"]["item"]["value"] == 2
    assert message["message"] == "2"


def test_other_thread_is_skipped(shop: Path) -> None:
    ended = nonstop(shop.parent, "--count", "shop.py:6", "--thread", "worker", "shop.py")
    assert "0 hits of 3 arrivals (3 skipped)" in ended.err


def test_breakpoints_file_gives_each_its_own_rules(shop: Path) -> None:
    content = {
        "breakpoint": [{"location": "shop.py:6", "capture": ["item"], "max_hits": 1}],
        "logpoint": [{"location": "shop.py:7", "template": "result={result}", "condition": "result == 6"}],
    }
    (shop.parent / "b.json").write_text(json.dumps(content))
    out = shop.parent / "hits.jsonl"
    nonstop(shop.parent, "--breakpoints", "b.json", "--max-hits", "2", "--jsonl", str(out), "shop.py")
    first, second = documents(out)
    assert first["captures"]["item"]["value"] == 1
    assert second["message"] == "result=6"


def test_path_map_leads_to_the_files_of_the_program(shop: Path) -> None:
    ended = nonstop(shop.parent, "--path-map", f"{shop.parent}=/srv/app", "--count", "/srv/app/shop.py:6", "shop.py")
    assert "line 6: 3 hits" in ended.err


def test_colours_where_they_are_wanted_only(shop: Path) -> None:
    arguments = ("-b", "shop.py:6", "shop.py")
    assert "\x1b[" not in nonstop(shop.parent, *arguments).err
    assert "\x1b[1mnonstop: 1 breakpoint" in nonstop(shop.parent, *arguments, env=environment(FORCE_COLOR="1")).err


# While the program ends, and after


def test_breakpoints_are_active_in_threads_and_exit_handlers_behind_the_end(tmp_path: Path) -> None:
    text = (
        "import atexit, threading\n"
        "ended = threading.Event()\n"
        "def f(where):\n"
        "    return where\n"
        "def work():\n"
        "    ended.wait()\n"
        "    f('thread')\n"
        "threading.Thread(target=work).start()\n"
        "atexit.register(f, 'exit')\n"
        "ended.set()\n"
        "raise ValueError\n"
    )
    program(tmp_path, text)
    ended = nonstop(tmp_path, "-b", "main.py:4", "--jsonl", "hits.jsonl", "main.py")
    hits = documents(tmp_path / "hits.jsonl")
    assert [hit["frames"][0]["locals"]["where"]["value"] for hit in hits] == ["thread", "exit"]
    assert ended.status == 1
    trace, _, summary = ended.err.partition("nonstop: ")
    assert trace.endswith("ValueError\n")
    assert "line 4: 2 hits" in summary


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_only_the_parent_of_a_fork_sums_up_and_the_child_delivers_its_own(tmp_path: Path) -> None:
    text = (
        "import os, sys\n"
        "def f(who):\n"
        "    return who\n"
        "f('parent')\n"
        "if os.fork() == 0:\n"
        "    f('child')\n"
        "    sys.exit(5)\n"
        "sys.exit(os.wait()[1] >> 8)\n"
    )
    program(tmp_path, text)
    ended = nonstop(tmp_path, "-b", "main.py:3", "--jsonl", "hits.jsonl", "main.py")
    hits = documents(tmp_path / "hits.jsonl")
    assert sorted(hit["frames"][0]["locals"]["who"]["value"] for hit in hits) == ["child", "parent"]
    assert ended.status == 5
    assert ended.err.count("nonstop: ") == 1
    assert "line 3: 1 hit\n" in ended.err


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_forked_processes_of_multiprocessing_deliver_before_they_end(tmp_path: Path) -> None:
    text = (
        "import multiprocessing\n"
        "def work(number):\n"
        "    return number\n"
        "context = multiprocessing.get_context('fork')\n"
        "processes = [context.Process(target=work, args=(number,)) for number in range(3)]\n"
        "[process.start() for process in processes]\n"
        "[process.join() for process in processes]\n"
    )
    program(tmp_path, text)
    ended = nonstop(tmp_path, "-b", "main.py:3", "--jsonl", "hits.jsonl", "main.py")
    hits = documents(tmp_path / "hits.jsonl")
    assert sorted(hit["frames"][0]["locals"]["number"]["value"] for hit in hits) == [0, 1, 2]
    assert ended.err.count("nonstop: ") == 1


def test_output_that_cannot_be_flushed_ends_as_under_python(tmp_path: Path) -> None:
    program(tmp_path, "print('x' * 100)\n")
    ends = []
    for words in (["main.py"], ["-m", "nonstop", "run", "--count", "main.py:1", "main.py"]):
        reader, writer = os.pipe()
        os.close(reader)
        with open(writer, "w") as closed:
            ends.append(python(tmp_path, *words, stdout=closed))
    plain, watched = ends
    assert watched.status == plain.status
    assert "main.py:1\n    line 1: 1 hit\n" in watched.err
    assert watched.err.endswith(plain.err)


def test_closed_standard_error_costs_the_summary_only(tmp_path: Path) -> None:
    program(tmp_path, "import os, sys\nprint('out')\nos.close(2)\nsys.exit(4)\n")
    plain = python(tmp_path, "main.py")
    assert nonstop(tmp_path, "-b", "main.py:2", "main.py")[::2] == plain[::2]


def test_reader_of_standard_error_may_go_away(tmp_path: Path) -> None:
    program(tmp_path, "print('out')\n")
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as closed:
        ended = nonstop(tmp_path, "-b", "main.py:1", "main.py", stderr=closed)
    assert (ended.out, ended.status) == ("out\n", 0)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_full_disk_is_told_once_and_counted(shop: Path) -> None:
    ended = nonstop(shop.parent, "-b", "shop.py:6", "--jsonl", "/dev/full", "shop.py")
    assert (ended.out, ended.status) == ("out 6\n", 3)
    assert "  3 snapshots lost: " in ended.err
    assert "No space left on device" in ended.err


@pytest.mark.skipif(sys.version_info < (3, 11), reason="needs -P")
@pytest.mark.parametrize("words", [("main.py",), ("-m", "no_such_thing"), ("app",)])
def test_safe_path_adds_no_entry(tmp_path: Path, words: Any) -> None:
    text = "import sys; print(sys.path, sys.flags.safe_path)\n"
    program(tmp_path, text)
    (tmp_path / "app").mkdir()
    program(tmp_path, text, "app/__main__.py")
    plain = python(tmp_path, "-P", *words)
    assert python(tmp_path, "-P", "-m", "nonstop", "run", "--quiet", *words) == plain


# What it refuses


def test_bad_breakpoints_are_all_listed_and_the_program_is_not_run(shop: Path) -> None:
    ended = nonstop(
        shop.parent,
        *(
            "-b",
            "shop.py:99",
            "--count",
            "shop.py:6",
            "--log",
            "shop.py:6",
            "-b",
            "missing.py:3",
            "-b",
            "shop.py:6 if x >",
        ),
        *("--log", "shop.py:6: {item", "-b", "shop.py:tolat", "--breakpoints", "missing.json", "shop.py"),
    )
    assert (ended.out, ended.status) == ("", 2)
    lines = ended.err.splitlines()
    for start in (
        "--log 'shop.py:6': there is no message",
        "missing.json: cannot be read",
        f"-b 'shop.py:99': no code at {shop}:99",
        "-b 'missing.py:3': there is no file 'missing.py'",
        "-b 'shop.py:6 if x >': the condition 'x >' does not compile",
        "--log 'shop.py:6: {item': ",
        "-b 'shop.py:tolat': ",
    ):
        assert any(line.startswith(f"nonstop: error: {start}") for line in lines), start
    assert len(lines) == 7


def test_script_that_cannot_be_opened_ends_like_python(tmp_path: Path) -> None:
    assert nonstop(tmp_path, "-b", "missing.py:1", "missing.py") == python(tmp_path, "missing.py")


def test_breakpoint_in_a_script_that_does_not_compile_is_refused(tmp_path: Path) -> None:
    program(tmp_path, "a = = 1\n")
    ended = nonstop(tmp_path, "-b", "main.py:1", "main.py")
    assert ended.status == 2
    assert "nonstop: error: -b 'main.py:1': " in ended.err
    assert "line 1" in ended.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--backend", "magic"), "the backend 'magic' cannot be used"),
        (("--jsonl", "missing/hits.jsonl"), "cannot write snapshots to missing/hits.jsonl"),
        (("--jsonl", "."), "cannot write snapshots to ."),
        (("-b", "shop.py:6", "--hit", "often"), "often"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_run(shop: Path, words: Any, message: str) -> None:
    ended = nonstop(shop.parent, *words, "shop.py")
    assert (ended.out, ended.status) == ("", 2)
    assert ended.err.startswith("nonstop: error: ")
    assert message in ended.err
    assert len(ended.err.splitlines()) == 1


def test_tracer_of_another_tool_is_left_alone(shop: Path) -> None:
    text = "import sys; sys.settrace(lambda *a: None)\nfrom nonstop.cli.main import main\nsys.exit(main())"
    ended = python(shop.parent, "-c", text, "run", "--backend", "settrace", "-b", "shop.py:6", "shop.py")
    assert (ended.out, ended.status) == ("", 2)
    assert "sys.settrace is in use by" in ended.err


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ("sys.modules['nonstop._native'] = None", "the native library of nonstop cannot be loaded"),
        ("import nonstop.core; nonstop.core.ABI_VERSION = 99", "these bindings need ABI 99"),
    ],
)
def test_unusable_library_ends_with_status_1_and_the_remedy(shop: Path, spoil: str, message: str) -> None:
    text = f"import sys\n{spoil}\nfrom nonstop.cli.main import main\nsys.exit(main())"
    ended = python(shop.parent, "-c", text, "run", "-b", "shop.py:6", "shop.py")
    assert (ended.out, ended.status) == ("", 1)
    assert ended.err.startswith("nonstop: error: ")
    assert message in ended.err
    assert "pip install" in ended.err
    assert "Traceback" not in ended.err


def test_safe_expressions_only_read(shop: Path) -> None:
    ended = nonstop(shop.parent, "--safe", "--count", "shop.py:6 if item > 1 and len(items) == 3", "shop.py")
    assert "line 6: 2 hits of 3 arrivals" in ended.err
    ended = nonstop(shop.parent, "--safe", "--count", "shop.py:6 if print(item)", "shop.py")
    assert (ended.status, ended.out) == (2, "")
    assert "calls print, and safe expressions call only abs" in ended.err
