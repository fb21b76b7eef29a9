//! Where breakpoints go when files, maps and unit tables come and change.

use std::sync::atomic::Ordering::SeqCst;

use super::tests::*;
use super::*;
use crate::code::{BlockRow, ScopeKind, ScopeRow, UnitKind, UnitRow};
use crate::policy::{Rate, RuleSpec};

/// A module of so many lines, each a statement.
fn lines(count: u32) -> SourceUnits {
    let module = ScopeRow {
        kind: ScopeKind::Module,
        name: "<module>".into(),
        qualname: "<module>".into(),
        first_line: 1,
        last_line: count,
        parent: 0,
        body_block: 0,
    };
    let unit = |line| UnitRow {
        kind: UnitKind::Statement,
        first_line: line,
        last_line: line,
        block: 0,
        scope: 0,
        inner_first: 0,
        inner_last: 0,
        reentered: false,
        no_code: false,
    };
    let block = BlockRow { first_line: 1, last_line: count, parent: 0, scope: 0 };
    SourceUnits::new(vec![module], vec![block], (1..=count).map(unit).collect(), count).unwrap()
}

/// The file `shop.py` below the working directory.
fn local_shop() -> Vec<u8> {
    [std::env::current_dir().unwrap().to_str().unwrap().as_bytes(), b"/shop.py"].concat()
}

fn armed_lines(engine: &Engine, code: &CodeInfo<'_>) -> Vec<u32> {
    engine.decide(code).unwrap().arms.iter().map(|arm| arm.line).collect()
}

#[test]
fn the_longest_match_wins_whichever_file_comes_first() {
    let local = local_shop();
    for local_first in [false, true] {
        let (engine, ids) = engine_with(vec![]);
        let ids = [ids, engine.add(vec![spec("shop.py:3")]).unwrap()].concat();
        let codes = [total(1), CodeInfo { path: &local, ..total(2) }];
        engine.register_source(&local, "shop", shop_units());
        for code in if local_first { [&codes[1], &codes[0]] } else { [&codes[0], &codes[1]] } {
            engine.decide(code).unwrap();
        }
        let arms = [armed_lines(&engine, &codes[0]), armed_lines(&engine, &codes[1])];
        assert_eq!(arms, [vec![], vec![3]], "local first: {local_first}");
        let report = engine.report(ids[0]).unwrap();
        assert_eq!((report.code_objects, report.reason.as_str()), (1, ""), "nothing is ambiguous");
    }
}

#[test]
fn a_place_in_one_of_several_files_is_no_refusal_in_any_order() {
    for short_first in [false, true] {
        let engine = Engine::new(EngineOptions::default());
        let ids = engine.add(vec![spec("shop.py:5")]).unwrap();
        let register = |short: bool| match short {
            true => engine.register_source(b"/lib/shop.py", "shop", lines(2)),
            false => engine.register_source(SHOP, "shop", shop_units()),
        };
        register(short_first);
        register(!short_first);
        let report = engine.report(ids[0]).unwrap();
        assert_eq!((report.state, report.resolved_line), (State::Pending, 5), "{}", report.reason);
        assert!(report.reason.contains("/lib/shop.py, ") || report.reason.contains(", /lib/shop.py"));
    }
}

#[test]
fn a_line_that_a_changed_file_gained_is_no_longer_unverified() {
    let engine = Engine::new(EngineOptions::default());
    let ids = engine.add(vec![spec("shop.py:5")]).unwrap();
    engine.register_source(SHOP, "shop", lines(2));
    assert_eq!(engine.report(ids[0]).unwrap().state, State::Unverified);
    engine.register_source(SHOP, "shop", lines(9));
    assert_eq!(engine.report(ids[0]).unwrap().state, State::Pending);
    engine.source_without_units(SHOP, &[]);
    assert_eq!(armed_lines(&engine, &total(1)), [5]);
}

#[test]
fn an_edit_elsewhere_moves_the_epoch_and_leaves_the_rest_of_the_decision() {
    let (engine, _) = engine_with(vec![counter("shop.py:3")]);
    let before = engine.decide(&total(1)).unwrap();
    engine.add(vec![counter("other.py:3")]).unwrap();
    let after = engine.decide(&total(1)).unwrap();
    assert!(after.epoch > before.epoch);
    assert_eq!(Decision { epoch: before.epoch, ..after }, before);
}

#[test]
fn known_code_follows_every_kind_of_edit_of_its_own_breakpoints() {
    let (engine, ids) = engine_with(vec![counter("shop.py:3"), counter("shop:5")]);
    let armed = |expected: &[u32]| assert_eq!(armed_lines(&engine, &total(1)), expected);
    armed(&[3, 5]);
    engine.set_enabled(&ids[1..], false).unwrap();
    armed(&[3]);
    engine.set_enabled(&ids, false).unwrap();
    armed(&[]);
    engine.set_enabled(&ids, true).unwrap();
    armed(&[3, 5]);
    engine.set_state(ids[1], State::Failed, "it can't be compiled").unwrap();
    armed(&[3]);
    let more = engine.add(vec![counter("app/shop.py:2"), counter("shop:total")]).unwrap();
    armed(&[2, 3]);
    engine.remove(&[ids[0], more[0]]).unwrap();
    armed(&[2]);
    engine.remove(&more[1..]).unwrap();
    armed(&[]);
}

