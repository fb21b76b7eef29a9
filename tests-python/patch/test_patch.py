"""What a patch is, and what is refused."""

from __future__ import annotations

import dis
import sys
import traceback
from types import CodeType, FunctionType
from typing import Any

import pytest
from nonstop.core import REENTERED, Probe
from nonstop.dialect import read_facts
from nonstop.errors import ArgumentError
from rewriting import REWRITES, patch_of, replaced

rewrites = pytest.mark.skipif(not REWRITES, reason="nothing is put into code here")


def probe_at(code: CodeType, offset: int, line: int, **more: int) -> Probe:
    return Probe(offset, line, line, 0, 0, 0, 0)._replace(**more)


def line_starts(code: CodeType) -> dict[int, int]:
    """The first offset of each line."""
    found: dict[int, int] = {}
    for offset, line in dis.findlinestarts(code):
        if line:
            found.setdefault(line, offset)
    return found


def with_call(function: Any, line: int, hook: Any, argument: Any = None) -> Any:
    """The function with a call where a line begins, counted from its first."""
    code = function.__code__
    line += code.co_firstlineno
    count = len(code.co_consts)
    probe = probe_at(code, line_starts(code)[line], line, hook=count, argument=count + 1)
    made = replaced(code, patch_of(code, [probe]), (*code.co_consts, hook, argument))
    return FunctionType(made, function.__globals__, function.__name__, function.__defaults__, function.__closure__)


def total(prices: list[int]) -> int:
    amount = 0
    for price in prices:
        amount += price
    return amount


@pytest.mark.skipif(REWRITES, reason="code is rewritten here")
def test_dialect_without_calls_is_refused() -> None:
    assert read_facts().call is None
    with pytest.raises(ArgumentError, match="does not say how a hook is called"):
        patch_of(total.__code__, [])


@rewrites
def test_hook_is_called_with_its_argument_where_control_enters() -> None:
    calls: list[str] = []
    assert with_call(total, 3, calls.append, "line 3")([1, 2, 3]) == 6
    assert calls == ["line 3"] * 3
    assert with_call(total, 4, calls.append, "line 4")([]) == 0
    assert calls[3:] == ["line 4"]


@rewrites
def test_loop_header_is_entered_at_each_test() -> None:
    code = total.__code__
    line = code.co_firstlineno + 2
    loop = next(one.offset for one in dis.get_instructions(code) if one.opname == "FOR_ITER")
    calls: list[int] = []
    count = len(code.co_consts)
    first = probe_at(code, line_starts(code)[line], line, hook=count, argument=count + 1)
    again = probe_at(code, loop, line, hook=count, argument=count + 2)
    made = replaced(code, patch_of(code, [again, first]), (*code.co_consts, calls.append, 1, 2))
    assert FunctionType(made, {})([5, 6]) == 11
    assert calls == [1, 2, 2]


@rewrites
def test_hook_sees_the_line_that_is_entered() -> None:
    seen: list[int] = []

    def look(argument: object) -> None:
        seen.append(sys._getframe(1).f_lineno - total.__code__.co_firstlineno)

    for line in (1, 2, 3, 4):
        with_call(total, line, look)([7])
    assert seen == [1, 2, 3, 4]


@rewrites
def test_traceback_is_as_before() -> None:
    def fail(value: Any) -> Any:
        value = value + 1
        return value.missing

    def told(function: Any) -> list[str]:
        with pytest.raises(AttributeError) as caught:
            function(1)
        return traceback.format_tb(caught.value.__traceback__)[-1:]

    assert told(with_call(fail, 2, [].append)) == told(fail)


@rewrites
def test_constants_beyond_the_first_256_take_prefixes() -> None:
    code = total.__code__
    line = code.co_firstlineno + 1
    calls: list[str] = []
    probe = probe_at(code, line_starts(code)[line], line, hook=70_000, argument=300)
    constants = [*code.co_consts, *[None] * 70_000][:70_000]
    constants[300] = "argument"
    made = replaced(code, patch_of(code, [probe]), (*constants, calls.append))
    assert FunctionType(made, {})([1]) == 1
    assert calls == ["argument"]


