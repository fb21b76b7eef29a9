"""What the benchmarks run: the methods of the talk, loops, calls, a program, and places for breakpoints beside them."""

import difflib
import textwrap


def empty_method():
    pass


def simple_method():
    a = 1
    b = 2
    c = 3
    d = 4
    e = 5
    f = 6
    g = 7
    h = 8
    i = 9
    j = 10


def neighbour():
    return "never called while the clock runs"


def branching_method(rare=False):
    if rare:
        print("never reached while the clock runs")
    a = 1
    b = 2
    c = 3
    d = 4
    e = 5
    f = 6
    g = 7
    h = 8
    i = 9
    j = 10


def tight_loop():
    total = 0
    for number in range(200):
        total += number & 3
    return total


def fib(n=12):
    if n < 2:
        return n
    return fib(n - 1) + fib(n - 2)


_OLD = [f"item {number}: {number * 7919 % 1000} pieces" for number in range(40)]
_NEW = [line.replace("7", "8") for line in _OLD]


def program():
    """Compares two texts and folds the result: a thousand calls in two modules of the standard library."""
    changes = difflib.unified_diff(_OLD, _NEW, lineterm="")
    return textwrap.fill(" ".join(changes), 60)


def hit(turns):
    """What a hit costs, a pass: a breakpoint stands on the assignment."""
    for number in range(turns):
        value = number


def no_hit(turns):
    for number in range(turns):
        value = number


def noop():
    pass


def noop_call(turns):
    for number in range(turns):
        noop()
        value = number
