//! The language-neutral scenarios (conformance/engine) against the engine's Rust interface, with a clock of their own.
#![allow(clippy::unwrap_used)] // The helpers of tests are tests as well.

use std::path::{Path, PathBuf};

#[path = "engine_calls/answers.rs"]
mod answers;
#[path = "engine_calls/breakpoints.rs"]
mod breakpoints;
#[path = "engine_calls/code.rs"]
mod code;
#[path = "engine_calls/hits.rs"]
mod hits;
#[path = "engine_calls/runner.rs"]
mod runner;
#[path = "engine_calls/tables.rs"]
mod tables;
#[path = "engine_calls/words.rs"]
mod words;

use runner::Runner;
use tables::Tables;
use words::Line;

/// One scenario: its place, and its lines with their numbers.
struct Scenario {
    file: PathBuf,
    title: String,
    lines: Vec<(usize, String)>,
}

/// Where a scenario stopped, and why.
struct Stopped {
    line: usize,
    why: String,
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/engine")
}

fn tables() -> Tables {
    let text = std::fs::read_to_string(directory().join("programs.units")).unwrap();
    Tables::read(&text).unwrap_or_else(|why| panic!("programs.units: {why}"))
}

fn scenarios(directory: &Path) -> Vec<Scenario> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(directory).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "calls"));
    files.sort();
    assert!(!files.is_empty(), "there are no scenarios in {}", directory.display());
    let mut found = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| words::says_something(line)) {
            let place = || format!("{}:{number}", file.display());
            match words::title(line).unwrap_or_else(|why| panic!("{}: {why}", place())) {
                Some(title) => found.push(Scenario { file: file.clone(), title, lines: Vec::new() }),
                None => {
                    let own = found.last_mut().filter(|scenario| scenario.file == file);
                    own.unwrap_or_else(|| panic!("{}: no scenario yet", place()))
                        .lines
                        .push((number, line.into()));
                }
            }
        }
    }
    found
}

fn run(scenario: &Scenario, tables: &Tables) -> Result<(), Stopped> {
    let mut runner = Runner::new(tables);
    for (number, line) in &scenario.lines {
        let outcome = Line::read(line).and_then(|line| runner.run(line));
        outcome.map_err(|why| Stopped { line: *number, why: format!("{line}\n    {why}") })?;
    }
    Ok(())
}

#[test]
fn every_scenario_gives_its_answers() {
    let (tables, all) = (tables(), scenarios(&directory()));
    let mut failed = Vec::new();
    for scenario in &all {
        if let Err(Stopped { line, why }) = run(scenario, &tables) {
            failed.push(format!("{}:{line}: {}\n    {why}", scenario.file.display(), scenario.title));
        }
    }
    assert!(failed.is_empty(), "{} of {} failed\n{}", failed.len(), all.len(), failed.join("\n"));
    assert!(all.len() >= 30, "only {} scenarios were found", all.len());
}

#[test]
fn every_mistake_is_found_at_its_line() {
    let tables = tables();
    let mut missed = Vec::new();
    for scenario in scenarios(&directory().join("mistakes")) {
        let last = scenario.lines.last().map_or(0, |(number, _)| *number);
        let stopped = run(&scenario, &tables);
        if !stopped.as_ref().is_err_and(|stopped| stopped.line == last) {
            let found = stopped.err().map_or(String::from("nothing"), |stopped| stopped.why);
            missed.push(format!("{}:{last}: {}: {found}", scenario.file.display(), scenario.title));
        }
    }
    assert!(missed.is_empty(), "not found:\n{}", missed.join("\n"));
}
