//! How values look in a log message: a compact form of Python's `repr`.

use super::records::Container;

/// The brackets of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Brackets {
    /// The type's name stands before the bracket.
    pub named: bool,
    pub open: &'static str,
    pub close: &'static str,
    /// What closes a container without anything in it, in place of both (after the name).
    pub empty: &'static str,
    /// What closes a container of one item.
    pub close_one: &'static str,
}

const fn brackets(named: bool, open: &'static str, close: &'static str) -> Brackets {
    Brackets { named, open, close, empty: "", close_one: close }
}

/// The brackets that Python writes for a type of this name.
pub(super) fn brackets_of(kind: Container, type_name: &str) -> Brackets {
    match (kind, type_name) {
        (Container::Items, "list") => brackets(false, "[", "]"),
        (Container::Items, "tuple") => Brackets { close_one: ",)", ..brackets(false, "(", ")") },
        (Container::Items, "set") => Brackets { empty: "set()", ..brackets(false, "{", "}") },
        (Container::Items, "frozenset") => Brackets { empty: "()", ..brackets(true, "({", "})") },
        (Container::Items, _) => brackets(true, "([", "])"),
        (Container::Entries, "dict") => brackets(false, "{", "}"),
        (Container::Entries, _) => brackets(true, "({", "})"),
        (Container::Fields, _) => brackets(true, "(", ")"),
    }
}

/// Writes a text as a Python literal; with `ascii` everything else is escaped too.
pub(super) fn quote(out: &mut String, text: &str, ascii: bool) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for char in text.chars() {
        match char {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            char if char == quote => {
                out.push('\\');
                out.push(char);
            }
            ' '..='~' => out.push(char),
            // Control characters, and the invisible ones that would break a line or reorder it.
            '\u{0}'..='\u{ff}' if char <= '\u{a0}' || char == '\u{ad}' || ascii => escape(out, 'x', 2, char),
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {
                escape(out, 'u', 4, char);
            }
            '\u{0}'..='\u{ffff}' if ascii => escape(out, 'u', 4, char),
            char if ascii => escape(out, 'U', 8, char),
            char => out.push(char),
        }
    }
    out.push(quote);
}

fn escape(out: &mut String, letter: char, digits: usize, char: char) {
    out.push('\\');
    out.push(letter);
    out.push_str(&format!("{:0digits$x}", u32::from(char)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(text: &str, ascii: bool) -> String {
        let mut out = String::new();
        quote(&mut out, text, ascii);
        out
    }

    #[test]
    fn texts_are_quoted_as_python_does() {
        for (text, expected) in [
            ("", "''"),
            ("plain", "'plain'"),
            ("it's", "\"it's\""),
            ("say \"hi\"", "'say \"hi\"'"),
            ("both ' and \"", "'both \\' and \"'"),
            ("a\\b\n\t\r", "'a\\\\b\\n\\t\\r'"),
            ("\0\x1b\x7f", "'\\x00\\x1b\\x7f'"),
            ("é€😀", "'é€😀'"),
            ("\u{a0}\u{ad}\u{2028}", "'\\xa0\\xad\\u2028'"),
        ] {
            assert_eq!(quoted(text, false), expected);
        }
    }

    #[test]
    fn ascii_escapes_the_rest_too() {
        assert_eq!(quoted("é€😀a", true), "'\\xe9\\u20ac\\U0001f600a'");
    }
}
