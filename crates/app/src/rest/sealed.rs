//! `Patient/$sealed`: what was sealed for this facility, opened.

use ondol_kernel::ResourceId;
use serde_json::json;

use super::error::RestError;
use crate::{Actor, App};

impl App {
    /// A Bundle (`collection`) of the Bundles within the seals of a chart that open here; the full
    /// URL of each is the sealed piece's id. It is empty where nothing opens, whatever there is.
    ///
    /// # Errors
    ///
    /// The denial of who may not read what is sealed, the same whether there is something or not.
    pub fn rest_sealed(&self, actor: &Actor, id: &ResourceId) -> Result<String, RestError> {
        let entries: Vec<_> = self
            .sealed_bundles(actor, id)?
            .into_iter()
            .map(|(id, bundle)| json!({ "fullUrl": format!("urn:uuid:{id}"), "resource": bundle }))
            .collect();
        let mut bundle = json!({ "resourceType": "Bundle", "type": "collection" });
        if !entries.is_empty() {
            bundle["entry"] = entries.into();
        }
        Ok(bundle.to_string())
    }
}
