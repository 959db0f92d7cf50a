//! Choosing diagnoses: what this facility writes most stands first, the list is searched as it is
//! typed, and plain words are as good.
//!
//! A chosen one is a hidden field `dx`: `C:` and a code, or `W:` and words.

use ondol_app::encounter::TypedDiagnosis;
use ondol_terms::hangul::fold;

use crate::form::{Choice, Form};
use crate::screens::people::shown;
use crate::texts::T;

/// What is offered at most.
const OFFERED: usize = 12;

/// A diagnosis that was chosen.
pub struct Chosen {
    /// The value of the hidden field.
    pub token: String,
    /// What is read.
    pub label: String,
    /// Whether it lasts.
    pub lasting: bool,
}

/// Those that were chosen.
pub fn chosen(t: T, form: &Form) -> Vec<Chosen> {
    form.values("dx")
        .map(|token| Chosen {
            token: token.to_owned(),
            label: match token.strip_prefix("C:") {
                Some(code) => shown::diagnosis(t, Some(code), ""),
                None => token.strip_prefix("W:").unwrap_or(token).to_owned(),
            },
            lasting: form.chose("lasting", token),
        })
        .collect()
}

/// What is offered for what was typed, without those that are chosen.
pub fn results(t: T, typed: &str, local: &[String], form: &Form) -> Vec<Choice> {
    let local: Vec<&str> = local.iter().map(String::as_str).collect();
    ondol_terms::search_diagnoses(typed, &local)
        .into_iter()
        .filter(|entry| !form.chose("dx", &format!("C:{}", entry.code)))
        .take(OFFERED)
        .map(|entry| Choice::new(entry.code, shown::diagnosis(t, Some(entry.code), "")))
        .collect()
}

/// Adds, drops, or only looks.
pub fn carry_out(form: &mut Form, what: &str, which: &str) {
    let mut tokens: Vec<String> = form.values("dx").map(str::to_owned).collect();
    match what {
        "dx-add" => tokens.push(format!("C:{which}")),
        "dx-words" if !form.value("dx-find").is_empty() => {
            tokens.push(format!("W:{}", form.value("dx-find")));
        }
        "dx-drop" => tokens.retain(|token| token != which),
        _ => return,
    }
    tokens.dedup();
    let lasting: Vec<String> = form.values("lasting").map(str::to_owned).collect();
    let others =
        form.fields().iter().filter(|(name, _)| !matches!(name.as_str(), "dx" | "lasting"));
    let mut fields: Vec<(String, String)> = others.cloned().collect();
    fields.extend(tokens.into_iter().map(|token| ("dx".to_owned(), token)));
    fields.extend(lasting.into_iter().map(|token| ("lasting".to_owned(), token)));
    *form = Form::of(fields);
    if what != "dx-drop" {
        form.put("dx-find", "");
    }
}

/// The entry of the list with exactly this name.
pub fn exact(typed: &str) -> Option<&'static ondol_terms::Diagnosis> {
    let asked = fold(typed);
    ondol_terms::diagnoses()
        .iter()
        .find(|entry| [entry.code, entry.ko, entry.en].iter().any(|name| fold(name) == asked))
}

/// All that shall be saved. What still stands in the box counts too: as an entry of the list if it
/// is one, else as plain words.
pub fn typed(form: &Form) -> Vec<TypedDiagnosis> {
    let mut all: Vec<TypedDiagnosis> = form
        .values("dx")
        .map(|token| {
            let lasting = form.chose("lasting", token);
            match token.strip_prefix("C:") {
                Some(code) => {
                    TypedDiagnosis { code: Some(code.to_owned()), words: String::new(), lasting }
                }
                None => {
                    let words = token.strip_prefix("W:").unwrap_or(token).to_owned();
                    TypedDiagnosis { code: None, words, lasting }
                }
            }
        })
        .collect();
    let left = form.value("dx-find");
    if !left.is_empty() {
        let code = exact(left).map(|entry| entry.code.to_owned());
        let words = if code.is_some() { String::new() } else { left.to_owned() };
        let one = TypedDiagnosis { code, words, lasting: false };
        if !all.contains(&one) {
            all.push(one);
        }
    }
    all
}

/// The fields of diagnoses that were saved.
pub fn put(fields: &mut Vec<(String, String)>, all: &[TypedDiagnosis]) {
    for one in all {
        let token = match &one.code {
            Some(code) if ondol_terms::diagnosis(code).is_some() => format!("C:{code}"),
            _ => format!("W:{}", one.words),
        };
        if one.lasting {
            fields.push(("lasting".to_owned(), token.clone()));
        }
        fields.push(("dx".to_owned(), token));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_stays_and_what_is_left_in_the_box_is_saved_too() {
        let mut form = Form::of([("dx-find", "ㄱㅊ")]);
        carry_out(&mut form, "dx-add", "J20.9");
        assert_eq!(form.value("dx-find"), "");
        form.put("dx-find", "배가 차다");
        carry_out(&mut form, "dx-words", "");
        form.put("dx-find", "급성위염");
        let codes: Vec<Option<String>> = typed(&form).into_iter().map(|one| one.code).collect();
        assert_eq!(codes, [Some("J20.9".to_owned()), None, Some("K29.1".to_owned())]);
        carry_out(&mut form, "dx-drop", "C:J20.9");
        assert_eq!(typed(&form).len(), 2);
    }
}
