//! Where calls stand: on which steps of control, and before which instruction.

use std::collections::{BTreeMap, HashMap};

use super::listing::Listing;
use super::{PatchError, Probe};
use crate::code::{ExceptionTable, Flow, Origin, Search, Step};

/// The probes that the steps to an instruction pass on their way, as indices into the probes, in order. Steps that are
/// not here pass none. The way of exceptions that an instruction of [`Flow::Block`] names is the step [`Step::Jump`]
/// from it.
pub(super) type Passes = HashMap<Step, Vec<usize>>;

/// By the instruction before which calls stand.
pub(super) type Places = BTreeMap<usize, Passes>;

/// Finds the places of probes, which are ascending.
pub(super) fn places(listing: &Listing<'_>, probes: &[Probe]) -> Result<Places, PatchError> {
    let mut search = Search::new(&listing.decoded);
    let mut places = Places::new();
    for (number, probe) in probes.iter().enumerate() {
        if number > 0 && probes[number - 1].offset == probe.offset {
            return Err(PatchError::refused(format!("there are two probes at {}", probe.offset)));
        }
        let index = index_of(listing, probe.offset)?;
        let before = where_it_stands(listing, index)?;
        let mut is_passed = false;
        for step in steps(listing, before) {
            if is_entered(listing, &mut search, probe, index, before, step)? {
                is_passed = true;
                places.entry(before).or_default().entry(step).or_default().push(number);
            }
        }
        if !is_passed {
            let offset = probe.offset;
            return Err(PatchError::refused(format!(
                "control does not come to {offset} from outside of its unit"
            )));
        }
    }
    Ok(places)
}

fn index_of(listing: &Listing<'_>, offset: u32) -> Result<usize, PatchError> {
    let instructions = &listing.decoded.instructions;
    let index = instructions.binary_search_by_key(&offset, |instruction| instruction.offset);
    let index = index.map_err(|_| {
        PatchError::refused(format!("no instruction begins at {offset}, where a probe is wanted"))
    })?;
    if index < listing.decoded.prologue {
        let what = format!("at {offset} the frame is still set up: a probe can stand behind that only");
        return Err(PatchError::refused(what));
    }
    Ok(index)
}

/// The instruction before which the call for an entry stands: the entry, unless it must not stand right there.
fn where_it_stands(listing: &Listing<'_>, index: usize) -> Result<usize, PatchError> {
    let instructions = &listing.decoded.instructions;
    if pushes_exception(listing, index) {
        if index + 1 < instructions.len() && listing.goes_on(index) {
            return Ok(index + 1);
        }
        let offset = instructions[index].offset;
        return Err(PatchError::refused(format!("nothing comes behind {offset}, where the handler begins")));
    }
    let first = first_of_group(listing, index);
    let is_alone = |at: usize| listing.decoded.steps_to(at).all(|step| step == Step::Next(at - 1));
    if (first + 1..=index).all(is_alone) {
        return Ok(first);
    }
    let offset = instructions[index].offset;
    Err(PatchError::refused(format!(
        "{offset} belongs together with what stands before it, and control jumps between"
    )))
}

/// Whether an instruction begins a handler by pushing its exception: until that is done, nothing else may run.
pub(super) fn pushes_exception(listing: &Listing<'_>, index: usize) -> bool {
    listing.decoded.instructions[index].opcode.pushes_exception
}

/// The first of the instructions that belong together with one.
pub(super) fn first_of_group(listing: &Listing<'_>, index: usize) -> usize {
    let binds_next = |at: &usize| listing.decoded.instructions[*at].opcode.binds_next;
    index - (listing.decoded.prologue..index).rev().take_while(binds_next).count()
}

/// The steps to an instruction, each once.
pub(super) fn steps(listing: &Listing<'_>, index: usize) -> Vec<Step> {
    let decoded = &listing.decoded;
    let has_blocks = listing.bytes.facts.exception_table == ExceptionTable::Blocks;
    let mut steps: Vec<Step> =
        decoded.steps_to(index).filter(|step| !(has_blocks && matches!(step, Step::Exception(_)))).collect();
    if has_blocks {
        steps.extend(decoded.blocks_of(index).map(Step::Jump));
    }
    steps.sort_unstable_by_key(|step| match *step {
        Step::Start => (0, 0),
        Step::Next(source) => (1, source),
        Step::Jump(source) => (2, source),
        Step::Exception(source) => (3, source),
    });
    steps.dedup();
    steps
}

/// Whether control that comes by a step to the place before `before` enters the unit of a probe at `index` then.
pub(super) fn is_entered(
    listing: &Listing<'_>,
    search: &mut Search<'_>,
    probe: &Probe,
    index: usize,
    before: usize,
    step: Step,
) -> Result<bool, PatchError> {
    if probe.span.reentered && before == index {
        return Ok(true);
    }
    let origin = if before > index {
        // Behind what pushes the exception: all that comes to that comes here.
        if step != Step::Next(index) {
            return Ok(false);
        }
        let all = listing.decoded.steps_to(index).map(|step| search.origin(step, index, &probe.span));
        all.fold(Origin::default(), |sum, one| sum.and(one))
    } else if before < index {
        search.origin(Step::Next(index - 1), index, &probe.span)
    } else {
        origin(listing, search, probe, index, step)
    };
    if probe.span.reentered {
        return Ok(true);
    }
    match (origin.outside, origin.inside) {
        (true, true) => {
            let (from, to) = (name(listing, step), probe.offset);
            Err(PatchError::refused(format!(
                "control comes {from} to {to} both from outside of its unit and from inside: these cannot be told apart"
            )))
        }
        // What nothing leads to can go where it likes: not to have to jump is the cheapest.
        (outside, inside) => Ok(outside || !inside),
    }
}

fn origin(listing: &Listing<'_>, search: &mut Search<'_>, probe: &Probe, index: usize, step: Step) -> Origin {
    let block = match step {
        Step::Jump(source) if listing.decoded.instructions[source].opcode.flow == Flow::Block => source,
        _ => return search.origin(step, index, &probe.span),
    };
    let guarded = listing.decoded.guarded_by_block(block).into_iter();
    let all = guarded.map(|source| search.origin(Step::Exception(source), index, &probe.span));
    all.fold(Origin::default(), |sum, one| sum.and(one))
}

fn name(listing: &Listing<'_>, step: Step) -> String {
    let offset = |source: usize| listing.decoded.instructions[source].offset;
    match step {
        Step::Start => "at the beginning".to_owned(),
        Step::Next(source) => format!("on from {}", offset(source)),
        Step::Jump(source) => format!("by the jump at {}", offset(source)),
        Step::Exception(source) => format!("by an exception at {}", offset(source)),
    }
}
