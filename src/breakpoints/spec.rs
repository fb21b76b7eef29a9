//! What the user asked for.

use crate::capture::{Limits, Template};
use crate::location::Location;
use crate::policy::RuleSpec;

/// What happens at a hit.
#[derive(Clone, Debug)]
pub enum Action {
    /// Count it; nothing is captured.
    Count,
    /// Write a message made from a template.
    Log(Box<Template>),
    /// Capture frames, locals and expressions.
    Snapshot,
}

/// [`Action`] without its data, as hosts see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum ActionKind {
    /// See [`Action::Count`].
    Count = 0,
    /// See [`Action::Log`].
    Log = 1,
    /// See [`Action::Snapshot`].
    Snapshot = 2,
}

impl Action {
    /// Which action it is.
    pub fn kind(&self) -> ActionKind {
        match self {
            Action::Count => ActionKind::Count,
            Action::Log(_) => ActionKind::Log,
            Action::Snapshot => ActionKind::Snapshot,
        }
    }
}

/// What stays of a [`BreakpointSpec`] when its rules have become [`crate::policy::Rules`] and it lives. There may be a hundred
/// thousand: what most of them do not have takes no room.
#[derive(Clone, Debug)]
pub struct Asked {
    /// See [`BreakpointSpec::location`].
    pub location: Location,
    /// See [`BreakpointSpec::action`].
    pub action: Action,
    /// See [`BreakpointSpec::has_condition`].
    pub has_condition: bool,
    /// See [`Asked::limits`].
    pub(super) own_limits: Option<Box<Limits>>,
    /// See [`BreakpointSpec::user_data`].
    pub user_data: u64,
}

impl Asked {
    /// See [`BreakpointSpec::limits`].
    pub fn limits(&self) -> &Limits {
        self.own_limits.as_deref().unwrap_or(&Limits::DEFAULT)
    }
}

/// One breakpoint as it is asked for.
#[derive(Clone, Debug)]
pub struct BreakpointSpec {
    /// Where it stands.
    pub location: Location,
    /// What a hit does.
    pub action: Action,
    /// Whether the host evaluates a condition at each arrival; the engine never sees its text.
    pub has_condition: bool,
    /// Whether it starts enabled.
    pub enabled: bool,
    /// The hit rules.
    pub rules: RuleSpec,
    /// The limits of what one hit captures.
    pub limits: Limits,
    /// The host's own number, handed back with each hit.
    pub user_data: u64,
}
