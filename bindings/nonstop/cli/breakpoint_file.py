"""The file of ``--breakpoints``: TOML, or the same content as JSON.

Its tables are named like the methods of :class:`nonstop.Debugger`, and their keys like the parameters::

    [[breakpoint]]
    location = "shop.py:42"
    condition = "total > 100"
    capture = ["total", "len(items)"]
    max_hits = 10

    [[logpoint]]
    location = "shop.py:total"
    template = "total={total}"
    rate = [10, 20]          # hits a second, burst

    [[counter]]
    location = "shop.py:57"
"""

from __future__ import annotations

import json
from typing import Any

from nonstop.cli.given import Given
from nonstop.errors import ArgumentError

_RULES = ("condition", "hit_condition", "max_hits", "rate", "expires", "thread")
_KEYS = {
    "breakpoint": ("location", *_RULES, "capture", "limits"),
    "logpoint": ("location", "template", *_RULES, "limits"),
    "counter": ("location", *_RULES),
}
_TEXTS = ("location", "condition", "template")


def read_breakpoints(path: str) -> list[Given]:
    """The breakpoints of a file, in its order within each kind of table.

    Raises :class:`~nonstop.errors.ArgumentError` that names the file, the table and the key.
    """
    document = _document(path)
    if not isinstance(document, dict):
        raise ArgumentError(f"{path}: the outermost value must be an object with {_listed(_KEYS)}")
    found = []
    for action, tables in document.items():
        if action not in _KEYS:
            raise ArgumentError(f"{path}: there is no table {action!r}; there are {_listed(_KEYS)}")
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            raise ArgumentError(f"{path}: {action!r} must be a list of tables; write [[{action}]] before each")
        found += [_given(f"{path}: {action} {number}", action, table) for number, table in enumerate(tables, 1)]
    return found


def _given(where: str, action: str, table: dict[str, Any]) -> Given:
    for key in table:
        if key not in _KEYS[action]:
            raise ArgumentError(f"{where}: there is no key {key!r}; there are {', '.join(_KEYS[action])}")
    for key in ("location", "template"):
        if key in _KEYS[action] and key not in table:
            raise ArgumentError(f"{where}: {key!r} is missing")
    for key in _TEXTS:
        if not isinstance(table.get(key, ""), str):
            raise ArgumentError(f"{where}: {key} is {table[key]!r}; it must be text")
    rules = {key: value for key, value in table.items() if key not in _TEXTS}
    if isinstance(rules.get("rate"), list):
        rules["rate"] = tuple(rules["rate"])
    capture = rules.get("capture", [])
    if not isinstance(capture, str) and not (
        isinstance(capture, list) and all(isinstance(expression, str) for expression in capture)
    ):
        raise ArgumentError(f"{where}: capture is {capture!r}; it must be a list of expressions, each a text")
    return Given(
        f"{where} ({table['location']})",
        action,
        table["location"],
        table.get("condition"),
        table.get("template"),
        rules,
    )


def _document(path: str) -> Any:
    try:
        with open(path, "rb") as file:
            data = file.read()
    except (OSError, ValueError) as error:
        raise ArgumentError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error
    parse = json.loads if path.endswith(".json") else _toml_reader(path)
    try:
        return parse(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        kind = "JSON" if path.endswith(".json") else "TOML"
        raise ArgumentError(f"{path}: is no {kind}: {error}") from error


def _toml_reader(path: str) -> Any:
    for name in ("tomllib", "tomli"):
        try:
            return __import__(name).loads
        except ImportError:
            continue
    raise ArgumentError(
        f"{path}: reading TOML needs Python 3.11 or later, or the package tomli (pip install tomli); "
        "the same content as JSON works everywhere, in a file whose name ends with .json"
    )


def _listed(names: Any) -> str:
    return ", ".join(repr(name) for name in names)
