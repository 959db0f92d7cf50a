//! What an answer says: read once from its beginning to its end, since answers are long and what is
//! looked for is much.

use std::collections::HashSet;

/// What was found in an answer.
#[derive(Default)]
pub struct Words<'a> {
    /// Whatever looks like what was planted: words of `zq…qz`, numbers of `73.…`, names.
    pub marks: HashSet<&'a str>,
    /// The ids of Patients that are referred to.
    pub patients: HashSet<&'a str>,
    /// What the opaque parts of links are made of, as often as it was written in hexadecimal digits.
    pub places: Vec<String>,
}

impl<'a> Words<'a> {
    pub fn of(text: &'a str) -> Self {
        let (bytes, mut words, mut at) = (text.as_bytes(), Self::default(), 0);
        while at < bytes.len() {
            let rest = &bytes[at..];
            let starts = |what: &str| rest.starts_with(what.as_bytes());
            let run = |from: usize, is_of: &dyn Fn(u8) -> bool| {
                let length = rest[from..].iter().take_while(|byte| is_of(**byte)).count();
                &text[at + from..at + from + length]
            };
            let found = match rest[0] {
                b'z' if starts("zq") => {
                    let word = run(0, &|byte| byte.is_ascii_lowercase());
                    words.marks.insert(word);
                    word.len()
                }
                b'7' if starts("73.") => {
                    let word = run(0, &|byte| byte.is_ascii_digit() || byte == b'.');
                    words.marks.insert(word);
                    word.len()
                }
                0x80.. => {
                    let word = run(0, &|byte| byte >= 0x80);
                    words.marks.insert(word);
                    word.len()
                }
                b'P' if starts("Patient/") => {
                    let is_of_id = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
                    words.patients.insert(run(8, &is_of_id));
                    8
                }
                b'_' if starts("_page=") => {
                    words.places.push(revealed(run(6, &|byte| byte.is_ascii_hexdigit())));
                    6
                }
                _ => 1,
            };
            at += found;
        }
        words
    }
}

/// What hexadecimal digits stand for, and those in it again.
fn revealed(digits: &str) -> String {
    let mut all = String::new();
    let mut todo = vec![digits.as_bytes().to_vec()];
    while let Some(digits) = todo.pop() {
        let bytes: Vec<u8> = digits
            .chunks_exact(2)
            .filter_map(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok())
            .collect();
        all.push_str(&String::from_utf8_lossy(&bytes));
        all.push('\n');
        let runs = bytes.split(|byte| !byte.is_ascii_hexdigit()).filter(|run| run.len() >= 8);
        todo.extend(runs.map(<[u8]>::to_vec));
    }
    all
}

#[test]
fn what_is_looked_for_is_found() {
    let hex = |text: &str| data_encoding::HEXLOWER.encode(text.as_bytes());
    let twice = format!("=k7.{}&name=x", hex("zqhomepatientqz"));
    let text = format!(
        r#"{{"a":"zqhomepatientqz, 리용희","n":73.1007,"r":"Patient/linked-far","u":"x?_page={}"}}"#,
        hex(&twice)
    );
    let words = Words::of(&text);
    assert!(["zqhomepatientqz", "리용희", "73.1007"].iter().all(|mark| words.marks.contains(mark)));
    assert!(words.patients.contains("linked-far"));
    assert!(words.places.iter().any(|place| place.contains("zqhomepatientqz")));
}
