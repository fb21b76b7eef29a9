//! Which expressions look as if they gave a secret.
//!
//! **The rule.** A plain path (`user.name`, `config["api_key"]`, `rows[0].token`) is named by its last name or quoted key.
//! Anything else (calls, operators, slices, a subscript by a variable) gives something made out of its parts: there one
//! name or quoted text that looks like a secret is enough, so that `password.encode()` or `token[:4]` do not get around
//! the redaction.

use super::looks_secret;

/// Whether the value of this expression is redacted. See the module for the rule.
#[must_use]
pub fn expression_looks_secret(source: &str) -> bool {
    match last_name(source.trim()) {
        Some(name) => looks_secret(name),
        // Words are what counts in names, and quotes, dots and operators separate words: but two operands must not become
        // one pair, nor a measure at the end excuse the rest.
        None => source
            .split(|char: char| !(char.is_alphanumeric() || char == '_' || char == '-'))
            .any(looks_secret),
    }
}

/// The last name of a plain path; `None` if the expression is something else.
fn last_name(path: &str) -> Option<&str> {
    let (mut name, mut rest) = split_identifier(path)?;
    loop {
        if rest.is_empty() {
            return Some(name);
        }
        if let Some(after) = rest.strip_prefix('.') {
            (name, rest) = split_identifier(after)?;
            continue;
        }
        let inside = rest.strip_prefix('[')?;
        let quote = inside.chars().next()?;
        if quote == '"' || quote == '\'' {
            let (key, after) = inside[1..].split_once(quote)?;
            if key.contains('\\') {
                return None;
            }
            name = key;
            rest = after.strip_prefix(']')?;
        } else {
            // A number picks an item, and says nothing of what it is: the name before it still names it.
            let (index, after) = inside.split_once(']')?;
            let digits = index.strip_prefix('-').unwrap_or(index);
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            rest = after;
        }
    }
}

fn split_identifier(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|char: char| !(char.is_alphanumeric() || char == '_')).unwrap_or(text.len());
    if end == 0 || text.as_bytes()[0].is_ascii_digit() {
        return None;
    }
    Some(text.split_at(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_named_by_its_last_part() {
        for source in [
            "password",
            " user.password ",
            "config[\"api_key\"]",
            "config['Authorization']",
            "rows[0].token",
            "tokens[0].secret",
            "token[0]",
            "password[-1]",
            "self._secret",
        ] {
            assert!(expression_looks_secret(source), "{source} is shown");
        }
        for source in [
            "user.name",
            "password.length",
            "token.kind",
            "cookies[\"theme\"]",
            "auth[0].id",
            "total",
            "a.b.c",
        ] {
            assert!(!expression_looks_secret(source), "{source} is redacted");
        }
    }

    #[test]
    fn what_is_made_out_of_a_secret_is_one() {
        for source in [
            "password.encode()",
            "token[:4]",
            "str(password)",
            "get_password()",
            "f(user, token)",
            "password + ''",
            "[t.secret for t in rows]",
            "config.get('api_key')",
            "password or name",
            "config['a' + 'password']",
        ] {
            assert!(expression_looks_secret(source), "{source} is shown");
        }
    }

    #[test]
    fn other_expressions_are_shown() {
        for source in [
            "",
            "len(rows)",
            "a + b",
            "rows[i].name",
            "tokenizer.next()",
            "api[key]",
            "x['",
            "x[",
            "x.",
            "1 + 2",
            "é.ü[0]",
        ] {
            assert!(!expression_looks_secret(source), "{source} is redacted");
        }
    }
}
