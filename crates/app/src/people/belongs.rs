//! Who holds a person's chart for good: the home facility and the section doctor.

use ondol_access::Action;
use ondol_record::ChartId;
use ondol_store::View;
use serde_json::Value;

use super::person::items;
use crate::{Actor, App, AppError};

/// Whether a Patient's new document names another home facility, or other section doctors, than
/// the one that stands. Where nobody holds the chart yet, whoever writes may say who does.
fn moves_home(stands: &Value, new: &Value) -> bool {
    let (before, after) = (holders(stands), holders(new));
    !before.is_empty() && before != after
}

fn holders(patient: &Value) -> Vec<&str> {
    let doctors = items(&patient["generalPractitioner"]);
    let mut all: Vec<&str> = std::iter::once(&patient["managingOrganization"])
        .chain(doctors)
        .filter_map(|of| of["reference"].as_str())
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

impl App {
    /// Refuses a change that moves a person's home, by somebody who may not do that.
    pub(crate) fn may_change_home(
        &self,
        view: &dyn View,
        actor: &Actor,
        chart: &ChartId,
        (stands, new): (&Value, &Value),
    ) -> Result<(), AppError> {
        if moves_home(stands, new) {
            self.may(view, actor, Action::ChangeHome, chart, None)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_home_moves_when_facility_or_doctors_become_others_and_not_when_there_was_none() {
        let of = |home: &str, doctors: &[&str]| {
            let doctors: Vec<Value> = doctors.iter().map(|d| json!({ "reference": d })).collect();
            json!({ "managingOrganization": { "reference": home }, "generalPractitioner": doctors })
        };
        let stands = of("Organization/a", &["Practitioner/1", "Practitioner/2"]);
        assert!(!moves_home(&stands, &of("Organization/a", &["Practitioner/2", "Practitioner/1"])));
        for new in [
            of("Organization/b", &["Practitioner/1", "Practitioner/2"]),
            of("Organization/a", &["Practitioner/1"]),
            of("Organization/a", &["Practitioner/1", "Practitioner/2", "Practitioner/3"]),
            json!({}),
        ] {
            assert!(moves_home(&stands, &new), "{new}");
        }
        assert!(!moves_home(&json!({ "name": [] }), &stands));
    }
}
