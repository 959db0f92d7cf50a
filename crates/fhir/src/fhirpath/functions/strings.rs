//! Strings.

use std::borrow::Cow;

use regex::{Regex, RegexBuilder};

use super::{Answer, Collection, EvaluateError, Frame, Function, Item};
use crate::fhirpath::{STRING_MAX, ast::Expr};

/// Bytes that a compiled regular expression may take.
const PATTERN_MAX: usize = 1 << 20;

pub(super) fn call<'a>(frame: &Frame<'a, '_>) -> Option<Answer<'a>> {
    let function = frame.call.function;
    Some(match function {
        Function::StartsWith
        | Function::EndsWith
        | Function::Contains
        | Function::IndexOf
        | Function::LastIndexOf => search(frame),
        Function::Substring => substring(frame),
        Function::Upper => change(frame, |text| Some(text.to_uppercase())),
        Function::Lower => change(frame, |text| Some(text.to_lowercase())),
        Function::Trim => change(frame, |text| Some(text.trim().to_owned())),
        Function::Length => with_text(frame, |text| {
            Ok(i32::try_from(text.chars().count()).ok().map(Item::Integer).into())
        }),
        Function::ToChars => with_text(frame, |text| {
            frame.run.pay(text.len())?;
            Ok(text.chars().map(|c| Item::String(c.to_string().into())).collect())
        }),
        Function::Replace => replace(frame),
        Function::Matches | Function::MatchesFull | Function::ReplaceMatches => matches(frame),
        Function::Split => frame.text_argument(0).and_then(|by| {
            with_text(frame, |text| {
                let Some(by) = by.as_deref() else { return Ok(Collection::empty()) };
                frame.run.pay(text.len())?;
                Ok(text.split(by).map(|t| Item::String(t.to_owned().into())).collect())
            })
        }),
        Function::Join => join(frame),
        Function::Encode | Function::Decode | Function::Escape | Function::Unescape => code(frame),
        _ => return None,
    })
}

/// Calls with the text of the input; empty if there is none.
fn with_text<'a>(frame: &Frame<'a, '_>, then: impl FnOnce(&str) -> Answer<'a>) -> Answer<'a> {
    let Some(item) = frame.one()? else { return Ok(Collection::empty()) };
    match item.as_str() {
        Some(text) => then(text),
        None => match item.to_system() {
            // Anything that has a text is read as that text, as a date in `startsWith`.
            Item::Node(_) | Item::Type { .. } => Err(EvaluateError::Type(frame.name())),
            value => match crate::fhirpath::convert::to_text(&value) {
                Some(text) => then(&text),
                None => Err(EvaluateError::Type(frame.name())),
            },
        },
    }
}

fn made<'a>(text: String) -> Answer<'a> {
    if text.len() > STRING_MAX {
        return Err(EvaluateError::Limit);
    }
    Ok(Collection::one(Item::String(Cow::Owned(text))))
}

fn change<'a>(frame: &Frame<'a, '_>, how: impl FnOnce(&str) -> Option<String>) -> Answer<'a> {
    with_text(frame, |text| how(text).map_or_else(|| Ok(Collection::empty()), made))
}

fn search<'a>(frame: &Frame<'a, '_>) -> Answer<'a> {
    let wanted = frame.text_argument(0)?;
    with_text(frame, |text| {
        let Some(wanted) = wanted.as_deref() else { return Ok(Collection::empty()) };
        let characters = |at: Option<usize>| {
            let at = at.map(|at| text[..at].chars().count());
            let at = at.and_then(|at| i32::try_from(at).ok()).unwrap_or(-1);
            Ok(Collection::one(Item::Integer(at)))
        };
        match frame.call.function {
            Function::StartsWith => Ok(text.starts_with(wanted).into()),
            Function::EndsWith => Ok(text.ends_with(wanted).into()),
            Function::IndexOf => characters(text.find(wanted)),
            Function::LastIndexOf => characters(text.rfind(wanted)),
            _ => Ok(text.contains(wanted).into()),
        }
    })
}

fn substring<'a>(frame: &Frame<'a, '_>) -> Answer<'a> {
    let from = frame.integer_argument(0)?;
    let length = match frame.call.arguments.get(1) {
        Some(_) => frame.integer_argument(1)?,
        None => None,
    };
    with_text(frame, |text| {
        let from = from.and_then(|from| usize::try_from(from).ok());
        let Some(from) = from.filter(|from| text.chars().nth(*from).is_some()) else {
            return Ok(Collection::empty());
        };
        let rest = text.chars().skip(from);
        made(match length {
            Some(length) => rest.take(usize::try_from(length).unwrap_or(0)).collect(),
            None => rest.collect(),
        })
    })
}

fn replace<'a>(frame: &Frame<'a, '_>) -> Answer<'a> {
    let (from, to) = (frame.text_argument(0)?, frame.text_argument(1)?);
    with_text(frame, |text| {
        let (Some(from), Some(to)) = (from.as_deref(), to.as_deref()) else {
            return Ok(Collection::empty());
        };
        let most = (text.len() + 1).saturating_mul(to.len().max(1)).saturating_add(text.len());
        if most > STRING_MAX {
            // Only what would really be longer is refused.
            let found = text.matches(from).count();
            if found.saturating_mul(to.len()).saturating_add(text.len()) > STRING_MAX {
                return Err(EvaluateError::Limit);
            }
        }
        made(text.replace(from, to))
    })
}

