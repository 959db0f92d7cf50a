//! How facilities and practitioners are called.

use ondol_fhir::views::HumanName;
use ondol_record::ChartId;
use ondol_store::View;

use super::{document, person::items};
use crate::{App, AppError};

/// The name of `Organization/…`; empty if nothing of it is here.
pub(crate) fn facility_name(
    app: &App,
    view: &dyn View,
    reference: &str,
) -> Result<String, AppError> {
    if reference == app.place.organization() {
        return Ok(app.place.name.to_string());
    }
    let Some(ChartId::Facility(id)) = ChartId::from_reference(reference) else {
        return Ok(String::new());
    };
    let Some(found) = view.resource("Organization", &id)? else { return Ok(String::new()) };
    Ok(document(&found)?["name"].as_str().unwrap_or("").to_owned())
}

/// The name of `Practitioner/…`; empty if nothing of them is here.
pub(crate) fn practitioner_name(view: &dyn View, reference: &str) -> Result<String, AppError> {
    let Some(ChartId::Practitioner(id)) = ChartId::from_reference(reference) else {
        return Ok(String::new());
    };
    let Some(found) = view.resource("Practitioner", &id)? else { return Ok(String::new()) };
    if found.is_retracted() {
        return Ok(String::new());
    }
    let practitioner = document(&found)?;
    let name =
        items(&practitioner["name"]).find_map(|name| HumanName::of(name.as_object()?).display());
    Ok(name.unwrap_or_default())
}
