//! What the engine says through `log`: ends of breakpoints, and troubles that come with every hit once.

use std::sync::{Mutex, PoisonError};

use log::{Level, LevelFilter, Log, Metadata, Record};
use nonstop::breakpoints::{Action, BreakpointSpec, State};
use nonstop::capture::Limits;
use nonstop::code::CodeInfo;
use nonstop::engine::{Engine, EngineOptions, Thread, Verdict};
use nonstop::location::Location;
use nonstop::policy::RuleSpec;

struct Kept(Mutex<Vec<(Level, String)>>);

impl Log for Kept {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((record.level(), record.args().to_string()));
    }

    fn flush(&self) {}
}

static MESSAGES: Kept = Kept(Mutex::new(Vec::new()));

fn said(level: Level, part: &str) -> usize {
    let messages = MESSAGES.0.lock().unwrap_or_else(PoisonError::into_inner);
    messages.iter().filter(|(found, text)| *found == level && text.contains(part)).count()
}

fn snapshot(location: Location) -> BreakpointSpec {
    BreakpointSpec {
        location,
        action: Action::Snapshot,
        has_condition: false,
        enabled: true,
        rules: RuleSpec::default(),
        limits: Limits::default(),
        user_data: 0,
    }
}

// One test, since a process has one logger.
#[test]
fn ends_are_told_and_a_trouble_of_every_hit_once() {
    log::set_logger(&MESSAGES).unwrap();
    log::set_max_level(LevelFilter::Trace);
    let engine = Engine::new(EngineOptions { queue_items: 1, ..EngineOptions::default() });
    let ids = engine.add(vec![snapshot(Location::parse(b"shop.py:3").unwrap())]).unwrap();
    assert_eq!(said(Level::Debug, "breakpoints added: 1"), 1);
    engine.source_without_units(b"/app/shop.py", &[]);
    let code = CodeInfo {
        key: 1,
        path: b"/app/shop.py",
        module: "shop",
        name: "total",
        qualname: "total",
        first_line: 1,
        lines: &[1, 3],
        bytecode: None,
        is_of_other_source: false,
    };
    let site = engine.decide(&code).unwrap().arms[0].site;
    let hit = || {
        let mut ticket = 0;
        engine.hit(site, &Thread { id: 1, name: None }, 1, 1, |item| ticket = item.ticket).unwrap();
        ticket
    };
    let records = b"h\x1f/app/shop.py\x1f3\x1ftotal\x1f1\x1f7\x1fMainThread\x1f\x1e";
    assert_eq!(engine.capture(hit(), records), Ok(Verdict::Capture));
    for _ in 0..3 {
        assert_eq!(engine.capture(hit(), records), Ok(Verdict::Dropped));
    }
    assert_eq!(said(Level::Warn, "the queue is full"), 1);
    for _ in 0..70_000 {
        hit();
    }
    assert_eq!(said(Level::Warn, "the oldest are given up"), 1);
    engine.set_state(ids[0], State::Failed, "its condition can't be compiled").unwrap();
    engine.set_state(ids[0], State::Failed, "again").unwrap();
    assert_eq!(said(Level::Info, "shop.py:3 ended: its condition can't be compiled"), 1);
    assert_eq!(said(Level::Info, "again"), 0);
    engine.remove(&ids).unwrap();
    assert_eq!(said(Level::Debug, "breakpoints removed: 1"), 1);
}