fn join<'a>(frame: &Frame<'a, '_>) -> Answer<'a> {
    let by = frame.text_argument(0)?.unwrap_or_default();
    let mut to = String::new();
    for (at, item) in frame.input.iter().enumerate() {
        let text = item.as_str().ok_or(EvaluateError::Type("join"))?;
        if to.len() + by.len() + text.len() > STRING_MAX {
            return Err(EvaluateError::Limit);
        }
        if at > 0 {
            to.push_str(&by);
        }
        to.push_str(text);
    }
    made(to)
}

/// A pattern of the specification is in single-line mode: a dot is also the end of a line.
fn compile(pattern: &str, is_full: bool) -> Option<Regex> {
    let text = if is_full { format!("^(?:{pattern})$") } else { pattern.to_owned() };
    RegexBuilder::new(&text).dot_matches_new_line(true).size_limit(PATTERN_MAX).build().ok()
}

fn matches<'a>(frame: &Frame<'a, '_>) -> Answer<'a> {
    let is_full = frame.call.function == Function::MatchesFull;
    let made_here;
    let regex = if let Some(Expr::Literal(Item::String(pattern))) = frame.call.arguments.first() {
        frame.call.pattern.get_or_init(|| compile(pattern, is_full)).as_ref()
    } else {
        let Some(pattern) = frame.text_argument(0)? else { return Ok(Collection::empty()) };
        frame.run.pay(10_000 + pattern.len())?;
        made_here = compile(&pattern, is_full);
        made_here.as_ref()
    };
    let regex = regex.ok_or(EvaluateError::Pattern)?;
    if frame.call.function != Function::ReplaceMatches {
        return with_text(frame, |text| {
            frame.run.pay(text.len() / 16)?;
            Ok(regex.is_match(text).into())
        });
    }
    let with = frame.text_argument(1)?;
    with_text(frame, |text| {
        let Some(with) = with.as_deref() else { return Ok(Collection::empty()) };
        frame.run.pay(text.len())?;
        if regex.as_str().is_empty() {
            return made(text.to_owned());
        }
        let found = regex.find_iter(text).count();
        // A group that is named in the replacement is at most the whole text.
        let most = found.saturating_mul(with.len().saturating_mul(1 + text.len() / 2));
        if with.contains('$') && most > STRING_MAX
            || found.saturating_mul(with.len()) + text.len() > STRING_MAX
        {
            return Err(EvaluateError::Limit);
        }
        made(regex.replace_all(text, with).into_owned())
    })
}

fn code<'a>(frame: &Frame<'a, '_>) -> Answer<'a> {
    let Some(format) = frame.text_argument(0)? else { return Ok(Collection::empty()) };
    with_text(frame, |text| {
        let changed = match (frame.call.function, format.as_str()) {
            (Function::Encode, "hex") => {
                use std::fmt::Write;
                let mut to = String::with_capacity(text.len() * 2);
                for byte in text.bytes() {
                    let _ = write!(to, "{byte:02x}");
                }
                Some(to)
            }
            (Function::Encode, "base64") => Some(data_encoding::BASE64.encode(text.as_bytes())),
            (Function::Encode, "urlbase64") => {
                Some(data_encoding::BASE64URL.encode(text.as_bytes()))
            }
            (Function::Decode, "hex") => {
                utf8(data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok())
            }
            (Function::Decode, "base64") => {
                utf8(data_encoding::BASE64.decode(text.as_bytes()).ok())
            }
            (Function::Decode, "urlbase64") => {
                utf8(data_encoding::BASE64URL.decode(text.as_bytes()).ok())
            }
            (Function::Escape, "html") => Some(
                text.replace('&', "&amp;")
                    .replace('<', "&lt;")
                    .replace('>', "&gt;")
                    .replace('"', "&quot;"),
            ),
            (Function::Unescape, "html") => Some(
                text.replace("&quot;", "\"")
                    .replace("&#39;", "'")
                    .replace("&lt;", "<")
                    .replace("&gt;", ">")
                    .replace("&amp;", "&"),
            ),
            (Function::Escape, "json") => {
                let quoted = serde_json::Value::from(text).to_string();
                quoted.get(1..quoted.len() - 1).map(str::to_owned)
            }
            (Function::Unescape, "json") => unescape_json(text),
            _ => None,
        };
        changed.map_or_else(|| Ok(Collection::empty()), made)
    })
}

fn utf8(bytes: Option<Vec<u8>>) -> Option<String> {
    String::from_utf8(bytes?).ok()
}

/// Resolves the escapes of JSON; a quote needs none.
fn unescape_json(text: &str) -> Option<String> {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    let mut is_escaped = false;
    for c in text.chars() {
        if c == '"' && !is_escaped {
            quoted.push('\\');
        }
        is_escaped = c == '\\' && !is_escaped;
        quoted.push(c);
    }
    quoted.push('"');
    serde_json::from_str(&quoted).ok()
}
