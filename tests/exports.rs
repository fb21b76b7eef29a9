//! What the shared library shows to a dynamic linker: the functions of the header, and nothing else.
#![allow(clippy::unwrap_used)] // The helpers of tests are tests as well.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

mod library;

/// The functions that include/nonstop.h declares. A declaration begins at the margin; comments and structs do not look so.
fn declared() -> BTreeSet<String> {
    let header = Path::new(env!("CARGO_MANIFEST_DIR")).join("include/nonstop.h");
    let text = std::fs::read_to_string(header).unwrap();
    let declarations =
        text.lines().filter(|line| !line.starts_with(['/', ' ', '#', '}']) && !line.starts_with("typedef"));
    let names = declarations.filter_map(|line| line.split_once('(')).map(|(before, _)| before);
    names.filter_map(|before| before.rsplit([' ', '*']).next()).map(str::to_owned).collect()
}

/// The symbols that the library defines for others; `None` when there is no nm to read them with.
fn exported() -> Option<BTreeSet<String>> {
    let output =
        Command::new("nm").args(["-D", "--defined-only", "-P"]).arg(library::shared()).output().ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
}

#[test]
fn the_header_declares_what_its_readers_are_told() {
    let declared = declared();
    assert!(declared.len() > 40, "{declared:?}");
    assert!(declared.iter().all(|name| name.starts_with("nonstop_")), "{declared:?}");
    for name in
        ["nonstop_abi_version", "nonstop_status_name", "nonstop_engine_epoch", "nonstop_snapshot_free"]
    {
        assert!(declared.contains(name), "{name} is not found: the reader of the header is wrong");
    }
}

#[test]
fn exactly_the_functions_of_the_header_are_exported() {
    let Some(exported) = exported() else {
        eprintln!("not checked: there is no nm (binutils) on this machine");
        return;
    };
    let declared = declared();
    let missing: Vec<_> = declared.difference(&exported).collect();
    let foreign: Vec<_> = exported.difference(&declared).collect();
    assert!(missing.is_empty(), "in the header, but not exported: {missing:?}");
    assert!(foreign.is_empty(), "exported, but not in the header: {foreign:?}");
}
