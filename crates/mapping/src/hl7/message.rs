//! A message as segments, fields, repetitions, components and sub-components, with a record of
//! what was taken over, so that the rest can be told.

use std::{cell::RefCell, collections::BTreeSet};

use super::{Hl7Error, Left, charset::Charset, charset::msh_18, escape::decode};

/// Segments of a message at most.
const SEGMENTS_MAX: usize = 20_000;
/// Repetitions in all fields of a message at most.
const REPETITIONS_MAX: usize = 100_000;
/// Fields of a segment that are looked at; none of HL7's has as many.
const FIELDS_MAX: usize = 200;
/// Repetitions of one field that are taken over.
const REPEATS_MAX: usize = 100;
/// What is listed as left at most.
const LEFT_MAX: usize = 1_000;

/// Segments about the transport, not about the patient.
const ENVELOPE: [&str; 3] = ["MSH", "EVN", "SFT"];

/// How a message is written: its delimiters (MSH-1, MSH-2) and its characters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ways {
    pub(super) field: char,
    pub(super) component: char,
    pub(super) repetition: Option<char>,
    pub(super) escape: Option<char>,
    pub(super) sub: Option<char>,
    pub(super) charset: Charset,
}

impl Ways {
    #[cfg(test)]
    pub(super) const USUAL: Self = Self {
        field: '|',
        component: '^',
        repetition: Some('~'),
        escape: Some('\\'),
        sub: Some('&'),
        charset: Charset::Utf8,
    };

    fn read(header: &str) -> Result<Self, Hl7Error> {
        let mut after = header.strip_prefix("MSH").ok_or(Hl7Error::NoHeader)?.chars();
        let field = after.next().ok_or(Hl7Error::Delimiters)?;
        let signs: Vec<char> = after.take_while(|c| *c != field).take(6).collect();
        let all: BTreeSet<&char> = signs.iter().chain([&field]).collect();
        let is_each_one = all.len() == signs.len() + 1 && signs.len() < 6;
        if !is_each_one || !all.iter().all(|c| c.is_ascii_punctuation()) {
            return Err(Hl7Error::Delimiters);
        }
        let component = *signs.first().ok_or(Hl7Error::Delimiters)?;
        let named = msh_18(header.as_bytes()).and_then(|code| std::str::from_utf8(code).ok());
        Ok(Self {
            field,
            component,
            repetition: signs.get(1).copied(),
            escape: signs.get(2).copied(),
            sub: signs.get(3).copied(),
            // Only for bytes in escape sequences: the rest is text already.
            charset: named.and_then(Charset::named).unwrap_or(Charset::Utf8),
        })
    }
}

/// Field, repetition, component and sub-component, from 1; 0 is all of what stands above.
type Place = [usize; 4];

/// A segment.
#[derive(Debug)]
pub(super) struct Segment<'m> {
    pub(super) name: &'m str,
    /// Which one of its name it is, if there are several.
    number: Option<usize>,
    fields: Vec<&'m str>,
    has_more: bool,
    ways: Ways,
    taken: RefCell<BTreeSet<Place>>,
    said: RefCell<Vec<Left>>,
}

/// One repetition of a field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'s> {
    segment: &'s Segment<'s>,
    field: usize,
    repetition: usize,
    pub(super) text: &'s str,
}

/// Whether there is nothing in it, or the explicit null `""`.
fn is_blank(text: &str) -> bool {
    matches!(text.trim(), "" | "\"\"")
}

fn split(text: &str, by: Option<char>) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let cut = by.and_then(|by| text.split_once(by));
        rest = cut.map(|(_, after)| after);
        Some(cut.map_or(text, |(before, _)| before))
    })
}

