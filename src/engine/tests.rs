//! The engine as its hosts drive it: from a location to a snapshot.

use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use super::*;
use crate::breakpoints::Action;
use crate::capture::{Limits, Template};
use crate::code::{BlockRow, Rule, RuleAction, ScopeKind, ScopeRow, UnitKind, UnitRow};
use crate::location::Location;
use crate::policy::{HitCondition, Rate, RuleSpec, ThreadFilter};

pub(super) const SHOP: &[u8] = b"/app/shop.py";
pub(super) const RECORDS: &[u8] = b"h\x1f/app/shop.py\x1f3\x1ftotal\x1f1\x1f7\x1fMainThread\x1f\x1ef\x1f/app/shop.py\x1f3\x1ftotal\x1f1\x1en\x1fprice\x1ei\x1fint\x1f42\x1e";

/// ```text
/// 1 def total(items):
/// 2     price = 1
/// 3     price += 1
/// 4
/// 5     return price
/// ```
pub(super) fn shop_units() -> SourceUnits {
    let scope = |kind, name: &str, first_line, last_line, body_block| ScopeRow {
        kind,
        name: name.into(),
        qualname: name.into(),
        first_line,
        last_line,
        parent: 0,
        body_block,
    };
    let unit = |line, block, scope| UnitRow {
        kind: UnitKind::Statement,
        first_line: line,
        last_line: line,
        block,
        scope,
        inner_first: 0,
        inner_last: 0,
        reentered: false,
        no_code: false,
    };
    SourceUnits::new(
        vec![scope(ScopeKind::Module, "<module>", 1, 5, 0), scope(ScopeKind::Function, "total", 1, 5, 1)],
        vec![
            BlockRow { first_line: 1, last_line: 5, parent: 0, scope: 0 },
            BlockRow { first_line: 2, last_line: 5, parent: 0, scope: 1 },
        ],
        vec![unit(1, 0, 0), unit(2, 1, 1), unit(3, 1, 1), unit(5, 1, 1)],
        5,
    )
    .unwrap()
}

pub(super) fn total(key: u64) -> CodeInfo<'static> {
    CodeInfo {
        key,
        path: SHOP,
        module: "shop",
        name: "total",
        qualname: "total",
        first_line: 1,
        lines: &[1, 2, 3, 5],
        bytecode: None,
        is_of_other_source: false,
    }
}

pub(super) fn spec(location: &str) -> BreakpointSpec {
    BreakpointSpec {
        location: Location::parse(location.as_bytes()).unwrap(),
        action: Action::Snapshot,
        has_condition: false,
        enabled: true,
        rules: RuleSpec::default(),
        limits: Limits::default(),
        user_data: 11,
    }
}

pub(super) fn counter(location: &str) -> BreakpointSpec {
    BreakpointSpec { action: Action::Count, ..spec(location) }
}

pub(super) fn engine_with(specs: Vec<BreakpointSpec>) -> (Engine, Vec<BreakpointId>) {
    let engine = Engine::new(EngineOptions::default());
    let ids = engine.add(specs).unwrap();
    engine.register_source(SHOP, "shop", shop_units());
    (engine, ids)
}

pub(super) fn site(engine: &Engine) -> u32 {
    engine.decide(&total(1)).unwrap().arms[0].site
}

pub(super) const MAIN: Thread<'static> = Thread { id: 7, name: None };

pub(super) fn hit(engine: &Engine, site: u32) -> (Verdict, Vec<HitItem>) {
    let mut items = Vec::new();
    let verdict = engine.hit(site, &MAIN, 1, 8, |item| items.push(item)).unwrap();
    (verdict, items)
}

