use super::super::testing::*;
use super::*;

fn steps(sample: &Sample, index: usize) -> Vec<Step> {
    sample.decoded().steps_to(index).collect()
}

#[test]
fn code_begins_at_its_first_instruction_or_behind_the_prologue() {
    assert_eq!(steps(&Sample::new(&[(1, WORK, 0)]), 0), [Step::Start]);
    let set_up = Sample::new(&[(1, WORK, 0), (1, RESUME, 0), (2, WORK, 0)]);
    assert_eq!(steps(&set_up, 2), [Step::Start]);
    assert_eq!(steps(&set_up, 1), []);
}

#[test]
fn control_falls_through_to_the_next_instruction() {
    assert_eq!(steps(&Sample::new(&[(1, WORK, 0), (2, WORK, 0)]), 1), [Step::Next(0)]);
}

#[test]
fn control_does_not_go_on_behind_a_jump_or_what_leaves() {
    for leaves in [JUMP, RETURN, RAISE] {
        assert_eq!(steps(&Sample::new(&[(1, leaves, 0), (2, WORK, 0)]), 1), [], "{leaves}");
    }
}

#[test]
fn a_branch_goes_on_or_jumps() {
    let sample = Sample::new(&[(1, BRANCH, 2), (2, WORK, 0), (3, WORK, 0)]);
    assert_eq!(steps(&sample, 1), [Step::Next(0)]);
    assert_eq!(steps(&sample, 2), [Step::Next(1), Step::Jump(0)]);
}

#[test]
fn every_jump_to_an_instruction_is_a_step_to_it() {
    let sample = Sample::new(&[(1, BRANCH, 3), (2, JUMP, 3), (3, RETURN, 0), (4, WORK, 0), (5, JUMP, 3)]);
    assert_eq!(steps(&sample, 3), [Step::Jump(0), Step::Jump(1), Step::Jump(4)]);
}

#[test]
fn a_jump_to_the_very_next_instruction_is_a_jump() {
    assert_eq!(steps(&Sample::new(&[(1, JUMP, 1), (2, WORK, 0)]), 1), [Step::Jump(0)]);
}

#[test]
fn a_handler_is_reached_from_all_that_it_guards() {
    let block = Sample::new(&[(1, BLOCK, 3), (2, WORK, 0), (3, RETURN, 0), (4, WORK, 0)]);
    assert_eq!(steps(&block, 3), [Step::Exception(1), Step::Exception(2)]);
    let table = Sample::new(&[(1, WORK, 0), (2, WORK, 0), (3, RETURN, 0), (4, WORK, 0)]);
    let table = table.guarded(&[(0, 1, 3), (2, 3, 3)]);
    assert_eq!(steps(&table, 3), [Step::Exception(0), Step::Exception(2)]);
    for (sample, index, expected) in
        [(&block, 3, true), (&block, 2, false), (&table, 3, true), (&table, 0, false)]
    {
        assert_eq!(sample.decoded().is_handler(index), expected);
    }
}

#[test]
fn a_block_whose_target_is_before_it_guards_nothing() {
    let sample = Sample::new(&[(1, WORK, 0), (2, BLOCK, 0), (3, RETURN, 0)]);
    assert_eq!(steps(&sample, 0), [Step::Start]);
    assert_eq!(sample.decoded().reached(), [true; 3]);
}

#[test]
fn what_stands_behind_the_end_of_a_block_is_not_guarded() {
    // try: 2 and 3, left by a branch to 6 too; 4 and 5: a copy of the `finally` body; 7: another one, the handler.
    let units = [
        (1, BLOCK, 7),
        (2, BRANCH, 6),
        (2, END_BLOCK, 0),
        (3, WORK, 0),
        (3, WORK, 0),
        (3, RETURN, 0),
        (2, RETURN, 0),
        (3, RAISE, 0),
    ];
    let decoded = Sample::new(&units).decoded();
    assert_eq!(decoded.guarded_by_block(0), [1, 2, 6]);
    assert_eq!(decoded.steps_to(7).collect::<Vec<_>>(), [1, 2, 6].map(Step::Exception));
    assert_eq!(decoded.blocks_of(7).collect::<Vec<_>>(), [0]);
}

#[test]
fn a_block_inside_of_another_does_not_end_it() {
    let units = [
        (1, BLOCK, 6),
        (1, BLOCK, 4),
        (2, END_BLOCK, 0),
        (2, JUMP, 5),
        (3, WORK, 0),
        (4, END_BLOCK, 0),
        (5, RAISE, 0),
    ];
    let decoded = Sample::new(&units).decoded();
    assert_eq!(decoded.guarded_by_block(0), [1, 2, 3, 4, 5]);
    assert_eq!(decoded.guarded_by_block(1), [2]);
}

#[test]
fn what_nothing_leads_to_is_not_reached() {
    let sample = Sample::new(&[(1, BRANCH, 4), (2, RETURN, 0), (3, WORK, 0), (3, JUMP, 2), (4, RETURN, 0)]);
    assert_eq!(sample.decoded().reached(), [true, true, false, false, true]);
}

#[test]
fn the_prologue_is_reached() {
    let sample = Sample::new(&[(1, WORK, 0), (1, RESUME, 0), (2, RETURN, 0)]);
    assert_eq!(sample.decoded().reached(), [true; 3]);
}

