//! Blank forms for power cuts: thirty rows, each with a provisional number of its own.

use std::sync::Arc;

use ondol_access::Action;
use ondol_kernel::{Millis, ResourceId};
use ondol_record::ChartId;
use ondol_store::{Space, View, WriteTx};
use serde_json::{Value, json};

use crate::{
    Actor, App, AppError,
    people::{Person, document, next_number, person_of},
};

/// Rows on a form.
pub const FORM_ROWS: usize = 30;

/// In [`Space::Number`]: the forms that were given out, by their first number.
const FORM: &[u8] = b"form/";
/// In [`Space::Number`]: what became of a row, by form and row.
const ROW: &[u8] = b"row/";

/// A form that was printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DowntimeForm {
    /// What it is called: its first number.
    pub name: String,
    /// The numbers of its rows.
    pub numbers: Vec<String>,
    /// When it was given out.
    pub printed: Millis,
    /// How many rows are typed in.
    pub typed: usize,
}

/// A row of a form. It has no `Debug`: it may name somebody.
#[derive(Clone)]
pub struct PaperRow {
    /// Its number on the paper, from 1.
    pub place: usize,
    /// The provisional number that is reserved for it.
    pub number: String,
    /// Who it was about and the Encounter, once it is typed in.
    pub done: Option<(Person, ResourceId)>,
}

impl App {
    /// Reserves the numbers of a new form.
    pub fn reserve_form(self: &Arc<Self>, actor: &Actor) -> Result<DowntimeForm, AppError> {
        let (app, actor) = (self.clone(), actor.clone());
        self.transact(move |tx| {
            app.may_type_forms(&*tx, &actor)?;
            let mut numbers = vec![];
            for _ in 0..FORM_ROWS {
                numbers.push(next_number(&app, tx)?);
            }
            let name = numbers.first().cloned().unwrap_or_default();
            let printed = app.now();
            let value = json!({ "numbers": numbers, "printed": printed.0 });
            let key = [FORM, name.as_bytes()].concat();
            tx.set_value(Space::Number, &key, Some(value.to_string().as_bytes()))?;
            Ok(DowntimeForm { name, numbers, printed, typed: 0 })
        })
    }

    /// The forms that were given out, newest first.
    pub fn downtime_forms(&self, actor: &Actor) -> Result<Vec<DowntimeForm>, AppError> {
        let view = self.view()?;
        self.may_type_forms(&*view, actor)?;
        let mut forms = vec![];
        for (key, value) in view.values(Space::Number, FORM, None, usize::MAX)? {
            let name = String::from_utf8(key[FORM.len()..].to_vec())
                .map_err(|_| AppError::Unexpected("a form"))?;
            forms.push(read_form(&*view, &name, &value)?);
        }
        forms.sort_by_key(|form| std::cmp::Reverse((form.printed, form.name.clone())));
        Ok(forms)
    }

    /// A form with its rows. Those that are typed in name people, who are read thereby.
    pub fn downtime_form(
        &self,
        actor: &Actor,
        name: &str,
    ) -> Result<(DowntimeForm, Vec<PaperRow>), AppError> {
        let own = ChartId::Facility(self.place.facility.clone());
        self.reading(actor, Action::PrintRegister, &own, |view| {
            let form = form(view, name)?;
            let mut rows = vec![];
            for (at, number) in form.numbers.iter().enumerate() {
                let done = match done(view, name, at + 1)? {
                    None => None,
                    Some((patient, encounter)) => match person_of(view, &patient) {
                        Ok(person) => Some((person, encounter)),
                        Err(AppError::Gone) => None,
                        Err(other) => return Err(other),
                    },
                };
                rows.push(PaperRow { place: at + 1, number: number.clone(), done });
            }
            Ok((form, rows))
        })
    }

    pub(super) fn may_type_forms(&self, view: &dyn View, actor: &Actor) -> Result<(), AppError> {
        let own = ChartId::Facility(self.place.facility.clone());
        self.may(view, actor, Action::PrintRegister, &own, None)?;
        Ok(())
    }
}

/// A form by its name.
pub(super) fn form(view: &dyn View, name: &str) -> Result<DowntimeForm, AppError> {
    let key = [FORM, name.as_bytes()].concat();
    let value = view.value(Space::Number, &key)?.ok_or(AppError::NotFound)?;
    read_form(view, name, &value)
}

fn read_form(view: &dyn View, name: &str, value: &[u8]) -> Result<DowntimeForm, AppError> {
    let damaged = || AppError::Unexpected("a form for power cuts");
    let value: Value = serde_json::from_slice(value).map_err(|_| damaged())?;
    let numbers = value["numbers"].as_array().ok_or_else(damaged)?;
    let numbers: Option<Vec<String>> =
        numbers.iter().map(|number| number.as_str().map(str::to_owned)).collect();
    let prefix = [ROW, name.as_bytes(), b"/"].concat();
    Ok(DowntimeForm {
        name: name.to_owned(),
        numbers: numbers.ok_or_else(damaged)?,
        printed: Millis(value["printed"].as_i64().ok_or_else(damaged)?),
        typed: view.values(Space::Number, &prefix, None, FORM_ROWS)?.len(),
    })
}

fn row_key(name: &str, place: usize) -> Vec<u8> {
    [ROW, name.as_bytes(), format!("/{place:02}").as_bytes()].concat()
}

/// The person and the Encounter of a row that is typed in, unless the visit was taken back.
pub(super) fn done(
    view: &dyn View,
    name: &str,
    place: usize,
) -> Result<Option<(ResourceId, ResourceId)>, AppError> {
    let Some(value) = view.value(Space::Number, &row_key(name, place))? else { return Ok(None) };
    let damaged = || AppError::Unexpected("a row of a form");
    let text = String::from_utf8(value).map_err(|_| damaged())?;
    let (patient, encounter) = text.split_once(' ').ok_or_else(damaged)?;
    let id = |text: &str| ResourceId::new(text).map_err(|_| damaged());
    let (patient, encounter) = (id(patient)?, id(encounter)?);
    let found = view.resource("Encounter", &encounter)?;
    let stands = found.is_some_and(|found| !found.is_retracted() && document(&found).is_ok());
    Ok(stands.then_some((patient, encounter)))
}

/// Notes that a row is typed in.
pub(super) fn set_done(
    tx: &mut dyn WriteTx,
    name: &str,
    place: usize,
    patient: &ResourceId,
    encounter: &ResourceId,
) -> Result<(), AppError> {
    let value = format!("{patient} {encounter}");
    Ok(tx.set_value(Space::Number, &row_key(name, place), Some(value.as_bytes()))?)
}
