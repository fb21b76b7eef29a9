use super::super::testing::*;
use super::*;
use crate::code::bytecode::LineTable;

fn offsets(decoded: &Decoded) -> Vec<u32> {
    decoded.instructions.iter().map(|instruction| instruction.offset).collect()
}

fn targets(decoded: &Decoded) -> Vec<Option<u32>> {
    decoded.instructions.iter().map(|instruction| instruction.target).collect()
}

/// The message of what must be refused.
fn refusal(sample: &Sample) -> String {
    sample.read().expect_err("it was read").to_string()
}

#[test]
fn an_instruction_has_its_offset_line_and_facts() {
    let decoded = Sample::new(&[(1, WORK, 0), (0, TIDY, 0), (2, RETURN, 0)]).decoded();
    assert_eq!(offsets(&decoded), [0, 2, 4]);
    let lines: Vec<u32> = decoded.instructions.iter().map(|instruction| instruction.line).collect();
    assert_eq!(lines, [1, 0, 2]);
    let [work, tidy, leave] = decoded.instructions[..] else { panic!("three instructions") };
    assert_eq!((work.opcode.flow, tidy.opcode.flow, leave.opcode.flow), (Flow::Next, Flow::Next, Flow::Stop));
    assert!(!work.opcode.tidies_up && tidy.opcode.tidies_up && leave.concludes());
}

#[test]
fn a_line_begins_where_its_entry_begins_in_the_table() {
    let decoded = Sample::new(&[(1, WORK, 0), (1, WORK, 0), (2, WORK, 0), (1, RETURN, 0)]).decoded();
    let begins: Vec<bool> = decoded.instructions.iter().map(|instruction| instruction.begins_line).collect();
    assert_eq!(begins, [true, false, true, true]);
}

#[test]
fn an_instruction_begins_at_its_first_prefix() {
    let decoded = Sample::new(&[(1, WORK, 0), (2, PREFIX, 0), (2, PREFIX, 0), (2, JUMP, 1)]).decoded();
    assert_eq!(offsets(&decoded), [0, 2]);
    assert_eq!(targets(&decoded), [None, Some(1)], "a jump to the first prefix leads to the instruction");
}

#[test]
fn prefixes_are_the_higher_bits_of_the_argument() {
    let mut units = vec![(1, WORK, 0); 0x0203];
    units[0] = (1, PREFIX, 2);
    units[1] = (1, JUMP, 2);
    let decoded = Sample::new(&units).decoded();
    // To unit 0x202, the last one: the prefix and its instruction are one.
    assert_eq!(decoded.instructions[0].target, Some(0x0201));
    // The next instruction begins anew.
    units[2] = (1, JUMP, 3);
    assert_eq!(Sample::new(&units).decoded().instructions[1].target, Some(2));
}

#[test]
fn the_first_unit_of_an_instruction_gives_it_its_line() {
    let decoded = Sample::new(&[(3, PREFIX, 0), (4, WORK, 0), (5, RETURN, 0)]).decoded();
    assert_eq!(decoded.lines(), [3, 5]);
}

#[test]
fn caches_belong_to_the_instruction_before() {
    let decoded =
        Sample::new(&[(1, CACHED, 0), (1, RETURN, 9), (1, JUMP, 200), (2, WORK, 0), (2, RETURN, 0)])
            .decoded();
    assert_eq!(offsets(&decoded), [0, 6, 8]);
}

#[test]
fn caches_that_the_code_ends_before_are_fine() {
    assert_eq!(offsets(&Sample::new(&[(1, WORK, 0), (1, CACHED, 0), (1, WORK, 0)]).decoded()), [0, 2]);
}

#[test]
fn a_jump_forward_counts_from_behind_the_caches() {
    let units = [(1, FORWARD, 1), (1, WORK, 0), (1, WORK, 0), (2, RETURN, 0)];
    assert_eq!(targets(&Sample::new(&units).decoded()), [Some(2), None, None]);
}

#[test]
fn a_jump_backward_counts_from_behind_the_caches() {
    let units = [(1, WORK, 0), (1, WORK, 0), (1, BACKWARD, 3), (1, WORK, 0), (2, RETURN, 0)];
    assert_eq!(targets(&Sample::new(&units).decoded()), [None, None, Some(1), None]);
}

#[test]
fn jumps_count_in_what_the_dialect_says() {
    let mut sample = Sample::new(&[(1, JUMP, 4), (1, WORK, 0), (2, RETURN, 0), (3, WORK, 0), (3, RETURN, 0)]);
    assert_eq!(sample.decoded().instructions[0].target, Some(4));
    sample.facts.jump_unit = 1;
    assert_eq!(sample.decoded().instructions[0].target, Some(2));
}

