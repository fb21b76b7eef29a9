use std::sync::Arc;

use super::*;
use crate::code::testing::*;
use crate::code::{Facts, LineTable};

/// Does a call; has a unit of caches.
pub(super) const CALL: u8 = 30;
/// Loads a constant.
pub(super) const LOAD: u8 = 31;
/// Drops what a call gave.
pub(super) const DROP: u8 = 32;
/// Jumps so far after its end, always.
pub(super) const OVER: u8 = 33;
/// Pushes the exception that its handler was entered for.
pub(super) const PUSH: u8 = 34;
/// Belongs together with the next instruction.
pub(super) const BIND: u8 = 35;

/// The call of every test: hook 40, argument 50.
pub(super) const STUB: [u8; 10] = [LOAD, 40, LOAD, 50, CALL, 1, 0, 0, DROP, 0];

pub(super) fn with_call(mut facts: Facts) -> Facts {
    use crate::code::{Call, Flow, Jump, OpcodeFacts, Operand};
    let plain = OpcodeFacts::default();
    let own = [
        (CALL, OpcodeFacts { caches: 1, ..plain }),
        (LOAD, plain),
        (DROP, plain),
        (OVER, OpcodeFacts { flow: Flow::Jump, jump: Jump::Forward, ..plain }),
        (PREFIX, OpcodeFacts { flow: Flow::Prefix, ..plain }),
        (PUSH, OpcodeFacts { pushes_exception: true, ..plain }),
        (BIND, OpcodeFacts { binds_next: true, ..plain }),
    ];
    own.iter().for_each(|&(opcode, own)| facts.opcodes[usize::from(opcode)] = own);
    let steps =
        vec![(LOAD, Operand::Hook), (LOAD, Operand::Argument), (CALL, Operand::Count), (DROP, Operand::Zero)];
    facts.call = Some(Call { steps, stack: 2, prefix: PREFIX, jump: OVER });
    facts
}

pub(super) fn probe(offset: u32, line: u32) -> Probe {
    Probe { offset, span: Span::of_line(line), hook: 40, argument: 50 }
}

pub(super) fn patched(sample: &Sample, probes: &[Probe]) -> Result<Patch, PatchError> {
    let facts = Arc::new(with_call(sample.facts.clone()));
    let (code, lines, exceptions) = (&*sample.code, &*sample.lines, &*sample.exceptions);
    let bytes = Bytecode { facts: &facts, code, lines, exceptions };
    patch(&Original { bytes, first_line: 1, stack_size: 7 }, probes)
}

/// The code with a probe at each of these units, each of which has the line that follows it.
fn code(units: &[Unit], probes: &[(u32, u32)]) -> Vec<u8> {
    let probes: Vec<Probe> = probes.iter().map(|&(unit, line)| probe(2 * unit, line)).collect();
    patched(&Sample::new(units), &probes).unwrap().code
}

fn refusal(units: &[Unit], probes: &[Probe]) -> String {
    patched(&Sample::new(units), probes).unwrap_err().to_string()
}