#[test]
fn a_breakpoint_is_decided_hit_captured_and_received() {
    let (engine, ids) = engine_with(vec![spec("shop.py:3")]);
    let decision = engine.decide(&total(1)).unwrap();
    assert_eq!(decision.arms.iter().map(|arm| arm.line).collect::<Vec<_>>(), [3]);
    let (verdict, items) = hit(&engine, decision.arms[0].site);
    assert_eq!((verdict, items.len(), items[0].hit, items[0].user_data), (Verdict::Capture, 1, 1, 11));
    assert_eq!(engine.capture(items[0].ticket, RECORDS), Ok(Verdict::Capture));
    let Received::Item(snapshot) = engine.receive(Some(Duration::ZERO)) else { panic!("nothing was queued") };
    let document: serde_json::Value = serde_json::from_slice(&snapshot.json).unwrap();
    assert_eq!(document["breakpoint"], ids[0].raw());
    assert_eq!(document["frames"][0]["locals"]["price"]["value"], 42);
    let report = engine.report(ids[0]).unwrap();
    assert_eq!((report.state, report.resolved_line, report.code_objects), (State::Bound, 3, 1));
    assert_eq!((report.captured, report.hits(), report.arrivals()), (1, 1, 1));
}

#[test]
fn a_blank_line_moves_to_the_next_unit_of_its_block() {
    let (engine, ids) = engine_with(vec![spec("shop.py:4")]);
    assert_eq!(engine.report(ids[0]).unwrap().resolved_line, 5);
    assert_eq!(engine.report(ids[0]).unwrap().state, State::Pending);
}

#[test]
fn a_line_beyond_the_end_is_unverified_and_says_why() {
    let (engine, ids) = engine_with(vec![spec("shop.py:99")]);
    let report = engine.report(ids[0]).unwrap();
    assert_eq!(report.state, State::Unverified);
    assert!(report.reason.contains("99"), "{}", report.reason);
}

#[test]
fn a_function_stands_at_the_first_unit_of_its_body() {
    let (engine, ids) = engine_with(vec![spec("shop.py:total")]);
    assert_eq!(engine.decide(&total(1)).unwrap().arms[0].line, 2);
    assert_eq!(engine.report(ids[0]).unwrap().resolved_line, 2);
}

#[test]
fn an_unknown_function_is_unverified_and_names_the_others() {
    let (engine, ids) = engine_with(vec![spec("shop.py:totl")]);
    let reason = engine.report(ids[0]).unwrap().reason;
    assert!(reason.contains("no function totl") && reason.contains("total"), "{reason}");
}

#[test]
fn a_module_location_is_found_by_the_module_name() {
    let (engine, _) = engine_with(vec![spec("shop:3")]);
    assert_eq!(engine.decide(&total(1)).unwrap().arms.len(), 1);
    assert!(engine.decide(&CodeInfo { module: "other", ..total(2) }).unwrap().arms.is_empty());
}

#[test]
fn code_without_a_candidate_is_ignored_without_asking_the_host() {
    let (engine, _) = engine_with(vec![spec("shop.py:3")]);
    let other = CodeInfo { path: b"/app/other.py", lines: &[], ..total(3) };
    let decision = engine.decide(&other).unwrap();
    assert_eq!((decision.event_mask, decision.is_open()), (0, false));
}

#[test]
fn a_candidate_asks_for_its_source_and_its_lines() {
    let engine = Engine::new(EngineOptions::default());
    engine.add(vec![spec("shop.py:3")]).unwrap();
    let decision = engine.decide(&CodeInfo { lines: &[], ..total(1) }).unwrap();
    assert!(decision.needs_source && decision.needs_lines);
    engine.register_source(SHOP, "shop", shop_units());
    assert!(!engine.decide(&total(1)).unwrap().is_open());
}

#[test]
fn without_source_the_lines_of_the_code_are_the_units() {
    let engine = Engine::new(EngineOptions::default());
    engine.add(vec![spec("shop.py:3"), spec("shop.py:4")]).unwrap();
    engine.source_without_units(SHOP, &[]);
    let lines: Vec<u32> = engine.decide(&total(1)).unwrap().arms.iter().map(|arm| arm.line).collect();
    assert_eq!(lines, [3]);
}

