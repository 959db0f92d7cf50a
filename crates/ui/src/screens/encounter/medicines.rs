//! Choosing medicines: name, form and strength from the list, or plain words; each with a dose and
//! for how many days.

use ondol_app::encounter::TypedMedicine;

use crate::form::{Choice, Form};
use crate::lang::Lang;
use crate::screens::people::shown;
use crate::texts::T;

/// What is offered at most.
const OFFERED: usize = 14;

/// Rows at most: no visit prescribes more.
const ROWS_MAX: usize = 50;

/// The parts of a row: `med-N-PART`.
const PARTS: [&str; 6] = ["atc", "name", "strength", "dose", "days", "taken"];

/// A medicine that was chosen.
pub struct Row {
    /// Its number, from 0.
    pub at: usize,
    /// What is read.
    pub label: String,
    /// The hidden fields: name and value.
    pub hidden: Vec<(String, String)>,
}

fn field(at: usize, part: &str) -> String {
    format!("med-{at}-{part}")
}

/// How many rows the form has.
fn count(form: &Form) -> usize {
    (0..ROWS_MAX).take_while(|at| !form.value(&field(*at, "name")).is_empty()).count()
}

/// Those that were chosen.
pub fn rows(t: T, form: &Form) -> Vec<Row> {
    (0..count(form))
        .map(|at| {
            let value = |part: &str| form.value(&field(at, part)).to_owned();
            let words = format!("{} {}", value("name"), value("strength")).trim().to_owned();
            Row {
                at,
                label: shown::medicine(t, &value("atc"), &words),
                hidden: ["atc", "name", "strength"]
                    .iter()
                    .map(|part| (field(at, part), value(part)))
                    .collect(),
            }
        })
        .collect()
}

/// What is offered for what was typed: each strength by itself.
pub fn results(t: T, typed: &str, local: &[String]) -> Vec<Choice> {
    let local: Vec<&str> = local.iter().map(String::as_str).collect();
    let mut offered = vec![];
    for entry in ondol_terms::search_medicines(typed, &local) {
        let name = if t.lang() == Lang::Ko { entry.ko } else { entry.inn };
        for (at, form) in entry.forms.iter().enumerate() {
            let word = if t.lang() == Lang::Ko { form.form_ko } else { form.form };
            let strengths = strengths(t, form);
            if strengths.is_empty() {
                offered.push(Choice::new(format!("{}:{at}:", entry.atc), format!("{name} {word}")));
            }
            for (n, strength) in strengths.iter().enumerate() {
                let token = format!("{}:{at}:{n}", entry.atc);
                offered.push(Choice::new(token, format!("{name} {word} {strength}")));
            }
            if offered.len() >= OFFERED {
                offered.truncate(OFFERED);
                return offered;
            }
        }
    }
    offered
}

fn strengths(t: T, form: &ondol_terms::Form) -> Vec<String> {
    match t.lang() {
        Lang::Ko => form.strengths_ko(),
        Lang::En => form.strengths.iter().map(|one| (*one).to_owned()).collect(),
    }
}

/// The name and the strength behind a token of [`results`].
fn of_token(t: T, token: &str) -> Option<(&'static ondol_terms::Medicine, String)> {
    let mut parts = token.split(':');
    let entry = ondol_terms::medicine(parts.next()?)?;
    let form = entry.forms.get(parts.next()?.parse::<usize>().ok()?)?;
    let word = if t.lang() == Lang::Ko { form.form_ko } else { form.form };
    let strength = parts.next().and_then(|n| n.parse::<usize>().ok());
    let strength = strength.and_then(|n| strengths(t, form).into_iter().nth(n));
    let text = strength.map_or_else(|| word.to_owned(), |strength| format!("{word} {strength}"));
    Some((entry, text))
}

