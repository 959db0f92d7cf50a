//! Enough of Rust's lexical grammar (The Rust Reference, 'Tokens' and 'Comments') to find
//! functions, attributes and paths without being misled by strings and comments.

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function<'a> {
    pub name: &'a str,
    /// The line of the word `fn`, from 1.
    pub line: usize,
    /// From that line to the closing brace, both counted.
    pub lines: usize,
}

/// The source with everything inside comments and literals replaced by spaces. Line breaks and
/// byte positions stay.
pub fn mask(source: &str) -> String {
    let bytes = source.as_bytes();
    let mut masked = source.to_owned().into_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_or_comment_end(bytes, at);
        if end > at {
            for byte in &mut masked[at..end] {
                if *byte != b'\n' {
                    *byte = b' ';
                }
            }
            at = end;
        } else if is_word(bytes[at]) {
            // A prefix such as `r` or `b` was already seen as part of its literal.
            at = word_end(bytes, at);
        } else {
            at += 1;
        }
    }
    String::from_utf8(masked).expect("whole literals were replaced by spaces")
}

/// Where the literal or comment that starts at `at` ends; `at` if none starts there.
fn literal_or_comment_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    match rest {
        [b'/', b'/', ..] => {
            rest.iter().position(|&b| b == b'\n').map_or(bytes.len(), |length| at + length)
        }
        [b'/', b'*', ..] => block_comment_end(bytes, at),
        [b'"', ..] => quoted_end(bytes, at + 1, b'"'),
        [b'b' | b'c', b'"', ..] => quoted_end(bytes, at + 2, b'"'),
        [b'b', b'\'', ..] => quoted_end(bytes, at + 2, b'\''),
        [b'r', b'"' | b'#', ..] => raw_string_end(bytes, at, at + 1),
        [b'b' | b'c', b'r', b'"' | b'#', ..] => raw_string_end(bytes, at, at + 2),
        [b'\'', b'\\', ..] => quoted_end(bytes, at + 1, b'\''),
        [b'\'', first, ..] => {
            // One character and a quote is a literal; anything else is a lifetime.
            let after = at + 1 + utf8_length(*first);
            if bytes.get(after) == Some(&b'\'') { after + 1 } else { at }
        }
        _ => at,
    }
}

fn utf8_length(first: u8) -> usize {
    match first {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    }
}

fn quoted_end(bytes: &[u8], mut at: usize, quote: u8) -> usize {
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn block_comment_end(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0;
    while at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    bytes.len()
}

/// `start` is where the prefix stands, `hashes` where its hashes would begin. A raw identifier
/// (`r#type`) is no literal: then `start` is returned.
fn raw_string_end(bytes: &[u8], start: usize, hashes: usize) -> usize {
    let count = bytes[hashes..].iter().take_while(|&&b| b == b'#').count();
    let open = hashes + count;
    if bytes.get(open) != Some(&b'"') {
        return start;
    }
    let close: Vec<u8> = std::iter::once(b'"').chain(std::iter::repeat_n(b'#', count)).collect();
    let body = &bytes[open + 1..];
    let found = body.windows(close.len()).position(|window| window == close);
    found.map_or(bytes.len(), |length| open + 1 + length + close.len())
}

/// Whether a byte belongs to an identifier. Letters beyond ASCII count.
pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn word_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|&b| !is_word(b)).map_or(bytes.len(), |length| at + length)
}

/// The identifier that starts at `at`, or "".
pub fn word_at(code: &str, at: usize) -> &str {
    &code[at..word_end(code.as_bytes(), at)]
}

/// Where `word` stands as a whole word.
pub fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        let before = at.checked_sub(1).map(|before| code.as_bytes()[before]);
        let after = code.as_bytes().get(at + word.len()).copied();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// The position of the next byte that is not white space.
pub fn skip_space(code: &str, at: usize) -> usize {
    let space = code.as_bytes()[at..].iter().take_while(|b| b.is_ascii_whitespace()).count();
    at + space
}

/// The line of a position, from 1.
pub fn line_of(code: &str, at: usize) -> usize {
    1 + code[..at].matches('\n').count()
}

/// Just behind the bracket that closes the one at `open`. Masked code only.
pub fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// The first `{` (a body) or `;` (none) from `at` that is not inside round or square brackets.
fn body_or_end(code: &str, mut at: usize) -> Option<usize> {
    while let Some(byte) = code.as_bytes().get(at) {
        match byte {
            b'(' | b'[' => at = closing(code, at),
            b'{' | b';' => return Some(at),
            _ => at += 1,
        }
    }
    None
}

