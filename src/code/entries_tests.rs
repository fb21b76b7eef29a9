use super::super::bytecode::testing::*;
use super::super::bytecode::Bytecode;
use super::*;
use std::sync::Arc;

fn lines(first_line: u32, last_line: u32) -> Span {
    Span { first_line, last_line, inner: (0, 0), reentered: false }
}

/// The entries of units that don't overlap.
fn all(sample: &Sample, units: &[Span]) -> Vec<Entry> {
    entries(&sample.decoded(), units, |line| units.iter().position(|unit| unit.contains(line)))
}

/// The entries of units, as `(unit of code, line)`.
fn of(sample: &Sample, units: &[Span]) -> Vec<(u32, u32)> {
    all(sample, units).iter().map(|entry| (entry.offset / 2, entry.line)).collect()
}

/// The same where each line is a unit of its own.
fn by_line(sample: &Sample) -> Vec<(u32, u32)> {
    of(sample, &(1..20).map(|line| lines(line, line)).collect::<Vec<_>>())
}

/// Of the entry at a unit of code: whether it is mixed, and whether it is hidden.
fn kind(sample: &Sample, at: u32, units: &[Span]) -> (bool, bool) {
    let found = all(sample, units);
    let entry = found.iter().find(|entry| entry.offset == 2 * at);
    let entry = entry.unwrap_or_else(|| panic!("no entry at {at} in {found:?}"));
    (entry.is_mixed, entry.is_hidden)
}

const PLAIN: (bool, bool) = (false, false);
const MIXED: (bool, bool) = (true, false);
const HIDDEN: (bool, bool) = (false, true);

#[test]
fn a_unit_is_entered_from_the_one_before_it() {
    let sample = Sample::new(&[(1, WORK, 0), (1, WORK, 0), (2, WORK, 0), (2, RETURN, 0)]);
    assert_eq!(by_line(&sample), [(0, 1), (2, 2)]);
    assert_eq!(kind(&sample, 2, &[lines(2, 2)]), PLAIN);
}

#[test]
fn an_entry_tells_its_unit() {
    let sample = Sample::new(&[(1, WORK, 0), (2, WORK, 0), (3, RETURN, 0)]);
    let units: Vec<usize> =
        all(&sample, &[lines(3, 3), lines(1, 2)]).iter().map(|entry| entry.unit).collect();
    assert_eq!(units, [1, 0]);
}

#[test]
fn what_belongs_to_no_unit_has_no_entry_but_is_outside() {
    let sample = Sample::new(&[(1, WORK, 0), (2, WORK, 0), (1, WORK, 0), (3, RETURN, 0)]);
    assert_eq!(of(&sample, &[lines(1, 1)]), [(0, 1), (2, 1)]);
    assert_eq!(of(&sample, &[lines(7, 9)]), []);
}

#[test]
fn control_that_moves_between_the_lines_of_a_unit_enters_it_once() {
    let sample =
        Sample::new(&[(1, WORK, 0), (2, WORK, 0), (1, WORK, 0), (3, WORK, 0), (1, WORK, 0), (4, RETURN, 0)]);
    assert_eq!(of(&sample, &[lines(1, 3), lines(4, 4)]), [(0, 1), (5, 4)]);
}

#[test]
fn a_unit_can_be_entered_in_its_midst() {
    let sample = Sample::new(&[(1, BRANCH, 3), (2, WORK, 0), (2, WORK, 0), (3, WORK, 0), (4, RETURN, 0)]);
    assert_eq!(of(&sample, &[lines(2, 3)]), [(1, 2), (3, 3)]);
}

#[test]
fn an_entry_begins_with_its_prefixes() {
    let sample = Sample::new(&[(1, WORK, 0), (2, PREFIX, 0), (2, PREFIX, 0), (2, WORK, 0), (3, RETURN, 0)]);
    assert_eq!(by_line(&sample), [(0, 1), (1, 2), (4, 3)]);
}

