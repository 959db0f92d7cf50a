//! Words of an expression.

use super::{CompileError, moment::Moment};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A name or a keyword.
    Word(Box<str>),
    /// A name between backticks, never a keyword.
    Quoted(Box<str>),
    String(Box<str>),
    /// Digits, with a fraction or without.
    Number(Box<str>),
    Moment(Moment),
    /// `$this`
    Dollar(Box<str>),
    /// `%resource`, `%'x'`, `` %`x` ``
    Percent(Box<str>),
    Sign(&'static str),
    End,
}

pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

/// Longer ones first.
const SIGNS: [&str; 23] = [
    "<=", ">=", "!=", "!~", "(", ")", "[", "]", "{", "}", ".", ",", "+", "-", "*", "/", "&", "|",
    "<", ">", "=", "~", "@",
];

impl<'t> Lexer<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    const fn wrong<T>(&self, expected: &'static str) -> Result<T, CompileError> {
        Err(CompileError::Syntax { offset: self.at, expected })
    }

    /// The next word and where it begins.
    pub(super) fn token(&mut self) -> Result<(Token, usize), CompileError> {
        self.space()?;
        let from = self.at;
        let Some(first) = self.rest().chars().next() else { return Ok((Token::End, from)) };
        let token = match first {
            'A'..='Z' | 'a'..='z' | '_' => Token::Word(self.word().into()),
            '0'..='9' => Token::Number(self.number().into()),
            '\'' => Token::String(self.delimited('\'')?),
            '`' => Token::Quoted(self.delimited('`')?),
            '@' => Token::Moment(self.moment()?),
            '$' => {
                self.at += 1;
                Token::Dollar(self.word().into())
            }
            '%' => {
                self.at += 1;
                Token::Percent(match self.rest().chars().next() {
                    Some(quote @ ('`' | '\'')) => self.delimited(quote)?,
                    _ => self.word().into(),
                })
            }
            _ => match SIGNS.iter().find(|sign| self.rest().starts_with(**sign)) {
                Some(sign) => {
                    self.at += sign.len();
                    Token::Sign(sign)
                }
                None => return self.wrong("a word or a sign"),
            },
        };
        Ok((token, from))
    }

    /// Passes over white space and comments.
    fn space(&mut self) -> Result<(), CompileError> {
        loop {
            let rest = self.rest().trim_start();
            self.at = self.text.len() - rest.len();
            if rest.starts_with("//") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                match rest.find("*/") {
                    Some(end) => self.at += end + 2,
                    None => return self.wrong("the end of the comment"),
                }
            } else {
                return Ok(());
            }
        }
    }

    fn take_while(&mut self, fits: impl Fn(u8) -> bool) -> &'t str {
        let rest = self.rest();
        let length = rest.bytes().position(|b| !fits(b)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn word(&mut self) -> &'t str {
        self.take_while(|b| b.is_ascii_alphanumeric() || b == b'_')
    }

    fn number(&mut self) -> &'t str {
        let from = self.at;
        self.take_while(|b| b.is_ascii_digit());
        let mut after = self.rest().bytes();
        if after.next() == Some(b'.') && after.next().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
            self.take_while(|b| b.is_ascii_digit());
        }
        &self.text[from..self.at]
    }

    /// What stands between two quotes, its escapes resolved.
    fn delimited(&mut self, quote: char) -> Result<Box<str>, CompileError> {
        self.at += 1;
        let mut to = String::new();
        loop {
            let Some(c) = self.rest().chars().next() else {
                return self.wrong("the closing quote");
            };
            self.at += c.len_utf8();
            if c == quote {
                return Ok(to.into());
            }
            if c == '\\' { to.push(self.escape()?) } else { to.push(c) }
        }
    }

    fn escape(&mut self) -> Result<char, CompileError> {
        let Some(c) = self.rest().chars().next() else { return self.wrong("an escape") };
        self.at += c.len_utf8();
        Ok(match c {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'f' => '\u{c}',
            'u' => {
                let digits =
                    self.rest().get(..4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
                let unit = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
                let Some(found) = unit.and_then(char::from_u32) else {
                    return self.wrong("four hexadecimal digits");
                };
                self.at += 4;
                found
            }
            // The quotes, the slashes, and whatever else needs no escape.
            c => c,
        })
    }

    /// A date, a time or both after `@`.
    fn moment(&mut self) -> Result<Moment, CompileError> {
        self.at += 1;
        let rest = self.rest();
        // The longest text that is one: a dot may begin a function.
        let most = rest
            .bytes()
            .position(|b| !(b.is_ascii_digit() || b"-:.+TZ".contains(&b)))
            .unwrap_or(rest.len());
        for length in (1..=most.min(40)).rev() {
            if let Some(moment) = rest.get(..length).and_then(Moment::parse_literal) {
                self.at += length;
                return Ok(moment);
            }
        }
        self.wrong("a date or a time")
    }
}
