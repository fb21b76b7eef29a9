//! Do lookups get slower when a table holds a hundred thousand breakpoints?
//!
//! `cargo bench --bench table` times each operation with 10, 1,000 and 100,000 breakpoints in one table, in turns, and
//! exits with 1 when a lookup with 100,000 takes more than one and a half times as long as with 10. Edits are shown, not
//! judged: they may cost what they change. Memory is shown on Linux.
//!
//! Its own loop and not criterion: what is asked is a ratio between engines that live side by side, measured in turns, so
//! that a busy machine slows all of them alike; criterion measures one after the other, and would treble the lock file.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use nonstop::breakpoints::{Action, BreakpointId, BreakpointSpec};
use nonstop::capture::Limits;
use nonstop::code::{BlockRow, CodeInfo, EventKind, ScopeKind, ScopeRow, SourceUnits, UnitKind, UnitRow};
use nonstop::engine::{Engine, EngineOptions, Thread};
use nonstop::location::Location;
use nonstop::policy::RuleSpec;

const SIZES: [usize; 3] = [10, 1_000, 100_000];
const ROUNDS: usize = 41;
const EDITS: usize = 16;
/// A lookup may not take longer than this many times what it takes in the smallest table.
const MOST: f64 = 1.5;
/// Breakpoints a file, and functions with one breakpoint each.
const PER_FILE: usize = 10;
/// Files without a breakpoint, one code object each.
const OTHERS: usize = 64;
const MEMORY_GOAL_MIB: f64 = 50.0;

const MAIN: Thread<'static> = Thread { id: 1, name: None };

/// A file of functions of two lines each; a breakpoint stands in the second.
struct Source {
    path: String,
    first_key: u64,
    names: Vec<String>,
}

impl Source {
    fn new(path: String, first_key: u64, functions: usize) -> Self {
        Self { path, first_key, names: (0..functions).map(|number| format!("f{number}")).collect() }
    }

    fn line(function: usize) -> u32 {
        2 * function as u32 + 2
    }

    fn breakpoints(&self) -> impl Iterator<Item = BreakpointSpec> + '_ {
        (0..self.names.len()).map(|function| counter(&format!("{}:{}", self.path, Self::line(function))))
    }

    fn code<'a>(&'a self, function: usize, lines: &'a [u32; 2]) -> CodeInfo<'a> {
        CodeInfo {
            key: self.first_key + function as u64,
            path: self.path.as_bytes(),
            module: "shop",
            name: &self.names[function],
            qualname: &self.names[function],
            first_line: lines[0],
            lines,
            bytecode: None,
            is_of_other_source: false,
        }
    }

    fn units(&self) -> SourceUnits {
        let last = 2 * self.names.len() as u32;
        let scope = |kind, name: &str, first_line, last_line, body_block| ScopeRow {
            kind,
            name: name.into(),
            qualname: name.into(),
            first_line,
            last_line,
            parent: 0,
            body_block,
        };
        let mut scopes = vec![scope(ScopeKind::Module, "<module>", 1, last, 0)];
        let mut blocks = vec![BlockRow { first_line: 1, last_line: last, parent: 0, scope: 0 }];
        let mut units = Vec::new();
        for (function, name) in self.names.iter().enumerate() {
            let (row, line) = (function as u32 + 1, Self::line(function));
            scopes.push(scope(ScopeKind::Function, name, line - 1, line, row));
            blocks.push(BlockRow { first_line: line, last_line: line, parent: 0, scope: row });
            units.extend([(line - 1, 0, UnitKind::Header), (line, row, UnitKind::Statement)].map(
                |(line, row, kind)| UnitRow {
                    kind,
                    first_line: line,
                    last_line: line,
                    block: row,
                    scope: row,
                    inner_first: 0,
                    inner_last: 0,
                    reentered: false,
                    no_code: false,
                },
            ));
        }
        SourceUnits::new(scopes, blocks, units, last).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Decides some of its functions.
    fn decide(&self, engine: &Engine, functions: std::ops::Range<usize>) {
        for function in functions {
            let line = Self::line(function);
            black_box(engine.decide(&self.code(function, &[line - 1, line])).ok());
        }
    }
}

fn counter(location: &str) -> BreakpointSpec {
    BreakpointSpec {
        location: Location::parse(location.as_bytes()).unwrap_or_else(|error| panic!("{error}")),
        action: Action::Count,
        has_condition: false,
        enabled: true,
        rules: RuleSpec::default(),
        limits: Limits::default(),
        user_data: 0,
    }
}

fn add(engine: &Engine, specs: Vec<BreakpointSpec>) -> Vec<BreakpointId> {
    engine.add(specs).unwrap_or_else(|error| panic!("{error}"))
}

