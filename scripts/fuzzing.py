"""The fuzz targets (fuzz/), under the address sanitizer, each for a while from code of every interpreter."""

from __future__ import annotations

import os
import shutil
import time

from environments import ROOT, VENVS
from results import Result, check, output

_VERSION = "0.13.2"
_PROGRAMS = VENVS / "cargo"
_HOME = ROOT / "target/fuzz"
_TARGETS = ("patch", "decode", "records", "texts")
#: The sanitizer is still unstable in Rust; with this the stable compiler has it too, and no other one is needed.
_ENVIRONMENT = {
    **os.environ,
    "PATH": f"{_PROGRAMS / 'bin'}{os.pathsep}{os.environ['PATH']}",
    "RUSTC_BOOTSTRAP": "1",
    "CARGO_TARGET_DIR": str(_HOME / "build"),
}
#: Bytes of the largest input, seconds for one, and MiB for all: what needs more shows work that grows too fast.
_LIMITS = ("-max_len=4096", "-timeout=10", "-rss_limit_mb=3000")


def fuzz(seconds: int) -> list[Result]:
    """Run every target for so long. What cannot be built or installed has failed: nothing was shown then."""
    built = _build()
    return [built, *(_run(target, seconds) for target in _TARGETS)] if not built.failed else [built]


def _build() -> Result:
    install = ("cargo", "install", "--quiet", "--locked", "--root", _PROGRAMS, f"cargo-fuzz@{_VERSION}")
    installed = check("fuzz, cargo-fuzz", *install)
    if installed.failed:
        print("cargo-fuzz could not be installed: is there a network, and a C++ compiler?")
        return installed
    return check("fuzz, build", "cargo", "fuzz", "build", "--fuzz-dir", "fuzz", env=_ENVIRONMENT)


def _run(target: str, seconds: int) -> Result:
    started = time.monotonic()
    corpus, found = _HOME / "corpus" / target, _HOME / "found" / target
    shutil.rmtree(found, ignore_errors=True)
    found.mkdir(parents=True)
    seeds = ("cargo", "run", "--quiet", "--locked", "--manifest-path", "fuzz/Cargo.toml", "--example", "seeds", "--")
    status, text = output(*seeds, target, corpus, env=_ENVIRONMENT)
    if not status:
        options = (f"-max_total_time={seconds}", f"-artifact_prefix={found}{os.sep}", *_LIMITS)
        run = ("cargo", "fuzz", "run", "--fuzz-dir", "fuzz", target, corpus, "--", *options)
        status, text = output(*run, env=_ENVIRONMENT)
    if status:
        print(f"--- fuzz, {target}: what failed is in {found}\n{text[-5000:]}")
    return Result(f"fuzz, {target}", int(not status), int(bool(status)), 0, time.monotonic() - started)
