"""The C ABI as Python objects: one method per C function, no logic of its own.

This is the only module that imports ``nonstop._native``. Text goes in as UTF-8, paths as bytes; an error status comes
out as the exception that :func:`nonstop.errors.error_from_status` gives it, with the library's own detail in the
message.

The capture builder of the C ABI has no counterpart here: Python writes the record text itself (one call for a whole
snapshot instead of one for each value, at a quarter of a microsecond a call on CPython).
"""

from __future__ import annotations

import importlib
import sys
import threading
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from nonstop.errors import LibraryError, StateError, error_from_status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import CodeType

    from nonstop.dialect import Bytecode, Facts
    from nonstop.simple_conditions import SimpleCondition
    from nonstop.unit_table import SourceRows

#: The ABI number that these bindings were written for.
ABI_VERSION = 1

# Verdicts (statuses >= 0).
IGNORE, DISABLE, EVALUATE, CAPTURE, DROPPED = range(5)
# Outcomes of a condition.
FALSE, TRUE, ERROR = range(3)
# Actions.
COUNT, LOG, SNAPSHOT = range(3)
# Breakpoint flags.
HAS_CONDITION, DISABLED = 1, 2
# Arm and entry flags.
NEEDS_THREAD_NAME, REENTERED, MIXED, HIDDEN, ONLY_COUNTS, HOST_READS = 1, 2, 2, 4, 8, 16
# Flags of a source, and of a code object.
_COMPILED = 1
_OF_OTHER_SOURCE = 1
# Flags of a CPython host.
_FREE_THREADED, _PUTS_CALLS = 1, 2
# Decision flags.
NEEDS_SOURCE, NEEDS_LINES = 1, 2
# Events, bits of a mask.
CALL_EVENT, LINE_EVENT, RETURN_EVENT, EXCEPTION_EVENT = 1, 2, 4, 8
# Statuses that are part of normal life, not errors.
_BUFFER_TOO_SMALL, _CLOSED, _TIMEOUT = -10, -11, -12

#: Names of the breakpoint states, by the number that the library uses.
STATES = ("pending", "bound", "exhausted", "expired", "failed", "unverified")

_ITEMS = 16
_ARMS = 64
_BATCH = 64


class Spec(NamedTuple):
    """What a breakpoint is made of, in the library's terms."""

    action: int
    location: bytes
    hit_condition: str = ""
    template: str = ""
    thread_name: str = ""
    thread_id: int = 0
    max_hits: int = 0
    rate_per_second: float = 0.0
    burst: float = 0.0
    expires_after_ns: int = 0
    flags: int = 0
    user_data: int = 0
    limits: Any = None


class FilterRule(NamedTuple):
    """A rule of the event filter; what it leaves empty or 0, it does not look at."""

    include: bool
    #: CALL_EVENT and the like, or-ed.
    events: int
    path_glob: bytes = b""
    module: str = ""
    function: str = ""
    thread_id: int = 0
    max_depth: int = 0


class Report(NamedTuple):
    """State and counters of one breakpoint at one moment."""

    state: str
    requested_line: int
    resolved_line: int
    enabled: bool
    code_objects: int
    skipped: int
    false_conditions: int
    errors: int
    passed: int
    limited: int
    captured: int
    dropped: int
    arrivals: int
    hits: int
    off_ns: int
    user_data: int


class Arm(NamedTuple):
    """One line to watch in a code object; all lines of a unit have the same site."""

    line: int
    site: int
    flags: int
    inner_first: int
    inner_last: int


class Entry(NamedTuple):
    """One place in a code object where control enters a unit."""

    offset: int
    line: int
    site: int
    flags: int


class Probe(NamedTuple):
    """A call to put into a code object at one of its entries, in the order of the fields of the C struct."""

    offset: int
    first_line: int
    last_line: int
    inner_first: int
    inner_last: int
    flags: int
    site: int
    #: The indices of two constants: what is called, and what with.
    hook: int = 0
    argument: int = 0


class Decision(NamedTuple):
    """What the library wants of one code object."""

    verdict: int
    epoch: int
    event_mask: int
    needs_source: bool
    needs_lines: bool
    arms: list[Arm]
    #: How many entries :meth:`Engine.code_entries` gives.
    entry_count: int = 0
    #: Those, once they were asked for.
    entries: Sequence[Entry] = ()
    #: Whether no breakpoint stands in the file: then its other code objects need not be asked about.
    quiet: bool = False


class HitItem(NamedTuple):
    """One breakpoint that wants something at a hit."""

    breakpoint: int
    ticket: int
    hit: int
    verdict: int
    action: int
    user_data: int


class Received(NamedTuple):
    """One snapshot taken from the queue."""

    breakpoint: int
    action: int
    json: bytes