/// An engine with so many breakpoints, ten a file.
struct World {
    engine: Engine,
    /// The file that is looked at.
    source: Source,
    others: Vec<Source>,
    ids: Vec<BreakpointId>,
    /// In no file that is looked at: it is switched on and off to move the epoch on.
    lever: BreakpointId,
    site: u32,
    is_on: bool,
}

impl World {
    fn new(size: usize) -> Self {
        let engine = Engine::new(EngineOptions::default());
        let sources: Vec<Source> = (0..size / PER_FILE)
            .map(|file| Source::new(format!("/srv/shop/package{file}/__init__.py"), 1 << 32, PER_FILE))
            .collect();
        let specs = sources.iter().flat_map(Source::breakpoints).collect();
        let ids = add(&engine, specs);
        let source = sources.into_iter().next().unwrap_or_else(|| panic!("a table without a file"));
        Self::watch(engine, source, ids)
    }

    /// All of the breakpoints in one file.
    fn of_one_file(size: usize) -> Self {
        let engine = Engine::new(EngineOptions::default());
        let source = Source::new("/srv/shop/all.py".into(), 1 << 32, size);
        let ids = add(&engine, source.breakpoints().collect());
        Self::watch(engine, source, ids)
    }

    fn watch(engine: Engine, source: Source, ids: Vec<BreakpointId>) -> Self {
        let lever = add(&engine, vec![counter("/srv/lever.py:1")])[0];
        engine.register_source(source.path.as_bytes(), "shop", source.units());
        source.decide(&engine, 0..PER_FILE);
        let decided = engine.decide(&source.code(3, &[Source::line(3) - 1, Source::line(3)]));
        let site = decided.map_or(0, |decision| decision.arms[0].site);
        let others = (0..OTHERS)
            .map(|file| Source::new(format!("/srv/lib/module{file}.py"), file as u64, 1))
            .collect();
        Self { engine, source, others, ids, lever, site, is_on: true }
    }

    /// Moves the epoch on, as any edit does.
    fn edit(&mut self) {
        self.is_on = !self.is_on;
        let edited = self.engine.set_enabled(&[self.lever], self.is_on);
        assert!(edited.is_ok(), "the lever is there");
    }

    fn decide_others(&self) {
        self.others.iter().for_each(|other| other.decide(&self.engine, 0..1));
    }

    fn decide_own(&self) {
        self.source.decide(&self.engine, 0..PER_FILE);
    }
}

/// Nanoseconds an operation takes, of so many.
fn timed(operations: usize, work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_nanos() as f64 / operations as f64
}

/// The same after each of several edits, which are not timed. The first warms the caches.
fn after_edits(world: &mut World, operations: usize, work: fn(&World)) -> f64 {
    let mut once = || {
        world.edit();
        timed(operations, || work(world))
    };
    once();
    (0..EDITS).map(|_| once()).sum::<f64>() / EDITS as f64
}

fn repeated(times: usize, mut work: impl FnMut()) -> f64 {
    timed(times, || (0..times).for_each(|_| work()))
}

/// What is measured in a world. Lookups are judged.
struct Case {
    name: &'static str,
    is_lookup: bool,
    in_one_file: bool,
    measure: fn(&mut World) -> f64,
}

