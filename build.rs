//! Writes the declarations that the Python package is built from, and sets how the shared library is linked.

use std::path::{Path, PathBuf};

#[path = "build/header.rs"]
mod header;

fn main() {
    println!("cargo:rerun-if-changed=src/ffi");
    println!("cargo:rerun-if-changed=cbindgen.toml");
    println!("cargo:rerun-if-changed=build");
    link();
    if let Err(problem) = write_declarations() {
        println!("cargo:warning=the declarations for the Python package were not written: {problem}");
    }
}

fn link() {
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // Hosts unload libraries at exit while threads are still in them (cffi does): this one stays. The SONAME lets
        // programs that link it find it under the name that it is installed by.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libnonstop.so");
    }
}

/// maturin looks for `header.h` in the target directory.
fn write_declarations() -> Result<(), String> {
    let root = std::env::var("CARGO_MANIFEST_DIR").map_err(|error| error.to_string())?;
    let out = std::env::var("OUT_DIR").map_err(|error| error.to_string())?;
    let target = target_directory(Path::new(&out)).ok_or("the target directory was not found")?;
    let (text, path) = (header::bare(Path::new(&root))?, target.join("header.h"));
    // Another build may be reading it.
    if std::fs::read_to_string(&path).is_ok_and(|known| known == text) {
        return Ok(());
    }
    std::fs::write(path, text).map_err(|error| error.to_string())
}

/// Cargo marks its target directory with a cache tag, and the one of a target triple in it too; the output directory is
/// somewhere below.
fn target_directory(out: &Path) -> Option<PathBuf> {
    let is_tagged = |directory: &Path| directory.join("CACHEDIR.TAG").exists();
    let nearest = out.ancestors().find(|directory| is_tagged(directory))?;
    let around = nearest.parent().filter(|directory| is_tagged(directory));
    Some(around.unwrap_or(nearest).to_path_buf())
}
