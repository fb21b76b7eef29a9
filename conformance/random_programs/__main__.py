"""Searches for a while; a difference is shown with all that is needed to look into it."""

from __future__ import annotations

import argparse
import faulthandler
import sys
import time

import nonstop

from conformance.random_programs.scenario_text import described
from conformance.random_programs.searching import runners, search_for


def main() -> int:
    """0 when there was no difference."""
    parser = argparse.ArgumentParser(
        prog="python -m conformance.random_programs",
        description="Run random programs with breakpoints, and compare the hits with those that the contract asks for.",
    )
    parser.add_argument("--seconds", type=float, default=60, help="how long to search (default: 60)")
    parser.add_argument("--seed", type=int, help="the first seed (default: the time)")
    parser.add_argument("--backend", action="append", choices=nonstop.available_backends(), help="default: all")
    parser.add_argument("--differences", type=int, default=1, help="end after so many (default: 1)")
    arguments = parser.parse_args()
    faulthandler.enable()
    seed = int(time.time()) if arguments.seed is None else arguments.seed
    used = runners(arguments.backend)
    names = ", ".join(runner.backend for runner in used)
    print(f"seeds from {seed}, backends: {names}; programs in {used[0].folder}", flush=True)
    programs = differences = 0
    started = time.monotonic()
    try:
        for found in search_for(arguments.seconds, seed, used):
            programs += found.programs
            if found.difference is not None:
                differences += 1
                print(described(found.difference, found.seed, found.difference.backend), flush=True)
                if differences == arguments.differences:
                    break
    finally:
        for runner in used:
            runner.close()
    seconds = time.monotonic() - started
    print(
        f"{programs} programs in {seconds:.0f} s ({programs / max(seconds, 1):.1f} a second), the last seed {found.seed}"
    )
    print(f"{int(not differences)} passed, {int(bool(differences))} failed")
    return int(bool(differences))


if __name__ == "__main__":
    sys.exit(main())
