//! Calls on breakpoints.

use nonstop::breakpoints::{Action, BreakpointSpec, Report, State};
use nonstop::capture::{Limits, Template};
use nonstop::location::{Location, Target};
use nonstop::policy::{HitCondition, Rate, RuleSpec, ThreadFilter};

use super::runner::{clock, same, Known, Runner, Stop};
use super::words::{number, Line, Words};

impl Runner<'_> {
    pub fn add(&mut self, line: &mut Line) -> Result<(), Stop> {
        let (mut names, mut specs) = (Vec::new(), Vec::new());
        while let Some(mut part) = line.call.part()? {
            let name = part.one("the name of a breakpoint")?;
            if names.contains(&name) || self.breakpoints.get(&name).is_ok() {
                return Err(format!("{name} is given already").into());
            }
            specs.push(spec(&mut part, self.known.len() as u64 + names.len() as u64 + 100)?);
            names.push(name);
        }
        if names.is_empty() {
            return Err(String::from("no breakpoint is named").into());
        }
        let known: Vec<Known> = specs.iter().map(known).collect();
        for ((id, name), known) in self.engine.add(specs)?.into_iter().zip(names).zip(known) {
            self.breakpoints.give(&name, id.raw())?;
            self.known.insert(id.raw(), known);
        }
        Ok(())
    }

    /// `remove`, `enable` or `disable`.
    pub fn edit(&mut self, call: &str, line: &mut Line) -> Result<(), Stop> {
        let mut ids = Vec::new();
        while let Some(name) = line.call.next() {
            ids.push(self.breakpoint(&name)?);
        }
        if ids.is_empty() {
            return Err(String::from("no breakpoint is named").into());
        }
        match call {
            "remove" => self.engine.remove(&ids)?,
            other => self.engine.set_enabled(&ids, other == "enable")?,
        }
        Ok(())
    }

    pub fn set_state(&mut self, line: &mut Line) -> Result<(), Stop> {
        let id = self.breakpoint(&line.call.one("a breakpoint")?)?;
        let name = line.call.one("a state")?;
        let reason = line.call.one("a reason")?;
        line.call.finish()?;
        let state = STATES.iter().find(|(known, _)| *known == name).map(|(_, state)| *state);
        let state = state.ok_or_else(|| format!("there is no state '{name}'"))?;
        Ok(self.engine.set_state(id, state, &reason)?)
    }

    pub fn report(&mut self, line: &mut Line) -> Result<(), Stop> {
        let id = self.breakpoint(&line.call.one("a breakpoint")?)?;
        let report = self.engine.report(id)?;
        let known = self.known[&id.raw()];
        same(&known.user_data, &report.user_data)?;
        same(&known.requested_line, &report.requested_line)?;
        let answer = line.answer()?;
        let state = STATES.iter().find(|(_, state)| *state == report.state).map_or("", |(name, _)| *name);
        same(answer.one("a state")?.as_str(), state)?;
        compare(answer, &report)?;
        Ok(())
    }
}

const STATES: [(&str, State); 6] = [
    ("pending", State::Pending),
    ("bound", State::Bound),
    ("exhausted", State::Exhausted),
    ("expired", State::Expired),
    ("failed", State::Failed),
    ("unverified", State::Unverified),
];