@rewrites
def test_jumps_that_get_longer_get_prefixes() -> None:
    lines = ["def f(x):", "    for i in range(2):", *["        x += 1"] * 60, "    return x"]
    namespace: dict[str, Any] = {}
    exec("\n".join(lines), namespace)
    code = namespace["f"].__code__
    count = len(code.co_consts)
    starts = line_starts(code)
    probes = [
        probe_at(code, starts[line], line, hook=count, argument=count + 1)
        for line in starts
        if line > code.co_firstlineno
    ]
    calls: list[int] = []
    patch = patch_of(code, probes)
    made = FunctionType(replaced(code, patch, (*code.co_consts, calls.append, 1)), {"range": range})
    assert made(0) == 120
    assert len(calls) == 1 + 2 * 60 + 1
    # Every instruction is where the map says.
    for one in dis.get_instructions(code):
        if one.opname not in ("EXTENDED_ARG", "CACHE"):
            new = patch.new_offset(one.offset)
            assert patch.old_offset(new) == one.offset


@rewrites
def test_offsets_lead_there_and_back() -> None:
    def numbers() -> Any:
        yield 1
        yield 2

    old = numbers()
    new = with_call(numbers, 2, [].append)()
    for one in (old, new):
        next(one)
        next(one)
    code = numbers.__code__
    line = code.co_firstlineno + 2
    patch = patch_of(code, [probe_at(code, line_starts(code)[line], line)])
    assert patch.new_offset(old.gi_frame.f_lasti) == new.gi_frame.f_lasti
    assert patch.old_offset(new.gi_frame.f_lasti) == old.gi_frame.f_lasti
    with pytest.raises(ArgumentError, match="beyond the end"):
        patch.new_offset(len(code.co_code))
    with pytest.raises(ArgumentError, match="beyond the end"):
        patch.old_offset(len(patch.code))


@rewrites
def test_stack_gets_as_deep_as_a_call_needs() -> None:
    code = total.__code__
    line = code.co_firstlineno + 1
    call = read_facts().call
    assert call is not None
    patch = patch_of(code, [probe_at(code, line_starts(code)[line], line)])
    assert patch.stack_size == code.co_stacksize + call.stack
    assert patch_of(code, []).stack_size == code.co_stacksize


@rewrites
def test_unit_that_is_reentered_is_entered_on_each_way() -> None:
    def count(items: list[int]) -> None:
        while True:
            items.pop()

    code = count.__code__
    line = code.co_firstlineno + 1
    target = min(one.argval for one in dis.get_instructions(code) if one.opname.startswith("JUMP"))
    probe = probe_at(code, target, line, hook=len(code.co_consts), argument=len(code.co_consts) + 1, flags=REENTERED)
    calls: list[int] = []
    made = FunctionType(replaced(code, patch_of(code, [probe]), (*code.co_consts, calls.append, 1)), {})
    with pytest.raises(IndexError):
        made([1, 2, 3])
    assert calls == [1] * 4


@rewrites
def test_probes_that_make_no_sense_are_refused() -> None:
    code = total.__code__
    line = code.co_firstlineno + 1
    good = probe_at(code, line_starts(code)[line], line)
    for probes, words in (
        ([good, good], f"two probes at {good.offset}"),
        ([good._replace(offset=good.offset + 1)], f"no instruction begins at {good.offset + 1}"),
        ([good._replace(offset=1 << 31)], "no instruction begins at 2147483648"),
        ([good._replace(flags=1)], "probe 0: the flags are 0x1"),
        ([good, good._replace(offset=0, first_line=0)], "probe 1: the lines 0 to"),
        ([good._replace(first_line=line + 1)], "are those of no unit"),
    ):
        with pytest.raises(ArgumentError, match=words):
            patch_of(code, probes)


@pytest.mark.skipif(sys.version_info[:2] != (3, 11) or sys.implementation.name == "pypy", reason="RESUME sets it up")
def test_probe_where_the_frame_is_set_up_is_refused() -> None:
    with pytest.raises(ArgumentError, match="at 0 the frame is still set up"):
        patch_of(total.__code__, [probe_at(total.__code__, 0, total.__code__.co_firstlineno)])


@rewrites
def test_columns_are_as_before() -> None:
    code = total.__code__
    if not hasattr(code, "co_positions"):
        pytest.skip("code has no columns here")
    line = code.co_firstlineno + 3
    patch = patch_of(code, [probe_at(code, line_starts(code)[line], line)])
    made = replaced(code, patch, (*code.co_consts, len, ""))
    before, after = list(code.co_positions()), list(made.co_positions())
    for unit, position in enumerate(before):
        assert after[patch.new_offset(2 * unit) // 2] == position
