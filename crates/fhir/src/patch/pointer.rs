//! JSON Pointers (RFC 6901).

use std::fmt;

/// Steps of a pointer at most: no resource is deeper.
const STEPS_MAX: usize = 64;

/// Where something stands in a document: keys and indexes as they are written, unescaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    steps: Vec<String>,
}

impl Pointer {
    /// Reads `/name/0/family`; empty for the whole document. None if it has another form.
    pub fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self { steps: vec![] });
        }
        let steps: Vec<String> =
            text.strip_prefix('/')?.split('/').map(step).collect::<Option<_>>()?;
        (steps.len() <= STEPS_MAX).then_some(Self { steps })
    }

    pub(crate) fn steps(&self) -> &[String] {
        &self.steps
    }

    /// The last step and those that lead to what holds it; none for the whole document.
    pub(crate) fn last(&self) -> Option<(&str, &[String])> {
        let (last, holder) = self.steps.split_last()?;
        Some((last, holder))
    }

    /// Whether this leads to something within `other`, or to `other` itself.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.steps.starts_with(&other.steps)
    }

    /// The place as FHIRPath below a type: `/name/0/family` is `Patient.name[0].family`. It ends
    /// before the first step that does not look like an element's name.
    pub fn expression(&self, kind: &str) -> String {
        let mut expression = kind.to_owned();
        for step in &self.steps {
            if index(step).is_some() {
                expression.extend(["[", step, "]"]);
            } else if is_name(step) {
                expression.extend([".", step]);
            } else {
                break;
            }
        }
        expression
    }
}

impl fmt::Display for Pointer {
    /// As it was written; a step that does not look like an element's name as `?`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            let sayable = is_name(step) || step == "-" || index(step).is_some();
            write!(f, "/{}", if sayable { step } else { "?" })?;
        }
        Ok(())
    }
}

fn is_name(step: &str) -> bool {
    let letters = step.strip_prefix('_').unwrap_or(step);
    (1..=64).contains(&letters.len()) && letters.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// An index as RFC 6901 writes it: no sign, no zero in front.
pub(crate) fn index(step: &str) -> Option<usize> {
    let is_plain = step == "0" || !step.starts_with('0');
    let digits = is_plain && !step.is_empty() && step.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| step.parse().ok()).flatten()
}

fn step(text: &str) -> Option<String> {
    if !text.contains('~') {
        return Some(text.to_owned());
    }
    let mut step = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        step.push(match letter {
            '~' => match letters.next()? {
                '0' => '~',
                '1' => '/',
                _ => return None,
            },
            other => other,
        });
    }
    Some(step)
}