const CASES: [Case; 12] = [
    Case {
        name: "decide, known, no breakpoint in the file",
        is_lookup: true,
        in_one_file: false,
        measure: |world| {
            world.decide_others();
            timed(OTHERS * 16, || (0..16).for_each(|_| world.decide_others()))
        },
    },
    Case {
        name: "decide, known, a breakpoint in the code",
        is_lookup: true,
        in_one_file: false,
        measure: |world| {
            world.decide_own();
            timed(PER_FILE * 64, || (0..64).for_each(|_| world.decide_own()))
        },
    },
    Case {
        name: "decide after an edit, no breakpoint in the file",
        is_lookup: true,
        in_one_file: false,
        measure: |world| after_edits(world, OTHERS, World::decide_others),
    },
    Case {
        name: "decide after an edit, a breakpoint in the code",
        is_lookup: true,
        in_one_file: false,
        measure: |world| after_edits(world, PER_FILE, World::decide_own),
    },
    Case {
        name: "  the same, all breakpoints in that file",
        is_lookup: true,
        in_one_file: true,
        measure: |world| after_edits(world, PER_FILE, World::decide_own),
    },
    Case {
        name: "event, armed line",
        is_lookup: true,
        in_one_file: false,
        measure: |world| {
            world.decide_own();
            let (key, line) = (world.source.first_key + 3, Source::line(3));
            repeated(4_000, || {
                let _ = black_box(world.engine.event(black_box(key), EventKind::Line, line, 1, 1));
            })
        },
    },
    Case {
        name: "event, other line",
        is_lookup: true,
        in_one_file: false,
        measure: |world| {
            world.decide_own();
            let (key, line) = (world.source.first_key + 3, Source::line(3) - 1);
            repeated(4_000, || {
                let _ = black_box(world.engine.event(black_box(key), EventKind::Line, line, 1, 1));
            })
        },
    },
    Case {
        name: "hit, counter",
        is_lookup: true,
        in_one_file: false,
        measure: |world| {
            world.decide_own();
            repeated(4_000, || {
                let _ = black_box(world.engine.hit(black_box(world.site), &MAIN, 0, 0, drop));
            })
        },
    },
    Case {
        name: "report",
        is_lookup: true,
        in_one_file: false,
        measure: |world| {
            let id = world.ids[3];
            repeated(1_000, || {
                let _ = black_box(world.engine.report(black_box(id)));
            })
        },
    },
    Case {
        name: "first decision after an edit of that file",
        is_lookup: false,
        in_one_file: true,
        measure: |world| {
            let own = &world.ids[PER_FILE - 1..PER_FILE];
            let time = [false, true].map(|is_on| {
                let edited = world.engine.set_enabled(own, is_on);
                assert!(edited.is_ok(), "the breakpoint is there");
                timed(1, || world.source.decide(&world.engine, 0..1))
            });
            (time[0] + time[1]) / 2.0
        },
    },
    Case {
        name: "add one, remove one",
        is_lookup: false,
        in_one_file: false,
        measure: |world| {
            repeated(8, || {
                let ids = add(&world.engine, vec![counter("/srv/shop/new.py:1")]);
                let _ = black_box(world.engine.remove(&ids));
            })
        },
    },
    Case {
        name: "add and remove a batch of 1,000, each",
        is_lookup: false,
        in_one_file: false,
        measure: |world| {
            let specs = (0..1_000).map(|file| counter(&format!("/srv/shop/new{file}.py:1"))).collect();
            timed(1_000, || {
                let ids = add(&world.engine, specs);
                let _ = black_box(world.engine.remove(&ids));
            })
        },
    },
];

/// The resident bytes of this process.
fn resident_bytes() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: f64 = text.split_whitespace().nth(1)?.parse().ok()?;
    // Pages of 4 KiB, as on every machine that this is claimed for.
    Some(pages * 4096.0)
}

fn show_memory() {
    let most = SIZES[SIZES.len() - 1];
    let Some(before) = resident_bytes() else {
        return println!("memory: not known on this system");
    };
    let engine = Engine::new(EngineOptions::default());
    for file in 0..most / 1_000 {
        let lines = 1..=1_000;
        add(&engine, lines.map(|line| counter(&format!("/srv/shop/module{file}.py:{line}"))).collect());
    }
    let mib = resident_bytes().map_or(0.0, |after| (after - before) / f64::from(1 << 20));
    println!("memory of {most} breakpoints: {mib:.1} MiB (goal: {MEMORY_GOAL_MIB} MiB)\n");
    drop(engine);
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() -> ExitCode {
    // `cargo test --benches` and `cargo bench` both run this; only the second asks for it.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    show_memory();
    let mut worlds = SIZES.map(|size| [World::new(size), World::of_one_file(size)]);
    let mut times = vec![[const { Vec::new() }; SIZES.len()]; CASES.len()];
    for _ in 0..ROUNDS {
        for (case, times) in CASES.iter().zip(&mut times) {
            for (world, times) in worlds.iter_mut().zip(times) {
                times.push((case.measure)(&mut world[usize::from(case.in_one_file)]));
            }
        }
    }
    println!(
        "{:60} {:>11} {:>11} {:>11} {:>11}",
        "ns, of so many rounds", "breakpoints", "min", "median", "max"
    );
    let mut slow = Vec::new();
    for (case, times) in CASES.iter().zip(times) {
        // Of each round its own ratio: what disturbs the machine disturbs both.
        let pairs = times[SIZES.len() - 1].iter().zip(&times[0]);
        let ratio = median(pairs.map(|(large, small)| large / small).collect());
        for (size, times) in SIZES.iter().zip(times) {
            let (least, most) = times
                .iter()
                .fold((f64::MAX, 0.0_f64), |(least, most), &time| (least.min(time), most.max(time)));
            let name = if *size == SIZES[0] { case.name } else { "" };
            println!("{name:60} {size:11} {least:11.1} {:11.1} {most:11.1}", median(times));
        }
        let verdict = match (case.is_lookup, ratio <= MOST) {
            (false, _) => "not judged",
            (true, true) => "flat",
            (true, false) => "TOO SLOW",
        };
        println!("{:60} {:>11} {ratio:.2}, {verdict}", "", "ratio");
        if case.is_lookup && ratio > MOST {
            slow.push(case.name.trim());
        }
    }
    if slow.is_empty() {
        println!(
            "\nlookups are flat: none takes over {MOST} times as long with 100,000 breakpoints as with 10"
        );
        return ExitCode::SUCCESS;
    }
    println!("\nslower with 100,000 breakpoints: {}", slow.join("; "));
    ExitCode::FAILURE
}