#[test]
fn the_prologue_is_up_to_the_first_instruction_that_ends_it() {
    let units = [(1, WORK, 0), (1, RESUME, 0), (2, WORK, 0), (2, RESUME, 0), (3, RETURN, 0)];
    assert_eq!(Sample::new(&units).decoded().prologue, 2);
    assert_eq!(Sample::new(&units[2..3]).decoded().prologue, 0);
}

#[test]
fn the_prologue_of_a_generator_is_behind_what_makes_it() {
    let units =
        [(1, RESUME, 0), (1, WORK, 0), (1, GENERATOR, 0), (0, TIDY, 0), (1, RESUME, 0), (2, RETURN, 0)];
    assert_eq!(Sample::new(&units).decoded().prologue, 5);
    assert_eq!(Sample::new(&units[2..]).decoded().prologue, 3);
}

#[test]
fn lines_are_ascending_each_once_without_what_has_none() {
    let units = [(7, WORK, 0), (0, WORK, 0), (3, WORK, 0), (7, WORK, 0), (5, RETURN, 0)];
    assert_eq!(Sample::new(&units).decoded().lines(), [3, 5, 7]);
}

#[test]
fn lines_that_cannot_run_are_left_out() {
    let units = [(1, JUMP, 3), (2, WORK, 0), (3, JUMP, 1), (4, RETURN, 0), (5, RETURN, 0)];
    assert_eq!(Sample::new(&units).decoded().lines(), [1, 4]);
}

#[test]
fn a_line_that_strays_counts_only_where_it_can_begin_to_run() {
    // while …: (1) if work: break (1); pass (2), which the test leads back past; 4 ends the function under its line.
    let sample = Sample::new(&[
        (1, WORK, 0),
        (1, BRANCH, 0),
        (1, JUMP, 4),
        (2, JUMP, 0),
        (2, CONSTANT, 0),
        (2, RETURN, 0),
    ]);
    assert_eq!(sample.decoded().lines(), [1, 2]);
    assert_eq!(sample.straying().decoded().lines(), [1]);
}

#[test]
fn a_frame_stands_at_the_instruction_that_its_offset_is_in() {
    let decoded = Sample::new(&[(1, CACHED, 0), (1, 0, 0), (1, 0, 0), (2, RETURN, 0)]).decoded();
    assert_eq!((0..=8).map(|offset| decoded.at(offset)).collect::<Vec<_>>(), {
        [[Some(0); 6].as_slice(), &[Some(1); 3]].concat()
    });
    assert_eq!(Sample::new(&[]).decoded().at(0), None);
}

#[test]
fn returning_a_constant_takes_one_instruction_or_two() {
    let units =
        [(1, BRANCH, 4), (1, CONSTANT, 0), (1, WORK, 0), (1, RETURN, 0), (2, CONSTANT, 0), (2, RETURN, 0)];
    let returns = |units: &[Unit]| {
        let decoded = Sample::new(units).decoded();
        (0..decoded.instructions.len())
            .filter(|&at| decoded.instructions[at].returns_constant)
            .collect::<Vec<_>>()
    };
    assert_eq!(returns(&units), [4]);
    assert_eq!(returns(&[(1, WORK, 0), (1, RETURN_CONSTANT, 0)]), [1]);
    assert_eq!(returns(&[(1, CONSTANT, 0), (1, RAISE, 0)]), [0; 0], "it raises");
    assert_eq!(returns(&[(1, CONSTANT, 0)]), [0; 0]);
}

#[test]
fn a_block_guards_what_is_between_it_and_its_target() {
    let decoded =
        Sample::new(&[(1, WORK, 0), (1, BLOCK, 4), (2, WORK, 0), (2, RETURN, 0), (3, RAISE, 0)]).decoded();
    assert_eq!(decoded.guards, [(2, 4, 4)]);
    assert_eq!(decoded.jumps, [], "a block does not jump");
}

#[test]
fn a_table_guards_its_ranges() {
    let units = [(1, CACHED, 0), (1, 0, 0), (1, 0, 0), (2, WORK, 0), (2, RETURN, 0), (3, RAISE, 0)];
    let decoded = Sample::new(&units).guarded(&[(0, 2, 5), (3, 5, 5)]).decoded();
    // By instruction; the first range ends among the caches of the first one.
    assert_eq!(decoded.guards, [(0, 1, 3), (1, 3, 3)]);
}

