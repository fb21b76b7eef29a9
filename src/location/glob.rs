//! Path globs of the event filter.

/// A glob over paths: `?` is one byte and `*` any number of them within a component, `**` any number across components.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    parts: Vec<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Byte(u8),
    One,
    Within,
    Across,
}

impl Glob {
    /// Reads a glob; every text is one.
    pub fn parse(text: &[u8]) -> Self {
        let mut parts = Vec::with_capacity(text.len());
        let mut rest = text;
        while let [first, tail @ ..] = rest {
            rest = tail;
            parts.push(match first {
                b'?' => Part::One,
                b'*' if tail.starts_with(b"*") => {
                    while rest.starts_with(b"*") {
                        rest = &rest[1..];
                    }
                    Part::Across
                }
                b'*' => Part::Within,
                byte => Part::Byte(*byte),
            });
        }
        Self { parts }
    }

    /// Everything below a directory, whose own characters stand for themselves.
    pub fn below(directory: &[u8]) -> Self {
        let directory = directory.strip_suffix(b"/").unwrap_or(directory);
        let parts = directory.iter().chain(b"/").map(|&byte| Part::Byte(byte));
        Self { parts: parts.chain([Part::Across]).collect() }
    }

    /// Whether the whole path matches.
    ///
    /// Simulates all ways to match at once (Thompson, "Regular Expression Search Algorithm", 1968): the time is bounded by
    /// the length of the glob times that of the path, whatever either of them says.
    pub fn matches(&self, path: &[u8]) -> bool {
        let mut alive = vec![false; self.parts.len() + 1];
        let mut next = alive.clone();
        self.reach(&mut alive, 0);
        for &byte in path {
            next.fill(false);
            for (at, part) in self.parts.iter().enumerate() {
                if !alive[at] {
                    continue;
                }
                match part {
                    Part::Byte(wanted) if *wanted == byte => self.reach(&mut next, at + 1),
                    Part::One if byte != b'/' => self.reach(&mut next, at + 1),
                    Part::Within if byte != b'/' => self.reach(&mut next, at),
                    Part::Across => self.reach(&mut next, at),
                    Part::Byte(_) | Part::One | Part::Within => {}
                }
            }
            std::mem::swap(&mut alive, &mut next);
        }
        alive[self.parts.len()]
    }

    /// Marks a position, and those after it that match nothing.
    fn reach(&self, alive: &mut [bool], mut at: usize) {
        loop {
            alive[at] = true;
            match self.parts.get(at) {
                Some(Part::Within | Part::Across) => at += 1,
                _ => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(glob: &str, path: &str) -> bool {
        Glob::parse(glob.as_bytes()).matches(path.as_bytes())
    }

    #[test]
    fn stars_stay_within_or_go_across_components() {
        assert!(matches("/app/*.py", "/app/shop.py"));
        assert!(!matches("/app/*.py", "/app/sub/shop.py"));
        assert!(matches("/app/**", "/app/sub/shop.py"));
        assert!(matches("**/shop.py", "/app/sub/shop.py"));
        assert!(matches("/app/**/*.py", "/app/a/b/shop.py"));
        assert!(matches("/a?p/*", "/app/x"));
        assert!(!matches("/a?p/*", "/a/p/x"));
        assert!(!matches("/app", "/app/x"));
        assert!(matches("", ""));
    }

    #[test]
    fn hostile_globs_take_linear_time() {
        let glob = "*a".repeat(200) + "b";
        let path = "a".repeat(20_000);
        let started = std::time::Instant::now();
        assert!(!matches(&glob, &path));
        assert!(started.elapsed().as_secs() < 5);
    }
}
