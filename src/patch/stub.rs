//! A call to a hook, as instructions.

use crate::code::{Call, Facts, Operand};

/// An instruction without a target: its opcode and argument.
pub(super) type Plain = (u8, u32);

/// The instructions of a call of the constant `hook` with the constant `argument`.
pub(super) fn steps(call: &Call, hook: u32, argument: u32) -> impl Iterator<Item = Plain> + '_ {
    call.steps.iter().map(move |&(opcode, operand)| {
        let value = match operand {
            Operand::Zero => 0,
            Operand::Hook => hook,
            Operand::Argument => argument,
            Operand::Count => 1,
        };
        (opcode, value)
    })
}

/// How many prefixes an argument needs.
pub(super) fn prefixes_for(argument: u32) -> usize {
    argument.checked_ilog2().map_or(0, |bits| bits as usize / 8)
}

/// Writes an instruction with so many prefixes, and empty caches.
pub(super) fn write(
    code: &mut Vec<u8>,
    call: &Call,
    facts: &Facts,
    (opcode, argument): Plain,
    prefixes: usize,
) {
    let bytes = argument.to_be_bytes();
    for prefix in (1..=prefixes).rev() {
        // More than three prefixes hold nothing.
        let byte = bytes.len().checked_sub(1 + prefix).map_or(0, |at| bytes[at]);
        code.extend([call.prefix, byte]);
    }
    code.extend([opcode, bytes[3]]);
    let caches = 2 * usize::from(facts.opcodes[usize::from(opcode)].caches);
    code.resize(code.len() + caches, 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_has_a_prefix_for_each_byte_more_than_one() {
        let needed = [0, 1, 255, 256, 65535, 65536, 1 << 24, u32::MAX].map(prefixes_for);
        assert_eq!(needed, [0, 0, 0, 1, 1, 2, 3, 3]);
    }
}