#[test]
fn the_epoch_changes_with_every_edit_and_decisions_follow() {
    let (engine, ids) = engine_with(vec![spec("shop.py:3")]);
    let first = engine.decide(&total(1)).unwrap();
    assert_eq!(first.epoch, engine.epoch_word().load(SeqCst));
    engine.set_enabled(&ids, false).unwrap();
    assert_ne!(first.epoch, engine.epoch_word().load(SeqCst));
    assert!(engine.decide(&total(1)).unwrap().arms.is_empty());
    assert_eq!(engine.report(ids[0]).unwrap().code_objects, 0);
    engine.set_enabled(&ids, true).unwrap();
    assert_eq!(engine.decide(&total(1)).unwrap().arms, first.arms, "a unit keeps its site");
}

#[test]
fn a_code_object_tells_which_breakpoints_it_carries() {
    let (engine, ids) = engine_with(vec![spec("shop.py:3"), spec("other.py:3")]);
    assert!(matches!(engine.carries(1, ids[0]), Err(EngineError::NotFound(_))));
    engine.decide(&total(1)).unwrap();
    assert_eq!((engine.carries(1, ids[0]), engine.carries(1, ids[1])), (Ok(true), Ok(false)));
    engine.remove(&ids[..1]).unwrap();
    engine.decide(&total(1)).unwrap();
    assert_eq!(engine.carries(1, ids[0]), Ok(false));
}

#[test]
fn a_removed_id_is_stale_and_its_slot_gets_another() {
    let (engine, ids) = engine_with(vec![spec("shop.py:3")]);
    let site = site(&engine);
    engine.remove(&ids).unwrap();
    assert!(matches!(engine.report(ids[0]), Err(EngineError::NotFound(_))));
    assert!(matches!(engine.remove(&ids), Err(EngineError::NotFound(_))));
    let again = engine.add(vec![spec("shop.py:2")]).unwrap();
    assert_ne!(again, ids);
    assert_eq!(hit(&engine, site), (Verdict::Disable, vec![]), "a host with an old plan gets nothing");
}

#[test]
fn a_batch_with_one_stale_id_changes_nothing() {
    let (engine, ids) = engine_with(vec![spec("shop.py:2"), spec("shop.py:3")]);
    engine.remove(&ids[..1]).unwrap();
    assert!(engine.remove(&ids).is_err());
    assert!(engine.report(ids[1]).is_ok());
    assert!(engine.remove(&[ids[1], ids[1]]).is_err());
    assert!(engine.report(ids[1]).is_ok());
}

#[test]
fn conditions_are_committed_by_ticket_once() {
    let (engine, ids) = engine_with(vec![BreakpointSpec { has_condition: true, ..spec("shop.py:3") }]);
    let site = site(&engine);
    for outcome in [Outcome::False, Outcome::Error, Outcome::True] {
        let (verdict, items) = hit(&engine, site);
        assert_eq!(verdict, Verdict::Evaluate);
        assert!(engine.capture(items[0].ticket, RECORDS).is_err(), "the condition comes first");
        let item = engine.commit(items[0].ticket, outcome, 1).unwrap();
        assert_eq!(item.verdict == Verdict::Capture, outcome == Outcome::True);
        assert!(engine.commit(items[0].ticket, outcome, 1).is_err());
        if item.ticket != 0 {
            engine.capture(item.ticket, RECORDS).unwrap();
            assert!(matches!(engine.capture(item.ticket, RECORDS), Err(EngineError::NotFound(_))));
        }
    }
    let report = engine.report(ids[0]).unwrap();
    assert_eq!((report.false_conditions, report.errors, report.captured, report.arrivals()), (1, 1, 1, 3));
}

