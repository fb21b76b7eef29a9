//! One scenario at work: its engine, the names that it gave, and the calls by name.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::Ordering::SeqCst;

use nonstop::breakpoints::{ActionKind, BreakpointId};
use nonstop::engine::{Engine, EngineError, EngineOptions};

use super::tables::Tables;
use super::words::{number, Line};

thread_local! {
    /// The time of the scenarios; 0 would be none.
    static NOW_NS: Cell<u64> = const { Cell::new(1_000_000_000) };
}

pub fn clock() -> u64 {
    NOW_NS.with(Cell::get)
}

fn wait(milliseconds: u64) {
    NOW_NS.with(|now| now.set(now.get() + milliseconds * 1_000_000));
}

/// Why a line came to no good end.
#[derive(Debug)]
pub enum Stop {
    /// The engine refused, with this status.
    Refused(&'static str, String),
    /// The line is wrong, or the answer is another one.
    Wrong(String),
}

impl From<String> for Stop {
    fn from(why: String) -> Self {
        Self::Wrong(why)
    }
}

impl From<EngineError> for Stop {
    fn from(error: EngineError) -> Self {
        let name = match error {
            EngineError::InvalidArgument(_) => "INVALID_ARGUMENT",
            EngineError::NotFound(_) => "NOT_FOUND",
            EngineError::BufferTooSmall { .. } => "BUFFER_TOO_SMALL",
            EngineError::InvalidRecords(_) => "INVALID_RECORDS",
            EngineError::LimitReached(_) => "LIMIT_REACHED",
            EngineError::Closed => "CLOSED",
        };
        Self::Refused(name, error.to_string())
    }
}

/// The names of one kind, and the numbers that they stand for.
#[derive(Debug, Default)]
pub struct Names(HashMap<String, u64>);

impl Names {
    /// Gives a name that is new to a number that has none.
    pub fn give(&mut self, name: &str, number: u64) -> Result<(), String> {
        if self.0.contains_key(name) {
            return Err(format!("{name} is given already"));
        }
        self.meet(name, number)
    }

    /// The first use of a name gives it, later ones must find the same.
    pub fn meet(&mut self, name: &str, number: u64) -> Result<(), String> {
        if number == 0 || name.is_empty() {
            return Err(format!("'{name}' can't name {number}"));
        }
        match (self.0.get(name), self.name_of(number)) {
            (Some(&known), _) if known != number => Err(format!("{name} is {known}, not {number}")),
            (None, Some(other)) => Err(format!("{number} has the name {other} already")),
            (Some(_), _) => Ok(()),
            (None, None) => {
                self.0.insert(name.into(), number);
                Ok(())
            }
        }
    }

    pub fn get(&self, name: &str) -> Result<u64, String> {
        self.0.get(name).copied().ok_or_else(|| format!("nothing has the name '{name}'"))
    }

    fn name_of(&self, number: u64) -> Option<&str> {
        self.0.iter().find(|(_, known)| **known == number).map(|(name, _)| &**name)
    }
}

/// What the host remembers of a breakpoint.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    pub action: ActionKind,
    pub user_data: u64,
    pub requested_line: u32,
}

pub struct Runner<'t> {
    pub engine: Engine,
    pub tables: &'t Tables,
    pub breakpoints: Names,
    pub known: HashMap<u64, Known>,
    pub sites: Names,
    pub tickets: Names,
    /// The actions of the breakpoints that tickets are of.
    pub ticket_actions: HashMap<u64, ActionKind>,
    epoch: u64,
    is_fresh: bool,
}

impl<'t> Runner<'t> {
    pub fn new(tables: &'t Tables) -> Self {
        let engine = Engine::new(EngineOptions { clock, ..EngineOptions::default() });
        let epoch = engine.epoch_word().load(SeqCst);
        Self {
            engine,
            tables,
            breakpoints: Names::default(),
            known: HashMap::new(),
            sites: Names::default(),
            tickets: Names::default(),
            ticket_actions: HashMap::new(),
            epoch,
            is_fresh: true,
        }
    }

