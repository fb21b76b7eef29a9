//! A line as words.

use std::collections::VecDeque;
use std::str::FromStr;

/// The bounds that every runner has.
const LINE_BYTES: usize = 4000;
const LINE_WORDS: usize = 250;

/// Whether a line is more than a comment or empty.
pub fn says_something(line: &str) -> bool {
    let line = line.trim_start();
    !line.is_empty() && !line.starts_with('#')
}

/// The title, of a line that begins a scenario.
pub fn title(line: &str) -> Result<Option<String>, String> {
    if !line.starts_with("scenario ") {
        return Ok(None);
    }
    let mut words = split(line)?;
    words.pop_front();
    let title = words.pop_front().ok_or("a scenario has a title")?;
    let is_rule = |word: &String| {
        word.split('.').count() <= 2 && word.split('.').all(|part| part.parse::<u32>().is_ok())
    };
    match words.iter().find(|word| !is_rule(word)) {
        Some(word) => Err(format!("'{word}' is no rule")),
        None => Ok(Some(title)),
    }
}

/// Words that are taken from the front.
#[derive(Debug)]
pub struct Words(VecDeque<String>);

impl Words {
    /// The words of a line without an answer.
    pub fn read(line: &str) -> Result<Self, String> {
        split(line).map(Self)
    }

    pub fn next(&mut self) -> Option<String> {
        self.0.pop_front()
    }

    pub fn one(&mut self, what: &str) -> Result<String, String> {
        self.next().ok_or_else(|| format!("{what} is missing"))
    }

    pub fn number<T: FromStr>(&mut self, what: &str) -> Result<T, String> {
        number(&self.one(what)?)
    }

    /// The words up to the next `+`; none when there are no more words.
    pub fn part(&mut self) -> Result<Option<Words>, String> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let mut part = VecDeque::new();
        while let Some(word) = self.0.pop_front() {
            if word != "+" {
                part.push_back(word);
            } else if self.0.is_empty() {
                return Err("nothing follows the last +".into());
            } else {
                break;
            }
        }
        Ok(Some(Words(part)))
    }

    pub fn finish(&self) -> Result<(), String> {
        match self.0.front() {
            Some(word) => Err(format!("'{word}' is too much")),
            None => Ok(()),
        }
    }
}

/// A call, and the answer that is expected.
#[derive(Debug)]
pub struct Line {
    pub call: Words,
    answer: Option<Words>,
}

impl Line {
    pub fn read(text: &str) -> Result<Self, String> {
        let mut call = split(text)?;
        let answer = call.iter().position(|word| word == "->").map(|arrow| {
            let mut answer = call.split_off(arrow);
            answer.pop_front();
            Words(answer)
        });
        match &answer {
            Some(answer) if answer.0.iter().any(|word| word == "->") => Err("there are two arrows".into()),
            _ => Ok(Self { call: Words(call), answer }),
        }
    }

    /// The status and the text of its message, where the call is to be refused.
    pub fn refusal(&mut self) -> Result<Option<(String, Option<String>)>, String> {
        let Some(answer) =
            self.answer.as_mut().filter(|answer| answer.0.front().is_some_and(|word| word == "error"))
        else {
            return Ok(None);
        };
        answer.next();
        let expected = (answer.one("the name of a status")?, answer.next());
        answer.finish()?;
        self.answer = None;
        Ok(Some(expected))
    }

    /// The answer of a call that has one.
    pub fn answer(&mut self) -> Result<&mut Words, String> {
        self.call.finish()?;
        self.answer.as_mut().ok_or_else(|| String::from("the line does not say what the answer is"))
    }

    /// The end of a call: nothing is left, and nothing is told that was not looked at.
    pub fn finish(&self, has_answer: bool) -> Result<(), String> {
        self.call.finish()?;
        match &self.answer {
            Some(answer) if has_answer => answer.finish(),
            Some(_) => Err("this call has no answer".into()),
            None => Ok(()),
        }
    }
}

/// A number without sign or blanks.
pub fn number<T: FromStr>(text: &str) -> Result<T, String> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain).ok_or_else(|| format!("'{text}' is no number of this kind"))
}

/// Numbers with commas between them.
pub fn numbers(text: &str) -> Result<Vec<u32>, String> {
    text.split(',').map(number).collect()
}

fn split(line: &str) -> Result<VecDeque<String>, String> {
    let mut words = VecDeque::new();
    let mut letters = line.chars().peekable();
    if line.len() > LINE_BYTES {
        return Err(format!("the line is longer than {LINE_BYTES} bytes"));
    }
    loop {
        while letters.next_if_eq(&' ').is_some() {}
        if letters.peek().is_none() {
            break;
        }
        let (mut word, mut is_quoted) = (String::new(), false);
        while let Some(letter) = letters.next_if(|letter| is_quoted || *letter != ' ') {
            match letter {
                '"' => is_quoted = !is_quoted,
                '\\' if is_quoted => word.push(letters.next().ok_or("a text is not closed")?),
                other => word.push(other),
            }
        }
        if is_quoted {
            return Err("a text is not closed".into());
        }
        words.push_back(word);
    }
    if words.len() > LINE_WORDS {
        return Err(format!("the line has more than {LINE_WORDS} words"));
    }
    Ok(words)
}