class ChannelStats(NamedTuple):
    """The queue of snapshots: what is in it, what passed through, what was refused."""

    queued: int
    queued_bytes: int
    sent: int
    dropped: int


class TemplatePart(NamedTuple):
    """A piece of a log template: literal text, or an expression with its conversion and format."""

    is_expression: bool
    text: str
    conversion: str
    format_spec: str


_library: tuple[Any, Any] | None = None


def load() -> tuple[Any, Any]:
    """Give cffi's ``(ffi, lib)``, loaded and checked once.

    Raises :class:`~nonstop.errors.LibraryError` with code ``missing_library`` or ``abi_mismatch``, and in a
    subinterpreter :class:`~nonstop.errors.StateError` with code ``not_supported``. Loading waits until something is
    needed, so that ``nonstop doctor`` can tell what is wrong with an installation.
    """
    global _library
    if _library is None:
        if _in_subinterpreter():
            raise StateError(
                "this is a subinterpreter, and nonstop works in the main interpreter of a process only: "
                "set breakpoints there, for the code that runs there",
                code="not_supported",
            )
        try:
            from nonstop._native import ffi, lib
        except (ImportError, OSError) as error:
            raise LibraryError(
                f"the native library of nonstop cannot be loaded ({error}); "
                "install the wheel for this platform again: pip install --force-reinstall nonstop",
                code="missing_library",
            ) from error
        try:
            found = lib.nonstop_abi_version()
        except (AttributeError, ffi.error) as error:
            raise LibraryError(
                f"the native library that was loaded is not nonstop's ({error}); "
                "install the wheel again: pip install --force-reinstall nonstop",
                code="missing_library",
            ) from error
        check_abi(found)
        for form in type_forms(ffi):
            made = ffi.typeof(form)
            if made.kind == "struct":
                hasattr(ffi.new(f"{form} *"), "a_field")  # its fields are made when one is asked for
        for name in dir(lib):
            getattr(lib, name)
        _library = (ffi, lib)
    return _library


def type_forms(ffi: Any) -> list[str]:
    """All types that are asked for by their names, as they are written where that is done.

    cffi makes a type when it is first named, in memory that all have in common. A collection in the midst of that calls
    nonstop's hooks, where others are named: cffi ends the process then. So all are made before there are hooks.
    """
    plain = [
        "char[]",
        "size_t *",
        "uint8_t[]",
        "uint32_t[]",
        "uint32_t *",
        "uint64_t *",
        "int32_t *",
        "void *",
        "void *[]",
    ]
    named = [name for name in ffi.list_types()[0] if name.startswith("nonstop_")]
    pointers = [f"{name} {stars}" for name in named for stars in ("*", "**")]
    whole = [name for name in named if _has_size(ffi, name)]
    return [*plain, *pointers, *whole, *(f"{name}[]" for name in whole)]


def _has_size(ffi: Any, name: str) -> bool:
    try:
        return bool(ffi.sizeof(name))
    except (ffi.error, ValueError):
        return False


def _in_subinterpreter() -> bool:
    # From 3.12 on cffi refuses most of them. Before, it does not; but nonstop's own thread cannot be started in some,
    # and in the others it ends the process if it is still running when its interpreter ends.
    for name in ("_interpreters", "_xxsubinterpreters"):
        try:
            interpreters: Any = importlib.import_module(name)
        except ImportError:
            continue
        return bool(interpreters.get_current() != interpreters.get_main())
    return False


def check_abi(found: int) -> None:
    """Raise :class:`~nonstop.errors.LibraryError` unless the library's ABI number is the one of these bindings.

    >>> check_abi(ABI_VERSION)
    >>> check_abi(7)
    Traceback (most recent call last):
    nonstop.errors.LibraryError: the native library has ABI 7, these bindings need ABI 1; install both from one wheel: \
pip install --force-reinstall nonstop
    """
    if found != ABI_VERSION:
        raise LibraryError(
            f"the native library has ABI {found}, these bindings need ABI {ABI_VERSION}; "
            "install both from one wheel: pip install --force-reinstall nonstop",
            code="abi_mismatch",
        )


def library_version() -> str:
    """Version of the native library."""
    ffi, lib = load()
    text: bytes = ffi.string(lib.nonstop_version())
    return text.decode()


def monotonic_ns() -> int:
    """The library's clock: all its times are on it."""
    return int(load()[1].nonstop_monotonic_ns())


def status_name(status: int) -> str:
    """Name of a status number, such as ``NOT_FOUND``."""
    ffi, lib = load()
    text: bytes = ffi.string(lib.nonstop_status_name(status))
    return text.decode()


def limits_default() -> dict[str, int]:
    """The limits that hold where a breakpoint names none."""
    ffi, lib = load()
    limits = ffi.new("nonstop_limits *", {"struct_size": ffi.sizeof("nonstop_limits")})
    _check(lib.nonstop_limits_default(limits))
    return {name: getattr(limits, name) for name, _ in ffi.typeof("nonstop_limits").fields if name != "struct_size"}


