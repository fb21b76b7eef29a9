//! Which names an object of the output already has: JSON leaves open what a name given twice means.

use std::collections::HashSet;

/// Names up to this number are compared one by one: a set costs more than that for the few locals of a usual frame.
const FEW: usize = 32;

/// The names of all open levels, in one list: a level costs nothing before it has names.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    all: Vec<&'a str>,
}

/// The names of one level.
#[derive(Debug)]
pub(super) struct Level<'a> {
    /// Where they begin in the list.
    from: usize,
    /// All of them, if they are many.
    many: Option<HashSet<&'a str>>,
}

impl<'a> Names<'a> {
    pub fn new() -> Self {
        Self { all: Vec::with_capacity(16) }
    }

    /// A level inside of the ones that are open.
    pub fn begin(&self) -> Level<'a> {
        Level { from: self.all.len(), many: None }
    }

    /// Forgets the names of a level; those inside of it have ended before.
    pub fn end(&mut self, level: &Level<'a>) {
        self.all.truncate(level.from);
    }

    /// Adds a name to the innermost level; false if it has it already.
    pub fn add(&mut self, level: &mut Level<'a>, name: &'a str) -> bool {
        if let Some(many) = &mut level.many {
            return many.insert(name);
        }
        let own = &self.all[level.from..];
        if own.contains(&name) {
            return false;
        }
        if own.len() < FEW {
            self.all.push(name);
        } else {
            let mut many: HashSet<&str> = own.iter().copied().collect();
            many.insert(name);
            level.many = Some(many);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_knows_its_own_names_only() {
        let mut names = Names::new();
        let mut outer = names.begin();
        assert!(names.add(&mut outer, "x"));
        let mut inner = names.begin();
        assert!(names.add(&mut inner, "x"));
        assert!(!names.add(&mut inner, "x"));
        names.end(&inner);
        assert!(!names.add(&mut outer, "x"));
        assert!(names.add(&mut outer, "y"));
    }

    #[test]
    fn many_names_are_told_apart_like_few() {
        let texts: Vec<String> = (0..200).map(|number| number.to_string()).collect();
        let mut names = Names::new();
        let mut level = names.begin();
        assert!(texts.iter().all(|text| names.add(&mut level, text)));
        assert!(texts.iter().all(|text| !names.add(&mut level, text)));
    }
}
