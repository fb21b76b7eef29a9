"""The environments that building and testing happen in: .venvs/tools, and one for each interpreter that is found."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENVS = ROOT / ".venvs"
TOOLS = VENVS / "tools"

#: Every interpreter that nonstop supports, by the name of its command.
INTERPRETERS = (
    "python3.9",
    "python3.10",
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.14",
    "python3.15",
    "pypy3.9",
    "pypy3.11",
)


def run(*command: object, **options: object) -> None:
    """Run a command; it must succeed."""
    subprocess.run([str(word) for word in command], check=True, cwd=ROOT, **options)  # type: ignore[call-overload]


def found() -> list[str]:
    """The supported interpreters on PATH that start; where none has its version in its name, the plain `python3`."""
    return [name for name in INTERPRETERS if _starts(name)] or ["python3"]


def _starts(name: str) -> bool:
    path = shutil.which(name)
    if path is None:
        return False
    # pyenv puts a command for every version on PATH, also for those that are not chosen.
    return subprocess.run([path, "-c", "pass"], capture_output=True, check=False).returncode == 0


def tools() -> Path:
    """The programs of .venvs/tools, installed if need be."""
    stamp = TOOLS / ".installed"
    wanted = (ROOT / "requirements/tools.txt").read_text("utf-8")
    if not stamp.exists() or stamp.read_text("utf-8") != wanted:
        shutil.rmtree(TOOLS, ignore_errors=True)
        run(sys.executable, "-m", "venv", TOOLS)
        run(TOOLS / "bin/pip", "install", "-q", "--disable-pip-version-check", "-r", "requirements/tools.txt")
        stamp.write_text(wanted, "utf-8")
    return TOOLS / "bin"


def wheel() -> Path:
    """Build the one wheel, for the oldest glibc that zig can link against."""
    programs = tools()
    dist = ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    run(
        programs / "maturin",
        "build",
        "--release",
        "--locked",
        "--zig",
        "--compatibility",
        "manylinux2014",
        "-i",
        programs / "python",
        "-o",
        dist,
        env={**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},
    )
    (built,) = dist.glob("*.whl")
    return built


def environment(interpreter: str, package: Path, *requirements: str) -> Path:
    """The Python of an environment with the wheel and what the named requirement files list."""
    programs = tools()
    venv = VENVS / interpreter
    python = venv / "bin/python"
    if not python.exists():
        run(programs / "uv", "venv", "-q", "--no-config", "--python", shutil.which(interpreter), venv)
    install = (programs / "uv", "pip", "install", "-q", "--python", python)
    for file in requirements:
        run(*install, "-r", file)
    run(*install, "--reinstall-package", "nonstop", package)
    return python
