"""Values that are shown as text: code, and types of the standard library whose text says more than their fields.

Their own ``str`` is called only where it is the interpreter's or the standard library's, and calls nothing else.
"""

from __future__ import annotations

import functools
import re
import types
from typing import TYPE_CHECKING, Any

from nonstop.walk.objects import class_attribute, full_name, is_from, module_dict, plain, type_module, type_name

if TYPE_CHECKING:
    from collections.abc import Callable

#: Integers up to so many bits are shown in decimal: 603 digits, which no setting of ``sys.set_int_max_str_digits``
#: forbids (its least is 640), in a few microseconds.
_DECIMAL_BITS = 2000
#: Longer ones are shown in hexadecimal, which costs nothing, by their first digits.
_HEX_DIGITS = 64


def decimal(value: int) -> str | None:
    """The digits of an integer of any class; None if there are too many."""
    return int.__repr__(value) if int.bit_length(value) <= _DECIMAL_BITS else None


def hexadecimal(value: int) -> tuple[str, int]:
    """The begin of an integer in hexadecimal, and how long the whole would be.

    >>> hexadecimal(-(1 << 400))
    ('-0x1000000000000000000000000000000000000000000000000000000000000000', 104)
    """
    value = int.__abs__(value) if (negative := int.__lt__(value, 0)) else int.__pos__(value)
    digits = (value.bit_length() + 3) // 4
    text = ("-" if negative else "") + hex(value >> max(0, 4 * (digits - _HEX_DIGITS)))
    return text, len(text) + max(0, digits - _HEX_DIGITS)


def integer(value: int) -> str:
    """An integer inside of another text."""
    return decimal(value) or hexadecimal(value)[0] + "…"


# Code. The attributes that are read here are the interpreter's own, of types that cannot be subclassed.


def _function(value: Any) -> str:
    return f"<function {_qualified(value)}>"


def _method(value: Any) -> str:
    return f"<method {_qualified(value.__func__)}>"


def _builtin(value: Any) -> str:
    # The qualified name would be put together by asking the class of `__self__`.
    return f"<built-in function {plain(value.__name__)}>"


def _qualified(function: Any) -> str:
    if type(function) is not types.FunctionType:
        return type_name(type(function))
    module, name = function.__module__, plain(function.__qualname__)
    return f"{module}.{name}" if type(module) is str else name


def class_text(value: type) -> str:
    """A class."""
    return f"<class {full_name(value)}>"


def module_text(value: types.ModuleType) -> str:
    """A module."""
    name = module_dict(value).get("__name__")
    return f"<module {name}>" if type(name) is str else "<module>"


def _suspended(value: Any) -> str:
    return f"<{type(value).__name__} {plain(value.__qualname__)}>"


def _code(value: types.CodeType) -> str:
    return f"<code {plain(value.co_name)}>"


def _frame(value: types.FrameType) -> str:
    return f"<frame {plain(value.f_code.co_name)}, line {value.f_lineno or 0}>"


def _traceback(value: types.TracebackType) -> str:
    return f"<traceback of {plain(value.tb_frame.f_code.co_name)}, line {value.tb_lineno or 0}>"


# Data


def _memoryview(value: memoryview) -> str:
    return f"<memory of {value.nbytes} bytes>"


def _range(value: range) -> str:
    step = "" if value.step == 1 else f", {integer(value.step)}"
    return f"range({integer(value.start)}, {integer(value.stop)}{step})"


def _pattern(value: re.Pattern[Any]) -> str:
    pattern = value.pattern
    return pattern if type(pattern) is str else repr(pattern) if type(pattern) is bytes else type_name(type(pattern))


def _match(value: re.Match[Any]) -> str:
    return f"<match at {value.start()} to {value.end()}>"


def _point_in_time(value: Any) -> str:
    """A datetime or time. What a time zone of the program would make of it is not asked."""
    zone = value.tzinfo
    if zone is None or is_from(type(zone), "datetime", "timezone") or is_from(type(zone), "zoneinfo", "ZoneInfo"):
        return str(value)
    return f"{value.replace(tzinfo=None)} <{type_name(type(zone))}>"


@functools.lru_cache(maxsize=1)
def _decimal_context() -> Any:
    import decimal

    return decimal.Context()


def _decimal(value: Any) -> str:
    # `str` would set a decimal context in the program's thread, if it had none.
    text: str = value.to_eng_string(context=_decimal_context())
    return text


def _fraction(value: Any) -> str:
    return f"{integer(value.numerator)}/{integer(value.denominator)}"


def _path(value: Any) -> str:
    # From 3.12 on a path is put together when it is asked for, by the methods of what it was made of.
    raw = class_attribute(type(value), "_raw_paths")
    if raw is not None and any(type(part) is not str for part in raw.__get__(value)):  # type: ignore[attr-defined]
        return "<not yet put together>"
    return str(value)


#: Types of which every instance has exactly this type.
BUILTIN_TEXTS: dict[type, Callable[[Any], str]] = {
    types.FunctionType: _function,
    types.MethodType: _method,
    types.BuiltinFunctionType: _builtin,
    types.CodeType: _code,
    types.FrameType: _frame,
    types.TracebackType: _traceback,
    types.GeneratorType: _suspended,
    types.CoroutineType: _suspended,
    types.AsyncGeneratorType: _suspended,
    type(NotImplemented): repr,
    type(Ellipsis): repr,
    memoryview: _memoryview,
    range: _range,
    re.Pattern: _pattern,
    re.Match: _match,
}

#: Types of the standard library by module and name: their modules need not be loaded. Subclasses are not meant.
_LIBRARY_TEXTS: dict[tuple[str, str], Callable[[Any], str]] = {
    ("datetime", "date"): str,
    ("datetime", "datetime"): _point_in_time,
    ("datetime", "time"): _point_in_time,
    ("datetime", "timedelta"): str,
    ("datetime", "timezone"): str,
    ("decimal", "Decimal"): _decimal,
    ("fractions", "Fraction"): _fraction,
    ("ipaddress", "IPv4Address"): str,
    ("ipaddress", "IPv6Address"): str,
    ("uuid", "UUID"): str,
    ("zoneinfo", "ZoneInfo"): str,
    **{
        (module, name): _path
        for module in ("pathlib", "pathlib._local")  # 3.13
        for name in ("PosixPath", "PurePosixPath", "WindowsPath", "PureWindowsPath")
    },
}


def library_text(kind: type) -> Callable[[Any], str] | None:
    """How instances of exactly this type are shown as text, if it is one of those of the standard library."""
    module, name = type_module(kind), type_name(kind)
    text = _LIBRARY_TEXTS.get((module, name))
    return text if text is not None and is_from(kind, module, name) else None
