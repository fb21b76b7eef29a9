use super::*;

fn scope(kind: ScopeKind, qualname: &str, first_line: u32, last_line: u32, body_block: u32) -> ScopeRow {
    let name = qualname.rsplit('.').next().unwrap().to_owned();
    ScopeRow { kind, name, qualname: qualname.into(), first_line, last_line, parent: 0, body_block }
}

fn block(first_line: u32, last_line: u32, parent: u32, scope: u32) -> BlockRow {
    BlockRow { first_line, last_line, parent, scope }
}

fn unit(kind: UnitKind, first_line: u32, last_line: u32, block: u32, scope: u32) -> UnitRow {
    UnitRow {
        kind,
        first_line,
        last_line,
        block,
        scope,
        inner_first: 0,
        inner_last: 0,
        reentered: false,
        no_code: false,
    }
}

/// A module of so many lines, each a statement.
pub(crate) fn lines(count: u32) -> SourceUnits {
    SourceUnits::new(
        vec![scope(ScopeKind::Module, "<module>", 1, count, 0)],
        vec![block(1, count, 0, 0)],
        (1..=count).map(|line| unit(UnitKind::Statement, line, line, 0, 0)).collect(),
        count,
    )
    .unwrap()
}

/// ```text
///  1 def total(items):
///  2     "What they cost."
///  3     # comment
///  4     if items:
///  5         return sum(
///  6             item.price
///  7             for item in items)
///  8
///  9     else:
/// 10         price = 0; key = lambda: 1
/// 11         # nothing after this
/// 12
/// 13     return price
/// 14
/// 15 class Cart:
/// 16     def total(self): return 1
/// ```
fn shop() -> SourceUnits {
    use UnitKind::*;
    SourceUnits::new(
        vec![
            scope(ScopeKind::Module, "<module>", 1, 16, 0),
            scope(ScopeKind::Function, "total", 1, 13, 1),
            scope(ScopeKind::Comprehension, "total.<locals>.<genexpr>", 5, 7, 2),
            scope(ScopeKind::Lambda, "total.<locals>.<lambda>", 10, 10, 3),
            scope(ScopeKind::Class, "Cart", 15, 16, 4),
            scope(ScopeKind::Function, "Cart.total", 16, 16, 5),
        ],
        vec![
            block(1, 16, 0, 0),
            block(2, 13, 0, 1),
            block(5, 7, 1, 1),
            block(9, 10, 1, 1),
            block(16, 16, 0, 4),
            block(16, 16, 4, 5),
        ],
        vec![
            unit(Header, 1, 1, 0, 0),
            UnitRow { no_code: true, ..unit(Statement, 2, 2, 1, 1) },
            unit(Header, 4, 4, 1, 1),
            unit(Statement, 5, 7, 2, 1),
            unit(Element, 6, 6, 2, 2),
            unit(Statement, 10, 10, 3, 1),
            unit(Lambda, 10, 10, 3, 3),
            unit(Statement, 13, 13, 1, 1),
            unit(Header, 15, 15, 0, 0),
            unit(Statement, 16, 16, 4, 4),
            unit(Lambda, 16, 16, 5, 5),
        ],
        17,
    )
    .unwrap()
}

fn placed(line: u32) -> Vec<(UnitKind, u32)> {
    let units = shop();
    let found = units.place(line).unwrap();
    found.into_iter().map(|unit| (units.units()[unit].kind, units.units()[unit].first_line)).collect()
}

#[test]
fn a_line_of_a_unit_is_that_unit() {
    assert_eq!(placed(13), [(UnitKind::Statement, 13)]);
    assert_eq!(placed(4), [(UnitKind::Header, 4)]);
}

#[test]
fn a_continuation_line_goes_to_the_first_line() {
    assert_eq!(placed(7), [(UnitKind::Statement, 5)]);
}

#[test]
fn an_element_on_its_own_line_is_a_unit() {
    assert_eq!(placed(6), [(UnitKind::Element, 6)]);
}

#[test]
fn a_statement_and_a_lambda_on_one_line_are_both_bound() {
    assert_eq!(placed(10), [(UnitKind::Lambda, 10), (UnitKind::Statement, 10)]);
}

/// ```text
/// 1 hooks = [
/// 2     lambda event: handle(
/// 3         event,
/// 4         name)
/// 5     for name in (lambda: [
/// 6         1 for _ in x])()]
/// ```
#[test]
fn a_continuation_line_inside_of_a_lambda_binds_the_lambda_too() {
    use UnitKind::*;
    let units = SourceUnits::new(
        vec![scope(ScopeKind::Module, "<module>", 1, 6, 0)],
        vec![block(1, 6, 0, 0)],
        vec![
            unit(Statement, 1, 6, 0, 0),
            unit(Element, 2, 4, 0, 0),
            unit(Lambda, 2, 4, 0, 0),
            unit(Lambda, 5, 6, 0, 0),
            unit(Element, 6, 6, 0, 0),
        ],
        6,
    )
    .unwrap();
    for (line, found) in [(1, &[0][..]), (2, &[2, 1]), (3, &[2, 1]), (4, &[2, 1]), (5, &[3, 0]), (6, &[4])] {
        assert_eq!(units.place(line).unwrap(), found, "line {line}");
    }
}