#[test]
fn code_that_nothing_leads_to_has_no_entry() {
    let sample = Sample::new(&[(1, RETURN, 0), (2, WORK, 0), (2, RETURN, 0)]);
    assert_eq!(by_line(&sample), [(0, 1)]);
}

/// ```text
/// 1 for a in b:
/// 2     c
/// 3 d
/// ```
fn loop_over(body: u32) -> Sample {
    Sample::new(&[(1, WORK, 0), (1, BRANCH, 4), (body, WORK, 0), (body, JUMP, 1), (3, RETURN, 0)])
}

#[test]
fn the_header_of_a_loop_is_entered_at_every_next() {
    assert_eq!(by_line(&loop_over(2)), [(0, 1), (1, 1), (2, 2), (4, 3)]);
    assert_eq!(kind(&loop_over(2), 1, &[lines(1, 1)]), PLAIN);
}

#[test]
fn a_loop_on_one_line_is_entered_once() {
    assert_eq!(by_line(&loop_over(1)), [(0, 1), (4, 3)]);
}

/// ```text
/// 1 a
/// 2 while b: c
/// 3 d
/// ```
fn while_on_one_line() -> Sample {
    Sample::new(&[(1, WORK, 0), (2, WORK, 0), (2, TEST, 1), (3, RETURN, 0)])
}

#[test]
fn an_entry_that_control_also_comes_back_to_from_inside_is_mixed() {
    assert_eq!(by_line(&while_on_one_line()), [(0, 1), (1, 2), (3, 3)]);
    assert_eq!(kind(&while_on_one_line(), 1, &[lines(2, 2)]), MIXED);
}

#[test]
fn what_is_inside_just_before_on_the_same_line_mixes_nothing() {
    // 3 is reached from 2, where no line begins, and from 0.
    let sample = Sample::new(&[(1, BRANCH, 3), (1, WORK, 0), (2, WORK, 0), (2, WORK, 0), (3, RETURN, 0)]);
    assert_eq!(kind(&sample, 3, &[lines(2, 2)]), PLAIN);
}

#[test]
fn another_line_of_the_unit_just_before_mixes() {
    let sample = Sample::new(&[(1, BRANCH, 3), (1, WORK, 0), (2, WORK, 0), (3, WORK, 0), (4, RETURN, 0)]);
    assert_eq!(kind(&sample, 3, &[lines(2, 3)]), MIXED);
}

#[test]
fn the_first_statement_of_while_true_is_entered_by_instruction_at_each_pass() {
    let sample = while_on_one_line();
    let again = Span { reentered: true, ..lines(2, 2) };
    assert_eq!(kind(&sample, 1, &[lines(1, 1), again]), HIDDEN);
}

#[test]
fn a_body_of_several_statements_comes_back_from_outside() {
    let sample = Sample::new(&[(1, WORK, 0), (2, WORK, 0), (3, WORK, 0), (3, JUMP, 1)]);
    let again = Span { reentered: true, ..lines(2, 2) };
    assert_eq!(kind(&sample, 1, &[again]), PLAIN);
}

// Exceptions

#[test]
fn a_handler_is_entered_from_what_it_guards() {
    let mut units = [(1, BLOCK, 4), (2, WORK, 0), (2, WORK, 0), (5, RETURN, 0), (3, WORK, 0), (3, RETURN, 0)];
    assert_eq!(by_line(&Sample::new(&units)), [(0, 1), (1, 2), (3, 5), (4, 3)]);
    units[0].1 = WORK;
    assert_eq!(by_line(&Sample::new(&units)), [(0, 1), (1, 2), (3, 5)]);
    assert_eq!(by_line(&Sample::new(&units).guarded(&[(1, 3, 4)])), [(0, 1), (1, 2), (3, 5), (4, 3)]);
}

