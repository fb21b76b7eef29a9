//! A breakpoint's last moment.

/// The moment from which a breakpoint no longer takes hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    // u64::MAX, 584 years of monotonic time, stands for "never": one comparison, no branch.
    deadline_ns: u64,
}

impl Expiry {
    /// An expiry at an absolute time of the monotonic clock; `None` never expires.
    #[must_use]
    pub fn new(deadline_ns: Option<u64>) -> Self {
        Self { deadline_ns: deadline_ns.unwrap_or(u64::MAX) }
    }

    /// Whether the deadline has been reached at `now_ns`.
    #[must_use]
    pub fn is_over(&self, now_ns: u64) -> bool {
        self.deadline_ns != u64::MAX && now_ns >= self.deadline_ns
    }

    /// Whether there is a deadline at all: without one nobody needs to read a clock.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.deadline_ns != u64::MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deadline_itself_is_over() {
        let expiry = Expiry::new(Some(100));
        assert!(!expiry.is_over(99));
        assert!(expiry.is_over(100));
        assert!(expiry.is_over(101));
    }

    #[test]
    fn no_deadline_is_never_over() {
        assert!(!Expiry::new(None).is_over(u64::MAX));
        assert!(!Expiry::new(None).is_set());
    }
}
