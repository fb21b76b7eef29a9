//! Exception tables: which instructions a handler guards.

use super::{BytecodeError, Reader};

/// Units of two bytes `from..to` are guarded by the handler that begins at the unit `handler`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guard {
    /// The first one.
    pub from: usize,
    /// The one behind the last.
    pub to: usize,
    /// Where the handler begins.
    pub handler: usize,
    /// The depth of the stack that the handler expects, doubled; 1 more: it wants the offset of the exception as well.
    pub depth: usize,
}

/// Reads an exception table: for each range its start, length, handler, and depth of the stack with a flag. Interpreters
/// look for a range by its place, so that they must be in order and apart; and if any number of them lay over each other,
/// all that is done by instruction and handler would take the square of the time.
pub(super) fn read(table: &[u8]) -> Result<Vec<Guard>, BytecodeError> {
    let mut reader = Reader::new(table, "exception table");
    let mut guards: Vec<Guard> = Vec::new();
    while !reader.is_at_end() {
        let from = number(&mut reader)?;
        let length = number(&mut reader)?;
        let handler = number(&mut reader)?;
        let depth = number(&mut reader)?;
        if guards.last().is_some_and(|last| from < last.to) {
            return Err(BytecodeError::new(format!(
                "the range of the exception table that begins at unit {from} begins within the one before"
            )));
        }
        guards.push(Guard { from, to: from.saturating_add(length), handler, depth });
    }
    Ok(guards)
}

/// A number of 6 bits a byte, highest first; 64 says that more follow, 128 that an entry begins.
fn number(reader: &mut Reader<'_>) -> Result<usize, BytecodeError> {
    let mut value: usize = 0;
    loop {
        let byte = reader.byte()?;
        value = value << 6 | usize::from(byte & 63);
        if byte & 64 == 0 {
            return Ok(value);
        }
        if value > u32::MAX as usize {
            return Err(BytecodeError::new("the exception table has a number of more than 32 bits"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_one_after_the_other() {
        // The second one begins at 130.
        let guards = read(&[0x87, 0x05, 0x17, 0x02, 0xc2, 0x02, 0x01, 0x41, 0x03, 0x05]).unwrap();
        assert_eq!(
            guards,
            [
                Guard { from: 7, to: 12, handler: 23, depth: 2 },
                Guard { from: 130, to: 131, handler: 67, depth: 5 }
            ]
        );
    }

    #[test]
    fn a_table_that_ends_in_the_midst_of_an_entry_is_refused() {
        assert!(read(&[0x87, 0x05]).is_err());
        assert!(read(&[0xc0, 0x40]).is_err());
    }
    #[test]
    fn ranges_that_are_not_in_order_and_apart_are_refused() {
        // From 7 on 5 units, and then from 12 on, from 11 on, from 2 on.
        assert!(read(&[0x87, 5, 23, 2, 0x8c, 2, 23, 2]).is_ok());
        for from in [11, 2] {
            let words = read(&[0x87, 5, 23, 2, 0x80 | from, 2, 23, 2]).unwrap_err().to_string();
            assert!(words.contains(&format!("begins at unit {from}")), "{words}");
        }
    }
}
