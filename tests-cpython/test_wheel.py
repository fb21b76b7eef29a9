"""What pip knows of the installed wheel, on CPython."""

from __future__ import annotations

from importlib import metadata

import nonstop
import pytest

try:
    INSTALLED = metadata.distribution("nonstop")
except metadata.PackageNotFoundError:
    pytest.skip("nonstop is not installed from a wheel here", allow_module_level=True)


def test_cffi_is_the_only_requirement_and_only_on_cpython() -> None:
    (requirement,) = INSTALLED.requires or []
    assert requirement.startswith("cffi>=1.15.1")
    assert "platform_python_implementation == 'CPython'" in requirement.replace('"', "'")


def test_wheel_is_for_every_python_of_the_platform() -> None:
    text = INSTALLED.read_text("WHEEL") or ""
    tags = [line.partition(": ")[2] for line in text.splitlines() if line.startswith("Tag")]
    assert tags
    assert all(tag.startswith("py3-none-manylinux") for tag in tags)


def test_versions_agree() -> None:
    from nonstop import core

    assert INSTALLED.version == nonstop.__version__ == core.library_version()


def test_both_licences_come_along() -> None:
    names = {file.name for file in INSTALLED.files or []}
    assert {"LICENSE-MIT", "LICENSE-APACHE", "py.typed"} <= names