#[test]
fn an_exception_table_does_not_count_where_there_are_blocks() {
    let mut sample = Sample::new(&[(1, WORK, 0), (2, RETURN, 0)]).guarded(&[(0, 1, 1)]);
    sample.facts.exception_table = ExceptionTable::Blocks;
    assert_eq!(sample.decoded().guards, []);
}

#[test]
fn code_of_half_a_unit_is_refused() {
    let mut sample = Sample::new(&[(1, WORK, 0), (1, RETURN, 0)]);
    sample.code.pop();
    assert!(refusal(&sample).contains("3 bytes"), "{}", refusal(&sample));
}

#[test]
fn a_jump_to_where_no_instruction_begins_is_refused() {
    let cached = [(1, CACHED, 0), (1, 0, 0), (1, 0, 0), (1, JUMP, 1)];
    assert_eq!(refusal(&Sample::new(&cached)), "the instruction at 6 jumps to 2, where none begins");
    let prefixed = [(1, PREFIX, 0), (1, WORK, 0), (1, JUMP, 1)];
    assert_eq!(refusal(&Sample::new(&prefixed)), "the instruction at 4 jumps to 2, where none begins");
}

#[test]
fn a_jump_into_the_midst_of_a_unit_is_refused() {
    let mut sample = Sample::new(&[(1, WORK, 0), (1, JUMP, 3), (2, RETURN, 0)]);
    sample.facts.jump_unit = 1;
    assert_eq!(refusal(&sample), "the instruction at 2 jumps to 3, where none begins");
    let mut before = Sample::new(&[(1, BACKWARD, 5), (1, 0, 0), (2, RETURN, 0)]);
    before.facts.jump_unit = 1;
    assert_eq!(refusal(&before), "the instruction at 0 jumps to -1, where none begins");
}

#[test]
fn a_jump_out_of_the_code_is_refused() {
    assert!(refusal(&Sample::new(&[(1, JUMP, 2), (1, WORK, 0)])).contains("jumps to 4"));
    assert!(refusal(&Sample::new(&[(1, JUMP, 9), (1, WORK, 0)])).contains("jumps to 18"));
    assert!(refusal(&Sample::new(&[(1, FORWARD, 0), (1, 0, 0)])).contains("jumps to 4"));
    assert!(refusal(&Sample::new(&[(1, BACKWARD, 3), (1, 0, 0)])).contains("jumps to -2"));
    // The target of a prefix without an instruction.
    assert!(refusal(&Sample::new(&[(1, JUMP, 1), (1, PREFIX, 0)])).contains("jumps to 2"));
}

#[test]
fn an_argument_of_more_than_four_bytes_leads_nowhere() {
    let units = [[(1, PREFIX, 255); 8].as_slice(), &[(1, JUMP, 255)]].concat();
    assert!(refusal(&Sample::new(&units)).contains(&format!("jumps to {}", u64::from(u32::MAX) * 2)));
}

#[test]
fn a_handler_beyond_the_end_is_refused() {
    let sample = Sample::new(&[(1, WORK, 0), (1, RETURN, 0)]);
    assert_eq!(refusal(&sample.guarded(&[(0, 1, 2)])), "a handler begins at unit 2, beyond the end");
}

#[test]
fn tables_that_are_cut_short_are_refused() {
    let whole = Sample::new(&[(1, WORK, 0), (2, WORK, 0), (3, RETURN, 0)]).guarded(&[(0, 1, 2)]);
    let mut cut = whole.clone();
    cut.lines.pop();
    assert!(refusal(&cut).contains("line table"), "{}", refusal(&cut));
    let mut cut = whole;
    cut.exceptions.pop();
    assert!(refusal(&cut).contains("exception table"), "{}", refusal(&cut));
}

#[test]
fn code_that_the_line_table_says_nothing_of_has_no_line() {
    let mut sample = Sample::new(&[(1, WORK, 0), (2, WORK, 0), (3, RETURN, 0)]);
    sample.lines.truncate(2);
    assert_eq!(sample.decoded().lines(), [1]);
}

#[test]
fn code_of_every_kind_of_line_table_may_be_empty() {
    for kind in [LineTable::Lnotab, LineTable::Ranges, LineTable::Locations, LineTable::EachUnit] {
        let mut sample = Sample::new(&[]);
        sample.facts.line_table = kind;
        let decoded = sample.decoded();
        assert!(decoded.instructions.is_empty() && decoded.lines().is_empty(), "{kind:?}");
    }
}