#[test]
fn abandoned_hits_are_counted() {
    let conditional = BreakpointSpec { has_condition: true, ..spec("shop.py:3") };
    let (engine, ids) = engine_with(vec![conditional, spec("shop.py:3")]);
    let (_, items) = hit(&engine, site(&engine));
    items.iter().for_each(|item| engine.abandon(item.ticket).unwrap());
    assert_eq!(engine.report(ids[0]).unwrap().errors, 1);
    assert_eq!(engine.report(ids[1]).unwrap().dropped, 1);
}

#[test]
fn max_hits_exhausts_and_disarms() {
    let rules = RuleSpec { max_hits: Some(2), ..RuleSpec::default() };
    let (engine, ids) = engine_with(vec![BreakpointSpec { rules, ..counter("shop.py:3") }]);
    let site = site(&engine);
    assert_eq!(hit(&engine, site).0, Verdict::Ignore);
    let before = engine.epoch_word().load(SeqCst);
    assert_eq!(hit(&engine, site).0, Verdict::Disable);
    assert_ne!(before, engine.epoch_word().load(SeqCst));
    assert!(engine.decide(&total(1)).unwrap().arms.is_empty());
    let report = engine.report(ids[0]).unwrap();
    assert_eq!((report.state, report.captured), (State::Exhausted, 2));
    assert!(report.reason.contains("max_hits"));
}

#[test]
fn every_rule_counts_where_the_design_says() {
    let rules = RuleSpec {
        hit_condition: Some(HitCondition::AtLeast(3)),
        rate: Some(Rate { per_second: 1.0, burst: 1.0 }),
        ..RuleSpec::default()
    };
    let (engine, ids) = engine_with(vec![BreakpointSpec { rules, ..counter("shop.py:3") }]);
    let site = site(&engine);
    (0..5).for_each(|_| drop(hit(&engine, site)));
    let report = engine.report(ids[0]).unwrap();
    assert_eq!((report.passed, report.captured, report.limited, report.arrivals()), (2, 1, 2, 5));
}

#[test]
fn expiry_ends_a_breakpoint_by_the_time_that_is_passed_in() {
    let rules = RuleSpec { expires_ns: Some(u64::MAX - 1), ..RuleSpec::default() };
    let (engine, ids) = engine_with(vec![BreakpointSpec { rules, ..counter("shop.py:3") }]);
    let site = site(&engine);
    assert_eq!(engine.hit(site, &MAIN, u64::MAX, 0, drop).unwrap(), Verdict::Disable);
    let report = engine.report(ids[0]).unwrap();
    assert_eq!((report.state, report.skipped), (State::Expired, 1));
}

#[test]
fn a_thread_filter_by_name_asks_the_host_for_names() {
    let rules = RuleSpec { thread: ThreadFilter::Name("worker".into()), ..RuleSpec::default() };
    let (engine, ids) = engine_with(vec![BreakpointSpec { rules, ..counter("shop.py:3") }]);
    let decision = engine.decide(&total(1)).unwrap();
    assert!(decision.arms[0].needs_thread_name);
    for name in [Some("worker"), Some("other"), None] {
        engine.hit(decision.arms[0].site, &Thread { id: 1, name }, 1, 0, drop).unwrap();
    }
    let report = engine.report(ids[0]).unwrap();
    assert_eq!((report.captured, report.skipped), (1, 2));
}

#[test]
fn a_small_buffer_counts_nothing() {
    let (engine, ids) = engine_with(vec![spec("shop.py:3"), spec("shop.py:3"), counter("shop.py:3")]);
    let site = site(&engine);
    let refused = engine.hit(site, &MAIN, 1, 1, drop);
    assert_eq!(refused, Err(EngineError::BufferTooSmall { needed: 2 }));
    assert!(ids.iter().all(|&id| engine.report(id).unwrap().arrivals() == 0));
    assert_eq!(hit(&engine, site).1.len(), 2);
}

