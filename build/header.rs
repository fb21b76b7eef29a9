// The C declarations of the library, made by cbindgen from src/ffi: once as the manual for people and compilers
// (include/nonstop.h), once bare for cffi, whose parser knows neither the preprocessor nor C++.

use std::path::Path;

/// The text of include/nonstop.h.
#[allow(dead_code)] // The build script makes the other one.
pub fn manual(root: &Path) -> Result<String, String> {
    generate(root, |_| {})
}

/// The same declarations for cffi.
#[allow(dead_code)] // The drift test makes the other one.
pub fn bare(root: &Path) -> Result<String, String> {
    generate(root, |config| {
        config.header = None;
        config.trailer = None;
        config.include_guard = None;
        config.cpp_compat = false;
        config.documentation = false;
        config.sys_includes.clear();
    })
}

/// The files of src/ffi that declare something, in the order of the header: one a C noun.
const NOUNS: [&str; 16] = [
    "status",
    "text",
    "library",
    "engine",
    "limits",
    "breakpoints",
    "sources",
    "filter",
    "dialect",
    "code",
    "patch",
    "hits",
    "capture",
    "channel",
    "template",
    "cpython",
];

fn generate(root: &Path, adapt: impl FnOnce(&mut cbindgen::Config)) -> Result<String, String> {
    let mut config = cbindgen::Config::from_file(root.join("cbindgen.toml"))?;
    adapt(&mut config);
    // Only these files: a public constant elsewhere in the crate is no part of the C ABI.
    let files = NOUNS.iter().map(|noun| root.join(format!("src/ffi/{noun}.rs")));
    let builder = files.fold(cbindgen::Builder::new().with_config(config), cbindgen::Builder::with_src);
    let bindings = builder.generate().map_err(|error| error.to_string())?;
    let mut text = Vec::new();
    bindings.write(&mut text);
    let text = String::from_utf8(text).map_err(|error| error.to_string())?;
    Ok(without_safety_sections(&text))
}

/// Rust wants a `# Safety` section on each function; what it promises is said by the text above it already, in C's own terms.
fn without_safety_sections(text: &str) -> String {
    let mut kept = Vec::new();
    let mut in_section = false;
    for line in text.lines() {
        let comment = line.trim_start();
        if comment == "// # Safety" || comment == "/// # Safety" {
            in_section = true;
            // The empty comment line that sets the section apart.
            while kept.last().is_some_and(|last: &&str| matches!(last.trim(), "//" | "///")) {
                kept.pop();
            }
        } else if in_section && comment.starts_with("//") {
            continue;
        } else {
            in_section = false;
            kept.push(line);
        }
    }
    kept.join("\n") + "\n"
}
