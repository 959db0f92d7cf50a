//! The photograph of a person.

use std::sync::Arc;

use ondol_access::Action;
use ondol_kernel::{Class, ResourceId};
use ondol_record::ChartId;

use serde_json::json;

use super::{document, person_of, register::set_photo};
use crate::{Actor, App, AppError, Changes};

impl App {
    /// The bytes of a person's photograph (JPEG); `None` if there is none, or if it is still on
    /// its way here.
    pub fn photo_of(
        self: &Arc<Self>,
        actor: &Actor,
        id: &ResourceId,
    ) -> Result<Option<Vec<u8>>, AppError> {
        let chart = ChartId::Patient(id.clone());
        let hash = {
            let view = self.view()?;
            // The banner was shown on the same grounds a moment before, and recorded then.
            self.may(&*view, actor, Action::ReadSafetySummary, &chart, None)?;
            person_of(&*view, id)?.photo
        };
        let Some(hash) = hash else { return Ok(None) };
        let photo = self.blobs.get(&hash)?;
        if photo.is_none() {
            self.want_blob(hash, Class::Bulk)?;
        }
        Ok(photo)
    }

    /// Sets a person's photograph; its preview is kept.
    pub fn set_photo(
        self: &Arc<Self>,
        actor: &Actor,
        id: &ResourceId,
        upload: &[u8],
    ) -> Result<(), AppError> {
        let photo = self.keep_photo(Some(upload))?;
        let chart = ChartId::Patient(id.clone());
        let id = id.clone();
        self.writing(actor, Action::WriteEntry, &chart, move |view| {
            let found = view.resource("Patient", &id)?.ok_or(AppError::NotFound)?;
            let mut patient = document(&found)?;
            patient["resourceType"] = json!("Patient");
            set_photo(&mut patient, photo);
            let mut changes = Changes::new(Class::Care);
            changes.update(&found, patient);
            Ok(changes)
        })?;
        Ok(())
    }
}
