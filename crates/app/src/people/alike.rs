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
    one::living,
    person::{Birth, Number, Person, Sex},
    person_of,
};
use crate::{Actor, App, AppError};

/// People who are weighed at most for one question.
const WEIGHED_MAX: usize = 200;

/// People from whom it is learnt how records agree, at most.
const LEARNT_FROM: usize = 2_000;

/// Longer texts are compared by their beginning, characters: a name of a megabyte is no name, and
/// would cost whoever is asked for it.
const TEXT_MAX: usize = 200;

/// Names by which one person is compared, and numbers of who is asked for, at most.
pub(super) const NAMES_MAX: usize = 16;
const NUMBERS_MAX: usize = 50;

/// The same number of the same kind makes the odds so many times higher: far more than any field,
/// and less than all of them when they speak against it, since cards are borrowed.
const SAME_NUMBER: f64 = 100_000.0;

/// From here on somebody is asked about before a registration: rather the same person than not.
pub(super) const ASKED_FROM: f64 = 0.5;

/// Somebody who may be the same person.
pub(crate) struct Alike {
    pub(crate) id: ResourceId,
    /// How likely it is, 0 to 1.
    pub(crate) probability: f64,
}

impl App {
    /// Those who may be the same person as `asked`, the likeliest first; whoever asks is not looked
    /// at here. In the place of a chart that gave way stands the one that is in use.
    pub(crate) fn alike(&self, view: &dyn View, asked: &Person) -> Result<Vec<Alike>, AppError> {
        let near = self.people.near(view, asked, WEIGHED_MAX)?;
        if near.is_empty() {
            return Ok(vec![]);
        }
        let (schema, mut found) = (person_schema(), vec![]);
        let model = self.person_model(view, &schema)?;
        let weights = Weights { schema: &schema, model: &model };
        for id in near {
            let person = person_of(view, &id)?;
            let probability = weights.probability(asked, &person);
            // What another chart of the same person says speaks for the one that is in use.
            let id = if person.replaced_by().is_some() { living(view, &id)? } else { id };
            if person.replaced_by().is_some() && id == person.id {
                continue;
            }
            let known = found.iter().position(|one: &Alike| one.id == id);
            match known.and_then(|at| found.get_mut(at)) {
                Some(known) => known.probability = known.probability.max(probability),
                None => found.push(Alike { id, probability }),
            }
        }
        found.sort_by(|a, b| b.probability.total_cmp(&a.probability).then(a.id.cmp(&b.id)));
        Ok(found)
    }

    /// How likely two people are one, 0 to 1.
    pub(super) fn probability(
        &self,
        view: &dyn View,
        one: &Person,
        two: &Person,
    ) -> Result<f64, AppError> {
        let schema = person_schema();
        let model = self.person_model(view, &schema)?;
        Ok(Weights { schema: &schema, model: &model }.probability(one, two))
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
            if matches!(fit, Fit::Name(fit) if fit <= ondol_identity::names::NameFit::Roman) {
                let id = living(&*view, &id)?;
                if !ids.contains(&id) {
                    ids.push(id);
                }
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

/// What speaks for two people being one, and against it.
struct Weights<'a> {
    schema: &'a Schema,
    model: &'a Model,
}

impl Weights<'_> {
    fn probability(&self, one: &Person, two: &Person) -> f64 {
        let records = |of: &Person| forms(of).map(|of| of.record(self.schema)).collect::<Vec<_>>();
        let (of_one, of_two) = (records(one), records(two));
        let pairs = of_one.iter().flat_map(|a| of_two.iter().map(move |b| (a, b)));
        let odds = pairs.map(|(a, b)| self.model.log_odds(a, b)).fold(f64::NEG_INFINITY, f64::max);
        let number = if one.shares_number(two) { SAME_NUMBER.ln() } else { 0.0 };
        1.0 / (1.0 + (-odds - number).exp())
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
    let all = std::iter::once(&person.name).chain(&person.other_names).take(NAMES_MAX);
    let text = |text: &str| beginning(text).to_owned();
    all.map(move |name| Described {
        name: text(name),
        sex: sex.to_owned(),
        birth: birth.clone(),
        mother: text(&person.mother),
        ri: text(&person.ri),
        house: text(&person.house),
        phone: text(&person.phone),
    })
}

/// What of a text is compared.
pub(super) fn beginning(text: &str) -> &str {
    text.char_indices().nth(TEXT_MAX).map_or(text, |(end, _)| &text[..end])
}

impl Person {
    /// The numbers by which they are looked for.
    pub(super) fn asked_numbers(&self) -> &[Number] {
        self.numbers.get(..NUMBERS_MAX).unwrap_or(&self.numbers)
    }

    /// Whether two people have the same number of the same kind.
    pub(super) fn shares_number(&self, other: &Self) -> bool {
        let same =
            |a: &Number, b: &Number| a.system == b.system && plain(&a.value) == plain(&b.value);
        self.asked_numbers().iter().any(|a| other.numbers.iter().any(|b| same(a, b)))
    }
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
