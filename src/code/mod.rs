//! Units of a source file, the event filter, and the epoch-stamped decision per code object.