def template_parse(text: str) -> list[TemplatePart]:
    """Split the template of a log message into literals and expressions."""
    lib = load()[1]
    data = _utf8(text)
    parts, count = _filled(
        "nonstop_template_part[]", 16, lambda *room: lib.nonstop_template_parse(data, len(data), *room)
    )
    return [
        TemplatePart(
            part.kind == 1,
            data[part.start : part.start + part.len].decode(),
            chr(part.conversion) if part.conversion else "",
            data[part.spec_start : part.spec_start + part.spec_len].decode(),
        )
        for part in parts[0:count]
    ]


def _fail(status: int) -> NoReturn:
    ffi, lib = load()
    length = lib.nonstop_last_error(ffi.NULL, 0)
    buffer = ffi.new("char[]", length + 1)
    lib.nonstop_last_error(buffer, length + 1)
    raise error_from_status(status_name(status), ffi.string(buffer).decode("utf-8", "replace"))


def _check(status: int) -> int:
    if status < 0:
        _fail(status)
    return status


def _filled(kind: str, capacity: int, call: Callable[[Any, int, Any], int]) -> tuple[Any, int]:
    """What `call` writes into a buffer with room for `capacity` items, and how many.

    Where the library wants more room it is called again, with as much.
    """
    ffi, _ = load()
    count = ffi.new("size_t *")
    while True:
        buffer = ffi.new(kind, capacity)
        status = call(buffer, capacity, count)
        if status == _BUFFER_TOO_SMALL and count[0] > capacity:
            capacity = count[0]
            continue
        _check(status)
        return buffer, count[0]


class _Buffers(threading.local):
    """Where the library writes the items of a hit: one set for each thread, made once.

    A set for each call would cost three allocations at every hit. The items are copied out before anything else
    runs, so that a condition which switches greenlets inside this thread finds nothing of ours in use.
    """

    def __init__(self, ffi: Any) -> None:
        self.items = ffi.new("nonstop_hit_item[]", _ITEMS)
        self.capacity = _ITEMS
        self.count = ffi.new("size_t *")

    def grow(self, ffi: Any, capacity: int) -> None:
        self.items = ffi.new("nonstop_hit_item[]", capacity)
        self.capacity = capacity


class Dialect:
    """What the bytecode of an interpreter means, in the library's memory."""

    def __init__(self, facts: Facts) -> None:
        ffi, lib = load()
        told = ffi.new("nonstop_dialect_facts *")
        told.struct_size = ffi.sizeof("nonstop_dialect_facts")
        told.flags, told.line_table, told.exception_table, told.jump_unit_bytes, opcodes, call = facts
        told.opcodes = [tuple(opcode) for opcode in opcodes]
        if call is not None:
            told.call_stack, told.prefix_opcode, told.jump_opcode, steps = call
            told.call_length = len(steps)
            told.call = steps
        out = ffi.new("nonstop_dialect **")
        _check(lib.nonstop_dialect_new(told, out))
        self._dialect = ffi.gc(out[0], lib.nonstop_dialect_free)

    def lines(self, bytecode: Bytecode, first_line: int) -> list[int]:
        """The lines of a code object that have code which can run, ascending, each once."""
        ffi, lib = load()
        keep: list[Any] = []
        texts = [_text(ffi, data, keep) for data in bytecode]
        lines, count = _filled(
            "uint32_t[]", 256, lambda *room: lib.nonstop_dialect_lines(self._dialect, *texts, first_line, *room)
        )
        return list(lines[0:count])


class Patch:
    """A code object with calls in it, in the library's memory: its bytes, and which offset became which.

    Raises :class:`~nonstop.errors.ArgumentError` where a call cannot stand, and in a dialect without calls.
    """

    def __init__(
        self, dialect: Dialect, bytecode: Bytecode, first_line: int, stack_size: int, probes: Sequence[Probe]
    ) -> None:
        self._ffi, self._lib = ffi, _ = load()
        keep: list[Any] = []
        told = ffi.new("nonstop_patch_code *")
        told.struct_size = ffi.sizeof("nonstop_patch_code")
        told.first_line, told.stack_size = first_line, stack_size
        for field, data in zip((told.bytecode, told.line_table, told.exception_table), bytecode):
            _set_text(ffi, field, data, keep)
        rows = ffi.new("nonstop_probe[]", [tuple(probe) for probe in probes])
        out = ffi.new("nonstop_patch **")
        _check(self._lib.nonstop_patch_new(dialect._dialect, told, rows, len(probes), out))
        self._patch = ffi.gc(out[0], self._lib.nonstop_patch_free)
        _check(self._lib.nonstop_patch_get_code(self._patch, told))
        texts = told.bytecode, told.line_table, told.exception_table
        self.code, self.line_table, self.exception_table = (ffi.buffer(text.data, text.len)[:] for text in texts)
        self.stack_size: int = told.stack_size

    def new_offset(self, offset: int) -> int:
        """Where an offset of the original code is now."""
        found = self._ffi.new("uint32_t *")
        _check(self._lib.nonstop_patch_new_offset(self._patch, offset, found))
        return int(found[0])

    def old_offset(self, offset: int) -> int:
        """Which offset of the original code is at an offset now; within a call, that of what it stands before."""
        found = self._ffi.new("uint32_t *")
        _check(self._lib.nonstop_patch_old_offset(self._patch, offset, found))
        return int(found[0])


