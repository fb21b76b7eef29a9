//! The order of records: what may follow what, and which place a value takes.

use super::records::{Container, Field, Record};

/// The place that a value takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot<'a> {
    /// An item of a collection, or a capture of a logpoint.
    Item,
    /// The key of an entry.
    Key,
    /// The value of an entry.
    EntryValue,
    /// A local, a capture, or a field of an object.
    Named(Field<'a>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Start,
    Top,
    Locals,
    Captures,
}

/// Follows a stream record by record. Whoever writes output keeps their own state; this one only knows the order, so that
/// values that are skipped (beyond a limit, redacted) are checked like those that are shown.
#[derive(Debug)]
pub(super) struct Grammar<'a> {
    section: Section,
    captures_seen: bool,
    /// Captures without names are those of a logpoint.
    names_optional: bool,
    name: Option<Field<'a>>,
    /// The open containers; of entries also whether their key has come.
    open: Vec<(Container, bool)>,
}

impl<'a> Grammar<'a> {
    pub fn new(names_optional: bool) -> Self {
        Self {
            section: Section::Start,
            captures_seen: false,
            names_optional,
            name: None,
            open: Vec::with_capacity(8),
        }
    }

    /// Takes the next record; for a value, the place that it takes.
    pub fn step(&mut self, record: &Record<'a>) -> Result<Option<Slot<'a>>, &'static str> {
        match record {
            Record::Value(value) => {
                let slot = self.slot()?;
                if let super::records::Shape::Begin { kind, .. } = value.shape {
                    self.open.push((kind, false));
                }
                return Ok(Some(slot));
            }
            Record::Name(name) => self.take_name(*name)?,
            Record::End(kind, _) => self.close(*kind)?,
            Record::Head(_) if self.section == Section::Start => self.section = Section::Top,
            Record::Head(_) => return Err("a second head; a stream describes one hit"),
            Record::Frame(frame) => {
                self.top_level()?;
                if self.captures_seen {
                    return Err("a frame after the captures; frames come first");
                }
                self.section = if frame.locals { Section::Locals } else { Section::Top };
            }
            Record::Captures => {
                self.top_level()?;
                if self.captures_seen {
                    return Err("the captures begin twice");
                }
                self.captures_seen = true;
                self.section = Section::Captures;
            }
            Record::Cut(_) => self.top_level()?,
        }
        Ok(None)
    }

    /// Checks that the stream may end here.
    pub fn finish(&self) -> Result<(), &'static str> {
        self.top_level()
    }

    fn top_level(&self) -> Result<(), &'static str> {
        if self.section == Section::Start {
            Err("the stream does not begin with a head (h)")
        } else if !self.open.is_empty() {
            Err("a value was begun and not ended")
        } else if self.name.is_some() {
            Err("a name without a value")
        } else {
            Ok(())
        }
    }

    fn slot(&mut self) -> Result<Slot<'a>, &'static str> {
        match self.open.last_mut() {
            Some((Container::Items, _)) => Ok(Slot::Item),
            Some((Container::Entries, key_seen)) => {
                *key_seen = !*key_seen;
                Ok(if *key_seen { Slot::Key } else { Slot::EntryValue })
            }
            Some((Container::Fields, _)) => self.named(),
            None => match self.section {
                Section::Captures if self.names_optional => {
                    self.name = None;
                    Ok(Slot::Item)
                }
                Section::Locals | Section::Captures => self.named(),
                Section::Start => Err("the stream does not begin with a head (h)"),
                Section::Top => Err("a value outside of locals (f with 1) and captures (c)"),
            },
        }
    }

    fn named(&mut self) -> Result<Slot<'a>, &'static str> {
        let name = self.name.take();
        name.map(Slot::Named).ok_or("a value without a name; write n with its name first")
    }

    fn take_name(&mut self, name: Field<'a>) -> Result<(), &'static str> {
        let named = match self.open.last() {
            Some((kind, _)) => *kind == Container::Fields,
            None => matches!(self.section, Section::Locals | Section::Captures),
        };
        if !named {
            return Err("a name where values have none");
        }
        match self.name.replace(name) {
            None => Ok(()),
            Some(_) => Err("two names for one value"),
        }
    }

    fn close(&mut self, kind: Container) -> Result<(), &'static str> {
        if self.name.is_some() {
            return Err("a name without a value");
        }
        match self.open.pop() {
            Some((_, true)) => Err("a key without a value"),
            Some((open, _)) if open == kind => Ok(()),
            Some(_) => Err("an end of another kind than what was begun last"),
            None => Err("an end without a begin"),
        }
    }
}