#[test]
fn a_handler_within_the_unit_that_it_guards_is_no_entry() {
    let units = [(1, BLOCK, 3), (1, WORK, 0), (1, JUMP, 5), (1, WORK, 0), (1, RAISE, 0), (2, RETURN, 0)];
    assert_eq!(by_line(&Sample::new(&units)), [(0, 1), (5, 2)]);
}

#[test]
fn of_what_has_no_line_only_raising_again_leads_to_a_handler() {
    // 2 is the handler of 0, 4 that of what stands at 3 and has no line.
    let guarded = |last| {
        let units =
            [(1, WORK, 0), (1, RETURN, 0), (2, BRANCH, 3), (0, last, 3), (3, WORK, 0), (3, RETURN, 0)];
        by_line(&Sample::new(&units).guarded(&[(0, 1, 2), (3, 4, 4)]))
    };
    assert_eq!(guarded(RAISE), [(0, 1), (2, 2), (4, 3)]);
    assert_eq!(guarded(JUMP), [(0, 1), (2, 2)]);
}

#[test]
fn what_pushes_an_exception_leads_on_from_where_that_was_raised() {
    // 1: try: … 2: except A: … 3: finally: …; what pushes the exception has the line of the last.
    let sample =
        Sample::new(&[(1, WORK, 0), (3, RETURN, 0), (3, PUSH_EXCEPTION, 0), (2, WORK, 0), (2, RETURN, 0)])
            .guarded(&[(0, 1, 2)]);
    let header = Span { inner: (3, 3), ..lines(2, 2) };
    assert_eq!(of(&sample, &[lines(1, 1), header, lines(3, 3)]), [(0, 1), (1, 3), (3, 2)]);
}

/// ```text
/// 1 with a:
/// 2     b
/// 3 c
/// ```
fn with() -> Sample {
    Sample::new(&[
        (1, WORK, 0),
        (2, WORK, 0),
        (1, WORK, 0),
        (3, RETURN, 0),
        (1, COPY, 0),
        (1, LEAVE_WITH, 0),
        (1, TEST, 3),
        (1, RAISE, 0),
    ])
    .guarded(&[(1, 2, 4)])
}

#[test]
fn the_exit_of_a_with_is_no_entry() {
    let header = Span { inner: (2, 2), ..lines(1, 1) };
    assert_eq!(of(&with(), &[header, lines(2, 2), lines(3, 3)]), [(0, 1), (1, 2), (3, 3)]);
}

#[test]
fn the_exit_of_a_with_is_no_entry_where_its_body_is_not_known() {
    assert_eq!(by_line(&with()), [(0, 1), (1, 2), (3, 3)]);
}

#[test]
fn the_header_of_a_with_is_entered_anew_from_outside_of_its_body() {
    // 3 goes back to 1: a loop around.
    let mut sample = with();
    sample.code[6] = JUMP;
    sample.code[7] = 0;
    let header = Span { inner: (2, 2), ..lines(1, 1) };
    assert_eq!(of(&sample, &[header]), [(0, 1)]);
    assert_eq!(kind(&sample, 0, &[header]), PLAIN);
}

#[test]
fn taking_away_the_name_of_an_exception_is_no_entry() {
    // 2: except A as b:, 3: its body, which 4 to 7 guard.
    let units = [
        (1, WORK, 0),
        (1, RETURN, 0),
        (2, WORK, 0),
        (3, RETURN, 0),
        (2, WORK, 0),
        (2, WORK, 0),
        (2, DELETE, 0),
        (2, RAISE, 0),
    ];
    let mut sample = Sample::new(&units).guarded(&[(0, 1, 2), (3, 4, 4)]);
    assert_eq!(by_line(&sample), [(0, 1), (2, 2), (3, 3)]);
    sample.code[12] = WORK;
    assert_eq!(by_line(&sample), [(0, 1), (2, 2), (3, 3), (4, 2)]);
}

