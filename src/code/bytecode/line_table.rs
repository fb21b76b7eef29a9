//! Line tables: the position in the source of each unit of two bytes of code.

use super::facts::LineTable;
use super::{BytecodeError, Reader};

/// Where the source of an instruction is, as far as its table says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// Its line; `None`: none.
    pub line: Option<i64>,
    /// How many lines on it ends.
    pub lines_on: u32,
    /// Its first column, from 0; `None`: not known.
    pub column: Option<u32>,
    /// The column behind it.
    pub end_column: Option<u32>,
}

impl Position {
    /// A line without columns.
    pub fn of_line(line: Option<i64>) -> Self {
        Self { line, ..Self::default() }
    }
}

/// The lines of a code object. 0: none.
pub(super) struct Lines {
    /// By unit of two bytes.
    pub of_unit: Vec<u32>,
    /// Whether an entry of the table begins there.
    pub begins: Vec<bool>,
}

/// Reads a line table for `units` units of code.
pub(super) fn read(
    kind: LineTable,
    table: &[u8],
    first_line: u32,
    units: usize,
) -> Result<Lines, BytecodeError> {
    let mut lines = Lines { of_unit: vec![0; units], begins: vec![false; units] };
    walk(kind, table, first_line, units, |run| {
        let line = run.position.line.map_or(0, |line| u32::try_from(line).unwrap_or(0));
        lines.of_unit[run.from..run.to].fill(line);
        lines.begins[run.from] = run.begins || run.from == 0 || lines.of_unit[run.from - 1] != line;
    })?;
    Ok(lines)
}

/// The positions of `units` units of code.
pub(super) fn positions(
    kind: LineTable,
    table: &[u8],
    first_line: u32,
    units: usize,
) -> Result<Vec<Position>, BytecodeError> {
    let mut positions = vec![Position::default(); units];
    walk(kind, table, first_line, units, |run| positions[run.from..run.to].fill(run.position))?;
    Ok(positions)
}

/// The units `from..to`, not none of them, have one position.
struct Run {
    from: usize,
    to: usize,
    position: Position,
    /// A line begins here although it may be the one before again.
    begins: bool,
}

fn walk(
    kind: LineTable,
    table: &[u8],
    first_line: u32,
    units: usize,
    mut take: impl FnMut(Run),
) -> Result<(), BytecodeError> {
    let mut reader = Reader::new(table, "line table");
    let first = i64::from(first_line);
    // Tables may say more than the code has: it was cut off behind them.
    let within = |mut run: Run| {
        run.to = run.to.min(units);
        if run.from < run.to {
            take(run);
        }
    };
    match kind {
        LineTable::Lnotab => lnotab(&mut reader, first, within),
        LineTable::Ranges => ranges(&mut reader, first, within),
        LineTable::Locations => locations(&mut reader, first, within),
        LineTable::EachUnit => each_unit(&mut reader, first, within),
    }
}

fn lnotab(reader: &mut Reader<'_>, first: i64, mut take: impl FnMut(Run)) -> Result<(), BytecodeError> {
    let (mut from, mut offset, mut line, mut begins) = (0, 0, first, false);
    while !reader.is_at_end() {
        let bytes = usize::from(reader.byte()?);
        let lines = i64::from(reader.byte()? as i8);
        if bytes > 0 {
            let position = Position::of_line(Some(line));
            take(Run { from: from / 2, to: (offset + bytes) / 2, position, begins });
            offset += bytes;
            (from, begins) = (offset, false);
        }
        line += lines;
        // A step away and one back begin the same line anew (PyCode_Addr2Line and _PyCode_CheckLineNumber).
        begins |= lines != 0;
    }
    take(Run { from: from / 2, to: usize::MAX, position: Position::of_line(Some(line)), begins });
    Ok(())
}

fn ranges(reader: &mut Reader<'_>, first: i64, mut take: impl FnMut(Run)) -> Result<(), BytecodeError> {
    let (mut offset, mut line) = (0, first);
    while !reader.is_at_end() {
        let bytes = usize::from(reader.byte()?);
        let lines = reader.byte()? as i8;
        let has_line = lines != i8::MIN;
        if has_line {
            line += i64::from(lines);
        }
        let position = Position::of_line(has_line.then_some(line));
        take(Run { from: offset / 2, to: (offset + bytes) / 2, position, begins: false });
        offset += bytes;
    }
    Ok(())
}

