//! Reading code objects: an error, or something that hangs together.

use nonstop::code::{arrivals, entries, is_inside, Decoded, Span};

use super::input::Input;

/// Reads a code object, and looks for entries in it.
pub fn check(bytes: &[u8]) {
    let input = Input::read(bytes);
    let told = input.bytes();
    let (positions, guards) = (told.positions(input.first_line), told.guards());
    let Ok(decoded) = Decoded::read(&told, input.first_line) else { return };
    let (Ok(positions), Ok(_)) = (positions, guards) else {
        panic!("code was read whose tables were refused");
    };
    assert_eq!(positions.len(), told.code.len() / 2);
    assert!(decoded.prologue <= decoded.instructions.len());
    let offsets: Vec<u32> = decoded.instructions.iter().map(|own| own.offset).collect();
    assert!(offsets.windows(2).all(|pair| pair[0] < pair[1]), "instructions are not in order");
    for (index, own) in decoded.instructions.iter().enumerate() {
        assert_eq!(decoded.at(own.offset), Some(index));
        let line = positions[own.offset as usize / 2].line.and_then(|line| u32::try_from(line).ok());
        assert_eq!(line.unwrap_or(0), own.line, "the tables are read in two ways");
        assert!(own.target.is_none_or(|target| (target as usize) < offsets.len()));
    }
    enter(&input, &decoded);
}

fn enter(input: &Input<'_>, decoded: &Decoded) {
    let lines = decoded.lines();
    assert!(lines.windows(2).all(|pair| pair[0] < pair[1]), "lines are not in order");
    let mut units: Vec<Span> = input.places(decoded).iter().map(|place| place.span).collect();
    units.sort_unstable_by_key(|unit| unit.first_line);
    units.dedup_by_key(|unit| unit.first_line);
    let unit_of = |line| units.binary_search_by_key(&line, |unit| unit.first_line).ok();
    let found = entries(decoded, &units, unit_of);
    assert!(found.windows(2).all(|pair| pair[0].offset < pair[1].offset), "entries are not in order");
    for entry in &found {
        let Some(at) = decoded.at(entry.offset) else { panic!("{entry:?} is nowhere") };
        let unit = &units[entry.unit];
        assert_eq!(decoded.instructions[at].offset, entry.offset);
        assert_eq!((decoded.instructions[at].line, unit.first_line), (entry.line, entry.line));
        assert!(at >= decoded.prologue, "{entry:?} is where the frame is set up");
        let shown = arrivals(decoded, at, unit);
        assert!(!shown.is_empty() || unit.reentered, "nothing shows that {entry:?} is entered");
        is_inside(decoded, at, unit);
    }
}