#[test]
fn what_enters_nothing_leaves_its_line_to_what_follows() {
    let sample = Sample::new(&[(1, WORK, 0), (2, ENTER_NOTHING, 0), (2, WORK, 0), (3, RETURN, 0)]);
    assert_eq!(by_line(&sample), [(0, 1), (2, 2), (3, 3)]);
    assert_eq!(by_line(&sample.straying()), [(0, 1), (2, 2), (3, 3)]);
    let back = Sample::new(&[(2, WORK, 0), (1, ENTER_NOTHING, 0), (2, WORK, 0), (3, RETURN, 0)]);
    assert_eq!(by_line(&back), [(0, 2), (3, 3)]);
}

// What has no line of its own

#[test]
fn the_prologue_is_no_part_of_the_first_unit() {
    let sample = Sample::new(&[(1, WORK, 0), (1, RESUME, 0), (2, WORK, 0), (1, WORK, 0), (3, RETURN, 0)]);
    assert_eq!(by_line(&sample), [(2, 2), (3, 1), (4, 3)]);
}

#[test]
fn what_has_no_line_comes_from_where_control_comes_from() {
    let within = Sample::new(&[(1, WORK, 0), (0, WORK, 0), (1, WORK, 0), (2, RETURN, 0)]);
    assert_eq!(by_line(&within), [(0, 1), (3, 2)]);
    let between = Sample::new(&[(1, WORK, 0), (0, WORK, 0), (0, TIDY, 0), (2, WORK, 0), (2, RETURN, 0)]);
    assert_eq!(by_line(&between), [(0, 1), (3, 2)]);
    let first = Sample::new(&[(0, WORK, 0), (1, RETURN, 0)]);
    assert_eq!(by_line(&first), [(1, 1)]);
}

#[test]
fn a_circle_without_a_line_ends() {
    let sample = Sample::new(&[(1, WORK, 0), (0, WORK, 0), (0, TEST, 1), (2, RETURN, 0)]);
    assert_eq!(by_line(&sample), [(0, 1), (3, 2)]);
}

#[test]
fn what_concludes_belongs_to_what_was_computed_before_it() {
    // return f(
    //     a)
    let sample = Sample::new(&[(1, WORK, 0), (2, WORK, 0), (1, RETURN, 0)]);
    assert_eq!(by_line(&sample), [(0, 1), (1, 2)]);
}

#[test]
fn what_concludes_has_a_line_where_nothing_else_is_done() {
    // 2: continue
    let sample = Sample::new(&[(1, WORK, 0), (1, BRANCH, 3), (2, JUMP, 0), (3, RETURN, 0)]);
    assert_eq!(by_line(&sample), [(0, 1), (2, 2), (3, 3)]);
}

#[test]
fn an_entry_is_hidden_behind_what_concludes_under_its_line() {
    // What is computed on line 2 is tested under line 1.
    let sample = Sample::new(&[(2, WORK, 0), (1, TEST, 3), (1, WORK, 0), (3, RETURN, 0)]);
    assert_eq!(by_line(&sample), [(0, 2), (2, 1), (3, 3)]);
    assert_eq!(kind(&sample, 2, &[lines(1, 1)]), HIDDEN);
}

#[test]
fn an_entry_is_hidden_behind_what_tracers_are_not_told_of() {
    let before = |line| Sample::new(&[(line, WORK, 0), (2, UNTRACED, 0), (3, WORK, 0), (3, RETURN, 0)]);
    assert_eq!(kind(&before(3), 2, &[lines(3, 3)]), HIDDEN);
    assert_eq!(kind(&before(1), 2, &[lines(3, 3)]), PLAIN);
}

