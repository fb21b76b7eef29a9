//! include/nonstop.h is what the sources say, and every compiler takes it.

use std::path::Path;
use std::process::Command;

#[path = "../build/header.rs"]
mod header;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_committed_header_is_what_the_sources_say() {
    let made = header::manual(root()).unwrap();
    let path = root().join("include/nonstop.h");
    if std::env::var_os("NONSTOP_UPDATE_HEADER").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == made,
        "include/nonstop.h differs from src/ffi: run `make header` and commit the result"
    );
}

#[test]
fn the_header_compiles_in_every_language() {
    let directory = std::env::temp_dir().join(format!("nonstop-header-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let compilers = [("CC", "cc", "c", vec!["c99", "c11", "c2x"]), ("CXX", "c++", "cpp", vec!["c++11"])];
    for (variable, default, ending, standards) in compilers {
        let compiler = std::env::var(variable).unwrap_or_else(|_| default.to_owned());
        let source = directory.join(format!("only_the_header.{ending}"));
        std::fs::write(&source, "#include \"nonstop.h\"\nint main(void) { return 0; }\n").unwrap();
        for standard in standards {
            let output = Command::new(&compiler)
                .args(["-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only"])
                .arg(format!("-std={standard}"))
                .arg("-I")
                .arg(root().join("include"))
                .arg(&source)
                .output()
                .unwrap_or_else(|error| {
                    panic!("no compiler '{compiler}' ({error}): install one, or name it in ${variable}")
                });
            assert!(output.status.success(), "{standard}: {}", String::from_utf8_lossy(&output.stderr));
        }
    }
    std::fs::remove_dir_all(&directory).unwrap();
}
