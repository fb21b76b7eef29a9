//! The programs in tests-c, as another tool would build them: linked with the shared library and with the static one.
#![allow(clippy::unwrap_used)] // The helpers of tests are tests as well.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

mod library;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What the static library needs besides itself: the standard library of Rust stands on these.
const SYSTEM: &[&str] = if cfg!(target_os = "linux") { &["-ldl", "-lm"] } else { &[] };

/// A directory that goes with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("nonstop-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn said(output: &Output) -> String {
    format!(
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Which compiler, from which variable or by default, and in which language.
#[derive(Clone, Copy)]
struct Language {
    variable: &'static str,
    compiler: &'static str,
    standard: &'static str,
}

const C99: Language = Language { variable: "CC", compiler: "cc", standard: "c99" };
const C11: Language = Language { standard: "c11", ..C99 };
const C2X: Language = Language { standard: "c2x", ..C99 };
const CPP11: Language = Language { variable: "CXX", compiler: "c++", standard: "c++11" };

fn compile(language: Language, sources: &[PathBuf], rest: &[&std::ffi::OsStr]) {
    let compiler = std::env::var(language.variable).unwrap_or_else(|_| language.compiler.to_owned());
    let output = Command::new(&compiler)
        .args(["-Wall", "-Wextra", "-pedantic", "-Werror", "-O1", "-g", "-pthread"])
        .arg(format!("-std={}", language.standard))
        .arg("-I")
        .arg(root().join("include"))
        .args(sources)
        .args(rest)
        .output()
        .unwrap_or_else(|error| {
            panic!("no compiler '{compiler}' ({error}): install one, or name it in ${}", language.variable)
        });
    assert!(output.status.success(), "{} -std={}: {}", compiler, language.standard, said(&output));
}

fn sources(ending: &str) -> Vec<PathBuf> {
    let files = std::fs::read_dir(root().join("tests-c")).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|found| found == ending)).collect();
    files.sort();
    assert!(!files.is_empty(), "there is no .{ending} file in tests-c");
    files
}

/// Builds a program, runs all of it, and reads its closing line. Gives how many tests passed; none may have failed.
fn passed(name: &str, language: Language, sources: &[PathBuf], library: &[&std::ffi::OsStr]) -> u32 {
    passed_of(name, language, sources, library, &[])
}

/// The same for the tests that the arguments choose (tests-c/main.c says how).
fn passed_of(
    name: &str,
    language: Language,
    sources: &[PathBuf],
    library: &[&std::ffi::OsStr],
    arguments: &[&str],
) -> u32 {
    let scratch = Scratch::new(name);
    let program = scratch.0.join("program");
    let output = [&["-o".as_ref(), program.as_os_str()], library].concat();
    compile(language, sources, &output);
    // Cargo sets these for its tests, with directories where the library of an earlier `cargo build` may lie.
    let mut run = Command::new(&program);
    run.env_remove("LD_LIBRARY_PATH").env_remove("DYLD_FALLBACK_LIBRARY_PATH");
    let run = run.args(arguments).current_dir(&scratch.0).output().unwrap();
    let text = said(&run);
    let closing = String::from_utf8_lossy(&run.stdout).lines().last().unwrap_or_default().to_owned();
    let counts = closing.strip_suffix(" failed").and_then(|counts| counts.split_once(" passed, "));
    let counts = counts.map(|(passed, failed)| (passed.parse().unwrap(), failed.parse().unwrap()));
    let (passed, failed): (u32, u32) = counts.unwrap_or_else(|| panic!("it did not come to its end: {text}"));
    assert!(run.status.success() && failed == 0 && passed > 0, "{text}");
    passed
}

#[test]
fn a_c99_program_runs_with_the_shared_library() {
    let library = library::shared();
    let path = format!("-Wl,-rpath,{}", library::directory().display());
    let passed = passed("shared", C99, &sources("c"), &[library.as_os_str(), path.as_ref()]);
    assert!(passed > 90, "only {passed} of the tests in tests-c ran");
}

#[test]
fn a_c11_program_runs_with_the_static_library() {
    let library = library::archive();
    let system = SYSTEM.iter().map(|library| std::ffi::OsStr::new(*library));
    let link: Vec<&std::ffi::OsStr> = std::iter::once(library.as_os_str()).chain(system).collect();
    let passed = passed("static", C11, &sources("c"), &link);
    assert!(passed > 90, "only {passed} of the tests in tests-c ran");
}

#[test]
#[ignore = "the sanitizers' libraries are an extra of the compiler: `make check` runs it"]
fn the_program_runs_under_sanitizers() {
    let library = library::shared();
    let path = format!("-Wl,-rpath,{}", library::directory().display());
    let link = ["-fsanitize=address,undefined".as_ref(), library.as_os_str(), path.as_ref()];
    passed_of("sanitized", C99, &sources("c"), &link, &["-needs_no_lock"]);
}

#[test]
fn the_program_is_c2x_too() {
    for source in sources("c") {
        compile(C2X, &[source], &["-fsyntax-only".as_ref()]);
    }
}

#[test]
fn a_cpp11_program_runs_with_the_shared_library() {
    let library = library::shared();
    let path = format!("-Wl,-rpath,{}", library::directory().display());
    passed("cpp", CPP11, &sources("cpp"), &[library.as_os_str(), path.as_ref()]);
}
