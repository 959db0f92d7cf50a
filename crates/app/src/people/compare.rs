//! Two charts side by side: who they are, what is known of both, and what differs.

use ondol_access::Action;
use ondol_kernel::{Millis, ResourceId};
use ondol_record::ChartId;
use ondol_store::View;

use super::{Person, document, facility_name, number::plain, person::items, person_of};
use crate::{
    Actor, App, AppError,
    encounter::{Allergies, Banner, Blood, concept_words, fold_safety, stated_for_safety},
};

/// Visits of each chart that stand side by side.
const VISITS: usize = 3;

/// What differs between two people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// The name.
    Name,
    /// The sex.
    Sex,
    /// The date of birth.
    Birth,
    /// The mother's name.
    Mother,
    /// The village.
    Ri,
    /// The house.
    House,
    /// The telephone number.
    Phone,
    /// The numbers.
    Numbers,
    /// Allergies.
    Allergies,
    /// The blood group.
    Blood,
}

/// One of the two. It has no `Debug`: it tells of somebody.
#[derive(Clone)]
pub struct Side {
    /// Who, and what is known of allergies.
    pub banner: Banner,
    /// The name of the home facility; empty if there is none.
    pub home: String,
    /// The blood group.
    pub blood: Blood,
    /// The newest visits: when, where, and why.
    pub visits: Vec<(Millis, String, String)>,
    /// How many there are.
    pub visits_all: usize,
}

/// Two charts side by side.
#[derive(Clone)]
pub struct Compared {
    /// The one.
    pub one: Side,
    /// The other.
    pub two: Side,
    /// What differs: said on both sides, and not the same.
    pub differs: Vec<Difference>,
    /// How likely they are one person, 0 to 1; `None` if that is no question: they are linked,
    /// or somebody has said that they are two.
    pub probability: Option<f64>,
}

impl App {
    /// Two charts side by side, for somebody who may read both and put them together. Both
    /// readings are recorded.
    pub fn compare_people(
        &self,
        actor: &Actor,
        one: &ResourceId,
        two: &ResourceId,
    ) -> Result<Compared, AppError> {
        if one == two {
            return Err(AppError::NotFound);
        }
        let (compared, readings) = {
            let view = self.view()?;
            let mut readings = vec![];
            for id in [one, two] {
                let chart = ChartId::Patient(id.clone());
                if !self.merge_is_possible(&*view, actor, &chart)? {
                    self.may(&*view, actor, Action::MergePersons, &chart, None)?;
                }
                let grounds = self.may(&*view, actor, Action::ReadChart, &chart, None)?;
                readings.push(self.reading_of(actor, Action::ReadChart, &chart, &grounds, ""));
            }
            let (one, two) = (self.compared_side(&*view, one)?, self.compared_side(&*view, two)?);
            let probability = self.stands(&*view, &one.banner.person, &two.banner.person)?;
            let differs = differences(&one, &two);
            (Compared { one, two, differs, probability }, readings)
        };
        self.write_down(readings)?;
        Ok(compared)
    }

    /// What one chart says by itself: nothing of those that it is linked with.
    fn compared_side(&self, view: &dyn View, id: &ResourceId) -> Result<Side, AppError> {
        let chart = ChartId::Patient(id.clone());
        let person = person_of(view, id)?;
        let safety = fold_safety(&stated_for_safety(view, &chart)?, self.now())?;
        let home = match &person.home {
            Some(reference) => facility_name(self, view, reference)?,
            None => String::new(),
        };
        let mut visits = vec![];
        for found in view.chart(&chart, &["Encounter"])? {
            let encounter = document(&found)?;
            let start = encounter["period"]["start"].as_str().and_then(Millis::parse_fhir);
            let at = start.unwrap_or_else(|| found.shown.hlc.millis());
            let place = encounter["serviceProvider"]["reference"].as_str().unwrap_or("");
            let why: Vec<String> = items(&encounter["reasonCode"]).map(concept_words).collect();
            visits.push((at, facility_name(self, view, place)?, why.join(", ")));
        }
        visits.sort_by_key(|(at, _, _)| std::cmp::Reverse(*at));
        let visits_all = visits.len();
        visits.truncate(VISITS);
        let banner = Banner { person, allergies: safety.allergies };
        Ok(Side { banner, home, blood: safety.blood, visits, visits_all })
    }
}

fn differences(one: &Side, two: &Side) -> Vec<Difference> {
    let (a, b): (&Person, &Person) = (&one.banner.person, &two.banner.person);
    let text = |a: &str, b: &str| !a.is_empty() && !b.is_empty() && a != b;
    let numbers = |of: &Person| {
        let mut all: Vec<String> = of.numbers.iter().map(|one| plain(&one.value)).collect();
        all.sort();
        all
    };
    let allergies = |of: &Side| match &of.banner.allergies {
        Allergies::Known(known) => {
            let mut all: Vec<String> = known
                .iter()
                .map(|one| one.atc.clone().unwrap_or_else(|| one.words.clone()))
                .collect();
            all.sort();
            Some(all)
        }
        Allergies::NoneKnown { .. } => Some(vec![]),
        Allergies::NotAsked => None,
    };
    let blood = match (&one.blood, &two.blood) {
        (Blood::NotKnown, _) | (_, Blood::NotKnown) => false,
        (a, b) => a != b,
    };
    let all = [
        (Difference::Name, text(&a.name, &b.name)),
        (Difference::Sex, a.sex.is_some() && b.sex.is_some() && a.sex != b.sex),
        (
            Difference::Birth,
            a.birth.year().is_some() && b.birth.year().is_some() && a.birth != b.birth,
        ),
        (Difference::Mother, text(&a.mother, &b.mother)),
        (Difference::Ri, text(&a.ri, &b.ri)),
        (Difference::House, text(&a.house, &b.house)),
        (Difference::Phone, text(&a.phone, &b.phone)),
        (Difference::Numbers, numbers(a) != numbers(b)),
        (
            Difference::Allergies,
            matches!((allergies(one), allergies(two)), (Some(a), Some(b)) if a != b),
        ),
        (Difference::Blood, blood),
    ];
    all.into_iter().filter(|(_, differs)| *differs).map(|(what, _)| what).collect()
}
