//! Which of the hits are taken, by their number.

use std::fmt;
use std::str::FromStr;

/// A rule on the number of a hit; hits count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HitCondition {
    /// `== n`: only the n-th hit.
    Equal(u64),
    /// `>= n`: the n-th hit and all later ones.
    AtLeast(u64),
    /// `% n`: every n-th hit.
    Multiple(u64),
}

impl HitCondition {
    /// Parses `== 3`, `>= 10` or `% 5`; blanks may stand anywhere around the operator and the number.
    ///
    /// # Errors
    /// The text is none of the three forms, the number is 0 (such a condition could never hold, or always), or it does
    /// not fit in 64 bits.
    pub fn parse(text: &str) -> Result<Self, HitConditionError> {
        let refuse = |problem| HitConditionError { text: text.to_owned(), problem };
        let trimmed = text.trim();
        let (form, number): (fn(u64) -> Self, &str) = if let Some(rest) = trimmed.strip_prefix("==") {
            (Self::Equal, rest)
        } else if let Some(rest) = trimmed.strip_prefix(">=") {
            (Self::AtLeast, rest)
        } else if let Some(rest) = trimmed.strip_prefix('%') {
            (Self::Multiple, rest)
        } else {
            return Err(refuse(Problem::Form));
        };
        let digits = number.trim();
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(refuse(Problem::Form));
        }
        match digits.parse() {
            Ok(0) => Err(refuse(Problem::Zero)),
            Ok(number) => Ok(form(number)),
            Err(_) => Err(refuse(Problem::TooLarge)),
        }
    }

    /// Whether the condition holds for the hit of this number.
    #[must_use]
    pub fn holds(&self, hit_number: u64) -> bool {
        match *self {
            Self::Equal(number) => hit_number == number,
            Self::AtLeast(number) => hit_number >= number,
            // The variants are public: a zero that was not parsed never holds, instead of dividing by it.
            Self::Multiple(number) => hit_number.checked_rem(number) == Some(0),
        }
    }
}

impl FromStr for HitCondition {
    type Err = HitConditionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for HitCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Equal(number) => write!(f, "== {number}"),
            Self::AtLeast(number) => write!(f, ">= {number}"),
            Self::Multiple(number) => write!(f, "% {number}"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Problem {
    Form,
    Zero,
    TooLarge,
}

/// A text that is no hit condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HitConditionError {
    text: String,
    problem: Problem,
}

impl fmt::Display for HitConditionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = &self.text;
        match self.problem {
            Problem::Form => write!(
                f,
                "invalid hit condition {text:?}: write '== 3' (only the third hit), '>= 10' (from the tenth on) or '% 5' (every fifth)"
            ),
            Problem::Zero => write!(
                f,
                "invalid hit condition {text:?}: hits count from 1; write a number of at least 1, or leave the condition out"
            ),
            Problem::TooLarge => write!(
                f,
                "invalid hit condition {text:?}: the number is too large; it can be at most {}",
                u64::MAX
            ),
        }
    }
}

impl std::error::Error for HitConditionError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_parse_with_and_without_blanks() {
        for text in ["== 3", "==3", "  ==   3 "] {
            assert_eq!(HitCondition::parse(text), Ok(HitCondition::Equal(3)));
        }
        assert_eq!(HitCondition::parse(">=10"), Ok(HitCondition::AtLeast(10)));
        assert_eq!(HitCondition::parse("%5"), Ok(HitCondition::Multiple(5)));
        assert_eq!("% 5".parse(), Ok(HitCondition::Multiple(5)));
    }

    #[test]
    fn what_is_displayed_parses_to_the_same() {
        for condition in [HitCondition::Equal(1), HitCondition::AtLeast(u64::MAX), HitCondition::Multiple(7)]
        {
            assert_eq!(HitCondition::parse(&condition.to_string()), Ok(condition));
        }
    }

    #[test]
    fn equal_holds_once_at_least_from_there_multiple_every_nth() {
        let holding =
            |condition: HitCondition| (1..=10).filter(|n| condition.holds(*n)).collect::<Vec<u64>>();
        assert_eq!(holding(HitCondition::Equal(3)), [3]);
        assert_eq!(holding(HitCondition::AtLeast(8)), [8, 9, 10]);
        assert_eq!(holding(HitCondition::Multiple(4)), [4, 8]);
    }

    #[test]
    fn a_multiple_of_zero_made_by_hand_never_holds() {
        assert!(!HitCondition::Multiple(0).holds(0));
        assert!(!HitCondition::Multiple(0).holds(1));
    }

    #[test]
    fn zero_is_refused_with_a_reason() {
        for text in ["== 0", "% 0", ">= 0", "%00"] {
            let message = HitCondition::parse(text).unwrap_err().to_string();
            assert!(message.contains(text) && message.contains("count from 1"), "{message}");
        }
    }

    #[test]
    fn other_texts_are_refused_and_named() {
        for text in ["", "3", "= 3", "> 3", "== -1", "== 3x", "==", "% 2.5", "== 3 4", "== +3", "== ٣"] {
            let message = HitCondition::parse(text).unwrap_err().to_string();
            assert!(message.contains(&format!("{text:?}")) && message.contains("'% 5'"), "{message}");
        }
    }

    #[test]
    fn a_number_over_64_bits_is_refused() {
        let message = HitCondition::parse("== 18446744073709551616").unwrap_err().to_string();
        assert!(message.contains("too large"), "{message}");
    }
}