#[test]
fn a_unit_that_control_only_passes_by_is_not_entered() {
    // 2 tidies up under line 1 on its way to line 3.
    let sample = Sample::new(&[(1, WORK, 0), (2, WORK, 0), (1, TIDY, 0), (3, RETURN, 0)]);
    assert_eq!(by_line(&sample), [(0, 1), (1, 2), (3, 3)]);
    let by_jump = Sample::new(&[(1, WORK, 0), (2, WORK, 0), (1, TIDY, 0), (1, JUMP, 4), (3, RETURN, 0)]);
    assert_eq!(by_line(&by_jump), [(0, 1), (1, 2), (4, 3)]);
    let works = Sample::new(&[(1, WORK, 0), (2, WORK, 0), (1, WORK, 0), (3, RETURN, 0)]);
    assert_eq!(by_line(&works), [(0, 1), (1, 2), (2, 1), (3, 3)]);
}

#[test]
fn a_unit_that_does_nothing_but_tidy_up_is_entered() {
    // 2: pass, or continue
    let sample = Sample::new(&[(1, WORK, 0), (2, TIDY, 0), (3, RETURN, 0)]);
    assert_eq!(by_line(&sample), [(0, 1), (1, 2), (2, 3)]);
    let jumps = Sample::new(&[(1, WORK, 0), (2, TIDY, 0), (2, JUMP, 0)]);
    assert_eq!(by_line(&jumps), [(0, 1), (1, 2)]);
}

#[test]
fn no_unit_begins_with_what_handles_the_stack_unless_it_goes_on_to_do_something() {
    let stack = Sample::new(&[(1, WORK, 0), (2, COPY, 0), (3, RETURN, 0)]);
    assert_eq!(by_line(&stack), [(0, 1), (2, 3)]);
    let works = Sample::new(&[(1, WORK, 0), (2, COPY, 0), (2, WORK, 0), (3, RETURN, 0)]);
    assert_eq!(by_line(&works), [(0, 1), (1, 2), (3, 3)]);
}

#[test]
fn raising_again_can_be_all_that_a_unit_does() {
    // 1: try: … finally: 2 (nothing)
    let sample = Sample::new(&[(1, WORK, 0), (1, RETURN, 0), (2, RAISE, 0)]).guarded(&[(0, 1, 2)]);
    assert_eq!(by_line(&sample), [(0, 1), (2, 2)]);
}

#[test]
fn the_end_of_a_function_is_not_what_its_last_line_does() {
    // 1: while a: … , under whose line the function ends.
    for end in [[(1, CONSTANT, 0), (1, RETURN, 0)], [(1, RETURN_CONSTANT, 0), (1, RAISE, 0)]] {
        let units = [[(1, BRANCH, 2), (2, WORK, 0)].as_slice(), &end].concat();
        assert_eq!(by_line(&Sample::new(&units)), [(0, 1), (1, 2)], "{end:?}");
    }
}

#[test]
fn returning_a_constant_can_be_all_that_a_unit_does() {
    for end in [[(2, CONSTANT, 0), (2, RETURN, 0)], [(2, RETURN_CONSTANT, 0), (2, RAISE, 0)]] {
        let units = [[(1, WORK, 0)].as_slice(), &end].concat();
        assert_eq!(by_line(&Sample::new(&units)), [(0, 1), (1, 2)], "{end:?}");
    }
}

#[test]
fn returning_a_constant_is_no_more_where_something_is_tidied_up_first() {
    // try: work (1) finally: return (2), with a copy for exceptions.
    let units = [
        (1, WORK, 0),
        (2, CONSTANT, 0),
        (2, RETURN, 0),
        (0, COPY, 0),
        (2, TIDY, 0),
        (2, CONSTANT, 0),
        (2, RETURN, 0),
    ];
    assert_eq!(by_line(&Sample::new(&units).guarded(&[(0, 1, 3)])), [(0, 1), (1, 2), (4, 2)]);
}

#[test]
fn a_unit_that_leaves_in_several_ways_is_entered_for_each() {
    // 2: break, in the copies of a `finally` body: one returns at the end of the function, one raises again.
    let units = [(1, WORK, 0), (2, CONSTANT, 0), (2, RETURN, 0), (1, WORK, 0), (2, TIDY, 0), (1, RAISE, 0)];
    assert_eq!(of(&Sample::new(&units).guarded(&[(0, 1, 3)]), &[lines(2, 2)]), [(1, 2), (4, 2)]);
}

