//! What must hold while threads race, hosts forget, and processes fork.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use super::tests::*;
use super::*;
use crate::breakpoints::Report;
use crate::engine::tickets::MAX_OPEN;
use crate::policy::{Rate, RuleSpec};

fn conditional(location: &str) -> BreakpointSpec {
    BreakpointSpec { has_condition: true, ..spec(location) }
}

fn sums(report: &Report) -> (u64, u64) {
    let hits = report.passed + report.limited + report.captured + report.dropped;
    (report.skipped + report.false_conditions + report.errors + hits, hits)
}

#[test]
fn a_decision_from_an_older_view_does_not_undo_a_later_one() {
    let (engine, _) = engine_with(vec![counter("shop.py:3")]);
    engine.decide(&total(1)).unwrap();
    engine.with_view(|old| {
        // Another thread, meanwhile.
        engine.add(vec![counter("shop.py:5")]).unwrap();
        let site = engine.decide(&total(1)).unwrap().arms[1].site;
        assert_eq!(engine.decisions.decide(&total(1), old).unwrap(), None);
        assert_eq!(engine.decisions.event(1, event_at(5), old), Some(Interest::Site(site)));
        assert_eq!(hit(&engine, site).0, Verdict::Ignore, "the breakpoint is still bound there");
    });
}

fn event_at(line: u32) -> Event {
    Event { kind: EventKind::Line, line, thread: 7, depth: 1 }
}

#[test]
fn edits_decisions_hits_and_forgetting_race_and_the_books_balance() {
    let (engine, ids) = engine_with(vec![counter("shop.py:3"), conditional("shop.py:total")]);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..400u32 {
                let more = engine.add(vec![spec("shop.py:3"), spec("shop:5")]).unwrap();
                engine.set_enabled(&ids[..1], round % 2 == 1).unwrap();
                match round % 3 {
                    0 => engine.source_without_units(SHOP, &[]),
                    _ => engine.register_source(SHOP, "shop", shop_units()),
                }
                engine.remove(&more).unwrap();
            }
            stop.store(true, SeqCst);
        });
        for key in [1, 1, 2] {
            let (engine, stop) = (&engine, &stop);
            scope.spawn(move || {
                while !stop.load(SeqCst) {
                    for arm in engine.decide(&total(key)).unwrap().arms {
                        let mut items = Vec::new();
                        // The other thread of this key may have forgotten the code object.
                        let _ = engine.hit(arm.site, &MAIN, 0, 64, |item| items.push(item));
                        for item in items {
                            let outcome = if item.ticket % 2 == 0 { Outcome::False } else { Outcome::True };
                            let open = match item.verdict {
                                Verdict::Evaluate => engine.commit(item.ticket, outcome, 0).unwrap(),
                                _ => item,
                            };
                            if open.ticket != 0 {
                                engine.capture(open.ticket, RECORDS).unwrap();
                            }
                        }
                    }
                    engine.forget(key);
                    while let Received::Item(_) = engine.receive(Some(Duration::ZERO)) {}
                }
            });
        }
    });
    engine.forget(1);
    engine.forget(2);
    engine.set_enabled(&ids, true).unwrap();
    for &id in &ids {
        assert_eq!(engine.report(id).unwrap().code_objects, 0);
    }
    engine.decide(&total(1)).unwrap();
    for &id in &ids {
        assert_eq!(engine.report(id).unwrap().code_objects, 1);
    }
}

#[test]
fn unit_tables_of_different_lengths_take_turns_and_never_mix() {
    let (engine, _) = engine_with(vec![counter("shop.py:5"), counter("shop.py:total")]);
    thread::scope(|scope| {
        let registrar = scope.spawn(|| {
            for round in 0..2_000 {
                match round % 2 {
                    0 => engine.source_without_units(SHOP, &[]),
                    _ => engine.register_source(SHOP, "shop", shop_units()),
                }
            }
        });
        while !registrar.is_finished() {
            let lines: Vec<u32> = engine.decide(&total(1)).unwrap().arms.iter().map(|arm| arm.line).collect();
            assert_eq!(lines, [2, 5]);
        }
    });
}

