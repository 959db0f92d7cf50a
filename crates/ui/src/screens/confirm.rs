//! 'Are you sure?' as a page of its own.

use askama::Template;

use crate::page::Page;
use crate::texts::T;
use crate::view::{Fact, Patient};

/// Asks before something that cannot be taken back. The yes is a form that posts to `action`.
#[derive(Template)]
#[template(path = "base/confirm.html")]
pub struct Confirm {
    /// The texts.
    pub t: T,
    /// The page.
    pub page: Page,
    /// The patient, if it is about one.
    pub patient: Option<Patient>,
    /// The question.
    pub title: String,
    /// What will happen, as a sentence.
    pub text: String,
    /// What it is about.
    pub facts: Vec<Fact>,
    /// Where the yes is posted.
    pub action: String,
    /// Fields that go along.
    pub fields: Vec<(String, String)>,
    /// What the yes says: the deed itself, not 'yes'.
    pub yes: String,
    /// Whether the deed is a danger (the button is red).
    pub danger: bool,
    /// Where the no leads.
    pub back: String,
}