#[test]
fn blank_lines_and_comments_go_to_the_next_unit_of_their_block() {
    assert_eq!(placed(3), [(UnitKind::Header, 4)]);
    assert_eq!(placed(12), [(UnitKind::Statement, 13)]);
    assert_eq!(placed(14), [(UnitKind::Header, 15)]);
}

#[test]
fn else_goes_to_its_body() {
    assert_eq!(placed(9), [(UnitKind::Statement, 10)]);
}

#[test]
fn a_unit_without_code_moves_forward_in_its_block() {
    let units = shop();
    let docstring = units.place(2).unwrap()[0];
    let first = units.following(docstring).next().unwrap();
    assert_eq!(units.units()[first].first_line, 4);
}

#[test]
fn a_breakpoint_never_leaves_its_block() {
    let error = shop().place(17).unwrap_err();
    assert_eq!(error.problem, Problem::NothingFollows);
    assert_eq!(error.nearest, [16]);
    assert!(error.explain("shop.py", 17).contains("no code at shop.py:17"));
}

#[test]
fn beyond_the_end_says_how_long_the_file_is() {
    let error = shop().place(99).unwrap_err();
    let message = error.explain("shop.py", 99);
    assert!(message.contains("17 lines") && message.contains("nearest: 16"), "{message}");
}

#[test]
fn functions_are_found_by_the_end_of_their_qualified_name() {
    let units = shop();
    let lines = |name: &str| -> Vec<u32> {
        let starts = units.function_starts(name);
        starts
            .iter()
            .filter_map(|&start| units.following(start).next())
            .map(|unit| units.units()[unit].first_line)
            .collect()
    };
    assert_eq!(lines("total"), [4, 16]);
    assert_eq!(lines("Cart.total"), [16]);
    assert!(units.function_starts("Basket.total").is_empty());
    assert_eq!(units.functions_like("totl"), ["Cart.total", "total"]);
}

#[test]
fn code_objects_are_scopes_by_name_and_first_line() {
    let units = shop();
    assert_eq!(units.scopes_of_code("<module>", 1), [0]);
    assert_eq!(units.scopes_of_code("total", 1), [1]);
    assert_eq!(units.scopes_of_code("total", 16), [5]);
    assert_eq!(units.scopes_of_code("<genexpr>", 5), [2]);
    assert!(units.scopes_of_code("total", 2).is_empty());
}

#[test]
fn usable_lines_leave_out_what_has_no_code() {
    assert_eq!(shop().lines(), [1, 4, 5, 6, 10, 13, 15, 16]);
}

#[test]
fn rows_that_point_nowhere_are_refused() {
    let scopes = || vec![scope(ScopeKind::Module, "<module>", 1, 1, 0)];
    let blocks = || vec![block(1, 1, 0, 0)];
    let refused = |scopes, blocks, units| SourceUnits::new(scopes, blocks, units, 1).unwrap_err().to_string();
    assert!(refused(vec![], blocks(), vec![]).contains("row 0"));
    assert!(refused(scopes(), blocks(), vec![unit(UnitKind::Header, 1, 1, 7, 0)])
        .contains("unit 0 names block 7"));
    assert!(refused(scopes(), blocks(), vec![unit(UnitKind::Header, 1, 2, 0, 0)]).contains("lines 1 to 2"));
    assert!(refused(scopes(), blocks(), vec![unit(UnitKind::Header, 0, 1, 0, 0)]).contains("lines 0 to 1"));
    assert!(refused(scopes(), vec![block(1, 1, 0, 0), block(1, 1, 1, 0)], vec![]).contains("block 1"));
}

#[test]
fn a_file_of_70_000_lines_is_placed_in_no_time() {
    let lines = 70_000;
    let units: Vec<_> =
        (1..=lines).step_by(2).map(|line| unit(UnitKind::Statement, line, line, 0, 0)).collect();
    let units = SourceUnits::new(
        vec![scope(ScopeKind::Module, "<module>", 1, lines, 0)],
        vec![block(1, lines, 0, 0)],
        units,
        lines,
    )
    .unwrap();
    let started = std::time::Instant::now();
    for line in 1..lines {
        let start = units.place(line).unwrap()[0];
        assert_eq!(units.following(start).next(), Some(start));
    }
    assert!(started.elapsed().as_secs() < 5);
}