class Engine:
    """The native engine. Every method may be called from any thread, except :meth:`after_fork`.

    ``epoch_word`` is the library's own memory: ``engine.epoch_word[0]`` changes when decisions may have, and reading
    it is no call.
    """

    def __init__(self, *, queue_items: int = 0, queue_bytes: int = 0) -> None:
        ffi, lib = load()
        self._ffi, self._lib = ffi, lib
        options = ffi.new(
            "nonstop_engine_options *",
            {
                "struct_size": ffi.sizeof("nonstop_engine_options"),
                "queue_items": queue_items,
                "queue_bytes": queue_bytes,
            },
        )
        out = ffi.new("nonstop_engine **")
        _check(lib.nonstop_engine_new(options, out))
        self._engine = ffi.gc(out[0], lib.nonstop_engine_free)
        self.epoch_word = lib.nonstop_engine_epoch(self._engine)
        # Hoisted: looking a function up in `lib` costs 12 to 57 ns at each call on CPython.
        self._hit = lib.nonstop_hit
        self._hit_total = lib.nonstop_hit_total
        self._commit = lib.nonstop_hit_commit
        self._capture = lib.nonstop_capture_records
        self._buffers = _Buffers(ffi)
        #: Called before breakpoints are reported: who counts arrivals by himself tells of them then.
        self.gather: Callable[[], object] = bool

    def after_fork(self) -> None:
        """Start again from fresh locks; only in the child, before any other call there."""
        _check(self._lib.nonstop_engine_after_fork(self._engine))

    def add_path_map(self, run_time: bytes, local: bytes) -> None:
        """Say that files which the program knows under `run_time` are known to the user under `local`."""
        _check(self._lib.nonstop_engine_add_path_map(self._engine, run_time, len(run_time), local, len(local)))

    # Breakpoints

    def add(self, specs: Sequence[Spec]) -> list[int]:
        """Add breakpoints, all or none, published once. Gives their ids."""
        ffi = self._ffi
        size, limits_size = ffi.sizeof("nonstop_breakpoint_spec"), ffi.sizeof("nonstop_limits")
        # Whole rows at once: to set each field takes four times as long.
        rows = [
            (
                size,
                spec.action,
                _row_of(ffi, spec.location),
                _row_of(ffi, _utf8(spec.hit_condition)),
                _row_of(ffi, _utf8(spec.template)),
                _row_of(ffi, _utf8(spec.thread_name)),
                spec.thread_id,
                spec.max_hits,
                spec.rate_per_second,
                spec.burst,
                spec.expires_after_ns,
                spec.flags,
                0,
                spec.user_data,
                () if spec.limits is None else (limits_size, *spec.limits),
            )
            for spec in specs
        ]
        told = ffi.new("nonstop_breakpoint_spec[]", rows)
        ids = ffi.new("nonstop_breakpoint_id[]", len(specs))
        _check(self._lib.nonstop_breakpoints_add(self._engine, told, len(specs), ids))
        return list(ids)

    def remove(self, ids: Sequence[int]) -> None:
        """Remove breakpoints, published once."""
        _check(self._lib.nonstop_breakpoints_remove(self._engine, list(ids), len(ids)))

    def set_enabled(self, ids: Sequence[int], enabled: bool) -> None:
        """Enable or disable breakpoints, published once."""
        _check(self._lib.nonstop_breakpoints_set_enabled(self._engine, list(ids), len(ids), int(enabled)))

    def report(self, breakpoint: int) -> Report:
        """State and counters of one breakpoint."""
        self.gather()
        ffi = self._ffi
        out = ffi.new("nonstop_breakpoint_report *", {"struct_size": ffi.sizeof("nonstop_breakpoint_report")})
        _check(self._lib.nonstop_breakpoint_get_report(self._engine, breakpoint, out))
        return Report(
            STATES[out.state],
            out.requested_line,
            out.resolved_line,
            bool(out.enabled),
            out.code_objects,
            out.skipped,
            out.false_conditions,
            out.errors,
            out.passed,
            out.limited,
            out.captured,
            out.dropped,
            out.arrivals,
            out.hits,
            out.off_ns,
            out.user_data,
        )

    def reason(self, breakpoint: int) -> str:
        """Why the breakpoint is in its state; empty where there is nothing to say."""
        text, length = _filled(
            "char[]", 256, lambda *room: self._lib.nonstop_breakpoint_reason(self._engine, breakpoint, *room)
        )
        data: bytes = self._ffi.buffer(text, length)[:]
        return data.decode("utf-8", "replace")

    def set_state(self, breakpoint: int, state: str, reason: str) -> None:
        """Mark a breakpoint ``failed`` or ``unverified``, with the reason."""
        text = _utf8(reason)
        _check(self._lib.nonstop_breakpoint_set_state(self._engine, breakpoint, STATES.index(state), text, len(text)))

    # Sources

    def register_source(self, path: bytes, module: str, rows: SourceRows) -> None:
        """Give the library the units of a file."""
        ffi = self._ffi
        keep: list[Any] = []
        scopes = ffi.new("nonstop_scope[]", len(rows.scopes))
        for row, (kind, first_line, last_line, parent, body_block, name, qualname) in zip(scopes, rows.scopes):
            row.kind, row.first_line, row.last_line = kind, first_line, last_line
            row.parent, row.body_block = parent, body_block
            _set_text(ffi, row.name, _utf8(name), keep)
            _set_text(ffi, row.qualname, _utf8(qualname), keep)
        blocks = ffi.new("nonstop_block[]", [tuple(block) for block in rows.blocks])
        units = ffi.new("nonstop_unit[]", [tuple(unit) for unit in rows.units])
        source = ffi.new("nonstop_source *")
        source.struct_size = ffi.sizeof("nonstop_source")
        source.line_count = rows.line_count
        source.flags = _COMPILED
        source.scopes, source.scope_count = scopes, len(rows.scopes)
        source.blocks, source.block_count = blocks, len(rows.blocks)
        source.units, source.unit_count = units, len(rows.units)
        module_name = _utf8(module)
        _check(self._lib.nonstop_source_register(self._engine, path, len(path), module_name, len(module_name), source))

    def source_without_units(self, path: bytes, lines: Sequence[int] = ()) -> None:
        """Say that there is no source text for `path`: the code objects' own lines are its units.

        `lines`: those of all its code objects, ascending, each once, where they are known.
        """
        _check(self._lib.nonstop_source_without_units(self._engine, path, len(path), list(lines), len(lines)))

    def source_lines(self, path: bytes) -> list[int]:
        """The lines of a registered file where a breakpoint can stand."""
        lines, count = _filled(
            "uint32_t[]", 1024, lambda *room: self._lib.nonstop_source_lines(self._engine, path, len(path), *room)
        )
        return list(lines[0:count])

    def file_scopes(self, path: bytes, module: str) -> list[int]:
        """The first lines of the functions and the like of a registered file whose code carries a breakpoint."""
        name = _utf8(module)
        lines, count = _filled(
            "uint32_t[]",
            256,
            lambda *room: self._lib.nonstop_file_scopes(self._engine, path, len(path), name, len(name), *room),
        )
        return list(lines[0:count])

    def files_carry(self, files: Sequence[tuple[bytes, str]], breakpoints: Sequence[int] = ()) -> list[bool]:
        """In which files, named with their modules, one of these breakpoints stands; of none, any breakpoint."""
        ffi = self._ffi
        keep: list[Any] = []
        rows = ffi.new("nonstop_file[]", len(files))
        for row, (path, module) in zip(rows, files):
            _set_text(ffi, row.path, path, keep)
            _set_text(ffi, row.module, _utf8(module), keep)
        carry = ffi.new("uint8_t[]", max(len(files), 1))
        ids = list(breakpoints)
        _check(self._lib.nonstop_files_carry(self._engine, rows, len(files), ids, len(ids), carry))
        return [bool(one) for one in carry[0 : len(files)]]

    def set_filter(self, rules: Sequence[FilterRule] = (), just_my_code: Sequence[bytes] = ()) -> None:
        """Replace the event filter: rules, the first that matches decides, and directories whose code is left out."""
        ffi = self._ffi
        keep: list[Any] = []
        rows = ffi.new("nonstop_filter_rule[]", len(rules))
        for row, rule in zip(rows, rules):
            row.struct_size = ffi.sizeof("nonstop_filter_rule")
            row.include = int(rule.include)
            row.events = rule.events
            row.max_depth = rule.max_depth
            row.thread_id = rule.thread_id
            _set_text(ffi, row.path_glob, rule.path_glob, keep)
            _set_text(ffi, row.module, _utf8(rule.module), keep)
            _set_text(ffi, row.function, _utf8(rule.function), keep)
        texts = ffi.new("nonstop_text[]", len(just_my_code))
        for text, root in zip(texts, just_my_code):
            _set_text(ffi, text, root, keep)
        _check(self._lib.nonstop_filter_set(self._engine, rows, len(rules), texts, len(just_my_code)))

    # Code and hits

    def code_decide(
        self,
        key: int,
        path: bytes,
        module: str,
        name: str,
        qualname: str,
        first_line: int,
        lines: Sequence[int] = (),
        bytecode: tuple[Dialect, Bytecode] | None = None,
        is_of_other_source: bool = False,
    ) -> Decision:
        """Ask what a code object carries.

        `lines`: the lines that have code, ascending, each once; `bytecode` tells them, and the entries of the units,
        too. Without both they are told only if the decision needs them. `is_of_other_source`: it was not made of the
        text that is registered for its file.
        """
        ffi, lib = self._ffi, self._lib
        line_rows = ffi.new("uint32_t[]", lines) if lines else ffi.NULL
        row = [
            ffi.sizeof("nonstop_code_info"),
            first_line,
            key,
            _row_of(ffi, path),
            _row_of(ffi, _utf8(module)),
            _row_of(ffi, _utf8(name)),
            _row_of(ffi, _utf8(qualname)),
            line_rows,
            len(lines),
        ]
        if bytecode is not None:
            dialect, texts = bytecode
            row += [dialect._dialect, *(_row_of(ffi, text) for text in texts)]
            row.append(_OF_OTHER_SOURCE if is_of_other_source else 0)
        info = ffi.new("nonstop_code_info *", row)
        out = ffi.new("nonstop_decision *")
        capacity = _ARMS
        while True:
            out.struct_size = ffi.sizeof("nonstop_decision")
            arms = ffi.new("nonstop_arm[]", capacity)
            status = lib.nonstop_code_decide(self._engine, info, arms, capacity, out)
            if status == _BUFFER_TOO_SMALL and out.arm_count > capacity:
                capacity = out.arm_count
                continue
            _check(status)
            return Decision(
                status,
                out.epoch,
                out.event_mask,
                bool(out.flags & NEEDS_SOURCE),
                bool(out.flags & NEEDS_LINES),
                [
                    Arm(arm.line, arm.site, arm.flags, arm.inner_first, arm.inner_last)
                    for arm in arms[0 : out.arm_count]
                ],
                out.entry_count,
            )

    def code_entries(self, key: int) -> tuple[int, list[Entry]]:
        """Where control enters the armed units of a code object, by offset, with the epoch of its last decision."""
        return self._points(self._lib.nonstop_code_get_entries, key)

    def code_instructions(self, key: int) -> tuple[int, list[Entry]]:
        """The same for one who sees single instructions: those whose running is an arrival."""
        return self._points(self._lib.nonstop_code_get_instructions, key)

    def _points(self, get: Any, key: int) -> tuple[int, list[Entry]]:
        epoch = self._ffi.new("uint64_t *")
        entries, count = _filled("nonstop_entry[]", _ARMS, lambda *room: get(self._engine, key, *room, epoch))
        return epoch[0], [Entry(one.offset, one.line, one.site, one.flags) for one in entries[0:count]]

    def code_probes(self, key: int) -> tuple[int, list[Probe]]:
        """The same as what :class:`Patch` takes; their constants are for the caller to set."""
        epoch = self._ffi.new("uint64_t *")
        probes, count = _filled(
            "nonstop_probe[]", _ARMS, lambda *room: self._lib.nonstop_code_get_probes(self._engine, key, *room, epoch)
        )
        fields = Probe._fields
        return epoch[0], [Probe(*(getattr(one, field) for field in fields)) for one in probes[0:count]]

    def code_is_inside(self, key: int, site: int, offset: int) -> bool:
        """Whether control at an offset is inside of the unit of a site."""
        inside = self._ffi.new("int32_t *")
        _check(self._lib.nonstop_code_is_inside(self._engine, key, site, offset, inside))
        return bool(inside[0])

    def code_forget(self, key: int) -> None:
        """Drop what the library knows of a code object that is gone."""
        _check(self._lib.nonstop_code_forget(self._engine, key))

    def code_carries(self, key: int, breakpoint: int) -> bool:
        """Whether a breakpoint is armed in a code object that was decided."""
        carries = self._ffi.new("int32_t *")
        _check(self._lib.nonstop_code_carries(self._engine, key, breakpoint, carries))
        return bool(carries[0])

    def event(self, key: int, kind: int, line: int, thread: int, depth: int) -> tuple[int, int]:
        """Ask about one raw trace event. Gives the verdict and the site (0: none)."""
        site = self._ffi.new("uint32_t *")
        verdict = _check(self._lib.nonstop_event(self._engine, key, kind, line, thread, depth, site))
        return verdict, site[0]

    def hit(self, site: int, thread_id: int, thread_name: str | None = None) -> Iterable[HitItem]:
        """Count an arrival at `site` and give the breakpoints that want a condition evaluated or a capture."""
        buffers = self._buffers
        name = None if thread_name is None else _utf8(thread_name)
        while True:
            count = buffers.count
            status = self._hit(
                self._engine,
                site,
                thread_id,
                self._ffi.NULL if name is None else name,
                0 if name is None else len(name),
                0,
                buffers.items,
                buffers.capacity,
                count,
            )
            if status == _BUFFER_TOO_SMALL and count[0] > buffers.capacity:
                buffers.grow(self._ffi, count[0])
                continue
            break
        if status < EVALUATE:
            if status < 0:
                _fail(status)
            return ()
        return [_item(item) for item in buffers.items[0 : count[0]]]

    def hit_total(self, site: int, total: int) -> None:
        """Tell how many arrivals at `site`, where all entries have ``ONLY_COUNTS``, the host has counted by itself, in
        all: those that it had not told are hits.
        """
        _check(self._hit_total(self._engine, site, total))

    def commit(self, ticket: int, outcome: int) -> HitItem:
        """Tell the outcome of a condition. Verdict: IGNORE, or CAPTURE under the same ticket."""
        item = self._ffi.new("nonstop_hit_item *")
        status = self._commit(self._engine, ticket, outcome, 0, item)
        if status < 0:
            _fail(status)
        return _item(item)

    def abandon(self, ticket: int) -> None:
        """Give a ticket back without a capture: it is counted as dropped."""
        _check(self._lib.nonstop_hit_abandon(self._engine, ticket))

    def capture_records(self, ticket: int, records: bytes) -> int:
        """Queue what was captured. Gives CAPTURE, or DROPPED when the queue is full."""
        status: int = self._capture(self._engine, ticket, records, len(records))
        if status < 0:
            _fail(status)
        return status

    # The channel

    def receive(self, timeout_ms: int) -> list[Received] | None:
        """Wait for a snapshot (below 0: for as long as it takes), and take those behind it that are there.

        Empty: none came in time. None: none will come any more.
        """
        # In batches: each call gives up the GIL, and gets it back only when each busy thread has had its turn.
        ffi, lib = self._ffi, self._lib
        batch, count = ffi.new("nonstop_received[]", _BATCH), ffi.new("size_t *")
        status = lib.nonstop_channel_receive_batch(self._engine, timeout_ms, batch, _BATCH, count)
        if status == _TIMEOUT:
            return []
        if status == _CLOSED:
            return None
        _check(status)
        try:
            return [
                Received(one.breakpoint, one.action, ffi.buffer(one.json, one.json_len)[:])
                for one in batch[0 : count[0]]
            ]
        finally:
            lib.nonstop_received_free(batch, count[0])

    def close_channel(self) -> None:
        """Take no more snapshots; those that are queued can still be received."""
        _check(self._lib.nonstop_channel_close(self._engine))

    def channel_stats(self) -> ChannelStats:
        """What the queue holds, sent and dropped."""
        ffi = self._ffi
        out = ffi.new("nonstop_channel_stats *", {"struct_size": ffi.sizeof("nonstop_channel_stats")})
        _check(self._lib.nonstop_channel_get_stats(self._engine, out))
        return ChannelStats(out.queued, out.queued_bytes, out.sent, out.dropped)