#[test]
fn malformed_records_are_a_counted_drop() {
    let (engine, ids) = engine_with(vec![spec("shop.py:3")]);
    let (_, items) = hit(&engine, site(&engine));
    assert!(matches!(engine.capture(items[0].ticket, b"nonsense"), Err(EngineError::InvalidRecords(_))));
    assert_eq!(engine.report(ids[0]).unwrap().dropped, 1);
}

#[test]
fn a_full_queue_drops_and_counts() {
    let engine = Engine::new(EngineOptions { queue_items: 2, ..EngineOptions::default() });
    let ids = engine.add(vec![spec("shop.py:3")]).unwrap();
    engine.register_source(SHOP, "shop", shop_units());
    let site = site(&engine);
    let verdicts: Vec<_> =
        (0..3).map(|_| engine.capture(hit(&engine, site).1[0].ticket, RECORDS).unwrap()).collect();
    assert_eq!(verdicts, [Verdict::Capture, Verdict::Capture, Verdict::Dropped]);
    let report = engine.report(ids[0]).unwrap();
    assert_eq!((report.captured, report.dropped), (2, 1));
    assert_eq!(engine.channel_stats().dropped, 1);
}

#[test]
fn logs_are_rendered_from_their_template() {
    let action = Action::Log(Box::new(Template::parse("price is {price}").unwrap()));
    let (engine, _) = engine_with(vec![BreakpointSpec { action, ..spec("shop.py:3") }]);
    let (_, items) = hit(&engine, site(&engine));
    let records = b"h\x1f/app/shop.py\x1f3\x1ftotal\x1f1\x1f7\x1fMainThread\x1f\x1ec\x1en\x1fprice\x1ei\x1fint\x1f42\x1e";
    engine.capture(items[0].ticket, records).unwrap();
    let Received::Item(snapshot) = engine.receive(Some(Duration::ZERO)) else { panic!("nothing was queued") };
    let document: serde_json::Value = serde_json::from_slice(&snapshot.json).unwrap();
    assert_eq!(document["message"], "price is 42");
}

#[test]
fn another_code_object_at_the_same_key_is_decided_anew() {
    let (engine, ids) = engine_with(vec![spec("shop.py:3")]);
    let old = site(&engine);
    let other = CodeInfo { name: "<module>", qualname: "<module>", lines: &[1], ..total(1) };
    assert!(engine.decide(&other).unwrap().arms.is_empty());
    assert!(engine.hit(old, &MAIN, 1, 1, drop).is_err(), "the site went with its code object");
    assert_eq!(engine.report(ids[0]).unwrap().code_objects, 0);
    assert!(engine.forget(1) && !engine.forget(1));
}

#[test]
fn an_event_is_answered_anew_once_its_code_object_is_gone_or_another() {
    let engine = Engine::new(EngineOptions::default());
    engine.register_source(SHOP, "shop", shop_units());
    engine.add(vec![spec("shop.py:3")]).unwrap();
    let at_line_3 = || engine.event(1, EventKind::Line, 3, 7, 1);
    engine.decide(&total(1)).unwrap();
    assert!(matches!(at_line_3(), Ok((Verdict::Capture, _))));
    assert_eq!(at_line_3(), at_line_3());
    assert!(engine.forget(1));
    assert!(at_line_3().is_err(), "it was forgotten");
    engine.decide(&CodeInfo { path: b"/app/cart.py", ..total(1) }).unwrap();
    assert_eq!(at_line_3(), Ok((Verdict::Disable, 0)));
    engine.decide(&total(1)).unwrap();
    assert!(matches!(at_line_3(), Ok((Verdict::Capture, _))));
}