#[test]
fn a_handler_is_reached_if_anything_that_it_guards_is() {
    // 3 guards 0, 4 guards 3, 5 guards what can't run.
    let units = [(1, WORK, 0), (1, RETURN, 0), (2, WORK, 0), (3, RAISE, 0), (4, RAISE, 0), (5, RAISE, 0)];
    let sample = Sample::new(&units).guarded(&[(0, 1, 3), (2, 3, 5), (3, 4, 4)]);
    assert_eq!(sample.decoded().reached(), [true, true, false, true, true, false]);
}

#[test]
fn a_block_leads_to_its_handler_only_by_an_exception() {
    // Nothing stands between the block and its target.
    let sample = Sample::new(&[
        (1, JUMP, 3),
        (2, BLOCK, 2),
        (3, WORK, 0),
        (4, BLOCK, 5),
        (4, RETURN, 0),
        (5, RAISE, 0),
    ]);
    assert_eq!(sample.decoded().reached(), [true, false, false, true, true, true]);
}

#[test]
fn the_handler_of_a_with_begins_with_its_exit_or_right_before() {
    for handler in [[LEAVE_WITH, RAISE, WORK], [COPY, LEAVE_WITH, RAISE], [COPY, COPY, LEAVE_WITH]] {
        let units: Vec<Unit> =
            [BLOCK, WORK].into_iter().chain(handler).map(|opcode| (1, opcode, 2)).collect();
        let decoded = Sample::new(&units).decoded();
        assert_eq!(decoded.is_with_handler(2), handler[2] != LEAVE_WITH, "{handler:?}");
    }
    let unguarded = Sample::new(&[(1, WORK, 0), (1, LEAVE_WITH, 0)]).decoded();
    assert!(!unguarded.is_with_handler(1));
}

/// ```text
/// 1 with a:
/// 2     b
/// ```
fn with(exit_line: u32) -> Sample {
    Sample::new(&[
        (1, WORK, 0),
        (2, WORK, 0),
        (exit_line, WORK, 0),
        (exit_line, RETURN, 0),
        (1, LEAVE_WITH, 0),
        (1, RAISE, 0),
    ])
    .guarded(&[(1, 2, 4)])
}

#[test]
fn the_exit_of_a_with_is_where_its_guard_ends_on_the_line_of_the_header() {
    let decoded = with(1).decoded();
    assert_eq!((0..6).filter(|&index| decoded.is_with_exit(index)).collect::<Vec<_>>(), [2]);
    let other = with(3).decoded();
    assert!(!(0..6).any(|index| other.is_with_exit(index)), "the statement behind the `with`");
}

#[test]
fn the_header_of_a_with_stands_before_the_first_part_of_what_it_guards() {
    // 2: async for … in await …: the await at 2 is guarded by itself, and 3 begins each pass of the loop.
    let sample = Sample::new(&[
        (1, WORK, 0),
        (2, WORK, 0),
        (2, WORK, 0),
        (2, BRANCH, 5),
        (3, JUMP, 3),
        (1, WORK, 0),
        (1, RETURN, 0),
        (1, LEAVE_WITH, 0),
        (1, RAISE, 0),
        (2, RAISE, 0),
    ]);
    let decoded = sample.guarded(&[(1, 2, 7), (2, 3, 7), (3, 5, 7)]).decoded();
    assert_eq!((0..9).filter(|&index| decoded.is_with_exit(index)).collect::<Vec<_>>(), [5]);
}

#[test]
fn the_exit_of_a_with_is_where_its_block_ends_before_its_target() {
    // 2: `return` in the body; 4 and 5: the exit; 7: the handler.
    let exits = |block_end_line| {
        let sample = Sample::new(&[
            (1, WORK, 0),
            (1, BLOCK, 7),
            (2, WORK, 0),
            (block_end_line, END_BLOCK, 0),
            (1, WORK, 0),
            (1, WORK, 0),
            (2, RETURN, 0),
            (1, LEAVE_WITH, 0),
            (1, RAISE, 0),
        ]);
        let decoded = sample.decoded();
        (0..7).filter(|&index| decoded.is_with_exit(index)).collect::<Vec<_>>()
    };
    assert_eq!(exits(1), [3, 4]);
    assert_eq!(exits(2), [4], "the end of the block may have the line of the body still");
}

#[test]
fn the_end_of_a_try_is_no_exit_of_a_with() {
    let mut sample = with(1);
    sample.code[8] = WORK;
    assert!(!(0..6).any(|index| sample.decoded().is_with_exit(index)));
}

#[test]
fn a_guard_at_the_very_beginning_has_no_header() {
    let units = [(1, WORK, 0), (1, WORK, 0), (1, RETURN, 0), (1, LEAVE_WITH, 0), (1, RAISE, 0)];
    let decoded = Sample::new(&units).guarded(&[(0, 1, 3)]).decoded();
    assert!(!decoded.is_with_exit(1));
}

#[test]
fn a_handler_that_sets_deletes_and_raises_forgets_a_name() {
    let forgets = |units: &[Unit]| Sample::new(units).guarded(&[(0, 1, 1)]).decoded().forgets_a_name(1);
    let set = (1, WORK, 0);
    assert!(forgets(&[set, set, set, (1, DELETE, 0), (1, RAISE, 0)]));
    assert!(forgets(&[set, (1, TIDY, 0), set, set, (1, DELETE, 0), (1, RAISE, 0)]));
    assert!(!forgets(&[set, set, set, (1, DELETE, 0), (1, RETURN, 0)]));
    assert!(!forgets(&[set, set, set, set, (1, RAISE, 0)]));
    let unguarded = Sample::new(&[set, set, set, (1, DELETE, 0), (1, RAISE, 0)]).decoded();
    assert!(!unguarded.forgets_a_name(1));
}
