"""The command `nonstop`."""
