//! The libraries for C that cargo built along with these tests.

use std::path::PathBuf;

/// The directory with libnonstop.so and libnonstop.a of this very build.
///
/// An integration test depends on the library, and rustc writes all of its crate types in one go: they lie beside the test.
/// `cargo build` from within a test would not do: without the dev-dependencies cargo chooses other features for shared
/// dependencies, and so builds another library over the same files.
pub fn directory() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().to_path_buf()
}

/// The file of the shared library.
pub fn shared() -> PathBuf {
    present(&format!("{}nonstop{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX))
}

/// The file of the static library.
#[allow(dead_code)] // Each test file takes what it needs.
pub fn archive() -> PathBuf {
    present(if cfg!(windows) { "nonstop.lib" } else { "libnonstop.a" })
}

fn present(name: &str) -> PathBuf {
    let path = directory().join(name);
    assert!(path.exists(), "cargo did not put {name} beside its tests, in {}", directory().display());
    path
}