/// All functions with a body, nested ones too. Masked code only.
pub fn functions(code: &str) -> Vec<Function<'_>> {
    let function = |at: usize| {
        let name = word_at(code, skip_space(code, at + 2));
        // `fn(u8) -> u8` is a type.
        let body = (!name.is_empty()).then(|| body_or_end(code, at))??;
        let has_body = code.as_bytes()[body] == b'{';
        let line = line_of(code, at);
        has_body.then(|| Function {
            name,
            line,
            lines: line_of(code, closing(code, body) - 1) - line + 1,
        })
    };
    words(code, "fn").filter_map(function).collect()
}

/// The attributes `#[…]` and `#![…]` with their positions. Masked code only.
pub fn attributes(code: &str) -> impl Iterator<Item = (usize, &str)> {
    code.match_indices('#').filter_map(|(at, _)| {
        let open = at + 1 + usize::from(code[at + 1..].starts_with('!'));
        code[open..].starts_with('[').then(|| (at, &code[at..closing(code, open)]))
    })
}

/// The code with everything blanked that is compiled for tests only. Masked code only.
pub fn without_tests(code: &str) -> String {
    let mut left = code.to_owned().into_bytes();
    for (at, attribute) in attributes(code) {
        let for_tests = attribute.contains("cfg")
            && words(attribute, "test").next().is_some()
            && words(attribute, "not").next().is_none();
        if !for_tests {
            continue;
        }
        let mut item = skip_space(code, at + attribute.len());
        while code[item..].starts_with("#[") {
            item = skip_space(code, closing(code, item + 1));
        }
        let end = body_or_end(code, item).map_or(code.len(), |end| match code.as_bytes()[end] {
            b'{' => closing(code, end),
            _ => end + 1,
        });
        for byte in &mut left[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }
    String::from_utf8(left).expect("whole items were replaced by spaces")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_in_strings_comments_and_characters_do_not_count() {
        let source = concat!(
            "fn one() { // }\n",
            "  let a = \"} \\\" }\"; /* } /* } */ } */\n",
            "  let b = ('}', '\\'', b'}', b\"}\", r#\"}\" }\"#, br\"\\\", c\"}\", '한');\n",
            "  let c: &'static str = r\"\\\";\n",
            "}\n",
            "fn two<'a>(x: &'a str) -> &'a str { x }\n",
        );
        let masked = mask(source);
        assert_eq!(masked.len(), source.len());
        let expected = vec![
            Function { name: "one", line: 1, lines: 5 },
            Function { name: "two", line: 6, lines: 1 },
        ];
        assert_eq!(functions(&masked), expected);
    }

    #[test]
    fn signatures_types_and_raw_identifiers_are_read_rightly() {
        let code = mask(concat!(
            "trait T { fn none(&self, a: [u8; 2]) -> [u8; 4]; }\n",
            "struct S { call: fn(u8) -> u8 }\n",
            "fn r#type(\n  a: [u8; 3],\n) -> [u8; 3]\nwhere u8: Copy,\n{\n  a\n}\n",
            "impl S { const fn inner() { fn deep() {\n} } }\n",
        ));
        let found: Vec<(&str, usize)> =
            functions(&code).iter().map(|function| (function.name, function.lines)).collect();
        assert_eq!(found, [("r", 7), ("inner", 2), ("deep", 2)]);
    }

    #[test]
    fn code_for_tests_is_left_out_and_the_rest_stays() {
        let code = mask(concat!(
            "use a::b;\n",
            "#[cfg(test)]\n#[allow(dead_code)]\nmod tests { use std::fs; }\n",
            "#[cfg(test)]\nmod more;\n",
            "#[cfg(not(test))]\nmod real {}\n",
            "fn stays() {}\n",
        ));
        let left = without_tests(&code);
        assert!(!left.contains("std::fs") && !left.contains("more"), "{left}");
        assert!(left.contains("mod real") && left.contains("fn stays"), "{left}");
        assert_eq!(line_of(&left, left.find("stays").unwrap()), 9);
    }

    #[test]
    fn an_unfinished_literal_ends_with_the_file() {
        for source in ["\"abc", "r#\"abc\"", "/* abc", "'\\", "b'", "r#"] {
            assert_eq!(mask(source).len(), source.len(), "{source}");
        }
    }
}