#[test]
fn a_report_balances_while_hits_are_in_flight_and_counts_only_grow() {
    let rules = RuleSpec { rate: Some(Rate { per_second: 1e6, burst: 10.0 }), ..RuleSpec::default() };
    let (engine, ids) = engine_with(vec![BreakpointSpec { rules, ..conditional("shop.py:3") }]);
    let site = site(&engine);
    let hits = thread::scope(|scope| {
        let workers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    for round in 0..5_000 {
                        let ticket = hit(&engine, site).1[0].ticket;
                        match round % 4 {
                            0 => engine.abandon(ticket).unwrap(),
                            1 => drop(engine.commit(ticket, Outcome::False, 0).unwrap()),
                            _ => {
                                let item = engine.commit(ticket, Outcome::True, 0).unwrap();
                                if item.ticket != 0 {
                                    engine.capture(item.ticket, RECORDS).unwrap();
                                }
                            }
                        }
                    }
                })
            })
            .collect();
        let mut last = 0;
        while workers.iter().any(|worker| !worker.is_finished()) {
            let report = engine.report(ids[0]).unwrap();
            assert_eq!((report.arrivals(), report.hits()), sums(&report));
            assert!(report.arrivals() >= last);
            last = report.arrivals();
        }
        2 * 5_000
    });
    let report = engine.report(ids[0]).unwrap();
    assert_eq!((report.arrivals(), report.hits()), (hits, hits / 2));
    assert_eq!((report.errors, report.false_conditions), (hits / 4, hits / 4));
}

#[test]
fn a_snapshot_that_was_received_is_counted() {
    let (engine, ids) = engine_with(vec![spec("shop.py:3")]);
    let site = site(&engine);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut received = 0;
            while let Received::Item(_) = engine.receive(None) {
                received += 1;
                assert!(engine.report(ids[0]).unwrap().captured >= received);
            }
        });
        (0..3_000).for_each(|_| drop(engine.capture(hit(&engine, site).1[0].ticket, RECORDS)));
        engine.close();
    });
}

#[test]
fn of_hits_that_their_host_forgets_the_oldest_are_given_up_and_counted() {
    let (engine, ids) = engine_with(vec![conditional("shop.py:3"), spec("shop.py:3")]);
    let site = site(&engine);
    let first = hit(&engine, site).1;
    // Each arrival opens two hits.
    (0..MAX_OPEN / 2).for_each(|_| drop(hit(&engine, site)));
    let (conditions, captures) = (engine.report(ids[0]).unwrap(), engine.report(ids[1]).unwrap());
    assert_eq!((conditions.errors, captures.dropped), (1, 1));
    assert!(matches!(engine.commit(first[0].ticket, Outcome::True, 1), Err(EngineError::NotFound(_))));
    assert!(matches!(engine.capture(first[1].ticket, RECORDS), Err(EngineError::NotFound(_))));
    let latest = hit(&engine, site).1;
    assert_eq!(engine.capture(latest[1].ticket, RECORDS), Ok(Verdict::Capture), "new hits go on");
}

#[test]
fn the_clock_is_not_read_for_rules_that_do_not_look_at_it() {
    static READ: AtomicU64 = AtomicU64::new(0);
    fn clock() -> u64 {
        READ.fetch_add(1, SeqCst) + 1
    }
    let engine = Engine::new(EngineOptions { clock, ..EngineOptions::default() });
    let rules = RuleSpec { rate: Some(Rate { per_second: 1.0, burst: 1.0 }), ..RuleSpec::default() };
    engine.add(vec![counter("shop.py:3"), BreakpointSpec { rules, ..counter("shop.py:5") }]).unwrap();
    engine.register_source(SHOP, "shop", shop_units());
    let sites: Vec<u32> = engine.decide(&total(1)).unwrap().arms.iter().map(|arm| arm.site).collect();
    let reads = |site: u32, now_ns: u64| {
        let before = READ.load(SeqCst);
        engine.hit(site, &MAIN, now_ns, 0, drop).unwrap();
        READ.load(SeqCst) - before
    };
    assert_eq!([reads(sites[0], 0), reads(sites[1], 5), reads(sites[1], 0)], [0, 0, 1]);
}

#[test]
fn in_the_child_of_a_fork_old_sites_name_nothing_and_a_closed_channel_is_closed() {
    let (mut engine, _) = engine_with(vec![counter("shop.py:3")]);
    let old = site(&engine);
    engine.close();
    engine.after_fork();
    engine.register_source(SHOP, "shop", shop_units());
    assert_ne!(site(&engine), old, "a frame with a plan of the parent must not count elsewhere");
    assert!(matches!(engine.hit(old, &MAIN, 1, 0, drop), Err(EngineError::NotFound(_))));
    assert_eq!(engine.receive(None), Received::Closed);
}
