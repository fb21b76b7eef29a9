//! Templates of log messages: `total={total} of {user.name!r} {x:>10.2f} {{literal}}`.

use std::fmt;
use std::ops::Range;

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Text that stands in the message as it is.
    Literal(String),
    /// An expression whose value stands in the message.
    Expression {
        /// The expression, without blanks around it.
        source: String,
        /// `r`, `s` or `a`: how the value becomes text.
        conversion: Option<char>,
        /// What follows the colon: how it is aligned and rounded.
        format_spec: String,
    },
}

/// Where a part stands in the text of its template, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The literal or the source of the expression. A literal is split at doubled braces, so it is always this piece of
    /// the template, unchanged.
    pub text: Range<usize>,
    /// The format specification; empty for literals.
    pub format_spec: Range<usize>,
}

/// A parsed template. The syntax is that of Python's f-strings, without fields inside of format specifications.
///
/// `{total=}` stands for `total={total!r}`, as there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
    spans: Vec<Span>,
}

impl Template {
    /// Parses a template.
    ///
    /// # Errors
    /// A brace, a bracket or a quote is left open, an expression is missing, or a conversion is unknown.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parser = Parser { text, template: Self { parts: Vec::new(), spans: Vec::new() } };
        match parser.parse() {
            Ok(()) => Ok(parser.template),
            Err((at, problem)) => Err(TemplateError { text: text.to_owned(), at, problem }),
        }
    }

    /// The parts in their order.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Where the parts stand: one span for each.
    #[must_use]
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// How many expressions there are: so many values does a log hit carry.
    #[must_use]
    pub fn expression_count(&self) -> usize {
        self.parts.iter().filter(|part| matches!(part, Part::Expression { .. })).count()
    }
}

/// A text that is no template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    text: String,
    /// The byte of the text where the problem is.
    pub at: usize,
    problem: &'static str,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, at, problem } = self;
        write!(f, "invalid template {text:?} at byte {at}: {problem}")
    }
}

impl std::error::Error for TemplateError {}

type Problem = (usize, &'static str);

const LONE_CLOSE: &str = "a single '}'; write '}}' for a brace in the text";
const NO_CLOSE: &str = "'{' is not closed; write '{{' for a brace in the text";
const NO_EXPRESSION: &str =
    "an expression is missing between the braces; write '{{}}' for braces in the text";
const OPEN_QUOTE: &str = "a quote in the expression is not closed";
const OPEN_BRACKET: &str = "a bracket in the expression is not closed";
const WRONG_BRACKET: &str = "a bracket in the expression closes none that is open";
const CONVERSION: &str = "unknown conversion; write !r, !s or !a, followed by ':' or '}'";
const NESTED: &str =
    "a format specification cannot hold expressions; write its width and precision as numbers";

struct Parser<'t> {
    text: &'t str,
    template: Template,
}

