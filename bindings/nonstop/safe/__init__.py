"""Safe expressions: a language that reads a program's values and cannot run its code.

An expression of the user's is Python, and what it calls may do anything. Where somebody sets breakpoints from outside
of a program that must not suffer from them, they are of this language instead. It looks like Python, and a value is
what it is in Python; what Python would ask the program for is refused, with an error that says so:

* reads of attributes and items by the interpreter's own means, never through ``__getattr__``, properties or other
  descriptors, or a ``__getitem__`` of the program's;
* comparisons, ``in``, arithmetic and truth of builtin types, also where those are inside of others;
* conditional expressions, slices, displays of lists, tuples, sets and dictionaries, f-strings;
* a list of builtin functions, and a list of methods of texts and dictionaries.

No evaluation takes more than a number of steps, a size of what it makes, and a time: each is checked before it is
spent.

One way down: ``expressions`` makes functions of syntax trees, out of ``attributes``, ``items``, ``comparing``,
``arithmetic``, ``formatting`` and ``functions``; all of these need ``builtin_types`` and ``budget``.
"""

from __future__ import annotations