#[test]
fn what_can_never_run_is_nothing_that_its_line_does() {
    // 2: continue; work
    let sample = Sample::new(&[(1, WORK, 0), (1, BRANCH, 4), (2, JUMP, 1), (2, WORK, 0), (3, RETURN, 0)]);
    assert_eq!(of(&sample, &[lines(2, 2)]), [(2, 2)]);
}

#[test]
fn what_a_compiler_puts_behind_the_end_of_a_unit_does_not_enter_it() {
    // while …: (1) if work: break (1); work (2); break (3); 5 ends the loop.
    let sample = Sample::new(&[
        (1, WORK, 0),
        (1, BRANCH, 3),
        (1, JUMP, 5),
        (2, WORK, 0),
        (3, JUMP, 6),
        (3, TIDY, 0),
        (4, RETURN, 0),
    ]);
    assert_eq!(by_line(&sample), [(0, 1), (3, 2), (4, 3), (6, 4)]);
}

#[test]
fn tidying_up_in_a_circle_ends() {
    let sample = Sample::new(&[(1, WORK, 0), (2, TIDY, 0), (2, JUMP, 1)]);
    assert_eq!(by_line(&sample), [(0, 1), (1, 2)]);
}

// Where lines stray

#[test]
fn a_line_that_strays_runs_only_where_it_begins() {
    let units = [(1, BRANCH, 2), (2, WORK, 0), (2, WORK, 0), (3, RETURN, 0)];
    assert_eq!(by_line(&Sample::new(&units)), [(0, 1), (1, 2), (2, 2), (3, 3)]);
    assert_eq!(by_line(&Sample::new(&units).straying()), [(0, 1), (1, 2), (3, 3)]);
}

#[test]
fn what_jumps_lead_to_in_the_midst_of_a_line_that_strays_does_nothing_there() {
    // try: for …: (1) work (2) pass (3), whose line the end of the `try` has too.
    let units = [
        (1, BLOCK, 7),
        (1, BRANCH, 4),
        (2, WORK, 0),
        (3, JUMP, 1),
        (3, WORK, 0),
        (4, WORK, 0),
        (4, RETURN, 0),
        (4, WORK, 0),
        (4, RAISE, 0),
    ];
    assert_eq!(of(&Sample::new(&units).straying(), &[lines(3, 3)]), [(3, 3)]);
}

#[test]
fn a_line_that_strays_runs_where_a_loop_comes_back() {
    let sample = loop_over(2).straying();
    assert_eq!(by_line(&sample), [(0, 1), (1, 1), (2, 2), (4, 3)]);
    assert_eq!(kind(&sample, 1, &[lines(1, 1)]), PLAIN);
}

#[test]
fn a_handler_in_the_midst_of_a_line_that_strays_is_hidden() {
    // 4 is a handler of what is on line 2, under the line of what was compiled before it.
    let units = [(1, BLOCK, 4), (2, WORK, 0), (2, RETURN, 0), (3, WORK, 0), (3, WORK, 0), (4, RETURN, 0)];
    let sample = Sample::new(&units).straying();
    assert_eq!(by_line(&sample), [(0, 1), (1, 2), (4, 3), (5, 4)]);
    assert_eq!(kind(&sample, 4, &[lines(3, 3)]), HIDDEN);
    assert_eq!(kind(&sample, 5, &[lines(4, 4)]), PLAIN);
}

#[test]
fn code_that_strays_begins_to_run_behind_its_prologue() {
    let sample = Sample::new(&[(1, RESUME, 0), (1, WORK, 0), (2, RETURN, 0)]).straying();
    assert_eq!(by_line(&sample), [(1, 1), (2, 2)]);
}

// Inside

