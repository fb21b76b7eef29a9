//! The text of a location.

use std::fmt;

use super::path::PathPattern;

/// A location: `shop.py:42`, `shop.py:total`, `package.module:42`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The file or module.
    pub place: Place,
    /// The line or function there.
    pub target: Target,
}

/// What comes before the last colon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file, by a path or the end of one.
    File(PathPattern),
    /// A module, by its dotted name.
    Module(Box<str>),
}

/// What comes after the last colon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A line, counted from 1.
    Line(u32),
    /// A function, `total` or `Class.method`: the end of a qualified name, on dots.
    Function(Box<str>),
}

/// Endings of Python sources: a name that has one is a file, any other dotted name a module.
const SOURCE_ENDINGS: [&[u8]; 4] = [b".py", b".pyw", b".pyx", b".pyi"];

impl Location {
    /// Reads a location. Paths are bytes: they need not be UTF-8. The last colon divides, so that drive letters are no trouble.
    ///
    /// # Errors
    /// [`LocationError`] says what is wrong with which part, and how it is written.
    pub fn parse(text: &[u8]) -> Result<Self, LocationError> {
        let refused = |problem: String| LocationError { text: text.to_vec(), problem };
        let colon = text.iter().rposition(|&byte| byte == b':');
        let Some(colon) = colon else {
            return Err(refused("there is no ':'".into()));
        };
        let (place, target) = (&text[..colon], &text[colon + 1..]);
        let target = Self::target(target).map_err(refused)?;
        let place = Self::place(place).map_err(refused)?;
        Ok(Self { place, target })
    }

    fn target(text: &[u8]) -> Result<Target, String> {
        let text =
            std::str::from_utf8(text).map_err(|_| String::from("what follows the ':' is not UTF-8"))?;
        if text.is_empty() {
            return Err("nothing follows the ':'".into());
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return match text.parse() {
                Ok(0) => Err("lines start at 1".into()),
                Ok(line) => Ok(Target::Line(line)),
                Err(_) => Err(format!("line {text} is larger than any file")),
            };
        }
        if text.split('.').all(is_identifier) {
            return Ok(Target::Function(text.into()));
        }
        Err(format!("'{text}' is neither a line nor the name of a function"))
    }

    fn place(text: &[u8]) -> Result<Place, String> {
        if text.is_empty() {
            return Err("nothing precedes the ':'".into());
        }
        if text.contains(&0) {
            return Err("a path can't contain a zero byte".into());
        }
        if is_file(text) {
            let pattern = PathPattern::parse(text);
            if pattern.as_bytes().is_empty() {
                return Err(format!("'{}' names no file", String::from_utf8_lossy(text)));
            }
            return Ok(Place::File(pattern));
        }
        match std::str::from_utf8(text) {
            Ok(module) if module.split('.').all(is_identifier) => Ok(Place::Module(module.into())),
            _ => Err(format!(
                "'{}' is neither a module nor a source file; for a file without the ending .py write its directory too, as in ./{0}",
                String::from_utf8_lossy(text)
            )),
        }
    }
}

/// Whether a text is a path; otherwise it is the name of a module.
fn is_file(text: &[u8]) -> bool {
    text.starts_with(b"<")
        || text.contains(&b'/')
        || text.contains(&b'\\')
        || SOURCE_ENDINGS.iter().any(|ending| text.len() > ending.len() && text.ends_with(ending))
}

/// Whether Python would take it for an identifier, nearly: names that are no identifiers after all match nothing.
fn is_identifier(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_alphanumeric() || letter == '_')
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::File(pattern) => {
                // Folded, `./tool` looks like a module.
                let directory = if is_file(pattern.as_bytes()) { "" } else { "./" };
                write!(f, "{directory}{}", String::from_utf8_lossy(pattern.as_bytes()))?;
            }
            Place::Module(name) => f.write_str(name)?,
        }
        match &self.target {
            Target::Line(line) => write!(f, ":{line}"),
            Target::Function(name) => write!(f, ":{name}"),
        }
    }
}

/// A text that is no location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocationError {
    text: Vec<u8>,
    problem: String,
}

impl fmt::Display for LocationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(&self.text);
        write!(
            f,
            "'{text}' is no location: {}; write FILE:LINE, FILE:FUNCTION or package.module:LINE",
            self.problem
        )
    }
}

impl std::error::Error for LocationError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Location {
        Location::parse(text.as_bytes()).unwrap()
    }

    fn refused(text: &[u8]) -> String {
        Location::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_source_ending_or_a_separator_makes_a_file() {
        for text in ["shop.py:42", "a/shop:42", "<string>:1", "C:\\shop.py:42", "./tool:3"] {
            assert!(matches!(parsed(text).place, Place::File(_)), "{text}");
        }
        for text in ["shop:42", "package.module:42", "módulo:7"] {
            assert!(matches!(parsed(text).place, Place::Module(_)), "{text}");
        }
    }

    #[test]
    fn digits_make_a_line_and_names_a_function() {
        assert_eq!(parsed("shop.py:42").target, Target::Line(42));
        assert_eq!(parsed("shop.py:Cart.total").target, Target::Function("Cart.total".into()));
    }

    #[test]
    fn a_location_is_shown_as_it_was_written() {
        for text in ["shop.py:42", "src/shop.py:Cart.total", "package.module:7", "./tool:3"] {
            assert_eq!(parsed(text).to_string(), text);
        }
    }

    #[test]
    fn paths_need_not_be_utf8() {
        assert!(Location::parse(b"caf\xe9/shop.py:3").is_ok());
    }

    #[test]
    fn refusals_name_the_value_and_the_remedy() {
        for (text, part) in [
            (&b"shop.py"[..], "there is no ':'"),
            (b"shop.py:0", "lines start at 1"),
            (b"shop.py:", "nothing follows"),
            (b":4", "nothing precedes"),
            (b"shop.py:4x", "neither a line nor"),
            (b"shop.py:99999999999", "larger than any file"),
            (b"sh op:4", "./sh op"),
            (b"shop.py:\xff", "not UTF-8"),
            (b"a\0b.py:1", "zero byte"),
            (b"a/..:1", "names no file"),
        ] {
            let message = refused(text);
            assert!(message.contains(part) && message.contains("FILE:LINE"), "{message}");
        }
    }
}
