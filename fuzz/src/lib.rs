//! What the fuzz targets do with any bytes. `tests/any_bytes.rs` does the same with bytes of its own, without a fuzzer.

pub mod decode;
pub mod dialects;
pub mod input;
pub mod patch;
pub mod records;
pub mod seeds;
pub mod texts;
