//! Path maps: what a container calls `/app` is `/home/me/shop` here.

use super::path::normalized;

/// Prefixes of run-time paths and the local paths that they stand for.
#[derive(Clone, Debug, Default)]
pub struct PathMaps {
    maps: Vec<(Vec<u8>, Vec<u8>)>,
}

impl PathMaps {
    /// Adds a map; one for the same prefix is replaced.
    pub fn add(&mut self, from: &[u8], to: &[u8]) {
        let (from, to) = (normalized(from), normalized(to));
        self.maps.retain(|(known, _)| *known != from);
        self.maps.push((from, to));
        // The longest prefix wins: it is tried first.
        self.maps.sort_by_key(|(from, _)| std::cmp::Reverse(from.len()));
    }

    /// The local spelling of a run-time path; `None` when no map applies.
    pub fn map(&self, path: &[u8]) -> Option<Vec<u8>> {
        let path = normalized(path);
        self.maps.iter().find_map(|(from, to)| {
            let rest = path.strip_prefix(&**from)?;
            let whole = rest.is_empty() || rest.starts_with(b"/") || from.ends_with(b"/");
            whole.then(|| normalized(&[to, &b"/"[..], rest].concat()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(maps: &[(&str, &str)], path: &str) -> Option<String> {
        let mut all = PathMaps::default();
        maps.iter().for_each(|(from, to)| all.add(from.as_bytes(), to.as_bytes()));
        all.map(path.as_bytes()).map(|path| String::from_utf8(path).unwrap())
    }

    #[test]
    fn a_prefix_is_replaced_on_whole_components() {
        assert_eq!(mapped(&[("/app", "/home/me")], "/app/shop.py").as_deref(), Some("/home/me/shop.py"));
        assert_eq!(mapped(&[("/app/", "/home/me/")], "/app/./shop.py").as_deref(), Some("/home/me/shop.py"));
        assert_eq!(mapped(&[("/app", "/home/me")], "/application/shop.py"), None);
        assert_eq!(mapped(&[("/", "/mnt")], "/shop.py").as_deref(), Some("/mnt/shop.py"));
    }

    #[test]
    fn the_longest_map_wins_in_any_order() {
        for maps in [[("/app", "/a"), ("/app/lib", "/b")], [("/app/lib", "/b"), ("/app", "/a")]] {
            assert_eq!(mapped(&maps, "/app/lib/x.py").as_deref(), Some("/b/x.py"));
            assert_eq!(mapped(&maps, "/app/x.py").as_deref(), Some("/a/x.py"));
        }
    }

    #[test]
    fn a_map_for_the_same_prefix_is_replaced() {
        assert_eq!(mapped(&[("/app", "/a"), ("/app/", "/b")], "/app/x.py").as_deref(), Some("/b/x.py"));
    }
}
