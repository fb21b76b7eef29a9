//! Composes the modules below it; only the C ABI knows it.
