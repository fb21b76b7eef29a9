"""How much one hit captures."""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """Bounds of a snapshot or log message. The defaults are the engine's own (``nonstop_limits_default``; a test
    compares them).

    >>> Limits(depth=5).items
    25
    """

    #: Levels of collections and objects inside each other.
    depth: int = 3
    #: Items of a collection.
    items: int = 25
    #: Items of a collection that is the value of a captured expression.
    named_items: int = 100
    #: Characters of a text.
    text_chars: int = 256
    #: Characters of a text that is the value of a captured expression.
    named_text_chars: int = 4096
    #: Fields of an object.
    fields: int = 50
    #: Frames of the stack, the innermost first.
    frames: int = 20
    #: Frames that are shown with their locals.
    frames_with_locals: int = 4
    #: Bytes of a snapshot as JSON.
    snapshot_bytes: int = 65536
