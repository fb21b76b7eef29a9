//! Calls on captures, the channel and templates.

use std::time::Duration;

use nonstop::breakpoints::ActionKind;
use nonstop::capture::{Part, Template};
use nonstop::channel::Received;
use nonstop::engine::{Snapshot, Verdict};
use serde_json::Value;

use super::runner::{same, Runner, Stop};
use super::words::{number, Line, Words};

/// The name of a verdict in the files.
pub fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ignore => "ignore",
        Verdict::Disable => "disable",
        Verdict::Evaluate => "evaluate",
        Verdict::Capture => "capture",
        Verdict::Dropped => "dropped",
    }
}

impl Runner<'_> {
    pub fn capture(&mut self, line: &mut Line) -> Result<(), Stop> {
        let ticket = self.ticket(line)?;
        let mut values = String::new();
        while let Some(word) = line.call.next() {
            let (name, value) = word.split_once('=').ok_or_else(|| format!("'{word}' is no value"))?;
            let value: i64 = value.parse().map_err(|_| format!("'{word}' is no whole number"))?;
            values += &format!("n\x1f{name}\x1ei\x1fint\x1f{value}\x1e");
        }
        let head = "h\x1f/app/shop.py\x1f3\x1ftotal\x1f1700000000000000000\x1f1\x1fMainThread\x1e";
        let is_log = self.ticket_actions.get(&ticket) == Some(&ActionKind::Log);
        let frame = if is_log { "c\x1e" } else { "f\x1f/app/shop.py\x1f3\x1ftotal\x1f1\x1e" };
        self.send(line, ticket, &format!("{head}{frame}{values}"))
    }

    pub fn records(&mut self, line: &mut Line) -> Result<(), Stop> {
        let ticket = self.ticket(line)?;
        let text = line.call.one("a text")?;
        self.send(line, ticket, &text)
    }

    fn send(&mut self, line: &mut Line, ticket: u64, records: &str) -> Result<(), Stop> {
        let verdict = self.engine.capture(ticket, records.as_bytes())?;
        Ok(same(line.answer()?.one("a verdict")?.as_str(), verdict_name(verdict))?)
    }

    pub fn receive(&mut self, line: &mut Line) -> Result<(), Stop> {
        let mut received = Vec::new();
        let end = loop {
            match self.engine.receive(Some(Duration::ZERO)) {
                Received::Item(snapshot) => received.push(snapshot),
                Received::Timeout => break "nothing",
                Received::Closed => break "closed",
            }
        };
        let answer = line.answer()?;
        let mut next = Some(answer.one("what is received")?);
        if received.is_empty() {
            return Ok(same(next.as_deref().unwrap_or_default(), end)?);
        }
        for snapshot in received {
            let word = next.take().ok_or_else(|| String::from("more is received"))?;
            next = self.received(&word, answer, &snapshot)?;
        }
        match next {
            Some(word) => Err(format!("'{word}' is not received").into()),
            None => Ok(()),
        }
    }

    /// Compares one snapshot with its words; gives the first word that is not its own.
    fn received(
        &self,
        word: &str,
        answer: &mut Words,
        snapshot: &Snapshot,
    ) -> Result<Option<String>, String> {
        let (name, hit) = word.split_once('#').ok_or_else(|| format!("'{word}' is no snapshot"))?;
        let id = self.breakpoint(name)?;
        let document: Value = serde_json::from_slice(&snapshot.json).map_err(|error| error.to_string())?;
        let wrong = |what: &str| format!("not {what}: {document}");
        same(&(id, self.known[&id.raw()].action), &(snapshot.breakpoint, snapshot.action))?;
        if document["breakpoint"] != id.raw() || document["hit"] != number::<u64>(hit)? {
            return Err(wrong(word));
        }
        while let Some(word) = answer.next() {
            let Some((key, value)) = word.split_once('=') else { return Ok(Some(word)) };
            let is_so = match key {
                "message" => document["message"] == *value,
                local => {
                    let value: i64 = value.parse().map_err(|_| format!("'{word}' is no whole number"))?;
                    document["frames"][0]["locals"][local]["value"] == value
                }
            };
            if !is_so {
                return Err(wrong(&word));
            }
        }
        Ok(None)
    }

    pub fn stats(&mut self, line: &mut Line) -> Result<(), Stop> {
        let found = self.engine.channel_stats();
        same(&(found.queued > 0), &(found.queued_bytes > 0))?;
        let (mut queued, mut sent, mut dropped) = (0, 0, 0);
        let answer = line.answer()?;
        while let Some(word) = answer.next() {
            match word.split_once('=') {
                Some(("queued", count)) => queued = number(count)?,
                Some(("sent", count)) => sent = number(count)?,
                Some(("dropped", count)) => dropped = number(count)?,
                _ => return Err(format!("'{word}' says nothing of the channel").into()),
            }
        }
        Ok(same(&(queued, sent, dropped), &(found.queued, found.sent, found.dropped))?)
    }

    pub fn template(&mut self, line: &mut Line) -> Result<(), Stop> {
        let text = line.call.one("a template")?;
        let parsed =
            Template::parse(&text).map_err(|error| Stop::Refused("INVALID_TEMPLATE", error.to_string()))?;
        let mut found = Vec::new();
        for part in parsed.parts() {
            match part {
                Part::Literal(text) => found.push(format!("literal={text}")),
                Part::Expression { source, conversion, format_spec } => {
                    found.push(format!("expression={source}"));
                    found.extend(conversion.map(|letter| format!("conversion={letter}")));
                    if !format_spec.is_empty() {
                        found.push(format!("format={format_spec}"));
                    }
                }
            }
        }
        let answer = line.answer()?;
        let wanted: Vec<String> = std::iter::from_fn(|| answer.next()).collect();
        Ok(same(&wanted, &found)?)
    }
}
