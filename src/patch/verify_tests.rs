use std::sync::Arc;

use super::super::offsets::{Moved, Offsets};
use super::super::tests::*;
use super::*;
use crate::code::testing::*;
use crate::code::{LineTable, Span};

/// What verification says of a patch that was changed.
fn said(sample: &Sample, probes: &[Probe], change: impl FnOnce(&mut Patch)) -> Check {
    let mut patch = patched(sample, probes).unwrap();
    change(&mut patch);
    let facts = Arc::new(with_call(sample.facts.clone()));
    let (code, lines, exceptions) = (&*sample.code, &*sample.lines, &*sample.exceptions);
    let bytes = Bytecode { facts: &facts, code, lines, exceptions };
    let call = facts.call.clone().unwrap();
    verify(&Original { bytes, first_line: 1, stack_size: 7 }, probes, &call, &patch)
}

/// A loop over line 2 in a range whose handler is on line 4.
fn guarded() -> (Sample, [Probe; 3]) {
    let units = [
        (1, WORK, 0),
        (2, BRANCH, 5),
        (3, CACHED, 7),
        (3, 0, 0),
        (3, 0, 0),
        (3, BRANCH, 1),
        (3, RETURN, 0),
        (4, PUSH, 0),
        (4, WORK, 3),
        (5, RAISE, 0),
    ];
    (Sample::new(&units).guarded(&[(0, 6, 7), (7, 9, 9)]), [probe(2, 2), probe(4, 3), probe(14, 4)])
}

/// The same with a block, and lines that begin by the table.
fn blocks() -> (Sample, [Probe; 3]) {
    let units = [
        (1, BLOCK, 6),
        (2, BRANCH, 4),
        (3, WORK, 1),
        (3, JUMP, 1),
        (3, END_BLOCK, 0),
        (3, RETURN, 0),
        (3, WORK, 2),
        (4, RAISE, 0),
    ];
    let mut sample = Sample::new(&units).straying();
    sample.facts.line_table = LineTable::Lnotab;
    sample.lines = vec![2, 1, 2, 1, 10, 1];
    (sample, [probe(2, 2), probe(4, 3), probe(14, 4)])
}

#[test]
fn what_was_written_adds_up() {
    for (sample, probes) in [guarded(), blocks()] {
        assert_eq!(said(&sample, &probes, |_| {}), Ok(()));
    }
}

#[test]
fn every_changed_byte_is_noticed() {
    let tables: [fn(&mut Patch) -> &mut Vec<u8>; 3] =
        [|patch| &mut patch.code, |patch| &mut patch.lines, |patch| &mut patch.exceptions];
    for (sample, probes) in [guarded(), blocks()] {
        let mut patch = patched(&sample, &probes).unwrap();
        for (number, table) in tables.into_iter().enumerate() {
            for at in 0..table(&mut patch).len() {
                // Half a unit is as good as none where lines are pairs of bytes.
                let is_pairs = number == 1 && sample.facts.line_table == LineTable::Lnotab;
                for change in if is_pairs { [2, 4, 6, 64, 254] } else { [1, 2, 3, 64, 255] } {
                    let found = said(&sample, &probes, |patch| {
                        let byte = &mut table(patch)[at];
                        *byte = byte.wrapping_add(change);
                    });
                    assert!(found.is_err(), "byte {at} of table {number} and {change} more");
                }
            }
            let cut = said(&sample, &probes, |patch| {
                table(patch).pop();
            });
            assert!(cut.is_err() || table(&mut patch).is_empty(), "table {number} cut");
        }
    }
}

#[test]
fn every_missing_or_added_instruction_is_noticed() {
    for (sample, probes) in [guarded(), blocks()] {
        let length = patched(&sample, &probes).unwrap().code.len();
        for at in (0..length).step_by(2) {
            let missing = said(&sample, &probes, |patch| drop(patch.code.drain(at..at + 2)));
            assert!(missing.is_err(), "{at} is missing");
            let added = said(&sample, &probes, |patch| drop(patch.code.splice(at..at, [TIDY, 0])));
            assert!(added.is_err(), "something stands at {at}");
        }
    }
}

#[test]
fn another_depth_of_the_stack_is_noticed() {
    let (sample, probes) = guarded();
    for change in [1, u32::MAX] {
        let found = said(&sample, &probes, |patch| patch.stack_size = patch.stack_size.wrapping_add(change));
        assert!(found.is_err_and(|what| what.starts_with("the stack gets")));
    }
}

#[test]
fn a_call_more_or_less_than_is_due_is_noticed() {
    let (sample, probes) = guarded();
    let other = |probes: &[Probe]| {
        let patch = patched(&sample, probes).unwrap();
        // The stack is as deep in any case.
        said(&sample, &self::guarded().1, |made| *made = patch)
    };
    assert!(other(&probes[..2]).is_err());
    let reentered = Probe { span: Span { reentered: true, ..probes[1].span }, ..probes[1] };
    assert_eq!(other(&[probes[0], reentered, probes[2]]), Ok(()), "only line 2 leads to line 3");
    let reentered = Probe { span: Span { reentered: true, ..probes[0].span }, ..probes[0] };
    assert_eq!(other(&[reentered, probes[1], probes[2]]), Ok(()), "only other lines lead to line 2");
    let wide = Probe { span: Span { last_line: 3, ..probes[0].span }, ..probes[0] };
    let found = other(&[wide, probes[1], probes[2]]).unwrap_err();
    assert!(found.ends_with("does not pass the call for 2"), "{found}");
    let found = said(&sample, &[wide, probes[1], probes[2]], |made| {
        *made = patched(&sample, &probes).unwrap();
    });
    let found = found.unwrap_err();
    assert!(found.ends_with("passes a call that is not due"), "{found}");
}

#[test]
fn a_map_that_is_wrong_is_noticed() {
    let (sample, probes) = guarded();
    let right = patched(&sample, &probes).unwrap();
    let moved: Vec<Moved> = (sample.decoded().instructions.iter())
        .map(|own| {
            let new = right.offsets.new_offset(own.offset).unwrap();
            Moved { old: (own.offset, own.offset), new: (new, new) }
        })
        .collect();
    let ends = (sample.code.len() as u32, right.code.len() as u32);
    let with =
        |moved: Vec<Moved>, ends| said(&sample, &probes, |patch| patch.offsets = Offsets::new(moved, ends));
    assert_eq!(with(moved.clone(), ends), Ok(()));
    for at in 0..moved.len() {
        for change in [2, u32::MAX - 1] {
            let mut wrong = moved.clone();
            wrong[at].new.0 = wrong[at].new.0.wrapping_add(change);
            wrong[at].new.1 = wrong[at].new.1.wrapping_add(change);
            assert!(with(wrong, ends).is_err(), "{at}");
        }
    }
    let without_second: Vec<Moved> = [&moved[..1], &moved[2..]].concat();
    assert!(with(without_second, ends).is_err(), "a call stands before it");
    assert!(with(moved, (ends.0 - 2, ends.1)).is_err());
}
