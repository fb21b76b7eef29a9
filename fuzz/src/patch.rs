//! Putting calls into code objects: an error, or code that does the same.
//!
//! What `nonstop::patch` gives out it has proven. So what is looked at here is looked at in another way: what was put in is taken
//! out again, and what is left must be the original.

use nonstop::code::{Decoded, Flow};
use nonstop::patch::{patch, Original, Patch, PatchError, Probe};

use super::input::{Input, Place};

/// Puts calls into a code object, at each of its places alone and at all together.
pub fn check(bytes: &[u8]) {
    let input = Input::read(bytes);
    let (told, first_line) = (input.bytes(), input.first_line);
    let original = Original { bytes: told, first_line, stack_size: input.stack_size };
    let Ok(decoded) = Decoded::read(&told, first_line) else {
        assert!(patched(&original, &[]).is_none(), "code was rewritten that was not read");
        return;
    };
    if let Some(same) = patched(&original, &[]) {
        assert_eq!((&*same.code, same.stack_size), (told.code, input.stack_size));
        expect_same(&original, &decoded, &same);
    }
    // One that is refused must not keep the others from being tried.
    let mut accepted = Vec::new();
    for place in input.places(&decoded) {
        let probe = probe(&decoded, &place);
        if let Some(made) = patched(&original, &[probe]) {
            expect_same(&original, &decoded, &made);
            accepted.push(probe);
        }
    }
    if let Some(made) = patched(&original, &accepted) {
        expect_same(&original, &decoded, &made);
    }
}

fn probe(decoded: &Decoded, place: &Place) -> Probe {
    // Of one byte, of two and of four.
    let hook = [40, 300, 70_000, 0x0100_0000][place.more as usize];
    let offset = decoded.instructions[place.instruction].offset;
    Probe { offset, span: place.span, hook, argument: hook + 1 + place.instruction as u32 }
}

fn patched(original: &Original<'_>, probes: &[Probe]) -> Option<Patch> {
    match patch(original, probes) {
        Ok(made) => Some(made),
        Err(PatchError::Refused(_)) => None,
        Err(error) => panic!("{error}"),
    }
}

/// Without what was put in it is the original.
fn expect_same(original: &Original<'_>, old: &Decoded, made: &Patch) {
    let told = original.bytes;
    let bytes = nonstop::code::Bytecode {
        code: &made.code,
        lines: &made.lines,
        exceptions: &made.exceptions,
        ..told
    };
    let new = match Decoded::read(&bytes, original.first_line) {
        Ok(new) => new,
        Err(error) => panic!("what was written cannot be read: {error}"),
    };
    let mut last = None;
    for own in &old.instructions {
        let Some(offset) = made.offsets.new_offset(own.offset) else { panic!("{own:?} is nowhere") };
        assert!(last < Some(offset), "instructions changed places");
        last = Some(offset);
        assert_eq!(made.offsets.old_offset(offset), Some(own.offset));
        let Ok(at) = new.instructions.binary_search_by_key(&offset, |found| found.offset) else {
            panic!("nothing begins at {offset}")
        };
        let moved = &new.instructions[at];
        assert_eq!((own.opcode, own.line), (moved.opcode, moved.line));
        let target = |code: &Decoded, target: Option<u32>| Some(code.instructions[target? as usize].offset);
        let leads_to = target(&new, moved.target).and_then(|offset| made.offsets.old_offset(offset));
        assert_eq!(target(old, own.target), leads_to, "a jump leads elsewhere");
        let bytes_of = |code: &Decoded, text: &[u8], offset: u32| {
            let at = code.instructions.partition_point(|own| own.offset <= offset);
            let end = code.instructions.get(at).map_or(text.len(), |next| next.offset as usize);
            text[offset as usize..end].to_vec()
        };
        if own.opcode.flow != Flow::Prefix && own.target.is_none() {
            assert_eq!(bytes_of(old, told.code, own.offset), bytes_of(&new, &made.code, offset));
        }
    }
    let ends = (told.code.len() as u32, made.code.len() as u32);
    assert_eq!((made.offsets.new_offset(ends.0), made.offsets.old_offset(ends.1)), (None, None));
    let back: Vec<_> = (0..ends.1).step_by(2).map(|offset| made.offsets.old_offset(offset)).collect();
    assert!(back.windows(2).all(|pair| pair[0] <= pair[1]), "the map goes back");
    assert!(back.iter().all(Option::is_some), "something comes behind the end");
}
