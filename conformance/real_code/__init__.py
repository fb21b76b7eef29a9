"""Breakpoints in real code, checked against a print written by hand at the same place."""
