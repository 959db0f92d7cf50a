//! The words of a certificate of death.

use ondol_app::death::{Cause, DiedAt, Interval};

use crate::page::Page;
use crate::screens::people::shown;
use crate::texts::T;

/// When somebody died.
pub fn died(page: &Page, at: DiedAt) -> String {
    match at {
        DiedAt::Moment(at) => page.stamp(&at),
        DiedAt::Day(day) => page.date(&day),
        DiedAt::NotKnown => page.t.get("death-not-known"),
    }
}

/// A cause with its code.
pub fn cause(t: T, of: &Cause) -> String {
    let words = shown::diagnosis(t, of.code.as_deref(), &of.words);
    match &of.code {
        Some(code) if *code != words => format!("{words} · {code}"),
        _ => words,
    }
}

/// From onset to death; empty if nobody knows.
pub fn interval(t: T, of: Option<&Interval>) -> String {
    of.map_or_else(String::new, |of| format!("{} {}", of.value, unit(t, &of.unit)))
}

/// A unit of time.
pub fn unit(t: T, code: &str) -> String {
    match code {
        "min" => t.get("death-unit-min"),
        "h" => t.get("death-unit-h"),
        "d" => t.get("death-unit-d"),
        "wk" => t.get("death-unit-wk"),
        "mo" => t.get("death-unit-mo"),
        "a" => t.get("death-unit-a"),
        other => other.to_owned(),
    }
}

/// A manner of death.
pub fn manner(t: T, code: &str) -> String {
    match code {
        "disease" => t.get("death-manner-disease"),
        "accident" => t.get("death-manner-accident"),
        "self-harm" => t.get("death-manner-self-harm"),
        "assault" => t.get("death-manner-assault"),
        "legal-intervention" => t.get("death-manner-legal"),
        "war" => t.get("death-manner-war"),
        "undetermined" => t.get("death-manner-undetermined"),
        "pending" => t.get("death-manner-pending"),
        "unknown" => t.get("death-not-known"),
        other => other.to_owned(),
    }
}

/// Where somebody died.
pub fn place(t: T, code: &str) -> String {
    match code {
        "home" => t.get("death-place-home"),
        "here" => t.get("death-place-here"),
        "other-facility" => t.get("death-place-other"),
        "on-the-way" => t.get("death-place-way"),
        "elsewhere" => t.get("death-place-elsewhere"),
        other => other.to_owned(),
    }
}

/// An answer to a question of the form.
pub fn answer(t: T, code: &str) -> String {
    match code {
        "yes" => t.get("death-yes"),
        "no" => t.get("death-no"),
        "unknown" => t.get("death-not-known"),
        other => other.to_owned(),
    }
}

/// Whether there was a pregnancy.
pub fn pregnancy(t: T, code: &str) -> String {
    match code {
        "no" => t.get("death-no"),
        "at-death" => t.get("death-pregnant-at"),
        "42-days" => t.get("death-pregnant-42"),
        "year" => t.get("death-pregnant-year"),
        "unknown" => t.get("death-not-known"),
        other => other.to_owned(),
    }
}
