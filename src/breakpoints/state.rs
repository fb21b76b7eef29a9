//! The life of a breakpoint.

/// Where a breakpoint is in its life: pending → bound → one of the ends. The numbers are those of the C ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum State {
    /// No code that it stands in has been seen yet.
    Pending = 0,
    /// At least one code object is armed, or was.
    Bound = 1,
    /// `max_hits` is spent.
    Exhausted = 2,
    /// Its time is over.
    Expired = 3,
    /// The host could not do its part; the reason says what.
    Failed = 4,
    /// It can't fire where it was asked for; the reason says why and names the nearest usable lines.
    Unverified = 5,
}

impl State {
    /// Whether it can never fire again in this state.
    pub fn is_over(self) -> bool {
        matches!(self, State::Exhausted | State::Expired | State::Failed)
    }
}

/// A breakpoint's state, counters and proof of arming at one moment.
#[derive(Clone, Debug)]
pub struct Report {
    /// The state.
    pub state: State,
    /// Why it is in that state; empty where there is nothing to say.
    pub reason: String,
    /// The line that was asked for; 0 when a function was.
    pub requested_line: u32,
    /// The line it resolved to; 0 while none is known.
    pub resolved_line: u32,
    /// Whether it is enabled.
    pub enabled: bool,
    /// Live code objects in which it is armed.
    pub code_objects: u32,
    /// Arrivals while disabled, expired, or on another thread.
    pub skipped: u64,
    /// Arrivals whose condition was false.
    pub false_conditions: u64,
    /// Arrivals whose condition raised.
    pub errors: u64,
    /// Hits that the hit condition or `max_hits` let pass.
    pub passed: u64,
    /// Hits beyond the rate.
    pub limited: u64,
    /// Hits counted, or captured and queued.
    pub captured: u64,
    /// Hits whose capture failed or found the queue full.
    pub dropped: u64,
    /// Nanoseconds in which arrivals were not observed because it was switched off.
    pub off_ns: u64,
    /// The host's own number.
    pub user_data: u64,
}

impl Report {
    /// Arrivals whose condition held, or that had none.
    pub fn hits(&self) -> u64 {
        self.passed + self.limited + self.captured + self.dropped
    }

    /// All arrivals.
    pub fn arrivals(&self) -> u64 {
        self.skipped + self.false_conditions + self.errors + self.hits()
    }
}