/// Reads the segments of a message; the first is its MSH.
pub(super) fn segments(text: &str) -> Result<Vec<Segment<'_>>, Hl7Error> {
    let text = text.trim_start_matches(['\u{feff}', '\u{b}', '\r', '\n']);
    let mut lines = text
        .split(['\r', '\n'])
        .filter(|line| !line.trim_matches(|c: char| c.is_whitespace() || c == '\u{1c}').is_empty());
    let header = lines.clone().next().ok_or(Hl7Error::NoHeader)?;
    let ways = Ways::read(header)?;
    let repetitions = ways.repetition.map_or(0, |sign| text.matches(sign).count());
    if repetitions > REPETITIONS_MAX || lines.clone().nth(SEGMENTS_MAX).is_some() {
        return Err(Hl7Error::TooMany);
    }
    let mut all: Vec<Segment<'_>> = vec![];
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for line in &mut lines {
        let line = line.trim_end_matches('\u{1c}');
        let mut fields: Vec<&str> = line.split(ways.field).take(FIELDS_MAX + 2).collect();
        let name = fields[0];
        if name.len() != 3 || !name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
            if let Some(before) = all.last() {
                before.say(0, "the line after it is no segment");
            }
            continue;
        }
        if name == "MSH" {
            fields.insert(1, "");
        }
        let has_more = fields.len() > FIELDS_MAX + 1;
        fields.truncate(FIELDS_MAX + 1);
        let count = counts.entry(name).or_default();
        *count += 1;
        let number = Some(*count);
        let (taken, said) = Default::default();
        all.push(Segment { name, number, fields, has_more, ways, taken, said });
    }
    for segment in &mut all {
        segment.number = segment.number.filter(|_| counts.get(segment.name) > Some(&1));
    }
    Ok(all)
}

impl<'m> Segment<'m> {
    /// `OBX[3]-5`.
    fn at(&self, field: usize) -> String {
        let number = self.number.map(|number| format!("[{number}]")).unwrap_or_default();
        let field = if field == 0 { String::new() } else { format!("-{field}") };
        format!("{}{number}{field}", self.name)
    }

    fn say(&self, field: usize, why: &'static str) {
        self.said.borrow_mut().push(Left { at: self.at(field), why });
    }

    /// All of the segment is left, for this reason.
    pub(super) fn leave(&self, why: &'static str) {
        self.taken.borrow_mut().insert([0; 4]);
        self.say(0, why);
    }

    /// The field is left, for this reason.
    pub(super) fn leave_field(&self, field: usize, why: &'static str) {
        self.pass(field);
        self.say(field, why);
    }

    /// The field says nothing that has to be taken over (numbers of segments and the like).
    pub(super) fn pass(&self, field: usize) {
        self.taken.borrow_mut().insert([field, 0, 0, 0]);
    }

    /// The field as it was written.
    pub(super) fn raw(&self, field: usize) -> &'m str {
        self.fields.get(field).copied().unwrap_or_default().trim()
    }

    /// The repetitions of a field that have something in them.
    pub(super) fn parts(&self, field: usize) -> impl Iterator<Item = Part<'_>> {
        let text = self.fields.get(field).copied().unwrap_or_default();
        let by = self.ways.repetition.filter(|_| self.name != "MSH" || field > 2);
        split(text, by)
            .enumerate()
            .map(move |(at, text)| Part { segment: self, field, repetition: at + 1, text })
            .take(REPEATS_MAX)
            .filter(|part| !is_blank(part.text))
    }

    /// The first repetition of a field.
    pub(super) fn part(&self, field: usize) -> Option<Part<'_>> {
        self.parts(field).next()
    }

    /// The first component of the first repetition.
    pub(super) fn get(&self, field: usize) -> Option<String> {
        self.part(field)?.get(1)
    }

    /// A field whose delimiters are part of the text, its repetitions as lines.
    pub(super) fn lines(&self, field: usize) -> Option<String> {
        self.pass(field);
        let text = self.fields.get(field).copied().unwrap_or_default();
        let mut is_odd = false;
        let mut lines = vec![];
        for line in split(text, self.ways.repetition) {
            let decoded = decode(if is_blank(line) { "" } else { line }, &self.ways);
            is_odd |= decoded.is_odd;
            lines.push(decoded.text);
        }
        if is_odd {
            self.say(field, ODD);
        }
        let text = lines.join("\n").trim_end().to_owned();
        (!text.trim().is_empty()).then_some(text)
    }

    /// Tells what was not taken over.
    fn left(&self, to: &mut Vec<Left>) {
        to.append(&mut self.said.borrow_mut());
        let taken = self.taken.borrow();
        if ENVELOPE.contains(&self.name) || taken.contains(&[0; 4]) {
            return;
        }
        let is_filled = |field: &&str| field.chars().any(|c| !is_delimiter(&self.ways, c));
        if taken.is_empty() {
            if self.fields[1..].iter().any(|field| is_filled(&field)) {
                to.push(Left { at: self.at(0), why: "this segment is not taken over" });
            }
            return;
        }
        for field in (1..self.fields.len()).filter(|at| !is_blank(self.fields[*at])) {
            if to.len() > LEFT_MAX {
                return;
            }
            let mut of_field = taken.range([field, 0, 0, 0]..[field + 1, 0, 0, 0]).peekable();
            match of_field.peek() {
                Some([_, 0, ..]) => {}
                Some(_) => self.left_of(field, &taken, to),
                None if is_filled(&self.fields[field]) => {
                    to.push(Left { at: self.at(field), why: NOT_TAKEN });
                }
                None => {}
            }
        }
        if self.has_more {
            to.push(Left { at: self.at(FIELDS_MAX + 1), why: NOT_TAKEN });
        }
    }

    fn left_of(&self, field: usize, taken: &BTreeSet<Place>, to: &mut Vec<Left>) {
        let is_taken = |place: Place| taken.contains(&place);
        for (at, text) in split(self.fields[field], self.ways.repetition).enumerate() {
            let part = Part { segment: self, field, repetition: at + 1, text };
            if is_taken([field, at + 1, 0, 0]) {
                continue;
            }
            for (component, text) in split(text, Some(self.ways.component)).enumerate() {
                if to.len() > LEFT_MAX {
                    return;
                }
                let open = split(text, self.ways.sub).enumerate().any(|(sub, text)| {
                    let place = [field, at + 1, component + 1, sub + 1];
                    !is_blank(text) && !is_taken(place)
                });
                if open && !is_taken([field, at + 1, component + 1, 0]) {
                    to.push(Left { at: part.at(component + 1), why: NOT_TAKEN });
                }
            }
        }
    }
}

