//! Paths as sequences of components.

/// A path as bytes, with `.`, `..` and repeated separators folded: `a/./b//../c` is `a/c`.
///
/// Folding `..` is textual, as in the paths that build tools write; where `..` follows a symlink the canonical spelling of
/// the run-time path is what decides.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PathPattern {
    bytes: Box<[u8]>,
}

impl PathPattern {
    /// Reads a path.
    pub fn parse(text: &[u8]) -> Self {
        Self { bytes: normalized(text).into() }
    }

    /// Whether it names one file, and not the end of any path.
    pub fn is_absolute(&self) -> bool {
        is_absolute(&self.bytes)
    }

    /// What it is looked up by, among the [`super::KnownPath::keys`] of every file that it can match: its last two components,
    /// or the last one where there is no other, or only `..`, which the base directory will replace. Two, because a large
    /// program has hundreds of files named `__init__.py`.
    pub fn key(&self) -> &[u8] {
        tail(&self.bytes).filter(|tail| !tail.starts_with(b"../")).unwrap_or_else(|| basename(&self.bytes))
    }

    /// The normalised path.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether `path` (normalised) ends with this one, on whole components.
    pub(super) fn is_suffix_of(&self, path: &[u8]) -> bool {
        path.strip_suffix(&*self.bytes).is_some_and(|rest| rest.is_empty() || rest.ends_with(b"/"))
    }
}

/// Names such as `<string>` are no paths: their characters stand for themselves.
pub(super) fn is_made_up(text: &[u8]) -> bool {
    text.starts_with(b"<")
}

pub(super) fn is_absolute(normalized: &[u8]) -> bool {
    normalized.starts_with(b"/") || matches!(normalized, [letter, b':', ..] if letter.is_ascii_alphabetic())
}

pub(super) fn basename(normalized: &[u8]) -> &[u8] {
    if is_made_up(normalized) {
        return normalized;
    }
    normalized.rsplit(|&byte| byte == b'/').next().unwrap_or(normalized)
}

/// The last two components, where there are two; the root counts as one.
pub(super) fn tail(normalized: &[u8]) -> Option<&[u8]> {
    if is_made_up(normalized) {
        return None;
    }
    let last = normalized.iter().rposition(|&byte| byte == b'/')?;
    let start = normalized[..last].iter().rposition(|&byte| byte == b'/').map_or(0, |before| before + 1);
    Some(&normalized[start..])
}

/// Folds a path; on Windows, and for paths that begin with a drive letter, both separators count.
pub(super) fn normalized(text: &[u8]) -> Vec<u8> {
    if is_made_up(text) {
        return text.to_vec();
    }
    let drive = matches!(text, [letter, b':', b'\\' | b'/', ..] if letter.is_ascii_alphabetic());
    let is_separator = |byte: &u8| *byte == b'/' || (*byte == b'\\' && (drive || cfg!(windows)));
    let rooted = text.first().is_some_and(is_separator);
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in text.split(is_separator) {
        match part {
            b"" | b"." => {}
            b".." => match parts.last() {
                Some(&last) if last != b".." && !(drive && parts.len() == 1) => drop(parts.pop()),
                _ if rooted || drive => {}
                _ => parts.push(part),
            },
            _ => parts.push(part),
        }
    }
    let joined = parts.join(&b'/');
    if rooted {
        [b"/", &*joined].concat()
    } else {
        joined
    }
}

/// `base` and a relative path below it.
pub(super) fn joined(base: &[u8], relative: &[u8]) -> Vec<u8> {
    normalized(&[base, b"/", relative].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_and_repeated_separators_fold() {
        for (text, folded) in [
            ("a/./b//c", "a/b/c"),
            ("a/b/../c", "a/c"),
            ("../a", "../a"),
            ("../../a/..", "../.."),
            ("/../a", "/a"),
            ("/", "/"),
            ("./a", "a"),
            ("C:\\app\\..\\shop.py", "C:/shop.py"),
            ("C:/..", "C:"),
            ("<string>", "<string>"),
            ("<a/../b>", "<a/../b>"),
        ] {
            assert_eq!(String::from_utf8_lossy(&normalized(text.as_bytes())), folded, "{text}");
        }
    }

    #[test]
    fn the_key_is_the_last_two_components_that_a_file_can_have() {
        for (text, key) in [
            ("shop.py", "shop.py"),
            ("a/shop.py", "a/shop.py"),
            ("/x/a/shop.py", "a/shop.py"),
            ("/shop.py", "/shop.py"),
            ("../shop.py", "shop.py"),
            ("../a/shop.py", "a/shop.py"),
            ("<a/b>", "<a/b>"),
        ] {
            assert_eq!(String::from_utf8_lossy(PathPattern::parse(text.as_bytes()).key()), key, "{text}");
        }
    }

    #[test]
    fn suffixes_are_whole_components() {
        let pattern = PathPattern::parse(b"src/shop.py");
        assert!(pattern.is_suffix_of(b"/app/src/shop.py"));
        assert!(pattern.is_suffix_of(b"src/shop.py"));
        assert!(!pattern.is_suffix_of(b"/app/xsrc/shop.py"));
        assert!(!pattern.is_suffix_of(b"shop.py"));
    }
}
