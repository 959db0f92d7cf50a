//! Who may be the same person as somebody: looked for among all, weighed as records are linked
//! (ADR 0015), and told only to those who may see them.

use std::sync::Arc;

use ondol_access::{Action, Denial, Obligation};
use ondol_identity::linkage::{Described, Model, Records, Schema, candidates, person_schema};
use ondol_kernel::ResourceId;
use ondol_record::ChartId;
use ondol_store::{Order, Query, View};
use serde_json::json;

use super::{
    Registration, document,
    index::{Asked, Fit},
    number::plain,
    person::{Birth, Number, Person, Sex},
    person_of,
};
use crate::{Actor, App, AppError};

/// People who are weighed at most for one question.
const WEIGHED_MAX: usize = 200;

/// People from whom it is learnt how records agree, at most.
const LEARNT_FROM: usize = 2_000;

/// The same number of the same kind makes the odds so many times higher: far more than any field,
/// and less than all of them when they speak against it, since cards are borrowed.
const SAME_NUMBER: f64 = 100_000.0;

/// From here on somebody is asked about before a registration: rather the same person than not.
const ASKED_FROM: f64 = 0.5;

/// Somebody who may be the same person.
pub(crate) struct Alike {
    pub(crate) id: ResourceId,
    /// How likely it is, 0 to 1.
    pub(crate) probability: f64,
}

impl App {
    /// Those who may be the same person as `asked`, the likeliest first; whoever asks is not looked
    /// at here. Charts in whose place another one is to be used are left out.
    pub(crate) fn alike(&self, view: &dyn View, asked: &Person) -> Result<Vec<Alike>, AppError> {
        let near = self.people.near(view, asked, WEIGHED_MAX)?;
        if near.is_empty() {
            return Ok(vec![]);
        }
        let schema = person_schema();
        let model = self.person_model(view, &schema)?;
        let of_asked = forms(asked).map(|of| of.record(&schema)).collect::<Vec<_>>();
        let mut found = vec![];
        for id in near {
            let person = person_of(view, &id)?;
            if person.replaced_by().is_some() {
                continue;
            }
            let of_person = forms(&person).map(|of| of.record(&schema)).collect::<Vec<_>>();
            let pairs = of_asked.iter().flat_map(|a| of_person.iter().map(move |b| (a, b)));
            let odds = pairs.map(|(a, b)| model.log_odds(a, b)).fold(f64::NEG_INFINITY, f64::max);
            let number = if has_number_of(&person, asked) { SAME_NUMBER.ln() } else { 0.0 };
            let probability = 1.0 / (1.0 + (-odds - number).exp());
            found.push(Alike { id, probability });
        }
        found.sort_by(|a, b| b.probability.total_cmp(&a.probability).then(a.id.cmp(&b.id)));
        Ok(found)
    }

    /// What was learnt from the people who are here, against all of them.
    fn person_model(&self, view: &dyn View, schema: &Schema) -> Result<Model, AppError> {
        let (all, known) = self.people.model(view)?;
        let model = if let Some(model) = known {
            model
        } else {
            let model = Arc::new(learn(view, schema)?);
            self.people.keep_model(all, &model);
            model
        };
        Ok(Model::clone(&model).against(all))
    }

    /// Those who may be the same person as somebody who is about to be registered. It hinders
    /// nothing: it is shown before saving.
    pub fn possible_duplicates(
        self: &Arc<Self>,
        actor: &Actor,
        registration: &Registration,
    ) -> Result<Vec<Person>, AppError> {
        if registration.name.trim().is_empty() {
            return Ok(vec![]);
        }
        let view = self.view()?;
        let asked = described(registration)?;
        let likely = self.alike(&*view, &asked)?;
        let mut ids: Vec<ResourceId> = likely
            .into_iter()
            .filter(|one| one.probability >= ASKED_FROM)
            .map(|one| one.id)
            .collect();
        // Namesakes of about the same age are told apart by people, however unlikely they are.
        let named = Asked {
            name: asked.name.clone(),
            year: asked.birth.year().map(|year| (year, 2)),
            ..Asked::default()
        };
        for (id, fit) in self.people.find(&*view, &named, super::RESULTS_MAX)? {
            if matches!(fit, Fit::Name(fit) if fit <= ondol_identity::names::NameFit::Roman)
                && !ids.contains(&id)
            {
                ids.push(id);
            }
        }
        let mut same = vec![];
        for id in ids {
            let chart = ChartId::Patient(id.clone());
            match self.may(&*view, actor, Action::SearchPerson, &chart, None) {
                Ok(grounds) if !grounds.obligations.contains(Obligation::ExistenceOnly) => {
                    same.push(person_of(&*view, &id)?);
                }
                Ok(_)
                | Err(AppError::Denied(Denial::NothingPermits | Denial::Forbidden { .. })) => {}
                Err(other) => return Err(other),
            }
        }
        let apart = |a: Option<Sex>, b: Option<Sex>| matches!((a, b), (Some(a), Some(b)) if a != b);
        same.retain(|person| !apart(person.sex, registration.sex));
        same.truncate(super::RESULTS_MAX);
        Ok(same)
    }
}

/// Learns from the first people who arrived.
fn learn(view: &dyn View, schema: &Schema) -> Result<Model, AppError> {
    let query = Query {
        resource_type: "Patient".into(),
        chart: None,
        filters: vec![],
        order: Order::Arrival,
        limit: LEARNT_FROM,
        after: None,
    };
    let mut records = vec![];
    for hit in view.search(&query)?.hits {
        let person = Person::read(&hit.found.shown.id, &document(&hit.found)?, false);
        records.extend(forms(&person).take(1).map(|of| of.record(schema)));
    }
    let records = Records::one(&records);
    Ok(Model::learn(schema, records, &candidates(schema, records)))
}

/// A person by each name that is known.
fn forms(person: &Person) -> impl Iterator<Item = Described> {
    let birth = match person.birth {
        Birth::About(year) => format!("~{year:04}"),
        birth => birth.to_fhir().unwrap_or_default(),
    };
    let sex = match person.sex {
        Some(Sex::Female) => "F",
        Some(Sex::Male) => "M",
        Some(Sex::Other | Sex::Unknown) | None => "",
    };
    let all = std::iter::once(&person.name).chain(&person.other_names);
    all.map(move |name| Described {
        name: name.clone(),
        sex: sex.to_owned(),
        birth: birth.clone(),
        mother: person.mother.clone(),
        ri: person.ri.clone(),
        house: person.house.clone(),
        phone: person.phone.clone(),
    })
}

fn has_number_of(person: &Person, asked: &Person) -> bool {
    let same = |a: &Number, b: &Number| a.system == b.system && plain(&a.value) == plain(&b.value);
    asked.numbers.iter().any(|a| person.numbers.iter().any(|b| same(a, b)))
}

/// Somebody who is about to be registered, as a person.
fn described(registration: &Registration) -> Result<Person, AppError> {
    let text = |text: &str| text.trim().to_owned();
    let mut person = Person::read(&super::nobody()?, &json!({}), false);
    person.name = text(&registration.name);
    person.sex = registration.sex;
    person.birth = registration.birth.unwrap_or(Birth::Unknown);
    person.mother = text(&registration.mother_name);
    person.ri = text(&registration.ri);
    person.house = text(&registration.house);
    person.phone = text(&registration.phone);
    if let Some(paper) = &registration.paper {
        person.numbers.push(Number {
            system: crate::coding::PAPER_NUMBER.to_owned(),
            value: text(&paper.value),
            label: paper.label.clone(),
        });
    }
    Ok(person)
}
