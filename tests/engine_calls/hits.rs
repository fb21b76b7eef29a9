//! Calls on arrivals and open hits.

use nonstop::engine::{EngineError, HitItem, Outcome, Thread, Verdict};

use super::answers::verdict_name;
use super::runner::{same, Runner, Stop};
use super::words::{number, Line, Words};

impl Runner<'_> {
    pub fn hit(&mut self, line: &mut Line) -> Result<(), Stop> {
        let site = self.site(line)?;
        let (mut id, mut name) = (1, None);
        while let Some(word) = line.call.next() {
            match word.split_once('=') {
                Some(("thread", text)) => id = number(text)?,
                Some(("name", text)) => name = Some(text.to_owned()),
                _ => return Err(format!("'{word}' says nothing of a hit").into()),
            }
        }
        let thread = Thread { id, name: name.as_deref() };
        let mut items = Vec::new();
        // No room at first: what is refused for that must not be counted.
        let verdict = match self.engine.hit(site, &thread, 0, 0, |item| items.push(item)) {
            Err(EngineError::BufferTooSmall { needed }) if items.is_empty() => {
                self.engine.hit(site, &thread, 0, needed, |item| items.push(item))?
            }
            other => other?,
        };
        let answer = line.answer()?;
        same(answer.one("a verdict")?.as_str(), verdict_name(verdict))?;
        for item in &items {
            let word = answer.next().ok_or_else(|| format!("there is more: {item:?}"))?;
            self.item(&word, item)?;
        }
        Ok(())
    }

    fn site(&self, line: &mut Line) -> Result<u32, String> {
        let number = self.sites.get(&line.call.one("a site")?)?;
        u32::try_from(number).map_err(|error| error.to_string())
    }

    pub fn total(&mut self, line: &mut Line) -> Result<(), Stop> {
        let (site, total) = (self.site(line)?, line.call.number("how many")?);
        line.call.finish()?;
        Ok(self.engine.hit_total(site, total)?)
    }

    /// `b1#2=t1` or `b1?=t1`.
    fn item(&mut self, word: &str, item: &HitItem) -> Result<(), String> {
        let (what, ticket) = word.split_once('=').ok_or_else(|| format!("'{word}' is no item of a hit"))?;
        let (name, hit, verdict) = match (what.strip_suffix('?'), what.split_once('#')) {
            (Some(name), _) => (name, 0, Verdict::Evaluate),
            (None, Some((name, hit))) => (name, number(hit)?, Verdict::Capture),
            (None, None) => return Err(format!("'{word}' is no item of a hit")),
        };
        same(&(self.breakpoint(name)?, hit, verdict), &(item.breakpoint, item.hit, item.verdict))?;
        self.whose(item)?;
        self.tickets.give(ticket, item.ticket)?;
        self.ticket_actions.insert(item.ticket, item.action);
        Ok(())
    }

    /// An item hands back what is its breakpoint's own.
    fn whose(&self, item: &HitItem) -> Result<(), String> {
        let known =
            self.known.get(&item.breakpoint.raw()).ok_or_else(|| format!("whose hit is {item:?}?"))?;
        same(&(known.action, known.user_data), &(item.action, item.user_data))
    }

    pub fn commit(&mut self, line: &mut Line) -> Result<(), Stop> {
        let ticket = self.ticket(line)?;
        let outcome = match &*line.call.one("an outcome")? {
            "true" => Outcome::True,
            "false" => Outcome::False,
            "raised" => Outcome::Error,
            other => return Err(format!("there is no outcome '{other}'").into()),
        };
        let item = self.engine.commit(ticket, outcome, 0)?;
        self.whose(&item)?;
        same(&if item.verdict == Verdict::Capture { ticket } else { 0 }, &item.ticket)?;
        let answer = line.answer()?;
        same(answer.one("a verdict")?.as_str(), verdict_name(item.verdict))?;
        Ok(same(&hit_number(answer)?, &item.hit)?)
    }
}

/// The number in a last word such as `#3`; 0 without one.
fn hit_number(answer: &mut Words) -> Result<u64, String> {
    match answer.next() {
        None => Ok(0),
        Some(word) => {
            number(word.strip_prefix('#').ok_or_else(|| format!("'{word}' is no number of a hit"))?)
        }
    }
}
