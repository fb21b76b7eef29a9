"""The methods that the talk measured, and two more places for breakpoints in the same file."""


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