fn bytes(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

#[test]
fn nothing_changes_without_probes() {
    let sample =
        Sample::new(&[(1, WORK, 0), (0, PREFIX, 1), (2, CACHED, 3), (2, 9, 9), (2, 8, 8), (3, RETURN, 0)])
            .guarded(&[(0, 1, 5)]);
    let same = patched(&sample, &[]).unwrap();
    assert_eq!((same.code, same.lines, same.exceptions), (sample.code, sample.lines, sample.exceptions));
    assert_eq!(same.stack_size, 7);
}

#[test]
fn a_call_stands_where_the_code_begins() {
    let made = patched(&Sample::new(&[(1, WORK, 7), (1, RETURN, 0)]), &[probe(0, 1)]).unwrap();
    assert_eq!(made.code, bytes(&[&STUB, &[WORK, 7, RETURN, 0]]));
    assert_eq!(made.lines, [[1, 0]; 7].concat());
    assert_eq!(made.stack_size, 9);
}

#[test]
fn a_call_stands_behind_the_prologue() {
    let made = code(&[(1, WORK, 0), (1, RESUME, 0), (1, RETURN, 0)], &[(2, 1)]);
    assert_eq!(made, bytes(&[&[WORK, 0, RESUME, 0], &STUB, &[RETURN, 0]]));
    let words = refusal(&[(1, WORK, 0), (1, RESUME, 0), (1, RETURN, 0)], &[probe(2, 1)]);
    assert_eq!(words, "at 2 the frame is still set up: a probe can stand behind that only");
}

#[test]
fn control_that_falls_in_from_outside_passes_the_call() {
    let made = code(&[(1, WORK, 0), (2, WORK, 1), (2, RETURN, 0)], &[(1, 2)]);
    assert_eq!(made, bytes(&[&[WORK, 0], &STUB, &[WORK, 1, RETURN, 0]]));
}

#[test]
fn a_jump_from_outside_leads_to_the_call_and_one_from_inside_past_it() {
    // 1: jumps to 4 from outside; 5: from inside.
    let units = [(1, BRANCH, 3), (2, WORK, 0), (2, JUMP, 3), (3, WORK, 0), (3, BRANCH, 3), (4, RETURN, 0)];
    let made = code(&units, &[(3, 3)]);
    let expected = [&[BRANCH, 3, WORK, 0, JUMP, 3], &STUB[..], &[WORK, 0, BRANCH, 8, RETURN, 0]].concat();
    assert_eq!(made, expected);
}

#[test]
fn control_that_falls_in_from_inside_jumps_over_the_call() {
    // A loop over line 2 that line 3 leads back to: `for x in y:`.
    let units = [(2, WORK, 0), (2, BRANCH, 4), (3, WORK, 0), (3, JUMP, 1), (4, RETURN, 0)];
    let made = patched(&Sample::new(&units), &[probe(2, 2)]).unwrap();
    let expected = bytes(&[&[WORK, 0, OVER, 5], &STUB, &[BRANCH, 10, WORK, 0, JUMP, 2, RETURN, 0]]);
    assert_eq!(made.code, expected);
    assert_eq!(made.lines[..4], [2, 0, 2, 0], "the jump has the line of what is before it");
}

#[test]
fn each_way_to_a_unit_that_is_reentered_passes_the_call() {
    let units = [(1, WORK, 0), (2, WORK, 0), (2, JUMP, 1)];
    let span = Span { reentered: true, ..Span::of_line(2) };
    let made = patched(&Sample::new(&units), &[Probe { span, ..probe(2, 2) }]).unwrap();
    assert_eq!(made.code, bytes(&[&[WORK, 0], &STUB, &[WORK, 0, JUMP, 1]]));
}

#[test]
fn what_lies_inside_of_a_unit_does_not_enter_it() {
    let units = [(1, WORK, 0), (2, BRANCH, 4), (3, WORK, 0), (3, JUMP, 1), (4, RETURN, 0)];
    let span = Span { inner: (3, 3), ..Span::of_line(2) };
    let made = patched(&Sample::new(&units), &[Probe { span, ..probe(2, 2) }]).unwrap();
    assert_eq!(made.code, bytes(&[&[WORK, 0], &STUB, &[BRANCH, 9, WORK, 0, JUMP, 6, RETURN, 0]]));
}

#[test]
fn jumps_forward_and_backward_count_from_behind_their_caches() {
    let units =
        [(1, WORK, 0), (2, FORWARD, 3), (2, 0, 0), (3, BACKWARD, 4), (3, 0, 0), (4, WORK, 0), (5, RETURN, 0)];
    let made = code(&units, &[(1, 2), (5, 4), (6, 5)]);
    // 2 to 5, and 3 back to before the call of 2.
    let parts: [&[u8]; 7] =
        [&[WORK, 0], &STUB, &[FORWARD, 8, 0, 0, BACKWARD, 9, 0, 0], &STUB, &[WORK, 0], &STUB, &[RETURN, 0]];
    assert_eq!(made, bytes(&parts));
}

#[test]
fn a_jump_keeps_its_prefixes_and_gets_more() {
    let mut units = vec![(1, PREFIX, 0), (1, BRANCH, 255), (2, WORK, 0)];
    units.resize(255, (2, WORK, 0));
    units.push((3, RETURN, 0));
    let made = code(&units, &[(255, 3)]);
    assert_eq!(made[..4], [PREFIX, 0, BRANCH, 255], "to the call, which is where the line was");
    let far = code(&units, &[(2, 2), (255, 3)]);
    assert_eq!(far[..4], [PREFIX, 1, BRANCH, 4]);
    units[0] = (1, BRANCH, 255);
    units[1] = (1, WORK, 0);
    let longer = patched(&Sample::new(&units), &[probe(4, 2), probe(510, 3)]).unwrap();
    assert_eq!(longer.code[..4], [PREFIX, 1, BRANCH, 5]);
    assert_eq!(longer.lines[..6], [1, 0, 1, 0, 1, 0], "an added prefix is where its instruction is");
    assert_eq!((longer.offsets.new_offset(0), longer.offsets.new_offset(2)), (Some(0), Some(4)));
    assert_eq!([0, 2, 4].map(|new| longer.offsets.old_offset(new)), [Some(0), Some(0), Some(2)]);
}

#[test]
fn constants_beyond_255_take_prefixes() {
    let far = Probe { hook: 0x0001_0203, argument: 256, ..probe(0, 1) };
    let made = patched(&Sample::new(&[(1, RETURN, 0)]), &[far]).unwrap();
    let call = [PREFIX, 1, PREFIX, 2, LOAD, 3, PREFIX, 1, LOAD, 0, CALL, 1, 0, 0, DROP, 0];
    assert_eq!(made.code, bytes(&[&call, &[RETURN, 0]]));
}

#[test]
fn a_handler_begins_with_the_call_and_what_it_guards_ends_before() {
    // 0 is guarded by 2; the next range begins at the handler.
    let sample = Sample::new(&[(1, WORK, 0), (1, RETURN, 0), (2, WORK, 0), (3, RAISE, 0)])
        .guarded(&[(0, 2, 2), (2, 3, 3)]);
    let made = patched(&sample, &[probe(4, 2)]).unwrap();
    assert_eq!(made.code, bytes(&[&[WORK, 0, RETURN, 0], &STUB, &[WORK, 0, RAISE, 0]]));
    assert_eq!(made.exceptions, [128, 2, 2, 0, 130, 6, 8, 0]);
}

#[test]
fn exceptions_from_inside_lead_past_the_call() {
    // 0 on line 1 and 1 on line 2 are guarded by one range; the handler is on line 2.
    let sample = Sample::new(&[(1, WORK, 0), (2, WORK, 0), (2, RETURN, 0), (2, WORK, 0), (2, RAISE, 0)])
        .guarded(&[(0, 2, 3)]);
    let made = patched(&sample, &[probe(6, 2)]).unwrap();
    assert_eq!(made.exceptions, [128, 1, 3, 0, 129, 1, 8, 0]);
}

#[test]
fn a_call_stands_behind_what_pushes_the_exception() {
    let sample = Sample::new(&[(1, WORK, 0), (1, RETURN, 0), (2, PUSH, 0), (2, WORK, 0), (3, RAISE, 0)])
        .guarded(&[(0, 2, 2)]);
    let made = patched(&sample, &[probe(4, 2)]).unwrap();
    assert_eq!(made.code, bytes(&[&[WORK, 0, RETURN, 0, PUSH, 0], &STUB, &[WORK, 0, RAISE, 0]]));
    assert_eq!(made.exceptions, [128, 2, 2, 0]);
}

#[test]
fn two_calls_may_stand_before_one_instruction() {
    // The handler begins on line 2 and goes on on line 3, which line 4 leads back to.
    let units = [(1, WORK, 0), (1, RETURN, 0), (2, PUSH, 0), (3, WORK, 0), (4, BRANCH, 3), (5, RAISE, 0)];
    let sample = Sample::new(&units).guarded(&[(0, 2, 2)]);
    let second = Probe { argument: 51, ..probe(6, 3) };
    let made = patched(&sample, &[second, probe(4, 2)]).unwrap();
    let other = [LOAD, 40, LOAD, 51, CALL, 1, 0, 0, DROP, 0];
    let parts: [&[u8]; 6] =
        [&[WORK, 0, RETURN, 0, PUSH, 0], &STUB, &other, &[OVER, 5], &other, &[WORK, 0, BRANCH, 14, RAISE, 0]];
    assert_eq!(made.code, bytes(&parts));
}

#[test]
fn a_call_stands_before_what_belongs_together() {
    let units = [(1, WORK, 0), (1, BIND, 0), (2, BIND, 0), (2, WORK, 0), (3, RETURN, 0)];
    let made = patched(&Sample::new(&units), &[probe(4, 2)]).unwrap();
    assert_eq!(made.code, bytes(&[&[WORK, 0], &STUB, &[BIND, 0, BIND, 0, WORK, 0, RETURN, 0]]));
    assert_eq!(made.lines[2..4], [1, 0], "no line begins that did not");
    let led_between = [(1, BRANCH, 3), (2, BIND, 0), (2, BIND, 0), (3, WORK, 0), (3, RETURN, 0)];
    let words = refusal(&led_between, &[probe(6, 3)]);
    assert_eq!(words, "6 belongs together with what stands before it, and control jumps between");
}

#[test]
fn a_block_names_its_handler_over_the_call() {
    let units = [(1, BLOCK, 4), (2, WORK, 0), (2, END_BLOCK, 0), (2, RETURN, 0), (3, WORK, 0), (3, RAISE, 0)];
    let made = code(&units, &[(4, 3)]);
    let parts: [&[u8]; 3] = [&[BLOCK, 4, WORK, 0, END_BLOCK, 0, RETURN, 0], &STUB, &[WORK, 0, RAISE, 0]];
    assert_eq!(made, bytes(&parts));
}

#[test]
fn what_comes_both_from_outside_and_from_inside_is_refused() {
    // 3 has no line, and both lines lead there.
    let units = [(1, BRANCH, 3), (2, WORK, 0), (2, BRANCH, 3), (0, JUMP, 4), (2, WORK, 0), (2, RETURN, 0)];
    assert_eq!(
        refusal(&units, &[probe(8, 2)]),
        "control comes by the jump at 6 to 8 both from outside of its unit and from inside: \
         these cannot be told apart"
    );
    // An exception of a block that holds both.
    let units = [(1, BLOCK, 4), (1, WORK, 0), (2, WORK, 0), (2, RETURN, 0), (2, WORK, 0), (2, RAISE, 0)];
    assert!(refusal(&units, &[probe(8, 2)]).starts_with("control comes by the jump at 0 to 8 both"));
}

#[test]
fn probes_that_make_no_sense_are_refused() {
    let units = [(1, WORK, 0), (2, PREFIX, 0), (2, WORK, 0), (3, RETURN, 0)];
    assert_eq!(refusal(&units, &[probe(4, 2)]), "no instruction begins at 4, where a probe is wanted");
    assert_eq!(refusal(&units, &[probe(8, 2)]), "no instruction begins at 8, where a probe is wanted");
    assert_eq!(refusal(&units, &[probe(2, 2), probe(0, 1), probe(2, 2)]), "there are two probes at 2");
    assert_eq!(refusal(&units, &[probe(6, 2)]), "control does not come to 6 from outside of its unit");
}

#[test]
fn a_dialect_without_a_call_is_refused() {
    let sample = Sample::new(&[(1, RETURN, 0)]);
    let facts = Arc::new(sample.facts.clone());
    let bytes = Bytecode { facts: &facts, code: &sample.code, lines: &sample.lines, exceptions: &[] };
    let refused = patch(&Original { bytes, first_line: 1, stack_size: 1 }, &[]).unwrap_err();
    assert!(refused.to_string().contains("does not say how a hook is called"), "{refused}");
}

#[test]
fn code_that_ends_in_the_midst_of_an_instruction_is_refused() {
    for units in
        [&[(1, PREFIX, 0)][..], &[(1, WORK, 0), (1, CACHED, 0), (1, 0, 0)], &[(1, WORK, 0), (1, PREFIX, 0)]]
    {
        assert_eq!(refusal(units, &[]), "the code ends in the midst of an instruction");
    }
}

#[test]
fn a_stack_that_cannot_get_deeper_is_refused() {
    let sample = Sample::new(&[(1, RETURN, 0)]);
    let facts = Arc::new(with_call(sample.facts.clone()));
    let bytes = Bytecode { facts: &facts, code: &sample.code, lines: &sample.lines, exceptions: &[] };
    let original = Original { bytes, first_line: 1, stack_size: u32::MAX - 1 };
    assert!(patch(&original, &[]).is_ok());
    assert!(patch(&original, &[probe(0, 1)]).is_err());
}

#[test]
fn offsets_within_a_call_are_those_of_what_it_stands_before() {
    let units = [(1, WORK, 0), (2, PREFIX, 0), (2, CACHED, 0), (2, 0, 0), (2, 0, 0), (3, RETURN, 0)];
    let made = patched(&Sample::new(&units), &[probe(2, 2)]).unwrap();
    let old: Vec<u32> = (0..11).map(|unit| made.offsets.old_offset(2 * unit).unwrap()).collect();
    assert_eq!(old, [0, 2, 2, 2, 2, 2, 2, 4, 6, 8, 10]);
    let new: Vec<u32> = (0..6).map(|unit| made.offsets.new_offset(2 * unit).unwrap()).collect();
    assert_eq!(new, [0, 12, 14, 16, 18, 20]);
    assert_eq!((made.offsets.new_offset(12), made.offsets.old_offset(22)), (None, None));
}

// Where lines begin by the table: co_lnotab.

/// The same with its lines as pairs of bytes.
fn by_table(units: &[Unit], lines: &[u8]) -> Sample {
    let mut sample = Sample::new(units).straying();
    sample.facts.line_table = LineTable::Lnotab;
    sample.lines = lines.into();
    sample
}

#[test]
fn a_line_begins_at_its_call() {
    let sample = by_table(&[(1, WORK, 0), (2, WORK, 0), (2, RETURN, 0)], &[2, 1]);
    let made = patched(&sample, &[probe(2, 2)]).unwrap();
    assert_eq!(made.lines, [2, 1], "at the call, and not again behind it");
}

#[test]
fn a_line_that_begins_for_control_from_inside_begins_at_the_jump_over_the_call() {
    // Line 2 begins anew at 3, behind line 3, which belongs to the unit; line 4 leads back there.
    let units = [
        (1, WORK, 0),
        (2, WORK, 0),
        (3, WORK, 0),
        (2, BRANCH, 6),
        (4, WORK, 0),
        (4, JUMP, 3),
        (5, RETURN, 0),
    ];
    let sample = by_table(&units, &[2, 1, 2, 1, 2, 255, 2, 2, 4, 1]);
    let span = Span { last_line: 3, ..Span::of_line(2) };
    let made = patched(&sample, &[Probe { span, ..probe(6, 2) }]).unwrap();
    let parts: [&[u8]; 3] =
        [&[WORK, 0, WORK, 0, WORK, 0, OVER, 5], &STUB, &[BRANCH, 12, WORK, 0, JUMP, 4, RETURN, 0]];
    assert_eq!(made.code, bytes(&parts));
    assert_eq!(
        made.lines,
        [2, 1, 2, 1, 2, 255, 2, 1, 0, 255, 12, 2, 4, 1],
        "the jump and the call begin line 2"
    );
}

#[test]
fn a_line_begins_at_its_instruction_where_an_exception_is_looked_into() {
    // No line begins at the handler, 4: it is in the midst of line 3.
    let units = [(1, BLOCK, 4), (2, WORK, 0), (2, END_BLOCK, 0), (3, RETURN, 0), (3, WORK, 0), (3, RAISE, 0)];
    let sample = by_table(&units, &[2, 1, 4, 1]);
    let made = patched(&sample, &[probe(2, 2)]).unwrap();
    let parts: [&[u8]; 3] =
        [&[BLOCK, 11, OVER, 1, OVER, 5], &STUB, &[WORK, 0, END_BLOCK, 0, RETURN, 0, WORK, 0, RAISE, 0]];
    assert_eq!(made.code, bytes(&parts));
    assert_eq!(made.lines, [4, 1, 12, 1, 0, 255, 4, 1], "at a jump that nothing leads to, and at 2 again");
}

#[test]
fn lines_that_are_no_numbers_of_lines_are_refused() {
    // Line 0 is that of what sets up the frame of a module.
    let units = [(1, WORK, 0), (1, WORK, 0), (1, RETURN, 0)];
    for (table, is_fine) in [([2, 255, 2, 1], true), ([2, 254, 2, 3], false)] {
        let made = patched(&by_table(&units, &table), &[probe(0, 1)]);
        assert_eq!(made.is_ok(), is_fine, "{made:?}");
    }
    let words = patched(&by_table(&units, &[2, 254, 2, 3]), &[]).unwrap_err().to_string();
    assert_eq!(words, "the line table leads to line -1");
}

// Any bytes

/// Changes a few bytes.
fn change(random: &mut Random, bytes: &mut [u8]) {
    for _ in 0..random.below(4) {
        let at = random.below(bytes.len().max(1) as u64) as usize;
        let byte = random.below(40) as u8;
        bytes.iter_mut().skip(at).take(1).for_each(|own| *own = byte);
    }
}

/// What came of samples with probes anywhere.
#[derive(Default)]
struct Tally {
    rewritten: usize,
    refused: usize,
    /// What does not add up.
    broken: Vec<String>,
}

impl Tally {
    fn count(&mut self, sample: &Sample, random: &mut Random) {
        let Ok(decoded) = sample.read() else {
            assert!(patched(sample, &[]).is_err());
            return;
        };
        let mut probes = Vec::new();
        for instruction in decoded.instructions.iter().skip(decoded.prologue) {
            let first_line = instruction.line.max(1);
            let last_line = first_line.saturating_add(random.below(2) as u32);
            let inner = (last_line, last_line.saturating_add(random.below(3) as u32));
            let span = Span { first_line, last_line, inner, reentered: random.below(5) == 0 };
            if random.below(3) > 0 {
                continue;
            }
            // One that is refused must not keep the others from being tried.
            let one = Probe { span, ..probe(instruction.offset, 1) };
            match patched(sample, &[one]) {
                Ok(_) => probes.push(one),
                Err(PatchError::Refused(_)) => self.refused += 1,
                Err(error) => self.broken.push(error.to_string()),
            }
        }
        match patched(sample, &probes) {
            Ok(_) => self.rewritten += usize::from(!probes.is_empty()),
            Err(PatchError::Refused(_)) => self.refused += 1,
            Err(error) => self.broken.push(error.to_string()),
        }
    }

    fn expect(&self, least: usize) {
        let Self { rewritten, refused, broken } = self;
        assert!(broken.is_empty(), "{} do not add up: {:?}", broken.len(), &broken[..broken.len().min(5)]);
        assert!(*rewritten > least && *refused > least / 10, "{rewritten} rewritten, {refused} refused");
    }
}

const LINE_TABLES: [LineTable; 4] =
    [LineTable::EachUnit, LineTable::Lnotab, LineTable::Ranges, LineTable::Locations];

#[test]
fn code_with_changed_bytes_is_rewritten_so_that_it_adds_up_or_refused() {
    let units = [
        (1, RESUME, 0),
        (1, BLOCK, 14),
        (2, WORK, 0),
        (2, FORWARD, 9),
        (2, 0, 0),
        (3, CACHED, 0),
        (3, 0, 0),
        (3, 0, 0),
        (4, BIND, 0),
        (4, CONSTANT, 0),
        (4, BACKWARD, 9),
        (4, 0, 0),
        (5, END_BLOCK, 0),
        (5, BRANCH, 2),
        (6, PUSH, 0),
        (6, PREFIX, 0),
        (6, JUMP, 2),
        (7, TIDY, 0),
        (7, RAISE, 0),
        (8, RETURN, 0),
    ];
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut tally = Tally::default();
    for round in 0..6_000 {
        let mut sample = Sample::new(&units);
        sample.facts = with_call(sample.facts);
        if round % 2 == 0 {
            sample = sample.guarded(&[(2, 8, 14), (8, 12, 17), (12, 14, 14)]);
        }
        sample.facts.line_table = random.one_of(&LINE_TABLES);
        if sample.facts.line_table != LineTable::EachUnit {
            sample.lines = random.bytes(40);
            let whole = sample.lines.len() / 2 * 2;
            sample.lines.truncate(whole);
        }
        change(&mut random, &mut sample.code);
        change(&mut random, &mut sample.lines);
        change(&mut random, &mut sample.exceptions);
        tally.count(&sample, &mut random);
    }
    tally.expect(1_000);
}

#[test]
fn any_bytes_in_any_dialect_are_rewritten_so_that_they_add_up_or_refused() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut tally = Tally::default();
    let mut facts = with_call(random.facts());
    for round in 0..20_000 {
        if round % 20 == 0 {
            facts = with_call(random.facts());
        }
        let mut code = random.bytes(60);
        code.truncate(code.len() / 2 * 2);
        // Small arguments lead to where there is code.
        code.iter_mut().skip(1).step_by(2).for_each(|argument| *argument %= 30);
        let (mut lines, exceptions) = (random.bytes(40), random.bytes(12));
        lines.iter_mut().for_each(|byte| *byte %= 140);
        tally.count(&Sample { facts: facts.clone(), code, lines, exceptions }, &mut random);
    }
    tally.expect(1_000);
}