#[test]
fn control_on_a_line_of_a_unit_or_of_what_it_surrounds_is_inside() {
    let decoded = Sample::new(&[(1, WORK, 0), (2, WORK, 0), (3, WORK, 0), (4, RETURN, 0)]).decoded();
    let unit = Span { inner: (3, 3), ..lines(2, 2) };
    assert_eq!([0, 1, 2, 3].map(|index| is_inside(&decoded, index, &unit)), [false, true, true, false]);
}

#[test]
fn control_in_the_prologue_is_inside_of_nothing() {
    let decoded = Sample::new(&[(1, WORK, 0), (1, RESUME, 0), (1, WORK, 0), (1, RETURN, 0)]).decoded();
    let unit = lines(1, 1);
    assert_eq!([0, 1, 2].map(|index| is_inside(&decoded, index, &unit)), [false, false, true]);
}

#[test]
fn what_has_no_line_is_inside_if_control_came_from_there() {
    let decoded = Sample::new(&[(1, BRANCH, 2), (0, WORK, 0), (0, WORK, 0), (2, RETURN, 0)]).decoded();
    assert!(is_inside(&decoded, 1, &lines(1, 1)));
    assert!(!is_inside(&decoded, 1, &lines(2, 2)));
    let both = Sample::new(&[(1, BRANCH, 2), (2, WORK, 0), (0, WORK, 0), (3, RETURN, 0)]).decoded();
    assert!(!is_inside(&both, 2, &lines(1, 1)), "it can come from elsewhere");
    assert!(is_inside(&both, 2, &lines(1, 2)));
}

#[test]
fn no_line_surrounds_what_has_none() {
    assert!(!lines(1, 1).surrounds(0));
    assert!(!Span { inner: (0, 0), ..lines(3, 4) }.surrounds(2));
}

// Any bytes

#[test]
fn a_test_that_only_jumps_lead_to_is_a_test_of_its_own() {
    // case 1: … / case None if work: …; the second begins with the test of what the first left. Compilers can move what
    // stands between them.
    for between in [2, 6] {
        let sample = Sample::new(&[
            (1, WORK, 0),
            (1, TEST, 3),
            (between, JUMP, 6),
            (3, TEST, 6),
            (3, WORK, 0),
            (4, WORK, 0),
            (5, RETURN, 0),
        ]);
        assert_eq!(of(&sample, &[lines(3, 3)]), [(3, 3)]);
    }
}

#[test]
fn a_test_on_a_later_line_than_what_stands_before_it_is_a_test_of_its_own() {
    // match work: / case None if work: …; then the same behind another case, which tidies up.
    let first = Sample::new(&[(1, WORK, 0), (2, TEST, 3), (2, WORK, 0), (4, RETURN, 0)]);
    assert_eq!(by_line(&first), [(0, 1), (1, 2), (3, 4)]);
    let last = Sample::new(&[
        (1, BRANCH, 5),
        (1, TIDY, 0),
        (0, TIDY, 0),
        (2, TEST, 5),
        (2, WORK, 0),
        (4, RETURN, 0),
    ]);
    assert_eq!(by_line(&last), [(0, 1), (3, 2), (5, 4)]);
}

/// What shows the entries of a unit to a host that sees single instructions, as `(unit of code, is it mixed)`.
fn shown(sample: &Sample, units: &[Span], unit: usize) -> Vec<(u32, bool)> {
    let code = sample.decoded();
    let own = all(sample, units).into_iter().filter(|entry| entry.unit == unit);
    own.flat_map(|entry| arrivals(&code, code.at(entry.offset).unwrap(), &units[unit]))
        .map(|arrival| (arrival.offset / 2, arrival.is_mixed))
        .collect()
}

#[test]
fn an_entry_that_control_comes_to_from_outside_alone_shows_itself() {
    let sample = Sample::new(&[(1, WORK, 0), (2, WORK, 0), (2, WORK, 0), (1, BRANCH, 1), (3, RETURN, 0)]);
    assert_eq!(shown(&sample, &[lines(2, 2)], 0), [(1, false)]);
}