impl Parser<'_> {
    fn parse(&mut self) -> Result<(), Problem> {
        let bytes = self.text.as_bytes();
        let (mut literal, mut at) = (0, 0);
        while let Some(&byte) = bytes.get(at) {
            if byte != b'{' && byte != b'}' {
                at += 1;
            } else if bytes.get(at + 1) == Some(&byte) {
                // The first of the two braces ends a literal, the second belongs to none.
                self.literal(literal..at + 1);
                at += 2;
                literal = at;
            } else if byte == b'}' {
                return Err((at, LONE_CLOSE));
            } else {
                self.literal(literal..at);
                at = self.field(at)?;
                literal = at;
            }
        }
        self.literal(literal..at);
        Ok(())
    }

    fn literal(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            self.template.parts.push(Part::Literal(self.text[range.clone()].to_owned()));
            let format_spec = range.end..range.end;
            self.template.spans.push(Span { text: range, format_spec });
        }
    }

    /// Parses from an opening brace, returns the byte behind the closing one.
    fn field(&mut self, open: usize) -> Result<usize, Problem> {
        let bytes = self.text.as_bytes();
        let mut at = self.expression_end(open)?;
        let mut source = open + 1..at;
        let mut conversion = None;
        if bytes[at] == b'!' {
            match (bytes.get(at + 1), bytes.get(at + 2)) {
                (Some(letter @ (b'r' | b's' | b'a')), Some(b':' | b'}')) => {
                    conversion = Some(char::from(*letter));
                }
                (None, _) | (Some(b'r' | b's' | b'a'), None) => return Err((open, NO_CLOSE)),
                _ => return Err((at, CONVERSION)),
            }
            at += 2;
        }
        let mut format_spec = at..at;
        if bytes[at] == b':' {
            let length = self.text[at + 1..].find(['{', '}']).ok_or((open, NO_CLOSE))?;
            format_spec = at + 1..at + 1 + length;
            at = format_spec.end;
            if bytes[at] == b'{' {
                return Err((at, NESTED));
            }
        }
        if let Some(end) = self.debug_form(source.clone()) {
            self.literal(source.clone());
            source.end = end;
            if conversion.is_none() && format_spec.is_empty() {
                conversion = Some('r');
            }
        }
        let whole = &self.text[source.clone()];
        source.start += whole.len() - whole.trim_start().len();
        source.end -= whole.len() - whole.trim_end().len();
        if source.start >= source.end {
            return Err((open, NO_EXPRESSION));
        }
        self.template.parts.push(Part::Expression {
            source: self.text[source.clone()].to_owned(),
            conversion,
            format_spec: self.text[format_spec.clone()].to_owned(),
        });
        self.template.spans.push(Span { text: source, format_spec });
        Ok(at + 1)
    }

    /// `{total=}`: where the expression ends, if an equals sign follows it that is no operator.
    fn debug_form(&self, source: Range<usize>) -> Option<usize> {
        let before = self.text[source.clone()].trim_end().strip_suffix('=')?;
        let operator = before.ends_with(['=', '!', '<', '>', ':']);
        (!operator && !before.trim().is_empty()).then_some(source.start + before.len())
    }

    /// The `!`, `:` or `}` that ends the expression behind an opening brace: outside of brackets and quotes.
    fn expression_end(&self, open: usize) -> Result<usize, Problem> {
        let bytes = self.text.as_bytes();
        let mut brackets = Vec::new();
        let mut at = open + 1;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b'"' | b'\'' => {
                    at = self.quote_end(at)?;
                    continue;
                }
                b'(' => brackets.push((at, b')')),
                b'[' => brackets.push((at, b']')),
                b'{' => brackets.push((at, b'}')),
                b'}' | b':' if brackets.is_empty() => return Ok(at),
                b'!' if brackets.is_empty() && bytes.get(at + 1) != Some(&b'=') => return Ok(at),
                b')' | b']' | b'}' => match brackets.pop() {
                    Some((_, expected)) if expected == byte => {}
                    // `{f(}`: the brace is the end that was meant, and the bracket the mistake.
                    Some((bracket, _)) if byte == b'}' => return Err((bracket, OPEN_BRACKET)),
                    _ => return Err((at, WRONG_BRACKET)),
                },
                _ => {}
            }
            at += 1;
        }
        Err(match brackets.pop() {
            Some((bracket, _)) => (bracket, OPEN_BRACKET),
            None => (open, NO_CLOSE),
        })
    }

    /// The byte behind the string that begins at `at`.
    fn quote_end(&self, at: usize) -> Result<usize, Problem> {
        let bytes = self.text.as_bytes();
        let quote = &bytes[at..=at];
        let triple = quote.repeat(3);
        let quote = if bytes[at..].starts_with(&triple) { &triple[..] } else { quote };
        let mut inside = at + quote.len();
        while inside < bytes.len() {
            if bytes[inside] == b'\\' {
                inside += 2;
            } else if bytes[inside..].starts_with(quote) {
                return Ok(inside + quote.len());
            } else {
                inside += 1;
            }
        }
        Err((at, OPEN_QUOTE))
    }
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
