//! Which names look like secrets.
//!
//! **The rule.** A name is split into words: at everything that is no letter, at digits, and where the case changes
//! (`accessToken`, `APIKey`). It looks like a secret if one of the words is a secret's, or if two neighbouring words are
//! together (`api_key`), unless the last word says that it is a measure or a kind of the secret (`token_count`,
//! `password_length`, `auth_type`). Whole words are compared, so `author`, `tokenizer`, `keyboard` and `passport` do not.
//! A bare `key` or `tokens` does not either: dictionaries have keys, and parsers have tokens.
//!
//! The rule errs to redaction: a parser's `token` is hidden, which costs its user a look; a shown password costs more.

/// Words that are a secret's by themselves.
fn is_secret_word(word: &[u8]) -> bool {
    matches!(
        word,
        b"password"
            | b"passwords"
            | b"passwd"
            | b"pwd"
            | b"passphrase"
            | b"passcode"
            | b"secret"
            | b"secrets"
            | b"token"
            | b"authorization"
            | b"auth"
            | b"cookie"
            | b"cookies"
            | b"credential"
            | b"credentials"
            | b"creds"
            | b"jwt"
            | b"bearer"
            | b"apikey"
            | b"apikeys"
            | b"accesskey"
            | b"privatekey"
            | b"secretkey"
            | b"sessionkey"
            | b"sessionid"
            | b"authtoken"
            | b"accesstoken"
            | b"refreshtoken"
            | b"csrftoken"
            | b"sessid"
            | b"phpsessid"
            | b"jsessionid"
            | b"cvv"
            | b"ssn"
    )
}

/// Words that are a secret's after certain others.
fn is_secret_pair(first: &[u8], second: &[u8]) -> bool {
    match second {
        b"key" | b"keys" => matches!(
            first,
            b"api"
                | b"access"
                | b"private"
                | b"session"
                | b"encryption"
                | b"signing"
                | b"master"
                | b"ssh"
                | b"hmac"
        ),
        b"tokens" => {
            matches!(first, b"access" | b"api" | b"refresh" | b"session" | b"csrf" | b"user" | b"id")
        }
        b"id" => first == b"session",
        b"pass" => matches!(
            first,
            b"db" | b"database" | b"user" | b"smtp" | b"mail" | b"ftp" | b"login" | b"admin" | b"root"
        ),
        b"phrase" => first == b"pass",
        b"word" => first == b"pass",
        _ => false,
    }
}

/// Last words that speak about a secret without being one.
fn is_measure(word: &[u8]) -> bool {
    matches!(
        word,
        b"count"
            | b"len"
            | b"length"
            | b"size"
            | b"limit"
            | b"type"
            | b"kind"
            | b"index"
            | b"pos"
            | b"position"
            | b"line"
            | b"column"
            | b"ttl"
            | b"expiry"
            | b"expires"
            | b"timeout"
            | b"enabled"
            | b"required"
    )
}

/// Longer words are none of the ones above; their tails are not looked at.
const LONGEST_WORD: usize = 16;

#[derive(Clone, Copy)]
struct Word {
    letters: [u8; LONGEST_WORD],
    len: usize,
}

impl Word {
    const EMPTY: Self = Self { letters: [0; LONGEST_WORD], len: 0 };

    fn push(&mut self, letter: u8) {
        if let Some(place) = self.letters.get_mut(self.len) {
            *place = letter;
        }
        self.len += 1;
    }

    fn as_bytes(&self) -> &[u8] {
        self.letters.get(..self.len).unwrap_or_default()
    }
}

/// Whether values with this name are redacted. See the module for the rule.
#[must_use]
pub fn looks_secret(name: &str) -> bool {
    let mut secret = false;
    let mut word = Word::EMPTY;
    let mut before = Word::EMPTY;
    let mut previous = 0u8;
    let bytes = name.as_bytes();
    for (index, &byte) in bytes.iter().enumerate() {
        // Letters outside of ASCII belong to words, and to none of the ones above.
        let is_letter = byte.is_ascii_alphabetic() || !byte.is_ascii();
        let next_is_lower = bytes.get(index + 1).is_some_and(u8::is_ascii_lowercase);
        let hump = byte.is_ascii_uppercase()
            && (previous.is_ascii_lowercase() || (previous.is_ascii_uppercase() && next_is_lower));
        if (hump || !is_letter) && word.len > 0 {
            secret |= is_secret_word(word.as_bytes()) || is_secret_pair(before.as_bytes(), word.as_bytes());
            before = std::mem::replace(&mut word, Word::EMPTY);
        }
        if is_letter {
            word.push(byte.to_ascii_lowercase());
        }
        previous = byte;
    }
    if word.len == 0 {
        // The name ended with a separator or a digit: `token_`, `token2`.
        std::mem::swap(&mut word, &mut before);
        return secret && !is_measure(word.as_bytes());
    }
    secret |= is_secret_word(word.as_bytes()) || is_secret_pair(before.as_bytes(), word.as_bytes());
    secret && !is_measure(word.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_secrets_are_found_in_all_spellings() {
        for name in [
            "password",
            "Password",
            "PASSWORD",
            "user_password",
            "passwordHash",
            "pwd",
            "db_passwd",
            "client_secret",
            "SECRET_KEY",
            "secrets",
            "token",
            "access_token",
            "accessToken",
            "token2",
            "_token_",
            "X-Auth-Token",
            "Authorization",
            "Proxy-Authorization",
            "auth",
            "basic_auth",
            "Cookie",
            "Set-Cookie",
            "set_cookies",
            "api_key",
            "apiKey",
            "APIKey",
            "apikey",
            "X-Api-Key",
            "api-keys",
            "access_key",
            "AWS_ACCESS_KEY_ID",
            "private_key",
            "privateKey",
            "credential",
            "credentials",
            "aws_credentials",
            "session_key",
            "session_id",
            "sessionid",
            "jwt",
            "JWTToken",
            "db_pass",
            "DB_PASS",
            "ssh_key",
            "passPhrase",
            "refresh_tokens",
            "HTTPAuthorization",
            "passwörter_password",
        ] {
            assert!(looks_secret(name), "{name} is shown");
        }
    }

    #[test]
    fn false_friends_are_shown() {
        for name in [
            "",
            "_",
            "author",
            "authors",
            "Authority",
            "authenticated",
            "tokenizer",
            "tokenize",
            "tokens",
            "max_tokens",
            "secretary",
            "cookiecutter",
            "passport",
            "compass",
            "passed",
            "bypass",
            "password_length",
            "token_count",
            "tokenType",
            "auth_type",
            "key",
            "keys",
            "keyboard",
            "monkey",
            "primary_key",
            "foreign_key",
            "sort_key",
            "api",
            "access",
            "session",
            "private",
            "api_keyboard",
            "access_keyboard",
            "num_pass",
            "total",
            "id",
            "12",
            "apis_key",
            "übertoken",
            "sessionless",
        ] {
            assert!(!looks_secret(name), "{name} is redacted");
        }
    }

    #[test]
    fn very_long_words_are_no_secrets_and_no_crash() {
        assert!(!looks_secret(&"password".repeat(1000)));
        assert!(looks_secret(&format!("{}_password", "x".repeat(5000))));
    }
}
