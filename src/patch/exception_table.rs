//! Exception tables, written (CPython and PyPy from 3.11 on, InternalDocs/exception_handling.md).

use crate::code::Guard;

/// Writes a table of ranges, in units of two bytes.
pub(super) fn write(guards: &[Guard]) -> Vec<u8> {
    let mut table = Vec::new();
    for guard in guards {
        let begin = table.len();
        for value in [guard.from, guard.to - guard.from, guard.handler, guard.depth] {
            number(&mut table, value);
        }
        table[begin] |= 128;
    }
    table
}

/// 6 bits a byte, highest first; 64: more follow.
fn number(table: &mut Vec<u8>, value: usize) {
    let bits = value.checked_ilog2().unwrap_or(0);
    for shift in (0..=bits / 6).rev() {
        let more = if shift > 0 { 64 } else { 0 };
        table.push((value >> (6 * shift)) as u8 & 63 | more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_as_many_bytes_as_they_need() {
        let guards = [
            Guard { from: 7, to: 12, handler: 23, depth: 2 },
            Guard { from: 130, to: 131, handler: 4160, depth: 5 },
        ];
        assert_eq!(write(&guards), [0x87, 0x05, 0x17, 0x02, 0xc2, 0x02, 0x01, 0x41, 0x41, 0x00, 0x05]);
    }

    #[test]
    fn zero_is_one_byte() {
        assert_eq!(write(&[Guard { from: 0, to: 1, handler: 64, depth: 0 }]), [0x80, 1, 0x41, 0, 0]);
    }
}
