//! The photograph of a person.

use std::sync::Arc;

use ondol_access::Action;
use ondol_kernel::{Class, ResourceId};
use ondol_record::ChartId;

use super::person_of;
use crate::{Actor, App, AppError};

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
}
