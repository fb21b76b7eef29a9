"""The walk over values of a running program, which must not notice.

In the order in which they build on each other: :mod:`~nonstop.walk.objects` looks at an object without running the
program, :mod:`~nonstop.walk.records` writes texts of the record stream, :mod:`~nonstop.walk.texts` has the values that
are shown as text, :mod:`~nonstop.walk.kinds` knows how values of each type are shown, and :mod:`~nonstop.walk.values`
writes them, under limits.
"""
