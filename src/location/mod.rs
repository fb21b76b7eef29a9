//! Where a breakpoint stands: parsing `shop.py:42`, and matching paths (suffix, symlink, path maps).