class NativeHooks:
    """What CPython calls for the instructions of armed code, or code calls that calls were put into: without Python
    code in between.

    There is one session in a process at a time.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._ffi, self._lib = load()
        self._runs = False
        self._objects: tuple[object, ...] = ()
        self._listener: object = None

    def start(
        self,
        disable: object,
        at_instruction: Callable[..., Any],
        answer: Callable[[int, int, int, int, int, int], None],
        outdated: Callable[[Any], None],
        *,
        puts_calls: bool = False,
    ) -> Any:
        """Begin a session, and give the callback for INSTRUCTION events; or, where one `puts_calls` into code, the hook
        that code calls with a number that was armed.

        `disable` is what has an instruction switched off. The others are called where Python has something to do:
        `at_instruction` where it has to do all, `answer` with the fields of a :class:`HitItem`, `outdated` after an
        arrival that changed what is armed. What tells them where that is: the code object and the offset, or the
        number.

        Raises :class:`~nonstop.errors.StateError` with code ``not_supported`` where the interpreter hides its C API.
        """
        ffi = self._ffi
        callbacks: list[Any] = []
        host = ffi.new("nonstop_cpython_host *")
        host.struct_size = ffi.sizeof("nonstop_cpython_host")
        host.flags = (_FREE_THREADED if _is_free_threaded() else 0) | (_PUTS_CALLS if puts_calls else 0)
        self._objects = (disable, at_instruction, answer, outdated, callbacks)
        host.disable, host.at_instruction, host.answer, host.outdated, host.callbacks = (
            ffi.cast("void *", id(one)) for one in self._objects
        )
        _check(self._lib.nonstop_cpython_start(self._engine._engine, host))
        self._runs = True
        return callbacks[0]

    def arm(self, address: int, entries: Sequence[Entry], epoch: int) -> None:
        """Arm these instructions of the code object at an address, and no others; or one site under a number."""
        if self._runs:
            rows = self._ffi.new("nonstop_entry[]", [tuple(entry) for entry in entries])
            code = self._ffi.cast("void *", address)
            _check(self._lib.nonstop_cpython_arm(code, rows, len(entries), epoch))

    def set_condition(self, user_data: int, condition: SimpleCondition | None) -> bool:
        """Have the condition of the breakpoint with this number decided without Python, where that is possible; None:
        not any more. Whether it was taken: a session has begun.
        """
        ffi = self._ffi
        names, constants, steps = condition or ((), (), ())
        objects = [ffi.cast("void *", id(one)) for one in (*names, *constants)]
        status = self._lib.nonstop_cpython_set_condition(
            self._engine._engine,
            user_data,
            ffi.new("void *[]", objects) if objects else ffi.NULL,
            len(names),
            len(objects),
            ffi.new("nonstop_condition_step[]", list(steps)) if steps else ffi.NULL,
            len(steps),
        )
        return bool(status == 0)

    def listen(self, listener: Callable[[CodeType], None] | None) -> None:
        """Have `listener` called with each code object that `exec`, `eval` or an import is about to run.

        Raises :class:`~nonstop.errors.StateError` where another audit hook forbids that.
        """
        self._listener = listener
        address = self._ffi.NULL if listener is None else self._ffi.cast("void *", id(listener))
        _check(self._lib.nonstop_cpython_listen(address))

    def replace_constant(self, constants: tuple[Any, ...], index: int, old: object, new: object) -> bool:
        """Put an object into the place of another in the constants of a code object; whether it was there."""
        cast = self._ffi.cast
        objects = (cast("void *", id(constants)), index, cast("void *", id(old)), cast("void *", id(new)))
        return bool(self._lib.nonstop_cpython_replace_constant(*objects) == 0)

    def set_trace(self, thread: int, expected: object, tracer: object) -> bool:
        """Set the trace function of another thread (CPython up to 3.11), if it has the one that is expected; whether
        that was done.
        """
        objects = (sys.gettrace, sys.settrace, expected, tracer)
        addresses = [self._ffi.cast("void *", id(one)) for one in objects]
        return self._runs and bool(self._lib.nonstop_cpython_set_trace(thread, *addresses) == 0)

    def stop(self) -> None:
        """End the session."""
        if self._runs:
            self._runs = False
            self._lib.nonstop_cpython_stop()
            self._objects = ()

    @property
    def spent_ns(self) -> int:
        """Time spent where Python was not called, in nanoseconds."""
        return int(self._lib.nonstop_cpython_spent_ns()) if self._runs else 0


def why_no_native_hooks() -> str | None:
    """Why CPython cannot call the library directly; None where it can.

    Raises :class:`~nonstop.errors.LibraryError` where there is no library.
    """
    ffi, lib = load()
    try:
        _check(lib.nonstop_cpython_check(ffi.cast("void *", id(type))))
    except StateError as error:
        return str(error)
    return None


def ignore_thread(ignore: bool) -> None:
    """Let native hooks ignore the calling thread, or observe it again."""
    load()[1].nonstop_cpython_ignore_thread(int(ignore))


def _is_free_threaded() -> bool:
    return not getattr(sys, "_is_gil_enabled", lambda: True)()


def _item(item: Any) -> HitItem:
    return HitItem(item.breakpoint, item.ticket, item.hit, item.verdict, item.action, item.user_data)


def _utf8(text: str) -> bytes:
    # Lone surrogates can stand in a name that a program made up; the library takes UTF-8 only.
    return text.encode("utf-8", "replace")


def _row_of(ffi: Any, data: bytes) -> tuple[Any, ...]:
    """A text as what a struct is made of. The row keeps it alive, the struct does not."""
    return (ffi.from_buffer("char[]", data), len(data)) if data else ()


def _set_text(ffi: Any, field: Any, data: bytes, keep: list[Any]) -> None:
    buffer = ffi.from_buffer("char[]", data)
    keep.append(buffer)
    field.data, field.len = buffer, len(data)


def _text(ffi: Any, data: bytes, keep: list[Any]) -> Any:
    text = ffi.new("nonstop_text *")
    _set_text(ffi, text, data, keep)
    keep.append(text)
    return text[0]
