//! Format specifications of log templates: Python's mini-language for integers, floats and texts.
//!
//! What a specification says is applied to the recorded value here, so that hosts need not know about it. One that a host
//! has already applied does no harm: a text that is as wide as asked stays as it is.

/// What a specification is applied to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Plain<'a> {
    /// The decimal digits of an integer.
    Int(&'a str),
    /// A number and its shortest text.
    Float(f64, &'a str),
    /// Anything else, as text.
    Text(&'a str),
}

/// Nobody reads more columns; a wider field would fill the message with blanks.
const WIDEST: usize = 1000;
/// A double has no more significant digits than that in its exact decimal form before the point plus some.
const MOST_PRECISE: usize = 100;

/// The formatted value; `None` if the specification is not one for such a value (it may be another type's own, like
/// `%H:%M`), which is then shown unformatted.
pub(super) fn apply(specification: &str, value: Plain<'_>) -> Option<String> {
    let spec = Spec::parse(specification)?;
    match value {
        Plain::Int(digits) => match spec.kind {
            None | Some('d' | 'n') if spec.precision.is_none() => {
                let (negative, digits) = split_sign(digits);
                Some(spec.number(negative, "", digits, "", ""))
            }
            Some(kind @ ('x' | 'X' | 'o' | 'b')) if spec.precision.is_none() => spec.radix(kind, digits),
            Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%') => spec.float(digits.parse().ok()?, digits),
            _ => None,
        },
        Plain::Float(number, text) => spec.float(number, text),
        Plain::Text(text) => spec.text(text),
    }
}

#[derive(Debug)]
struct Spec {
    fill: char,
    align: Option<char>,
    sign: char,
    alternate: bool,
    zero: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

impl Spec {
    fn parse(text: &str) -> Option<Self> {
        let is_align = |char: &char| matches!(char, '<' | '>' | '=' | '^');
        let mut chars = text.chars().peekable();
        let (mut fill, mut align) = (' ', None);
        let mut ahead = text.chars();
        if let (Some(first), Some(second)) = (ahead.next(), ahead.next().filter(is_align)) {
            (fill, align) = (first, Some(second));
            chars.next();
            chars.next();
        } else if let Some(char) = chars.next_if(is_align) {
            align = Some(char);
        }
        let sign = chars.next_if(|char| matches!(char, '+' | '-' | ' ')).unwrap_or('-');
        let alternate = chars.next_if_eq(&'#').is_some();
        let zero = chars.next_if_eq(&'0').is_some();
        let width = take_number(&mut chars).unwrap_or(0).min(WIDEST);
        let grouping = chars.next_if(|char| matches!(char, ',' | '_'));
        let precision = if chars.next_if_eq(&'.').is_some() { Some(take_number(&mut chars)?) } else { None };
        let kind = chars.next();
        if chars.next().is_some() {
            return None;
        }
        Some(Self { fill, align, sign, alternate, zero, width, grouping, precision, kind })
    }

    fn text(&self, text: &str) -> Option<String> {
        if !matches!(self.kind, None | Some('s'))
            || self.align == Some('=')
            || self.sign != '-'
            || self.grouping.is_some()
        {
            return None;
        }
        let text: String = text.chars().take(self.precision.unwrap_or(usize::MAX)).collect();
        let fill = if self.zero && self.align.is_none() { '0' } else { self.fill };
        Some(self.pad("", &text, fill, self.align.unwrap_or('<')))
    }

    fn radix(&self, kind: char, digits: &str) -> Option<String> {
        let number: i128 = digits.parse().ok()?;
        let magnitude = number.unsigned_abs();
        let (prefix, digits) = match kind {
            'x' => ("0x", format!("{magnitude:x}")),
            'X' => ("0X", format!("{magnitude:X}")),
            'o' => ("0o", format!("{magnitude:o}")),
            _ => ("0b", format!("{magnitude:b}")),
        };
        if self.grouping == Some(',') {
            return None;
        }
        let prefix = if self.alternate { prefix } else { "" };
        Some(self.number(number < 0, prefix, &digits, "", ""))
    }

    fn float(&self, number: f64, text: &str) -> Option<String> {
        let precision = self.precision.unwrap_or(6);
        if precision > MOST_PRECISE {
            return None;
        }
        let magnitude = number.abs();
        let upper = matches!(self.kind, Some('E' | 'F' | 'G'));
        let mut body = match self.kind {
            _ if number.is_nan() => "nan".to_owned(),
            _ if number.is_infinite() => "inf".to_owned(),
            None if self.precision.is_none() => split_sign(text).1.to_owned(),
            None => {
                // Like `g`, but with a digit behind the point, so that it still looks like a float.
                let general = general(magnitude, precision, self.alternate);
                if general.contains(['.', 'e']) {
                    general
                } else {
                    general + ".0"
                }
            }
            Some('f' | 'F') => format!("{magnitude:.precision$}"),
            Some('e' | 'E') => exponent(magnitude, precision),
            Some('g' | 'G' | 'n') => general(magnitude, precision, self.alternate),
            Some('%') => format!("{:.precision$}", magnitude * 100.0),
            Some(_) => return None,
        };
        if upper {
            body = body.to_ascii_uppercase();
        }
        let percent = if self.kind == Some('%') { "%" } else { "" };
        let end = body.find(|char: char| !char.is_ascii_digit()).unwrap_or(body.len());
        let (whole, rest) = body.split_at(end);
        Some(self.number(number.is_sign_negative() && !number.is_nan(), "", whole, rest, percent))
    }

    fn number(&self, negative: bool, prefix: &str, whole: &str, rest: &str, suffix: &str) -> String {
        let sign = match (negative, self.sign) {
            (true, _) => "-",
            (false, '+') => "+",
            (false, ' ') => " ",
            (false, _) => "",
        };
        let mut whole = whole.to_owned();
        let zeros = self.zero && self.align.is_none();
        if let Some(separator) = self.grouping {
            let size = if matches!(self.kind, Some('x' | 'X' | 'o' | 'b')) { 4 } else { 3 };
            let others = sign.len() + prefix.len() + rest.len() + suffix.len();
            if zeros && !whole.is_empty() {
                // Zeros that fill the field are grouped with the number.
                while whole.len() + (whole.len() - 1) / size + others < self.width {
                    whole.insert(0, '0');
                }
            }
            whole = group(&whole, separator, size);
        }
        let body = format!("{whole}{rest}{suffix}");
        let head = format!("{sign}{prefix}");
        if zeros {
            self.pad(&head, &body, '0', '=')
        } else {
            self.pad(&head, &body, self.fill, self.align.unwrap_or('>'))
        }
    }

    fn pad(&self, head: &str, body: &str, fill: char, align: char) -> String {
        let missing = self.width.saturating_sub(head.chars().count() + body.chars().count());
        let filling = |count: usize| fill.to_string().repeat(count);
        match align {
            '<' => format!("{head}{body}{}", filling(missing)),
            '^' => format!("{}{head}{body}{}", filling(missing / 2), filling(missing - missing / 2)),
            '=' => format!("{head}{}{body}", filling(missing)),
            _ => format!("{}{head}{body}", filling(missing)),
        }
    }
}

fn take_number(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<usize> {
    let mut number: Option<usize> = None;
    while let Some(digit) = chars.peek().and_then(|char| char.to_digit(10)) {
        chars.next();
        number = Some(number.unwrap_or(0).saturating_mul(10).saturating_add(digit as usize));
    }
    number
}

fn split_sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn group(digits: &str, separator: char, size: usize) -> String {
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % size == 0 {
            grouped.push(separator);
        }
        grouped.push(digit);
    }
    grouped
}

/// `1.50e+03`: Python writes the exponent with a sign and at least two digits.
fn exponent(magnitude: f64, precision: usize) -> String {
    let text = format!("{magnitude:.precision$e}");
    match text.split_once('e') {
        Some((mantissa, power)) => {
            let (negative, power) = split_sign(power);
            format!("{mantissa}e{}{power:0>2}", if negative { '-' } else { '+' })
        }
        None => text,
    }
}

/// C's `%g`: fixed or with an exponent, whichever is shorter, without zeros at the end.
fn general(magnitude: f64, precision: usize, keep_zeros: bool) -> String {
    let precision = precision.max(1);
    let scientific = exponent(magnitude, precision - 1);
    let (mantissa, power) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i64 = power.parse().unwrap_or(0);
    let strip = |text: &str| {
        if keep_zeros || !text.contains('.') {
            text.to_owned()
        } else {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
    };
    match usize::try_from(precision as i64 - 1 - exponent) {
        Ok(decimals) if exponent >= -4 => strip(&format!("{magnitude:.decimals$}")),
        _ => format!("{}e{power}", strip(mantissa)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_formatted_as_python_does() {
        for (spec, digits, expected) in [
            ("", "42", "42"),
            ("5", "42", "   42"),
            ("<5", "42", "42   "),
            ("^5", "42", " 42  "),
            ("*>5", "42", "***42"),
            ("05", "-42", "-0042"),
            ("+", "42", "+42"),
            (" d", "42", " 42"),
            (",", "1234567", "1,234,567"),
            ("_d", "-1234567", "-1_234_567"),
            ("08,", "5", "0,000,005"),
            ("x", "255", "ff"),
            ("#X", "-255", "-0XFF"),
            ("#010x", "255", "0x000000ff"),
            ("b", "5", "101"),
            ("_b", "255", "1111_1111"),
            ("o", "8", "10"),
            (".2f", "3", "3.00"),
            ("%", "1", "100.000000%"),
            ("e", "1500", "1.500000e+03"),
            (",", "123456789012345678901234567890", "123,456,789,012,345,678,901,234,567,890"),
        ] {
            assert_eq!(apply(spec, Plain::Int(digits)).as_deref(), Some(expected), "{spec}");
        }
    }

    #[test]
    fn floats_are_formatted_as_python_does() {
        for (spec, number, expected) in [
            ("", 1.5, "1.5"),
            (">10.2f", 3.14259, "      3.14"),
            ("+.1f", 2.25, "+2.2"),
            ("010.3f", -2.5, "-00002.500"),
            (",.2f", 1234567.891, "1,234,567.89"),
            (".1%", 0.256, "25.6%"),
            (".3e", 12345.678, "1.235e+04"),
            ("E", 0.00012, "1.200000E-04"),
            ("g", 1234567.0, "1.23457e+06"),
            ("g", 0.0001, "0.0001"),
            ("g", 100000.0, "100000"),
            (".3", 3.14259, "3.14"),
            (".3", 3.0, "3.0"),
            ("8.3g", 2.0, "       2"),
            (".2f", f64::NAN, "nan"),
            ("F", f64::NEG_INFINITY, "-INF"),
            (".0f", -0.4, "-0"),
        ] {
            let text = format!("{number:?}");
            assert_eq!(
                apply(spec, Plain::Float(number, &text)).as_deref(),
                Some(expected),
                "{spec} {number}"
            );
        }
    }

    #[test]
    fn texts_are_formatted_as_python_does_and_twice_is_once() {
        for (spec, text, expected) in [
            ("", "abc", "abc"),
            ("5", "abc", "abc  "),
            (">5s", "abc", "  abc"),
            ("é^7", "abc", "ééabcéé"),
            (".2", "abc", "ab"),
            ("4.2", "äöü", "äö  "),
        ] {
            let once = apply(spec, Plain::Text(text));
            assert_eq!(once.as_deref(), Some(expected), "{spec}");
            assert_eq!(apply(spec, Plain::Text(expected)), once, "{spec} twice");
        }
    }

    #[test]
    fn what_is_no_specification_for_the_value_is_none() {
        assert_eq!(apply("%H:%M", Plain::Text("12")), None);
        assert_eq!(apply("d", Plain::Text("abc")), None);
        assert_eq!(apply("s", Plain::Int("1")), None);
        assert_eq!(apply(".2", Plain::Int("1")), None);
        assert_eq!(apply("x", Plain::Float(1.0, "1.0")), None);
        assert_eq!(apply(".f", Plain::Float(1.0, "1.0")), None);
        assert_eq!(apply(".99999999999999999999f", Plain::Float(1.0, "1.0")), None);
    }

    #[test]
    fn a_huge_width_is_brought_down() {
        let wide = apply("99999999999999999999999", Plain::Text("a")).unwrap();
        assert_eq!(wide.len(), WIDEST);
    }
}
