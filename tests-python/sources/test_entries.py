"""Where control enters lines, for real code: the engine against `dis`, and against what a tracer sees.

Here each line is a unit (docs/semantics.md, 2.7), so that no unit table comes between. What is right for units made of
several lines is shown by the scenarios in conformance/.
"""

from __future__ import annotations

import argparse
import asyncio.streams
import collections
import contextlib
import csv
import difflib
import dis
import io
import json
import json.encoder
import sys
import textwrap
from collections.abc import Iterator
from types import CodeType, ModuleType
from typing import Any, NamedTuple

import pytest
from nonstop import core, sources
from nonstop.code_objects import code_lines, dialect, nested_code
from nonstop.core import HIDDEN, MIXED, Engine, Entry, Spec
from nonstop.dialect import bytecode_of

_LEAVES = {"RETURN_VALUE", "RETURN_CONST", "RERAISE", "RAISE_VARARGS"}
_JUMPS = {"JUMP_FORWARD", "JUMP_ABSOLUTE", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT"}
#: They end what was computed before them, and have the line of what is around.
_APPENDS = {"LIST_APPEND", "SET_ADD", "MAP_ADD", "RETURN_VALUE", "NOT_TAKEN"}
#: Compilers put them under the line of something else.
_TIDIES = {"NOP", "POP_TOP", "POP_EXCEPT", "POP_BLOCK", "COPY", "DUP_TOP", "RERAISE", "PUSH_EXC_INFO"}
_SETS_UP_WITH = {"BEFORE_WITH", "BEFORE_ASYNC_WITH", "SETUP_WITH", "SETUP_ASYNC_WITH", "LOAD_SPECIAL"}


class Flow:
    """A code object as `dis` shows it: its instructions by number, and where control goes from each."""

    def __init__(self, code: CodeType) -> None:
        self.code = code
        self.instructions = list(dis.get_instructions(code))
        self.names = [one.opname for one in self.instructions]
        self.number = {one.offset: number for number, one in enumerate(self.instructions)}
        self.starts = {start for start, line in dis.findlinestarts(code) if line}
        self.lines = self._lines()
        self.after: list[set[int]] = [set() for _ in self.instructions]
        #: What is guarded, with its handler.
        self.guards: list[tuple[set[int], int]] = list(self._table())
        for number, one in enumerate(self.instructions):
            if one.opname not in _LEAVES | _JUMPS and number + 1 < len(self.instructions):
                self.after[number].add(number + 1)
            # The argument of END_ASYNC_FOR (3.14) is for tools that count branches.
            if one.opcode in (*dis.hasjrel, *dis.hasjabs) and one.opname != "END_ASYNC_FOR":
                target = self.number[one.argval]
                if one.opname.startswith("SETUP_"):
                    self.guards.append((set(range(number + 1, target)), target))
                else:
                    self.after[number].add(target)
        self.reached = self._reached()
        self.before: list[set[int]] = [set() for _ in self.instructions]
        for number in self.reached:
            for following in self.after[number]:
                self.before[following].add(number)
        #: The last instruction of what sets up the frame: a tracer is told of it as a call. From 3.15 on a generator
        #: expression takes the iterator of its items before it is made a generator.
        made = self.names.index("RETURN_GENERATOR") if "RETURN_GENERATOR" in self.names else 0
        behind = enumerate(self.names[made:], made)
        self.begins = next((number for number, name in behind if name in ("RESUME", "GEN_START")), -1)
        self.with_lines = {line for name, line in zip(self.names, self.lines) if name in _SETS_UP_WITH}

    def _lines(self) -> list[int]:
        if hasattr(self.code, "co_lines"):
            ranges = [(begin, end, line or 0) for begin, end, line in self.code.co_lines()]
        else:
            starts = [*dis.findlinestarts(self.code), (len(self.code.co_code), 0)]
            ranges = [(begin, end, line) for (begin, line), (end, _) in zip(starts, starts[1:])]
        line_of = {offset: line for begin, end, line in ranges for offset in range(begin, end, 2)}
        return [line_of.get(one.offset, 0) for one in self.instructions]

    def _table(self) -> Iterator[tuple[set[int], int]]:
        """InternalDocs/exception_handling.md of CPython."""
        numbers: list[int] = []
        value = 0
        for byte in getattr(self.code, "co_exceptiontable", b""):
            value = value << 6 | byte & 63
            if not byte & 64:
                numbers.append(value)
                value = 0
        for begin, length, handler in zip(numbers[::4], numbers[1::4], numbers[2::4]):
            guarded = range(2 * begin, 2 * (begin + length))
            yield {self.number[at] for at in guarded if at in self.number}, self.number[2 * handler]

    def _reached(self) -> set[int]:
        reached: set[int] = set()
        open_ = {0}
        while open_:
            while open_:
                number = open_.pop()
                reached.add(number)
                open_ |= self.after[number] - reached
            open_ = {handler for guarded, handler in self.guards if guarded & reached} - reached
        return reached

    def concludes(self, number: int) -> bool:
        """Whether it ends what was computed before it: a test, too, does."""
        name = self.names[number]
        if name == "EXTENDED_ARG":
            return self.concludes(number + 1)
        is_test = ("JUMP_IF" in name or "JUMP_FORWARD_IF" in name or "JUMP_BACKWARD_IF" in name) and "EXC" not in name
        return is_test or name in _APPENDS or name in _JUMPS

    def can_come_from_elsewhere(self, number: int) -> bool:
        """Whether control can come from another line to an instruction, or from outside."""
        seen: set[int] = set()
        open_ = [number]
        while open_:
            at = open_.pop()
            guarded = {one for one_guarded, handler in self.guards if handler == at for one in one_guarded}
            if at == 0 or any(self.names[one] in ("RESUME", "GEN_START") for one in self.before[at]):
                return True
            for one in self.before[at] | (guarded & self.reached):
                if self.lines[one] and self.lines[one] != self.lines[number]:
                    return True
                if one not in seen and (not self.lines[one] or self.concludes(one)):
                    seen.add(one)
                    open_.append(one)
        return False


def entries_of(code: CodeType) -> list[Entry]:
    """The entries of all lines of a code object."""
    engine = Engine()
    engine.source_without_units(b"example.py")
    lines = code_lines(code)
    engine.add([Spec(core.COUNT, b"example.py:%d" % line) for line in lines])
    facts = (1, b"example.py", "", code.co_name, "", code.co_firstlineno)
    engine.code_decide(*facts, bytecode=(dialect(), bytecode_of(code)))
    return engine.code_entries(1)[1]


MODULES = (argparse, asyncio.streams, contextlib, csv, difflib, json.encoder, textwrap)


@pytest.fixture(scope="module")
def corpus() -> list[tuple[Flow, list[Entry]]]:
    found = []
    for module in MODULES:
        assert module.__file__ is not None
        whole = compile(sources.read_source(module.__file__), module.__file__, "exec", dont_inherit=True)
        found += [(Flow(code), entries_of(code)) for code in nested_code(whole)]
    assert len(found) > 300
    return found


def where(flow: Flow, line: int) -> tuple[str, str, int]:
    return flow.code.co_filename, flow.code.co_name, line


def test_lines_are_those_of_the_interpreter_that_can_run(corpus: list[tuple[Flow, list[Entry]]]) -> None:
    for flow, _ in corpus:
        expected = {flow.lines[number] for number in flow.reached} - {0}
        assert code_lines(flow.code) == sorted(expected), where(flow, 0)


def test_entry_is_an_instruction_of_its_line_that_control_comes_to_from_elsewhere(
    corpus: list[tuple[Flow, list[Entry]]],
) -> None:
    for flow, entries in corpus:
        for entry in entries:
            number = flow.number[entry.offset]
            assert flow.lines[number] == entry.line, where(flow, entry.line)
            if number in flow.reached:
                assert flow.can_come_from_elsewhere(number), (where(flow, entry.line), entry)


def test_every_line_has_an_entry(corpus: list[tuple[Flow, list[Entry]]]) -> None:
    for flow, entries in corpus:
        lines = {flow.lines[number] for number in flow.reached if number > flow.begins} - {0}
        entered = {entry.line for entry in entries if flow.number[entry.offset] in flow.reached}
        assert entered == lines, where(flow, 0)


def test_line_that_begins_behind_another_is_entered_there(corpus: list[tuple[Flow, list[Entry]]]) -> None:
    excused: collections.Counter[str] = collections.Counter()
    count = 0
    for flow, entries in corpus:
        offsets = {entry.offset for entry in entries}
        for number in flow.reached:
            for following in flow.after[number]:
                offset = flow.instructions[following].offset
                line = flow.lines[following]
                if (
                    following <= flow.begins
                    or offset not in flow.starts
                    or flow.lines[number] in (0, line)
                    or flow.concludes(number)
                ):
                    continue
                count += 1
                if offset in offsets:
                    continue
                # What it does belongs to what was computed before; or it leaves a `with` (3.5); or does nothing.
                if flow.concludes(following):
                    excused["concludes"] += 1
                elif line in flow.with_lines:
                    excused["leaves a with"] += 1
                else:
                    assert flow.names[following] in _TIDIES, (where(flow, line), flow.instructions[following])
                    excused["tidies up"] += 1
    assert count > 2000
    assert sum(excused.values()) < count / 20, excused


# What a tracer sees


class Journey:
    """The line events of each activation, as `(offset, line)`."""

    def __init__(self, modules: tuple[ModuleType, ...]) -> None:
        self.files = {module.__file__ for module in modules}
        self.seen: list[tuple[CodeType, list[tuple[int, int]]]] = []
        self._of_frame: dict[Any, list[tuple[int, int]]] = {}

    def call(self, frame: Any, event: str, arg: Any) -> Any:
        if frame.f_code.co_filename not in self.files:
            return None
        if frame not in self._of_frame:  # else a generator goes on
            self._of_frame[frame] = []
            self.seen.append((frame.f_code, self._of_frame[frame]))
        return self.local

    def local(self, frame: Any, event: str, arg: Any) -> Any:
        if event == "line":
            self._of_frame[frame].append((frame.f_lasti, frame.f_lineno))
        return self.local


def exercise() -> None:
    parser = argparse.ArgumentParser(prog="shop", description="Sells.")
    parser.add_argument("--count", type=int, choices=[1, 2, 3], default=1, metavar="N", help="how many")
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--red", action="store_true")
    group.add_argument("--blue", action="append")
    sub = parser.add_subparsers(dest="command")
    sub.add_parser("buy").add_argument("things", nargs="*")
    parser.parse_args(["--count=2", "--blue", "a", "buy", "x", "y"])
    parser.format_help()
    with pytest.raises(SystemExit):
        parser.parse_args(["--count", "9"])
    before, after = ["one\n", "two\n", "three\n", "four\n"], ["ore\n", "tree\n", "emu\n", "four\n"]
    "".join(difflib.ndiff(before, after))
    "".join(difflib.unified_diff(before, after, "a", "b"))
    "".join(difflib.context_diff(before, after))
    difflib.HtmlDiff().make_table(before, after)
    difflib.get_close_matches("appel", ["ape", "apple", "peach"])
    text = "The quick brown fox, that-is-hyphenated, jumped over\n\n\tthe lazy dog. " * 3
    textwrap.fill(text, 30, initial_indent="* ", break_on_hyphens=False, max_lines=4)
    textwrap.dedent(textwrap.indent(text, "    ", lambda line: line.strip() != ""))
    textwrap.shorten(text, 20)
    json.dumps({"a": [1, 2.5, None, True, {"b": "ü"}], "c": ()}, indent=2, sort_keys=True)
    with pytest.raises(TypeError):
        json.dumps({"a": object()}, indent=1)
    rows = csv.DictReader(io.StringIO("a,b\n1,2\n\n3,4,5\n"))
    writer = csv.DictWriter(io.StringIO(), ["a", "b"], extrasaction="ignore")
    writer.writerows(rows)
    csv.Sniffer().sniff("a;b;c\n1;2;3\n")
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.suppress(ZeroDivisionError))
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.callback(print, "end")
        stack.enter_context(contextlib.nullcontext())
        1 // 0