fn compare(answer: &mut Words, report: &Report) -> Result<(), String> {
    let mut counters = [
        ("skipped", report.skipped, false),
        ("false", report.false_conditions, false),
        ("errors", report.errors, false),
        ("passed", report.passed, false),
        ("limited", report.limited, false),
        ("captured", report.captured, false),
        ("dropped", report.dropped, false),
    ];
    let hits = report.passed + report.limited + report.captured + report.dropped;
    same(&hits, &report.hits())?;
    same(&(report.skipped + report.false_conditions + report.errors + hits), &report.arrivals())?;
    while let Some(word) = answer.next() {
        let (key, value) =
            word.split_once('=').ok_or_else(|| format!("'{word}' says nothing of a report"))?;
        let is_so = match key {
            "requested" => number::<u32>(value)? == report.requested_line,
            "at" => number::<u32>(value)? == report.resolved_line,
            "code" => number::<u32>(value)? == report.code_objects,
            "arrivals" => number::<u64>(value)? == report.arrivals(),
            "hits" => number::<u64>(value)? == report.hits(),
            "enabled" => yes_or_no(value)? == report.enabled,
            "off" => yes_or_no(value)? == (report.off_ns > 0),
            "reason" if value.is_empty() => report.reason.is_empty(),
            "reason" => report.reason.contains(value),
            counter => {
                let found = counters.iter_mut().find(|(name, ..)| *name == counter);
                let found = found.ok_or_else(|| format!("'{word}' says nothing of a report"))?;
                found.2 = true;
                number::<u64>(value)? == found.1
            }
        };
        if !is_so {
            return Err(format!("not {word}: {report:?}"));
        }
    }
    match counters.iter().find(|(_, count, is_named)| *count > 0 && !is_named) {
        Some((name, count, _)) => Err(format!("{name} is {count}, and is not named")),
        None => Ok(()),
    }
}

pub fn yes_or_no(word: &str) -> Result<bool, String> {
    match word {
        "yes" => Ok(true),
        "no" => Ok(false),
        other => Err(format!("'{other}' is neither yes nor no")),
    }
}

fn known(spec: &BreakpointSpec) -> Known {
    let requested_line = match spec.location.target {
        Target::Line(line) => line,
        Target::Function(_) => 0,
    };
    Known { action: spec.action.kind(), user_data: spec.user_data, requested_line }
}

fn spec(words: &mut Words, user_data: u64) -> Result<BreakpointSpec, Stop> {
    let location = words.one("a location")?;
    let (mut action, mut log) = (Action::Count, None);
    let (mut has_condition, mut enabled) = (false, true);
    let (mut hit_condition, mut per_second, mut burst) = (None, None, None);
    let mut rules = RuleSpec::default();
    while let Some(word) = words.next() {
        match word.split_once('=').unwrap_or((&word, "")) {
            ("count", "") => action = Action::Count,
            ("snapshot", "") => action = Action::Snapshot,
            ("condition", "") => has_condition = true,
            ("disabled", "") => enabled = false,
            ("log", text) => log = Some(text.to_owned()),
            ("hit", text) => hit_condition = Some(text.to_owned()),
            ("max_hits", text) => rules.max_hits = Some(number(text)?),
            ("rate", text) => per_second = Some(decimal(text)?),
            ("burst", text) => burst = Some(decimal(text)?),
            ("expires_ms", text) => rules.expires_ns = Some(clock() + number::<u64>(text)? * 1_000_000),
            ("thread_id", text) => rules.thread = ThreadFilter::Id(number(text)?),
            ("thread_name", text) => rules.thread = ThreadFilter::Name(text.into()),
            _ => return Err(format!("'{word}' says nothing of a breakpoint").into()),
        }
    }
    let refused = |name, message: String| Stop::Refused(name, message);
    let location = Location::parse(location.as_bytes())
        .map_err(|error| refused("INVALID_LOCATION", error.to_string()))?;
    if let Some(text) = log {
        let template =
            Template::parse(&text).map_err(|error| refused("INVALID_TEMPLATE", error.to_string()))?;
        action = Action::Log(Box::new(template));
    }
    if let Some(text) = hit_condition {
        let parsed = HitCondition::parse(&text);
        rules.hit_condition =
            Some(parsed.map_err(|error| refused("INVALID_HIT_CONDITION", error.to_string()))?);
    }
    rules.rate = match (per_second, burst) {
        (Some(per_second), Some(burst)) => Some(Rate { per_second, burst }),
        (Some(per_second), None) => Some(Rate::per_second(per_second)),
        (None, None) => None,
        (None, Some(_)) => return Err(String::from("a burst without a rate").into()),
    };
    let limits = Limits::default();
    Ok(BreakpointSpec { location, action, has_condition, enabled, rules, limits, user_data })
}

fn decimal(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| format!("'{text}' is no number"))
}