#[test]
fn what_a_host_calls_unverified_stays_so_until_code_is_armed_for_it() {
    let (engine, ids) = engine_with(vec![spec("shop.py:3")]);
    engine.set_state(ids[0], State::Unverified, "the module is frozen").unwrap();
    engine.add(vec![spec("other.py:1")]).unwrap();
    engine.register_source(SHOP, "shop", shop_units());
    let report = engine.report(ids[0]).unwrap();
    assert_eq!((report.state, report.reason.as_str()), (State::Unverified, "the module is frozen"));
    engine.decide(&total(1)).unwrap();
    assert_eq!(engine.report(ids[0]).unwrap().state, State::Bound);
    engine.set_state(ids[0], State::Unverified, "the module is frozen").unwrap();
    assert_eq!(engine.report(ids[0]).unwrap().state, State::Bound, "it was proved already");
}

#[test]
fn the_resolved_line_is_the_first_of_the_unit_though_its_code_begins_later() {
    let (engine, ids) = engine_with(vec![spec("shop.py:3")]);
    let mut units = shop_units();
    // `price += (` on line 3 goes on to line 4, and its code is all on line 4.
    let rows = units.units().iter().map(|unit| match unit.first_line {
        3 => UnitRow { last_line: 4, ..*unit },
        _ => *unit,
    });
    let (scopes, rows) = (units.scopes().to_vec(), rows.collect());
    let blocks = vec![
        BlockRow { first_line: 1, last_line: 5, parent: 0, scope: 0 },
        BlockRow { first_line: 2, last_line: 5, parent: 0, scope: 1 },
    ];
    units = SourceUnits::new(scopes, blocks, rows, 5).unwrap();
    engine.register_source(SHOP, "shop", units);
    assert_eq!(armed_lines(&engine, &CodeInfo { lines: &[1, 2, 4, 5], ..total(1) }), [4]);
    for _ in 0..2 {
        assert_eq!(engine.report(ids[0]).unwrap().resolved_line, 3);
        engine.add(vec![spec("shop.py:5")]).unwrap();
        engine.decide(&total(1)).unwrap();
    }
}

#[test]
fn a_path_map_that_comes_late_keeps_sources_and_answers_events_at_once() {
    let (engine, ids) = engine_with(vec![counter("/home/me/shop/shop.py:3")]);
    assert!(armed_lines(&engine, &total(1)).is_empty());
    engine.add_path_map(b"/app", b"/home/me/shop");
    let (verdict, site) = engine.event(1, EventKind::Line, 3, 7, 1).unwrap();
    assert_eq!((verdict, hit(&engine, site).0), (Verdict::Capture, Verdict::Ignore));
    assert_eq!(engine.report(ids[0]).unwrap().captured, 1);
    engine.add_path_map(b"/app", b"/elsewhere");
    assert_eq!(engine.event(1, EventKind::Line, 3, 7, 1), Ok((Verdict::Disable, 0)));
    assert!(armed_lines(&engine, &total(1)).is_empty(), "a map that is replaced no longer applies");
}

#[test]
fn thousands_of_breakpoints_at_one_line_are_all_hit_in_the_order_in_which_they_were_added() {
    const COUNT: usize = 5_000;
    let (engine, ids) = engine_with((0..COUNT).map(|_| spec("shop.py:3")).collect());
    let site = site(&engine);
    let refused = engine.hit(site, &MAIN, 1, COUNT - 1, drop);
    assert_eq!(refused, Err(EngineError::BufferTooSmall { needed: COUNT }));
    let mut hits = Vec::new();
    engine.hit(site, &MAIN, 1, COUNT, |item| hits.push(item.breakpoint)).unwrap();
    assert_eq!(hits, ids);
    engine.remove(&ids[..COUNT / 2]).unwrap();
    engine.decide(&total(1)).unwrap();
    hits.clear();
    engine.hit(site, &MAIN, 1, COUNT, |item| hits.push(item.breakpoint)).unwrap();
    assert_eq!(hits, &ids[COUNT / 2..]);
}

#[test]
fn code_that_comes_and_goes_leaves_nothing_behind() {
    let (engine, _) = engine_with(vec![spec("shop.py:3")]);
    engine.decide(&total(u64::MAX)).unwrap();
    for key in 0..50_000 {
        let path = format!("/tmp/{key}/generated.py");
        engine.decide(&CodeInfo { path: path.as_bytes(), ..total(key) }).unwrap();
        assert!(engine.forget(key));
    }
    assert!(engine.files.count() < 20_000, "{} files are remembered", engine.files.count());
    assert_eq!(armed_lines(&engine, &total(1)), [3], "a file whose code is in use stays");
}

#[test]
fn a_batch_moves_the_epoch_once_and_an_empty_one_not_at_all() {
    let engine = Engine::new(EngineOptions::default());
    let epoch = || engine.epoch_word().load(SeqCst);
    let start = epoch();
    let ids = engine.add((1..=1000).map(|line| spec(&format!("shop.py:{line}"))).collect()).unwrap();
    assert_eq!(epoch(), start + 1);
    engine.set_enabled(&ids, false).unwrap();
    assert_eq!(epoch(), start + 2);
    engine.set_enabled(&ids, false).unwrap();
    assert_eq!(epoch(), start + 2, "nothing changed");
    engine.remove(&ids).unwrap();
    assert_eq!(epoch(), start + 3);
    engine.add(vec![]).unwrap();
    engine.remove(&[]).unwrap();
    assert_eq!(epoch(), start + 3);
}

#[test]
fn a_rate_that_cannot_be_kept_names_the_breakpoint_of_the_batch() {
    let rules = RuleSpec { rate: Some(Rate { per_second: -2.0, burst: 1.0 }), ..RuleSpec::default() };
    let engine = Engine::new(EngineOptions::default());
    let refused = engine.add(vec![spec("shop.py:1"), BreakpointSpec { rules, ..spec("shop.py:2") }]);
    let message = refused.unwrap_err().to_string();
    assert!(message.contains("breakpoint 1") && message.contains("-2"), "{message}");
}
