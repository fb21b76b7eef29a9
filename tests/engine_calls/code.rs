//! Calls on sources, the filter and code objects.

use std::sync::atomic::Ordering::SeqCst;

use nonstop::code::{Arm, CodeInfo, EventKind, Filter, Rule, RuleAction};
use nonstop::engine::Verdict;
use nonstop::location::Glob;

use super::answers::verdict_name;
use super::breakpoints::yes_or_no;
use super::runner::{same, Runner, Stop};
use super::words::{number, numbers, Line, Words};

impl Runner<'_> {
    pub fn source(&mut self, line: &mut Line) -> Result<(), Stop> {
        let path = line.call.one("a path")?;
        let table = self.tables.get(&line.call.one("a table")?)?;
        let mut module = String::new();
        while let Some(word) = line.call.next() {
            match word.split_once('=') {
                Some(("module", name)) => module = name.to_owned(),
                _ => return Err(format!("'{word}' says nothing of a source").into()),
            }
        }
        let units = table.units().map_err(|message| Stop::Refused("INVALID_ARGUMENT", message))?;
        self.engine.register_source(path.as_bytes(), &module, units);
        Ok(())
    }

    pub fn source_lines(&mut self, line: &mut Line) -> Result<(), Stop> {
        let found = self.engine.source_lines(line.call.one("a path")?.as_bytes())?;
        let wanted = numbers(&line.answer()?.one("the lines")?)?;
        Ok(same(&wanted, &found)?)
    }

    pub fn filter(&mut self, line: &mut Line) -> Result<(), Stop> {
        let (mut directories, mut rules) = (Vec::new(), Vec::new());
        while let Some(mut part) = line.call.part()? {
            let word = part.one("a rule")?;
            match word.split_once('=') {
                Some(("just_my_code", directory)) => directories.push(directory.as_bytes().to_vec()),
                _ => rules.push(rule(&word, &mut part)?),
            }
            part.finish()?;
        }
        let mut all = if directories.is_empty() { Vec::new() } else { Filter::just_my_code(&directories) };
        all.extend(rules);
        self.engine.set_filter(Filter::new(all));
        Ok(())
    }

    pub fn decide(&mut self, line: &mut Line) -> Result<(), Stop> {
        let key = key(line)?;
        let (path, name) = (line.call.one("a path")?, line.call.one("a name")?);
        let first_line = line.call.number("its first line")?;
        let (mut module, mut qualname, mut lines) = (String::new(), String::new(), Vec::new());
        while let Some(word) = line.call.next() {
            match word.split_once('=') {
                Some(("module", text)) => module = text.to_owned(),
                Some(("qualname", text)) => qualname = text.to_owned(),
                Some(("lines", text)) => lines = numbers(text)?,
                _ => return Err(format!("'{word}' says nothing of a code object").into()),
            }
        }
        let found = self.engine.decide(&CodeInfo {
            key,
            path: path.as_bytes(),
            module: &module,
            name: &name,
            qualname: &qualname,
            first_line,
            lines: &lines,
            bytecode: None,
            is_of_other_source: false,
        })?;
        same(&self.engine.epoch_word().load(SeqCst), &found.epoch)?;
        let answer = line.answer()?;
        let verdict = if found.event_mask == 0 { Verdict::Ignore } else { Verdict::Capture };
        same(answer.one("a verdict")?.as_str(), verdict_name(verdict))?;
        let (mut needs_source, mut needs_lines, mut mask) = (false, false, None);
        let mut arms = found.arms.iter();
        while let Some(word) = answer.next() {
            match word.split_once('=') {
                Some(("events", kinds)) => mask = Some(events(kinds)?),
                None if word == "needs_source" => needs_source = true,
                None if word == "needs_lines" => needs_lines = true,
                None => {
                    let arm = arms.next().ok_or_else(|| format!("'{word}' is not to be armed"))?;
                    self.arm(&word, arm)?;
                }
                Some(_) => return Err(format!("'{word}' says nothing of a decision").into()),
            }
        }
        if let Some(arm) = arms.next() {
            return Err(format!("armed too: {arm:?}").into());
        }
        let usual = if found.arms.is_empty() { 0 } else { EventKind::Line as u32 };
        same(&mask.unwrap_or(usual), &found.event_mask)?;
        Ok(same(&(needs_source, needs_lines), &(found.needs_source, found.needs_lines))?)
    }

    fn arm(&mut self, word: &str, arm: &Arm) -> Result<(), String> {
        let mut parts = word.split(':');
        let line: u32 = number(parts.next().unwrap_or_default())?;
        let site = parts.next().ok_or_else(|| format!("'{word}' is no line with its site"))?;
        let needs_thread_name = match parts.next() {
            None => false,
            Some("thread_name") => true,
            Some(other) => return Err(format!("there is no flag '{other}'")),
        };
        same(&(line, needs_thread_name), &(arm.line, arm.needs_thread_name))?;
        self.sites.meet(site, u64::from(arm.site))
    }

    pub fn carries(&mut self, line: &mut Line) -> Result<(), Stop> {
        let key = key(line)?;
        let found = self.engine.carries(key, self.breakpoint(&line.call.one("a breakpoint")?)?)?;
        let wanted = yes_or_no(&line.answer()?.one("yes or no")?)?;
        Ok(same(&wanted, &found)?)
    }

    pub fn forget(&mut self, line: &mut Line) -> Result<(), Stop> {
        let key = key(line)?;
        line.call.finish()?;
        if self.engine.forget(key) {
            return Ok(());
        }
        // The one refusal that is made by the C ABI: here it is an answer.
        Err(Stop::Refused("NOT_FOUND", format!("no code object has the key {key}")))
    }

    pub fn event(&mut self, line: &mut Line) -> Result<(), Stop> {
        let key = key(line)?;
        let kind = kind(&line.call.one("an event")?)?;
        let at = line.call.number("a line")?;
        let (mut thread, mut depth) = (1, 1);
        while let Some(word) = line.call.next() {
            match word.split_once('=') {
                Some(("thread", text)) => thread = number(text)?,
                Some(("depth", text)) => depth = number(text)?,
                _ => return Err(format!("'{word}' says nothing of an event").into()),
            }
        }
        let (verdict, site) = self.engine.event(key, kind, at, thread, depth)?;
        let answer = line.answer()?;
        same(answer.one("a verdict")?.as_str(), verdict_name(verdict))?;
        match answer.next() {
            Some(name) => Ok(self.sites.meet(&name, u64::from(site))?),
            None => Ok(same(&0, &site)?),
        }
    }
}

