//! Where a breakpoint stands: parsing `shop.py:42`, and matching paths (suffix, symlink, path maps).

mod glob;
mod known;
mod maps;
mod parse;
mod path;

pub use glob::Glob;
pub use known::{FileSystem, KnownPath, OsFileSystem, Strength};
pub use maps::PathMaps;
pub use parse::{Location, LocationError, Place, Target};
pub use path::PathPattern;
