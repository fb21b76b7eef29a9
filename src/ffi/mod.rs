//! The C ABI: the one place where unsafe, NULL, UTF-8, panics and ownership are handled.
