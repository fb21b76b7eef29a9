//! Ids, table and state of breakpoints.
