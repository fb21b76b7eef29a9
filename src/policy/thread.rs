//! Which threads a breakpoint watches.

/// The threads whose arrivals count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ThreadFilter {
    /// All threads.
    #[default]
    Any,
    /// The thread with this id, as the host numbers threads.
    Id(u64),
    /// The threads with exactly this name. A thread whose name the host does not know is not among them.
    Name(Box<str>),
}

impl ThreadFilter {
    /// Whether an arrival in this thread counts.
    #[must_use]
    pub fn admits(&self, id: u64, name: Option<&str>) -> bool {
        match self {
            Self::Any => true,
            Self::Id(wanted) => *wanted == id,
            Self::Name(wanted) => name == Some(&**wanted),
        }
    }

    /// Whether the host must find out the thread's name before it asks.
    #[must_use]
    pub fn needs_name(&self) -> bool {
        matches!(self, Self::Name(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_admits_all_threads() {
        assert!(ThreadFilter::Any.admits(0, None));
        assert!(!ThreadFilter::Any.needs_name());
    }

    #[test]
    fn an_id_admits_that_thread_whatever_its_name() {
        let filter = ThreadFilter::Id(7);
        assert!(filter.admits(7, Some("worker")));
        assert!(!filter.admits(8, Some("worker")));
        assert!(!filter.needs_name());
    }

    #[test]
    fn a_name_admits_exact_names_only() {
        let filter = ThreadFilter::Name("worker-1".into());
        assert!(filter.needs_name());
        assert!(filter.admits(1, Some("worker-1")));
        assert!(!filter.admits(1, Some("worker-10")));
        assert!(!filter.admits(1, None));
    }
}
