//! Run-time paths with all their spellings, and how well a location matches one.

use super::maps::PathMaps;
use super::path::{basename, is_absolute, is_made_up, joined, normalized, tail, PathPattern};

/// What the engine asks of the machine's file system; injected, so that tests and foreign hosts can have their own.
pub trait FileSystem {
    /// The path with all symlinks resolved; `None` when there is no such file.
    fn canonical(&self, path: &[u8]) -> Option<Vec<u8>>;
    /// The directory that relative paths start from.
    fn base(&self) -> Option<Vec<u8>>;
}

/// This machine's file system. The base is the working directory at creation: a program that changes it later still means
/// the same files.
#[derive(Clone, Debug)]
pub struct OsFileSystem {
    base: Option<Vec<u8>>,
}

impl OsFileSystem {
    /// With the present working directory as base.
    pub fn new() -> Self {
        Self { base: std::env::current_dir().ok().map(|path| to_bytes(path.as_os_str())) }
    }
}

impl Default for OsFileSystem {
    fn default() -> Self {
        Self::new()
    }
}

impl FileSystem for OsFileSystem {
    fn canonical(&self, path: &[u8]) -> Option<Vec<u8>> {
        let path = std::fs::canonicalize(from_bytes(path)?).ok()?;
        Some(normalized(&to_bytes(path.as_os_str())))
    }

    fn base(&self) -> Option<Vec<u8>> {
        self.base.clone()
    }
}

#[cfg(unix)]
fn to_bytes(path: &std::ffi::OsStr) -> Vec<u8> {
    std::os::unix::ffi::OsStrExt::as_bytes(path).to_vec()
}

#[cfg(unix)]
fn from_bytes(path: &[u8]) -> Option<std::path::PathBuf> {
    let path: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(path);
    Some(path.into())
}

#[cfg(not(unix))]
fn to_bytes(path: &std::ffi::OsStr) -> Vec<u8> {
    path.to_string_lossy().into_owned().into_bytes()
}

#[cfg(not(unix))]
fn from_bytes(path: &[u8]) -> Option<std::path::PathBuf> {
    Some(std::str::from_utf8(path).ok()?.into())
}

/// How well a location matches a file. The longest match wins: all of a path before the end of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// The file's path ends with the location's, on whole components.
    Suffix,
    /// The location names this very file: absolutely, or relative to the base directory.
    Exact,
}

/// A path as an interpreter knows it, with its other spellings: absolute, through the path maps, with symlinks resolved.
#[derive(Clone, Debug)]
pub struct KnownPath {
    spellings: Vec<Vec<u8>>,
    /// Where keys begin: in which spelling, at which byte. They go to its end.
    keys: Vec<(usize, usize)>,
    base: Option<Vec<u8>>,
}

impl KnownPath {
    /// Works out the spellings of a run-time path; this reads the file system once.
    pub fn new(raw: &[u8], maps: &PathMaps, system: &dyn FileSystem) -> Self {
        let base = system.base();
        let mut spellings = vec![normalized(raw)];
        let mut add = |path: Vec<u8>| {
            if !spellings.contains(&path) {
                spellings.push(path);
            }
        };
        let absolute = match &base {
            Some(base) if !is_absolute(&normalized(raw)) && !is_made_up(raw) => joined(base, raw),
            _ => normalized(raw),
        };
        let mapped = maps.map(&absolute).or_else(|| maps.map(raw));
        for path in [Some(absolute), mapped].into_iter().flatten() {
            let canonical = if is_made_up(&path) { None } else { system.canonical(&path) };
            add(path);
            if let Some(canonical) = canonical {
                add(canonical);
            }
        }
        let mut keys: Vec<(usize, usize)> = Vec::new();
        for (row, path) in spellings.iter().enumerate() {
            for key in [Some(basename(path)), tail(path)].into_iter().flatten() {
                if !keys.iter().any(|&(row, start)| spellings[row][start..] == *key) {
                    keys.push((row, path.len() - key.len()));
                }
            }
        }
        Self { spellings, keys, base: base.map(|base| normalized(&base)) }
    }

    /// The distinct [`PathPattern::key`]s of all locations that can match it: the last one and the last two components of each
    /// spelling, since a symlink may have another name than its target.
    pub fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.keys.iter().map(|&(row, start)| &self.spellings[row][start..])
    }

    /// Whether a spelling is this path below the base directory. Both are normalised, and so would be their sum, unless the
    /// path begins with `..`: nothing is put together for the many paths that do not match.
    fn is_below_base(&self, base: &[u8], relative: &[u8]) -> bool {
        if relative.starts_with(b"..") {
            let full = joined(base, relative);
            return self.spellings.contains(&full);
        }
        let base = base.strip_suffix(b"/").unwrap_or(base);
        self.spellings.iter().any(|path| {
            let below = path.strip_suffix(relative).and_then(|rest| rest.strip_suffix(b"/"));
            below == Some(base)
        })
    }
}

