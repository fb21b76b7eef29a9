//! Reading what users write: locations, patterns and templates.

use nonstop::capture::{expression_looks_secret, Part, Template};
use nonstop::location::{Glob, Location};

/// Reads the same bytes as each of these.
pub fn check(bytes: &[u8]) {
    if let Ok(location) = Location::parse(bytes) {
        let shown = location.to_string();
        let again = Location::parse(shown.as_bytes()).map(|again| again.to_string());
        assert_eq!(again.as_deref().ok(), Some(&*shown), "a location cannot be read that was shown");
    }
    let half = bytes.len() / 2;
    Glob::parse(&bytes[..half]).matches(&bytes[half..]);
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = expression_looks_secret(text);
    if let Ok(template) = Template::parse(text) {
        assert_eq!(template.parts().len(), template.spans().len());
        for (part, span) in template.parts().iter().zip(template.spans()) {
            match part {
                Part::Literal(literal) => assert_eq!(*literal, text[span.text.clone()]),
                Part::Expression { source, format_spec, .. } => {
                    assert_eq!(*source, text[span.text.clone()]);
                    assert_eq!(*format_spec, text[span.format_spec.clone()]);
                }
            }
        }
    }
}
