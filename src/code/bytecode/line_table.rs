//! Line tables: the line of each unit of two bytes of code. 0: none.

use super::facts::LineTable;
use super::{BytecodeError, Reader};

/// The lines of a code object.
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
    let mut reader = Reader::new(table, "line table");
    match kind {
        LineTable::Lnotab => lines.lnotab(&mut reader, first_line),
        LineTable::Ranges => lines.ranges(&mut reader, first_line),
        LineTable::Locations => lines.locations(&mut reader, first_line),
        LineTable::EachUnit => lines.each_unit(&mut reader, first_line),
    }?;
    Ok(lines)
}

impl Lines {
    /// Gives the units from `from` on, up to `to`, a line. Tables may say more than the code has: it was cut off behind them.
    fn set(&mut self, from: usize, to: usize, line: i64) {
        let to = to.min(self.of_unit.len());
        if from < to {
            let line = u32::try_from(line).unwrap_or(0);
            self.of_unit[from..to].fill(line);
            self.begins[from] = from == 0 || self.of_unit[from - 1] != line;
        }
    }

    fn lnotab(&mut self, reader: &mut Reader<'_>, first_line: u32) -> Result<(), BytecodeError> {
        let (mut from, mut offset, mut line) = (0, 0, i64::from(first_line));
        while !reader.is_at_end() {
            let bytes = usize::from(reader.byte()?);
            let lines = i64::from(reader.byte()? as i8);
            if bytes > 0 {
                self.set(from / 2, (offset + bytes) / 2, line);
                offset += bytes;
                from = offset;
            }
            line += lines;
        }
        self.set(from / 2, usize::MAX, line);
        Ok(())
    }

    fn ranges(&mut self, reader: &mut Reader<'_>, first_line: u32) -> Result<(), BytecodeError> {
        let (mut offset, mut line) = (0, i64::from(first_line));
        while !reader.is_at_end() {
            let bytes = usize::from(reader.byte()?);
            let lines = reader.byte()? as i8;
            let has_line = lines != i8::MIN;
            if has_line {
                line += i64::from(lines);
            }
            self.set(offset / 2, (offset + bytes) / 2, if has_line { line } else { 0 });
            offset += bytes;
        }
        Ok(())
    }

    fn locations(&mut self, reader: &mut Reader<'_>, first_line: u32) -> Result<(), BytecodeError> {
        const NO_LINE: u8 = 15;
        let (mut from, mut line) = (0, i64::from(first_line));
        while !reader.is_at_end() {
            let head = reader.byte()?;
            let (kind, units) = ((head >> 3) & 15, usize::from(head & 7) + 1);
            line += match kind {
                // A short one has one byte of columns more, a long one four numbers.
                0..=9 => {
                    reader.byte()?;
                    0
                }
                10..=12 => {
                    reader.byte()?;
                    reader.byte()?;
                    i64::from(kind - 10)
                }
                13 => signed(reader.low_first(6)?),
                14 => {
                    let lines = signed(reader.low_first(6)?);
                    for _ in 0..3 {
                        reader.low_first(6)?;
                    }
                    lines
                }
                _ => 0,
            };
            self.set(from, from + units, if kind == NO_LINE { 0 } else { line });
            from += units;
        }
        Ok(())
    }

    fn each_unit(&mut self, reader: &mut Reader<'_>, first_line: u32) -> Result<(), BytecodeError> {
        let mut unit = 0;
        while !reader.is_at_end() {
            let lines = reader.low_first(7)?;
            if lines > 0 {
                // Columns follow, or a zero.
                let has_columns = reader.byte()? != 0;
                for _ in 0..if has_columns { 2 } else { 0 } {
                    reader.byte()?;
                }
            }
            let line = if lines == 0 { 0 } else { i64::from(first_line) + i64::from(lines) - 1 };
            self.set(unit, unit + 1, line);
            unit += 1;
        }
        Ok(())
    }
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
