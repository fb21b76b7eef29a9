"""Snapshots as the engine writes them, without an engine."""

from __future__ import annotations

import json
from typing import Any, Callable

import pytest
from nonstop.snapshots import Snapshot

COUNT = {"type": "int", "value": 3}
NAME = {"type": "str", "value": "Zoë"}


def make_snapshot(**changes: Any) -> Snapshot:
    document: dict[str, Any] = {
        "schema": 1,
        "breakpoint": 4,
        "location": {"file": "/srv/shop.py", "line": 42, "function": "total"},
        "hit": 2,
        "time_ns": 1_700_000_000_123_456_789,
        "thread": {"id": 7, "name": "worker-1"},
        "task": None,
    }
    if "message" not in changes:
        frame = {**document["location"], "locals": {"count": COUNT, "name": NAME}}
        document.update(frames=[frame], captures={})
    document.update(changes)
    document["cut"] = changes.get("cut", [])
    return Snapshot(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())


@pytest.fixture(name="snapshot_of")
def snapshot_factory() -> Callable[..., Snapshot]:
    """Makes a snapshot; members given by name take the place of the usual ones."""
    return make_snapshot