/// The number of a key such as `k7`.
fn key(line: &mut Line) -> Result<u64, String> {
    let word = line.call.one("a key")?;
    number(word.strip_prefix('k').ok_or_else(|| format!("'{word}' is no key"))?)
}

fn rule(word: &str, words: &mut Words) -> Result<Rule, String> {
    let action = match word {
        "include" => RuleAction::Include,
        "exclude" => RuleAction::Exclude,
        other => return Err(format!("a rule includes or excludes: '{other}'")),
    };
    let events = events(&words.one("the events of a rule")?)?;
    let mut rule =
        Rule { action, events, path: None, module: None, function: None, thread: None, max_depth: None };
    while let Some(word) = words.next() {
        match word.split_once('=') {
            Some(("path", glob)) => rule.path = Some(Glob::parse(glob.as_bytes())),
            Some(("module", name)) => rule.module = Some(name.to_owned()),
            Some(("function", name)) => rule.function = Some(name.to_owned()),
            Some(("thread", id)) => rule.thread = Some(number(id)?),
            Some(("depth", depth)) => rule.max_depth = Some(number(depth)?),
            _ => return Err(format!("'{word}' says nothing of a rule")),
        }
    }
    Ok(rule)
}

fn events(text: &str) -> Result<u32, String> {
    text.split(',').try_fold(0, |mask, name| Ok(mask | kind(name)? as u32))
}

fn kind(name: &str) -> Result<EventKind, String> {
    match name {
        "call" => Ok(EventKind::Call),
        "line" => Ok(EventKind::Line),
        "return" => Ok(EventKind::Return),
        "exception" => Ok(EventKind::Exception),
        other => Err(format!("there is no event '{other}'")),
    }
}