    /// Does what the line says, and compares.
    pub fn run(&mut self, mut line: Line) -> Result<(), String> {
        let expected = line.refusal()?;
        match (expected, self.call(&mut line)) {
            (_, Err(Stop::Wrong(why))) => Err(why),
            (None, Err(Stop::Refused(name, message))) => Err(format!("refused as {name}: {message}")),
            (None, Ok(has_answer)) => line.finish(has_answer),
            (Some((wanted, _)), Ok(_)) => Err(format!("not refused as {wanted}")),
            (Some((wanted, words)), Err(Stop::Refused(name, message))) => {
                line.call.finish()?;
                let words = words.unwrap_or_default();
                let is_so = wanted == name && message.contains(&words);
                is_so.then_some(()).ok_or_else(|| format!("refused as {name}: {message}"))
            }
        }
    }

    /// Whether the call has an answer.
    fn call(&mut self, line: &mut Line) -> Result<bool, Stop> {
        let name = line.call.one("a call")?;
        let has_answer = match &*name {
            "add" | "remove" | "enable" | "disable" | "set_state" | "source" | "no_source" | "path_map"
            | "filter" | "forget" | "total" | "abandon" | "close" | "wait" | "engine" => false,
            "report" | "source_lines" | "decide" | "carries" | "event" | "hit" | "commit" | "capture"
            | "records" | "receive" | "stats" | "epoch" | "template" => true,
            other => return Err(format!("there is no call '{other}'").into()),
        };
        match &*name {
            "engine" => self.options(line)?,
            "add" => self.add(line)?,
            "remove" | "enable" | "disable" => self.edit(&name, line)?,
            "set_state" => self.set_state(line)?,
            "report" => self.report(line)?,
            "source" => self.source(line)?,
            "no_source" => {
                let path = line.call.one("a path")?;
                line.call.finish()?;
                self.engine.source_without_units(path.as_bytes(), &[]);
            }
            "source_lines" => self.source_lines(line)?,
            "path_map" => {
                let (from, to) = (line.call.one("from")?, line.call.one("to")?);
                line.call.finish()?;
                self.engine.add_path_map(from.as_bytes(), to.as_bytes());
            }
            "filter" => self.filter(line)?,
            "decide" => self.decide(line)?,
            "carries" => self.carries(line)?,
            "forget" => self.forget(line)?,
            "event" => self.event(line)?,
            "hit" => self.hit(line)?,
            "total" => self.total(line)?,
            "commit" => self.commit(line)?,
            "abandon" => {
                let ticket = self.ticket(line)?;
                line.call.finish()?;
                self.engine.abandon(ticket)?;
            }
            "capture" => self.capture(line)?,
            "records" => self.records(line)?,
            "receive" => self.receive(line)?,
            "stats" => self.stats(line)?,
            "close" => {
                line.call.finish()?;
                self.engine.close();
            }
            "wait" => wait(line.call.number("milliseconds")?),
            "template" => self.template(line)?,
            "epoch" => {
                let epoch = self.engine.epoch_word().load(SeqCst);
                let answer = line.answer()?.one("same or changed")?;
                let found = if epoch == self.epoch { "same" } else { "changed" };
                self.epoch = epoch;
                same(answer.as_str(), found)?;
            }
            other => return Err(format!("'{other}' is known and not done").into()),
        }
        self.is_fresh = false;
        Ok(has_answer)
    }

    fn options(&mut self, line: &mut Line) -> Result<(), Stop> {
        let mut options = EngineOptions { clock, ..EngineOptions::default() };
        while let Some(word) = line.call.next() {
            match word.split_once('=') {
                Some(("queue_items", items)) => options.queue_items = number(items)?,
                Some(("queue_bytes", bytes)) => options.queue_bytes = number(bytes)?,
                _ => return Err(format!("there is no option '{word}'").into()),
            }
        }
        if !self.is_fresh {
            return Err(String::from("another engine in the middle").into());
        }
        self.engine = Engine::new(options);
        self.epoch = self.engine.epoch_word().load(SeqCst);
        Ok(())
    }

    /// A breakpoint that was added under this name, removed or not.
    pub fn breakpoint(&self, name: &str) -> Result<BreakpointId, String> {
        self.breakpoints.get(name).map(BreakpointId::from_raw)
    }

    pub fn ticket(&self, line: &mut Line) -> Result<u64, String> {
        self.tickets.get(&line.call.one("a ticket")?)
    }
}

/// What is found must be what the line says.
pub fn same<T: PartialEq + std::fmt::Debug + ?Sized>(wanted: &T, found: &T) -> Result<(), String> {
    if wanted == found {
        return Ok(());
    }
    Err(format!("found {found:?}, not {wanted:?}"))
}