impl PathPattern {
    /// How well this location matches a file. An absolute location names its file or nothing: to debug what runs
    /// elsewhere under another path, add a path map.
    pub fn matches(&self, path: &KnownPath) -> Option<Strength> {
        let names_it = |full: &[u8]| path.spellings.iter().any(|spelling| spelling == full);
        if names_it(self.as_bytes()) {
            return Some(Strength::Exact);
        }
        if self.is_absolute() {
            return None;
        }
        if path.base.as_deref().is_some_and(|base| path.is_below_base(base, self.as_bytes())) {
            return Some(Strength::Exact);
        }
        path.spellings.iter().any(|spelling| self.is_suffix_of(spelling)).then_some(Strength::Suffix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file system with one symlink and a base.
    struct Fixed;

    impl FileSystem for Fixed {
        fn canonical(&self, path: &[u8]) -> Option<Vec<u8>> {
            match path.strip_prefix(b"/link") {
                Some(rest) => Some([b"/real", rest].concat()),
                None => Some(path.to_vec()),
            }
        }

        fn base(&self) -> Option<Vec<u8>> {
            Some(b"/srv/dir".to_vec())
        }
    }

    fn strength(pattern: &str, path: &str) -> Option<Strength> {
        let mut maps = PathMaps::default();
        maps.add(b"/app", b"/home/me");
        let (pattern, known) =
            (PathPattern::parse(pattern.as_bytes()), KnownPath::new(path.as_bytes(), &maps, &Fixed));
        let strength = pattern.matches(&known);
        assert!(
            strength.is_none() || known.keys().any(|key| key == pattern.key()),
            "it would not be looked up"
        );
        strength
    }

    #[test]
    fn absolute_locations_name_one_file() {
        assert_eq!(strength("/a/shop.py", "/a/shop.py"), Some(Strength::Exact));
        assert_eq!(strength("/a/shop.py", "/b/a/shop.py"), None);
        assert_eq!(strength("/a/../a/shop.py", "/a/./shop.py"), Some(Strength::Exact));
    }

    #[test]
    fn relative_locations_match_the_end() {
        assert_eq!(strength("shop.py", "/a/shop.py"), Some(Strength::Suffix));
        assert_eq!(strength("a/shop.py", "/x/a/shop.py"), Some(Strength::Suffix));
        assert_eq!(strength("b/shop.py", "/x/a/shop.py"), None);
        assert_eq!(strength("hop.py", "/a/shop.py"), None);
    }

    #[test]
    fn below_the_base_directory_is_exact() {
        assert_eq!(strength("shop.py", "/srv/dir/shop.py"), Some(Strength::Exact));
        assert_eq!(strength("shop.py", "shop.py"), Some(Strength::Exact));
        assert_eq!(strength("../shop.py", "/srv/shop.py"), Some(Strength::Exact));
        assert_eq!(strength("shop.py", "/srv/dir/sub/shop.py"), Some(Strength::Suffix));
    }

    #[test]
    fn both_ends_of_a_symlink_match() {
        assert_eq!(strength("/real/shop.py", "/link/shop.py"), Some(Strength::Exact));
        assert_eq!(strength("/link/shop.py", "/link/shop.py"), Some(Strength::Exact));
        assert_eq!(strength("real/shop.py", "/link/shop.py"), Some(Strength::Suffix));
    }

    #[test]
    fn a_path_map_gives_the_local_spelling() {
        assert_eq!(strength("/home/me/shop.py", "/app/shop.py"), Some(Strength::Exact));
        assert_eq!(strength("me/shop.py", "/app/shop.py"), Some(Strength::Suffix));
    }

    #[test]
    fn made_up_names_match_literally() {
        assert_eq!(strength("<string>", "<string>"), Some(Strength::Exact));
        assert_eq!(strength("<string>", "<stdin>"), None);
    }

    #[test]
    fn bytes_that_are_no_utf8_match() {
        let path = KnownPath::new(b"/caf\xe9/shop.py", &PathMaps::default(), &Fixed);
        assert_eq!(PathPattern::parse(b"caf\xe9/shop.py").matches(&path), Some(Strength::Suffix));
    }

    #[cfg(unix)]
    #[test]
    fn a_real_symlink_is_followed() {
        let directory = std::env::temp_dir().join(format!("nonstop-symlink-{}", std::process::id()));
        let (real, link) = (directory.join("real.py"), directory.join("link.py"));
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(&real, "").unwrap();
        let _ = std::fs::remove_file(&link);
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let system = OsFileSystem::new();
        let known = KnownPath::new(&to_bytes(link.as_os_str()), &PathMaps::default(), &system);
        assert_eq!(PathPattern::parse(b"real.py").matches(&known), Some(Strength::Suffix));
        assert_eq!(PathPattern::parse(b"link.py").matches(&known), Some(Strength::Suffix));
        assert!(["real.py", "link.py"].iter().all(|name| known.keys().any(|key| key == name.as_bytes())));
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