const NOT_TAKEN: &str = "this has no place in what is made";
const ODD: &str = "an escape sequence or a character in it is not known";

fn is_delimiter(ways: &Ways, c: char) -> bool {
    let others = [ways.repetition, ways.sub];
    c == ways.component || c == '"' || c.is_whitespace() || others.contains(&Some(c))
}

impl Part<'_> {
    /// `PID-3(2).4`.
    fn at(&self, component: usize) -> String {
        let at = self.segment.at(self.field);
        let repetition =
            if self.repetition > 1 { format!("({})", self.repetition) } else { String::new() };
        if component == 0 { at + &repetition } else { format!("{at}{repetition}.{component}") }
    }

    fn mark(&self, component: usize, sub: usize) {
        let place = [self.field, self.repetition, component, sub];
        self.segment.taken.borrow_mut().insert(place);
    }

    /// A component, its first sub-component if it has several.
    pub(super) fn get(&self, component: usize) -> Option<String> {
        self.sub(component, 1)
    }

    /// A sub-component.
    pub(super) fn sub(&self, component: usize, sub: usize) -> Option<String> {
        let ways = &self.segment.ways;
        let text = split(self.text, Some(ways.component)).nth(component - 1)?;
        let text = split(text, ways.sub).nth(sub - 1)?.trim();
        if is_blank(text) {
            return None;
        }
        self.mark(component, sub);
        let decoded = decode(text, ways);
        if decoded.is_odd {
            self.say(component, ODD);
        }
        let text = decoded.text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn say(&self, component: usize, why: &'static str) {
        let left = Left { at: self.at(component), why };
        self.segment.said.borrow_mut().push(left);
    }

    /// A component is left, for this reason; 0 for all of the repetition.
    pub(super) fn leave(&self, component: usize, why: &'static str) {
        self.mark(component, 0);
        self.say(component, why);
    }

    /// A component says nothing that has to be taken over.
    pub(super) fn pass(&self, component: usize) {
        self.mark(component, 0);
    }
}

/// What is left of all segments, in their order. The list has an end, and says if it has.
pub(super) fn left(segments: &[Segment<'_>]) -> Vec<Left> {
    let mut all = vec![];
    for segment in segments {
        segment.left(&mut all);
        if all.len() > LEFT_MAX {
            all.truncate(LEFT_MAX);
            all.push(Left {
                at: segment.at(0),
                why: "from here on there is more that is not listed",
            });
            break;
        }
    }
    all
}