@pytest.fixture(scope="module")
def journeys() -> list[tuple[CodeType, list[tuple[int, int]]]]:
    journey = Journey(MODULES)
    traced = sys.gettrace()
    sys.settrace(journey.call)
    try:
        exercise()
    finally:
        sys.settrace(traced)
    assert len(journey.seen) > 500
    return journey.seen


class Step(NamedTuple):
    """A line event."""

    flow: Flow
    #: Where it is, if that is an entry.
    entry: Entry | None
    line: int
    #: The line of the event before.
    seen: int
    #: The same, without what ends a computation: that belongs to the line of the computation, whatever its own.
    before: int


@pytest.fixture(scope="module")
def steps(journeys: list[tuple[CodeType, list[tuple[int, int]]]]) -> list[Step]:
    # By identity: to hash a code object is as dear as what is done with it here.
    known: dict[int, tuple[Flow, dict[int, Entry]]] = {}
    found = []
    for code, events in journeys:
        if id(code) not in known:
            known[id(code)] = Flow(code), {entry.offset: entry for entry in entries_of(code)}
        flow, entries = known[id(code)]
        seen = before = 0
        for offset, line in events:
            if offset in entries or not flow.concludes(flow.number[offset]):
                found.append(Step(flow, entries.get(offset), line, seen, before))
                before = line
            seen = line
    return found


def test_each_change_of_line_lands_on_an_entry(steps: list[Step]) -> None:
    changes = [step for step in steps if step.line != step.before]
    excused = [step for step in changes if step.entry is None]
    for step in excused:
        assert step.line in step.flow.with_lines, (where(step.flow, step.line), step.before)
    assert len(changes) > 5000
    assert len(excused) < len(changes) / 100


def test_entry_that_is_not_mixed_is_reached_from_another_line_only(steps: list[Step]) -> None:
    for step in steps:
        if step.entry is not None and not step.entry.flags & (MIXED | HIDDEN):
            assert not step.seen == step.before == step.line, (where(step.flow, step.line), step.entry)
