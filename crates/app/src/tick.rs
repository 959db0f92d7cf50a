//! What a node does by itself, every few seconds.

use std::sync::Arc;

use crate::{App, AppError};

impl App {
    /// Looks at the disk, durable timers, counts, who may be the same person, and whom the
    /// nation's index is to be told of. One that fails
    /// does not keep the others from running; the first failure is given.
    pub fn tick(self: &Arc<Self>) -> Result<(), AppError> {
        let results = [
            self.disk_tick(),
            self.consult_tick(),
            self.count_tick(),
            self.same_person_tick(),
            self.national_tick(),
        ];
        results.into_iter().collect()
    }
}
