"""Modules that nonstop has imported although the program has modules of its own by these names.

A script beside a ``queue.py`` of its own imports that one under plain ``python``: nothing has imported the standard
library's before. nonstop has, and must not be in the way.
"""

from __future__ import annotations

import importlib.machinery
import os
import sys

#: What the interpreter itself has imported before it looks at a program, where it is not built in or frozen.
_AT_START = (
    "_collections_abc",
    "_sitebuiltins",
    "abc",
    "codecs",
    "encodings",
    "genericpath",
    "io",
    "ntpath",
    "os",
    "posixpath",
    "site",
    "sitecustomize",
    "stat",
    "usercustomize",
    "zipimport",
)


def forget_shadowed(folder: str) -> None:
    """Let imports of the program find its own modules in `folder`. nonstop keeps those that it has."""
    try:
        present = {name.partition(".")[0] for name in os.listdir(folder or os.curdir)}
    except OSError:  # an archive, or not readable
        return
    imported = {name.partition(".")[0] for name in list(sys.modules)}
    ours = {"__main__", "nonstop", *_AT_START, *sys.builtin_module_names}
    for name in (present & imported) - ours:
        if _is_in(name, folder):
            for module in [one for one in list(sys.modules) if one == name or one.startswith(name + ".")]:
                del sys.modules[module]


def _is_in(name: str, folder: str) -> bool:
    """Whether an import of `name` finds it in `folder`, and has not found it there already."""
    if importlib.machinery.FrozenImporter.find_spec(name) is not None:
        return False
    spec = importlib.machinery.PathFinder.find_spec(name, [folder])
    # A directory without __init__.py gives way to any module further down the path.
    if spec is None or spec.loader is None:
        return False
    return getattr(sys.modules[name], "__file__", None) != spec.origin