#[test]
fn raw_events_follow_breakpoints_and_filter() {
    let (engine, _) = engine_with(vec![spec("shop.py:3")]);
    assert!(engine.event(1, EventKind::Line, 3, 7, 1).is_err(), "not decided yet");
    let site = site(&engine);
    assert_eq!(engine.event(1, EventKind::Line, 3, 7, 1), Ok((Verdict::Capture, site)));
    assert_eq!(engine.event(1, EventKind::Line, 2, 7, 1), Ok((Verdict::Disable, 0)));
    assert_eq!(engine.event(1, EventKind::Call, 1, 7, 1), Ok((Verdict::Disable, 0)));
    let calls_of_thread_7 = Rule {
        action: RuleAction::Include,
        events: EventKind::Call as u32,
        path: None,
        module: Some("shop".into()),
        function: None,
        thread: Some(7),
        max_depth: None,
    };
    engine.set_filter(Filter::new(vec![calls_of_thread_7]));
    assert_eq!(engine.event(1, EventKind::Call, 1, 7, 1), Ok((Verdict::Capture, 0)));
    assert_eq!(engine.event(1, EventKind::Call, 1, 8, 1), Ok((Verdict::Ignore, 0)));
    assert_ne!(engine.decide(&total(1)).unwrap().event_mask & EventKind::Call as u32, 0);
}

#[test]
fn a_path_map_finds_the_local_name_of_a_container_path() {
    let (engine, _) = engine_with(vec![spec("/home/me/shop/shop.py:3")]);
    assert!(engine.decide(&total(1)).unwrap().arms.is_empty());
    engine.add_path_map(b"/app", b"/home/me/shop");
    engine.register_source(SHOP, "shop", shop_units());
    assert_eq!(engine.decide(&total(1)).unwrap().arms.len(), 1);
}

#[test]
fn equal_matches_are_all_armed_and_reported() {
    let (engine, ids) = engine_with(vec![spec("shop.py:3")]);
    engine.register_source(b"/lib/shop.py", "shop", shop_units());
    assert_eq!(engine.decide(&total(1)).unwrap().arms.len(), 1);
    assert_eq!(engine.decide(&CodeInfo { path: b"/lib/shop.py", ..total(2) }).unwrap().arms.len(), 1);
    let reason = engine.report(ids[0]).unwrap().reason;
    assert!(reason.contains("/app/shop.py") && reason.contains("/lib/shop.py"), "{reason}");
}

#[test]
fn hosts_can_fail_a_breakpoint_but_not_bind_it() {
    let (engine, ids) = engine_with(vec![spec("shop.py:3")]);
    assert!(matches!(engine.set_state(ids[0], State::Bound, ""), Err(EngineError::InvalidArgument(_))));
    engine.set_state(ids[0], State::Failed, "the condition can't be compiled").unwrap();
    assert!(engine.decide(&total(1)).unwrap().arms.is_empty());
    assert_eq!(engine.report(ids[0]).unwrap().reason, "the condition can't be compiled");
}

#[test]
fn the_child_of_a_fork_keeps_breakpoints_and_counters() {
    let (mut engine, ids) = engine_with(vec![spec("shop.py:3"), counter("shop.py:2")]);
    engine.add_path_map(b"/elsewhere", b"/app");
    let gone = engine.add(vec![spec("shop.py:5")]).unwrap();
    engine.remove(&gone).unwrap();
    let (_, items) = hit(&engine, {
        engine.register_source(SHOP, "shop", shop_units());
        engine.decide(&total(1)).unwrap().arms.iter().find(|arm| arm.line == 3).unwrap().site
    });
    let word = std::ptr::from_ref(engine.epoch_word());
    let epoch = engine.epoch_word().load(SeqCst);
    engine.after_fork();
    assert_eq!(word, std::ptr::from_ref(engine.epoch_word()), "hosts keep the address");
    assert_ne!(epoch, engine.epoch_word().load(SeqCst));
    assert!(engine.capture(items[0].ticket, RECORDS).is_err(), "open hits stay with the parent");
    assert!(engine.report(gone[0]).is_err());
    assert_ne!(engine.add(vec![spec("shop.py:5")]).unwrap(), gone, "what was stale stays stale");
    engine.register_source(SHOP, "shop", shop_units());
    let arms = engine.decide(&CodeInfo { path: b"/elsewhere/shop.py", ..total(9) }).unwrap();
    assert!(arms.needs_source, "the path maps are kept");
    let site = engine.decide(&total(1)).unwrap().arms.iter().find(|arm| arm.line == 3).unwrap().site;
    engine.capture(hit(&engine, site).1[0].ticket, RECORDS).unwrap();
    assert_eq!(engine.report(ids[0]).unwrap().captured, 1);
}

