"""Cross-checks: the same breakpoints must give the same hits wherever they are observed."""
