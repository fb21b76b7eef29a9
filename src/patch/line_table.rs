//! Line tables, written: the same forms that the compilers choose, so that a table comes out as it was where nothing
//! was put in.

use super::assemble::Unit;
use super::PatchError;
use crate::code::{LineTable, Position};

/// Writes the table of code that begins at `first_line`.
pub(super) fn write(kind: LineTable, first_line: u32, units: &[Unit]) -> Result<Vec<u8>, PatchError> {
    let mut table = Vec::new();
    let first = i64::from(first_line);
    match kind {
        LineTable::Lnotab => lnotab(&mut table, first, units),
        LineTable::Ranges => ranges(&mut table, first, units),
        LineTable::Locations => locations(&mut table, first, units),
        LineTable::EachUnit => each_unit(&mut table, first, units)?,
    }
    Ok(table)
}

/// As `assemble_lnotab` of CPython 3.9 (Python/compile.c).
fn lnotab(table: &mut Vec<u8>, first: i64, units: &[Unit]) {
    let (mut line, mut from) = (first, 0);
    for (at, unit) in units.iter().enumerate() {
        let wanted = unit.position.line.unwrap_or(line);
        let begins = unit.begins_line && at > 0;
        if wanted == line && !begins {
            continue;
        }
        let mut bytes = 2 * (at - from);
        while bytes > 255 {
            table.extend([255, 0]);
            bytes -= 255;
        }
        let mut lines = wanted - line;
        if lines == 0 {
            // The same line anew: a step away, and one back.
            table.extend([bytes as u8, 1, 0, -1i8 as u8]);
        }
        while lines != 0 {
            let step = lines.clamp(i64::from(i8::MIN), i64::from(i8::MAX));
            table.extend([bytes as u8, step as i8 as u8]);
            lines -= step;
            bytes = 0;
        }
        (line, from) = (wanted, at);
    }
}

/// As `assemble_line_range` of CPython 3.10 (Python/compile.c).
fn ranges(table: &mut Vec<u8>, first: i64, units: &[Unit]) {
    let mut line = first;
    for run in units.chunk_by(|one, next| one.position.line == next.position.line) {
        let mut bytes = 2 * run.len();
        let mut step = match run[0].position.line {
            None => i8::MIN,
            Some(wanted) => {
                let mut lines = wanted - line;
                line = wanted;
                while !(-127..=127).contains(&lines) {
                    let step = lines.clamp(-127, 127);
                    table.extend([0, step as i8 as u8]);
                    lines -= step;
                }
                lines as i8
            }
        };
        while bytes > 254 {
            table.extend([254, step as u8]);
            // Where there is no line, there is none further on.
            step = if step == i8::MIN { i8::MIN } else { 0 };
            bytes -= 254;
        }
        table.extend([bytes as u8, step as u8]);
    }
}

/// As `write_location_info_entry` of CPython 3.11 (Python/compile.c), PEP 657.
fn locations(table: &mut Vec<u8>, first: i64, units: &[Unit]) {
    let mut line = first;
    // An entry for each instruction, as the compiler makes them.
    for run in units.chunk_by(|one, next| !next.is_first && one.position == next.position) {
        for part in run.chunks(8) {
            location(table, &mut line, part[0].position, part.len());
        }
    }
}

fn location(table: &mut Vec<u8>, before: &mut i64, position: Position, units: usize) {
    let mut head = |kind: u8| table.push(0x80 | kind << 3 | (units - 1) as u8);
    let Some(line) = position.line else { return head(15) };
    let lines = line - std::mem::replace(before, line);
    match (position.column, position.end_column) {
        (None, None) if position.lines_on == 0 => {
            head(13);
            low_first(table, 6, signed(lines));
        }
        (Some(column), Some(end))
            if position.lines_on == 0
                && lines == 0
                && column < 80
                && (column..column + 16).contains(&end) =>
        {
            head((column >> 3) as u8);
            table.push(((column & 7) << 4 | (end - column)) as u8);
        }
        (Some(column), Some(end))
            if position.lines_on == 0 && (0..3).contains(&lines) && column < 128 && end < 128 =>
        {
            head(10 + lines as u8);
            table.extend([column as u8, end as u8]);
        }
        (column, end) => {
            head(14);
            low_first(table, 6, signed(lines));
            low_first(table, 6, u64::from(position.lines_on));
            low_first(table, 6, column.map_or(0, |column| u64::from(column) + 1));
            low_first(table, 6, end.map_or(0, |end| u64::from(end) + 1));
        }
    }
}

/// As PyPy 3.11 (pypy/interpreter/location.py).
fn each_unit(table: &mut Vec<u8>, first: i64, units: &[Unit]) -> Result<(), PatchError> {
    let cannot = |what: &str| PatchError::refused(format!("the line table has no room for {what}"));
    for unit in units {
        let position = unit.position;
        let Some(line) = position.line else {
            table.push(0);
            continue;
        };
        let lines = u64::try_from(line - first + 1).ok().filter(|&lines| lines > 0);
        low_first(table, 7, lines.ok_or_else(|| cannot("a line before the first"))?);
        let Some(column) = position.column else {
            table.push(0);
            continue;
        };
        let byte = |value: u32| u8::try_from(value).map_err(|_| cannot("a column or a line so far on"));
        table.push(byte(column.saturating_add(1))?);
        table.push(byte(position.end_column.map_or(0, |end| end.saturating_add(1)))?);
        table.push(byte(position.lines_on)?);
    }
    Ok(())
}

/// The lowest bit is the sign.
fn signed(number: i64) -> u64 {
    number.unsigned_abs() << 1 | u64::from(number < 0)
}

/// `bits` bits a byte, lowest first; the bit above: more follow.
fn low_first(table: &mut Vec<u8>, bits: u32, mut value: u64) {
    while value >> bits != 0 {
        table.push((value & ((1 << bits) - 1) | 1 << bits) as u8);
        value >>= bits;
    }
    table.push(value as u8);
}
