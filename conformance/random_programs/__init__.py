"""Random programs: made from a grammar, run with breakpoints under every backend, and compared with an oracle.

A program is a tree. `writer` turns it into two texts: the program itself, and one with calls of probes woven in where the
contract (docs/semantics.md) says that a unit is entered. What the probes tell is what breakpoints must tell.

==================================== ===============================================================
`grammar`, `values`, `drawing`       which trees there are: Hypothesis chooses, and shrinks
`statements`, `functions`,           the nodes of a tree: how they are written, and where their probes stand
`expressions`
`writer`                             the two texts, the units of the program, what each line of it resolves to
`support`                            what the programs call; it bounds their loops
`running`                            runs a text: alone, with probes, or with breakpoints
`checking`                           compares what the three did
`searching`, `__main__`              example after example, seed after seed
`scenario_text`                      a difference as the text of a scenario
==================================== ===============================================================

Left open where interpreters may differ: whether a unit for which one may make no code (rule 2.5) has some, if a breakpoint
on one that has none moves on as it should; on the way of an exception through a `finally`, whether a `pass` has some; up to
3.9, `break`, `continue` and `pass`, which jumps before them may leave out.

Run as ``python -m conformance.random_programs [--seconds N] [--seed S] [--backend B]``.
"""