/// Adds, drops, or only looks.
pub fn carry_out(t: T, form: &mut Form, what: &str, which: &str) {
    let at = count(form);
    match what {
        "med-add" => {
            let Some((entry, strength)) = of_token(t, which) else { return };
            let name = if t.lang() == Lang::Ko { entry.ko } else { entry.inn };
            form.put(&field(at, "atc"), entry.atc);
            form.put(&field(at, "name"), name);
            form.put(&field(at, "strength"), strength);
            form.put("med-find", "");
        }
        "med-words" if !form.value("med-find").is_empty() => {
            let words = form.value("med-find").to_owned();
            form.put(&field(at, "name"), words);
            form.put("med-find", "");
        }
        "med-drop" => {
            let Ok(gone) = which.parse::<usize>() else { return };
            // The rows behind it move up.
            for at in gone..at {
                for part in PARTS {
                    let next = form.value(&field(at + 1, part)).to_owned();
                    form.put(&field(at, part), next);
                }
            }
        }
        _ => {}
    }
}

/// All that shall be saved; what still stands in the box counts as plain words.
pub fn typed(t: T, form: &mut Form) -> Vec<TypedMedicine> {
    let mut all = vec![];
    for at in 0..count(form) {
        let value = |part: &str| form.value(&field(at, part)).to_owned();
        let atc = value("atc");
        let mut one = TypedMedicine {
            atc: (!atc.is_empty()).then_some(atc),
            name: value("name"),
            strength: value("strength"),
            dose: value("dose"),
            days: None,
            taken_already: value("taken") == "yes",
        };
        let days = field(at, "days");
        if !form.value(&days).is_empty() {
            one.days = form.number(&days).and_then(|days| days.parse().ok());
            if one.days.is_none() {
                form.complain(&days, t.get("encounter-days-label"), t.get("people-error-number"));
            }
        }
        all.push(one);
    }
    let left = form.value("med-find");
    if !left.is_empty() {
        all.push(TypedMedicine {
            atc: None,
            name: left.to_owned(),
            strength: String::new(),
            dose: String::new(),
            days: None,
            taken_already: false,
        });
    }
    all
}

/// The fields of medicines that were saved.
pub fn put(fields: &mut Vec<(String, String)>, all: &[TypedMedicine]) {
    for (at, one) in all.iter().enumerate() {
        let mut add = |part: &str, value: String| fields.push((field(at, part), value));
        add("atc", one.atc.clone().unwrap_or_default());
        add("name", one.name.clone());
        add("strength", one.strength.clone());
        add("dose", one.dose.clone());
        add("days", one.days.map_or_else(String::new, |days| days.to_string()));
        add("taken", if one.taken_already { "yes" } else { "" }.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EN: T = T::new(Lang::En);

    #[test]
    fn medicines_are_added_with_their_strength_and_dropped_in_place() {
        let mut form = Form::default();
        carry_out(EN, &mut form, "med-add", "A02BA02:0:0");
        form.put("med-0-dose", "2 a day");
        form.put("med-find", "herbs");
        carry_out(EN, &mut form, "med-words", "");
        let all = typed(EN, &mut form);
        assert_eq!(all[0].atc.as_deref(), Some("A02BA02"));
        assert_eq!(
            (all[0].name.as_str(), all[0].strength.as_str()),
            ("ranitidine", "tablet 150 mg")
        );
        assert_eq!((all[1].atc.as_ref(), all[1].name.as_str()), (None, "herbs"));
        carry_out(EN, &mut form, "med-drop", "0");
        let all = typed(EN, &mut form);
        assert_eq!((all.len(), all[0].name.as_str(), all[0].dose.as_str()), (1, "herbs", ""));
    }

    #[test]
    fn a_token_of_nothing_adds_nothing() {
        let mut form = Form::default();
        for token in ["", "XX", "A02BA02", "A02BA02:9:0", "A02BA02:x:"] {
            carry_out(EN, &mut form, "med-add", token);
        }
        assert!(typed(EN, &mut form).is_empty());
    }
}