#[test]
fn jumps_show_an_entry_that_its_own_unit_leads_to_as_well() {
    // for … in …: (1) / work (2) / work (3), continue
    let loops = Sample::new(&[
        (1, WORK, 0),
        (1, BRANCH, 6),
        (2, BRANCH, 5),
        (3, WORK, 0),
        (3, JUMP, 1),
        (2, JUMP, 1),
        (4, RETURN, 0),
    ]);
    let units = [lines(1, 1), lines(2, 2), lines(3, 3)];
    assert_eq!(kind(&loops, 1, &units), PLAIN, "no line begins where the unit itself leads to it");
    assert_eq!(shown(&loops, &units, 0), [(0, false), (4, false), (5, false)]);
}

#[test]
fn a_jump_that_both_sides_lead_to_shows_nothing_for_sure() {
    // The jump at 4 has no line; control comes to it from the loop's own line and from the body.
    let sample = Sample::new(&[
        (1, WORK, 0),
        (1, BRANCH, 5),
        (1, BRANCH, 4),
        (2, WORK, 0),
        (0, JUMP, 1),
        (3, RETURN, 0),
    ]);
    assert_eq!(shown(&sample, &[lines(1, 1)], 0), [(0, false), (1, true)]);
}

#[test]
fn an_entry_that_both_sides_go_on_to_is_mixed() {
    // From 1 by falling through, from 3 by a branch that need not be taken.
    let sample = Sample::new(&[(1, WORK, 0), (1, WORK, 0), (1, BRANCH, 4), (2, BRANCH, 2), (3, RETURN, 0)]);
    assert_eq!(shown(&sample, &[lines(1, 1)], 0), [(0, false), (2, true)]);
}

#[test]
fn any_bytes_are_read_or_refused() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut read, mut refused, mut found) = (0, 0, 0);
    let mut facts = Arc::new(random.facts());
    for round in 0..10_000 {
        if round % 20 == 0 {
            facts = Arc::new(random.facts());
        }
        let mut code = random.bytes(60);
        code.truncate(code.len() / 2 * 2 + usize::from(round % 100 == 0));
        // Small arguments lead to where there is code.
        code.iter_mut().skip(1).step_by(2).for_each(|argument| *argument %= 30);
        let (lines, exceptions) = (random.bytes(30), random.bytes(12));
        let bytes = Bytecode { facts: &facts, code: &code, lines: &lines, exceptions: &exceptions };
        let first_line = random.below(u64::from(u32::MAX) + 1) as u32 >> random.below(32);
        let Ok(decoded) = Decoded::read(&bytes, first_line) else {
            refused += 1;
            continue;
        };
        read += 1;
        let own = decoded.lines();
        let units: Vec<Span> = (own.iter())
            .map(|&line| Span {
                first_line: line,
                last_line: line.saturating_add(random.below(2) as u32),
                inner: (line, line.saturating_add(random.below(4) as u32)),
                reentered: random.below(4) == 0,
            })
            .collect();
        let entries = entries(&decoded, &units, |line| own.binary_search(&line).ok());
        assert!(entries.windows(2).all(|pair| pair[0].offset < pair[1].offset));
        for entry in &entries {
            let at = decoded.at(entry.offset).unwrap();
            assert_eq!(decoded.instructions[at].offset, entry.offset);
            assert_eq!(decoded.instructions[at].line, entry.line);
            assert!(at >= decoded.prologue && units[entry.unit].first_line == entry.line);
            let shown = arrivals(&decoded, at, &units[entry.unit]);
            assert!(!shown.is_empty() || units[entry.unit].reentered, "what is entered shows");
        }
        found += entries.len();
        for unit in &units {
            for index in 0..decoded.instructions.len() {
                is_inside(&decoded, index, unit);
            }
        }
    }
    assert!(
        read > 1_000 && refused > 1_000 && found > 1_000,
        "{read} read, {refused} refused, {found} entries"
    );
}
