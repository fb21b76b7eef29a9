//! The files that a location was found in, and what became of it in each.

use std::borrow::Cow;
use std::sync::Arc;

use crate::location::Strength;

/// The most files that are named to the user, and remembered: a program that makes up files for ever must not grow this.
const MAX_FILES: usize = 32;

/// What became of a location in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placed {
    /// Nothing is known of the file's units; its code objects will tell.
    Unknown,
    /// It resolved to the unit that begins at this line.
    At(u32),
    /// It has no place there, and why.
    Nowhere(String),
}

/// What the units of a code object are known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Its source text.
    Source,
    /// There is no source text.
    NoSource,
    /// The source text is not the one that runs.
    OtherSource,
}

impl Basis {
    /// What the user should know of it.
    pub fn note(self) -> &'static str {
        match self {
            Self::Source => "",
            Self::NoSource => "without the source text each line with code is a unit of its own",
            Self::OtherSource => {
                "the source text is not the one that runs: each line with code is a unit of its own"
            }
        }
    }
}

/// How a file that matches compares with those met before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    /// Better ones are known.
    Worse,
    /// It was met before.
    Known,
    /// It is as good as the others, or the first.
    New,
    /// It is better than all others, which are forgotten.
    Better,
}

/// The files that match a location best, of those seen so far.
#[derive(Clone, Debug, Default)]
pub struct Found {
    strength: Option<Strength>,
    files: Vec<(Arc<[u8]>, Placed)>,
    are_more: bool,
}

impl Found {
    /// Notes a file that matches with this strength.
    pub fn meet(&mut self, strength: Strength, path: &Arc<[u8]>) -> Met {
        if self.strength > Some(strength) {
            return Met::Worse;
        }
        let is_better = self.strength.is_some_and(|known| known < strength);
        if is_better {
            *self = Self::default();
        }
        self.strength = Some(strength);
        match (is_better, self.note(path, None)) {
            (true, _) => Met::Better,
            (false, true) => Met::New,
            (false, false) => Met::Known,
        }
    }

    /// Notes what became of it in a file. Whether that was news.
    pub fn note(&mut self, path: &Arc<[u8]>, placed: Option<Placed>) -> bool {
        if let Some((_, known)) = self.files.iter_mut().find(|(known, _)| known == path) {
            let is_news = placed.as_ref().is_some_and(|placed| placed != known);
            if let Some(placed) = placed.filter(|_| is_news) {
                *known = placed;
            }
            return is_news;
        }
        let file = (Arc::clone(path), placed.unwrap_or(Placed::Unknown));
        if self.files.len() < MAX_FILES {
            self.files.push(file);
        } else {
            self.are_more = true;
            // A place where it can fire outweighs one where it can't.
            let refused = self.files.iter_mut().find(|(_, known)| matches!(known, Placed::Nowhere(_)));
            match refused {
                Some(refused) if matches!(file.1, Placed::At(_)) => *refused = file,
                _ => return false,
            }
        }
        true
    }

    /// The verdict of all files together: `At` when it has a place in one of them, `Nowhere` when it has none in any.
    pub fn placed(&self) -> Placed {
        let places = || self.files.iter().map(|(_, placed)| placed);
        if let Some(Placed::At(line)) = places().find(|placed| matches!(placed, Placed::At(_))) {
            return Placed::At(*line);
        }
        let mut refusals = places().filter_map(|placed| match placed {
            Placed::Nowhere(reason) => Some(reason),
            Placed::Unknown | Placed::At(_) => None,
        });
        match refusals.next() {
            Some(reason) if places().all(|placed| *placed != Placed::Unknown) => {
                Placed::Nowhere(reason.clone())
            }
            _ => Placed::Unknown,
        }
    }

    /// Names the files when there are several: a location that matches them equally well stands in all of them, and the
    /// user may have meant one.
    pub fn ambiguity(&self, location: &dyn std::fmt::Display) -> Option<String> {
        if self.files.len() < 2 {
            return None;
        }
        let names: Vec<Cow<'_, str>> =
            self.files.iter().map(|(path, _)| String::from_utf8_lossy(path)).collect();
        let count = names.len();
        let more = if self.are_more { ", and more" } else { "" };
        Some(format!(
            "{location} stands in {count} files: {}{more}; write more of the path to choose one",
            names.join(", ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Arc<[u8]> {
        text.as_bytes().into()
    }

    #[test]
    fn a_better_match_takes_the_place_of_the_lesser_ones_and_they_do_not_come_back() {
        let mut found = Found::default();
        assert_eq!(found.meet(Strength::Suffix, &path("/a/shop.py")), Met::New);
        assert_eq!(found.meet(Strength::Suffix, &path("/b/shop.py")), Met::New);
        assert_eq!(found.meet(Strength::Suffix, &path("/b/shop.py")), Met::Known);
        assert!(found.ambiguity(&"shop.py:3").unwrap().contains("/a/shop.py, /b/shop.py"));
        assert_eq!(found.meet(Strength::Exact, &path("/c/shop.py")), Met::Better);
        assert_eq!(found.meet(Strength::Suffix, &path("/a/shop.py")), Met::Worse);
        assert_eq!(found.ambiguity(&"shop.py:3"), None);
    }

    #[test]
    fn a_place_in_one_file_outweighs_refusals_in_others_in_any_order() {
        for refused_first in [false, true] {
            let mut found = Found::default();
            let files = [
                (path("/a/shop.py"), Placed::At(3)),
                (path("/b/shop.py"), Placed::Nowhere("too short".into())),
            ];
            let order = if refused_first { [1, 0] } else { [0, 1] };
            for (path, placed) in order.map(|at| files[at].clone()) {
                found.meet(Strength::Suffix, &path);
                assert!(found.note(&path, Some(placed.clone())));
                assert!(!found.note(&path, Some(placed)), "the same again is no news");
            }
            assert_eq!(found.placed(), Placed::At(3));
        }
    }

    #[test]
    fn what_is_refused_everywhere_has_no_place_and_what_is_open_somewhere_may_have_one() {
        let mut found = Found::default();
        found.meet(Strength::Suffix, &path("/b/shop.py"));
        assert_eq!(found.placed(), Placed::Unknown);
        found.note(&path("/b/shop.py"), Some(Placed::Nowhere("too short".into())));
        assert_eq!(found.placed(), Placed::Nowhere("too short".into()));
        found.meet(Strength::Suffix, &path("/c/shop.py"));
        assert_eq!(found.placed(), Placed::Unknown);
    }

    #[test]
    fn endless_files_are_not_all_remembered_and_one_with_a_place_is_not_lost() {
        let mut found = Found::default();
        for number in 0..10_000 {
            let path = path(&format!("/tmp/{number}/shop.py"));
            found.meet(Strength::Suffix, &path);
            found.note(&path, Some(Placed::Nowhere("too short".into())));
        }
        assert_eq!(found.files.len(), MAX_FILES);
        assert!(found.ambiguity(&"shop.py:3").unwrap().contains("and more"));
        found.meet(Strength::Suffix, &path("/app/shop.py"));
        found.note(&path("/app/shop.py"), Some(Placed::At(3)));
        assert_eq!(found.placed(), Placed::At(3));
    }
}