#[test]
fn counters_are_exact_under_threads() {
    let rules = RuleSpec { max_hits: Some(1000), ..RuleSpec::default() };
    let (engine, ids) =
        engine_with(vec![counter("shop.py:3"), BreakpointSpec { rules, ..spec("shop.py:3") }]);
    let site = site(&engine);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..2000 {
                    for item in hit(&engine, site).1 {
                        engine.capture(item.ticket, RECORDS).unwrap();
                    }
                }
            });
        }
    });
    assert_eq!(engine.report(ids[0]).unwrap().captured, 8000);
    let limited = engine.report(ids[1]).unwrap();
    assert_eq!((limited.captured + limited.dropped, limited.arrivals()), (1000, 8000));
    assert_eq!(limited.state, State::Exhausted);
}

#[test]
fn in_turn_is_counted_what_only_counts_and_is_alone_at_its_site() {
    let in_turn = |specs| {
        let (engine, ids) = engine_with(specs);
        let site = site(&engine);
        hit(&engine, site);
        let counted = engine.count_in_turn(&engine.bound_at(site).unwrap());
        (counted, ids.iter().map(|&id| engine.report(id).unwrap().captured).collect::<Vec<_>>())
    };
    let here = || counter("shop.py:3");
    assert_eq!(in_turn(vec![here()]), (true, vec![2]));
    assert_eq!(in_turn(vec![here(), here()]), (false, vec![1, 1]));
    let with_condition = BreakpointSpec { has_condition: true, ..here() };
    assert_eq!(in_turn(vec![with_condition]), (false, vec![0]));
    let with_rules =
        BreakpointSpec { rules: RuleSpec { max_hits: Some(9), ..RuleSpec::default() }, ..here() };
    assert_eq!(in_turn(vec![with_rules]), (false, vec![1]));
}

#[test]
fn what_is_disabled_is_not_counted_in_turn() {
    let (engine, ids) = engine_with(vec![counter("shop.py:3")]);
    let bound = engine.bound_at(site(&engine)).unwrap();
    engine.set_enabled(&ids, false).unwrap();
    assert!(!engine.count_in_turn(&bound));
    assert_eq!(engine.report(ids[0]).unwrap().captured, 0);
}

#[test]
fn host_may_know_the_outcome_of_a_condition_at_once() {
    let with_condition = |spec| BreakpointSpec { has_condition: true, ..spec };
    let (engine, ids) =
        engine_with(vec![with_condition(counter("shop.py:3")), with_condition(spec("shop.py:3"))]);
    let bound = engine.bound_at(site(&engine)).unwrap();
    let arrive = |outcomes: [Option<Outcome>; 2]| {
        let mut given = Vec::new();
        engine.hit_bound(&bound, &MAIN, 1, 8, |place| outcomes[place], |item| given.push(item)).unwrap();
        given.iter().map(|item| (item.breakpoint, item.verdict)).collect::<Vec<_>>()
    };
    assert_eq!(arrive([Some(Outcome::True), Some(Outcome::False)]), []);
    assert_eq!(arrive([Some(Outcome::Error), Some(Outcome::True)]), [(ids[1], Verdict::Capture)]);
    assert_eq!(arrive([None, Some(Outcome::False)]), [(ids[0], Verdict::Evaluate)]);
    let reports = ids.iter().map(|&id| engine.report(id).unwrap());
    let counted: Vec<_> =
        reports.map(|report| (report.captured, report.false_conditions, report.errors)).collect();
    assert_eq!(counted, [(1, 0, 1), (0, 2, 0)]);
}