fn locations(reader: &mut Reader<'_>, first: i64, mut take: impl FnMut(Run)) -> Result<(), BytecodeError> {
    let (mut from, mut line) = (0, first);
    while !reader.is_at_end() {
        let head = reader.byte()?;
        let (kind, units) = ((head >> 3) & 15, usize::from(head & 7) + 1);
        let mut position = Position::default();
        match kind {
            0..=9 => {
                let columns = u32::from(reader.byte()?);
                let column = u32::from(kind) << 3 | columns >> 4;
                position.column = Some(column);
                position.end_column = Some(column + (columns & 15));
            }
            10..=12 => {
                line += i64::from(kind - 10);
                position.column = Some(u32::from(reader.byte()?));
                position.end_column = Some(u32::from(reader.byte()?));
            }
            13 => line += signed(reader.low_first(6)?),
            14 => {
                line += signed(reader.low_first(6)?);
                position.lines_on = reader.low_first(6)?;
                position.column = reader.low_first(6)?.checked_sub(1);
                position.end_column = reader.low_first(6)?.checked_sub(1);
            }
            _ => {}
        }
        // 15: no line.
        position.line = (kind != 15).then_some(line);
        take(Run { from, to: from + units, position, begins: false });
        from += units;
    }
    Ok(())
}

fn each_unit(reader: &mut Reader<'_>, first: i64, mut take: impl FnMut(Run)) -> Result<(), BytecodeError> {
    let mut unit = 0;
    while !reader.is_at_end() {
        let lines = reader.low_first(7)?;
        let mut position = Position::default();
        if lines > 0 {
            position.line = Some(first + i64::from(lines) - 1);
            position.column = u32::from(reader.byte()?).checked_sub(1);
            if position.column.is_some() {
                position.end_column = u32::from(reader.byte()?).checked_sub(1);
                position.lines_on = u32::from(reader.byte()?);
            }
        }
        take(Run { from: unit, to: unit + 1, position, begins: false });
        unit += 1;
    }
    Ok(())
}

/// The lowest bit is the sign.
fn signed(number: u32) -> i64 {
    let size = i64::from(number >> 1);
    if number & 1 == 0 {
        size
    } else {
        -size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(kind: LineTable, table: &[u8], first: u32, units: usize) -> Vec<u32> {
        read(kind, table, first, units).unwrap().of_unit
    }

    #[test]
    fn lnotab_adds_up_pairs_and_goes_back() {
        // 2 bytes of line 1; then line 3; then, 4 bytes on, back to line 2.
        assert_eq!(lines(LineTable::Lnotab, &[2, 2, 4, 255], 1, 5), [1, 3, 3, 2, 2]);
        // More than 127 lines take two pairs.
        assert_eq!(lines(LineTable::Lnotab, &[2, 127, 0, 73], 1, 2), [1, 201]);
        // More than 254 bytes take two pairs.
        let long = lines(LineTable::Lnotab, &[255, 0, 1, 1], 7, 130);
        assert_eq!((long[127], long[128]), (7, 8));
    }

    #[test]
    fn ranges_say_where_there_is_no_line() {
        assert_eq!(lines(LineTable::Ranges, &[2, 1, 2, 128, 4, 2], 1, 4), [2, 0, 4, 4]);
        assert_eq!(lines(LineTable::Ranges, &[0, 127, 2, 73], 1, 1), [201]);
    }

    #[test]
    fn locations_have_forms_of_several_lengths() {
        let table = [
            0x80,           // short, 1 unit
            0x11,           //
            0x80 | 11 << 3, // one line on, 1 unit
            1,
            2,
            0x80 | 13 << 3 | 1, // no columns, 2 units
            0x0c,               // 6 lines on
            0x80 | 15 << 3,     // none, 1 unit
            0x80 | 14 << 3,     // long, 1 unit
            0x05,               // 2 lines back
            0,
            0,
            0,
        ];
        assert_eq!(lines(LineTable::Locations, &table, 10, 6), [10, 11, 17, 17, 0, 15]);
    }

    #[test]
    fn an_entry_for_each_unit_counts_from_the_first_line() {
        let table = [0x02, 14, 19, 0, 0x00, 0x03, 0, 0xae, 0x02, 9, 10, 0];
        assert_eq!(lines(LineTable::EachUnit, &table, 1, 4), [2, 0, 3, 302]);
    }

    #[test]
    fn a_line_begins_where_the_one_before_is_another() {
        let read = read(LineTable::Lnotab, &[2, 0, 2, 1], 1, 3).unwrap();
        assert_eq!(read.begins, [true, false, true]);
    }

    #[test]
    fn a_table_that_ends_in_the_midst_of_an_entry_is_refused() {
        for kind in [LineTable::Lnotab, LineTable::Ranges, LineTable::EachUnit] {
            assert!(read(kind, &[2], 1, 1).is_err(), "{kind:?}");
        }
        assert!(read(LineTable::Locations, &[0x80 | 14 << 3, 5], 1, 1).is_err());
        assert!(read(LineTable::EachUnit, &[0x80; 9], 1, 1).is_err());
    }
}
