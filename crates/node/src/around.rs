//! What the node says about itself on every page.

use std::sync::Arc;

use ondol_app::App;
use ondol_kernel::Millis;
use ondol_ui::{Lang, Road, Surroundings};

/// One facility's use cases, as the pages' surroundings.
pub struct Around {
    /// The use cases.
    pub app: Arc<App>,
}

impl Surroundings for Around {
    fn facility(&self, _lang: Lang) -> String {
        self.app.place().name.to_string()
    }

    fn road(&self) -> Road {
        if self.app.is_practice() {
            return Road::Alone;
        }
        let waiting = self.app.waiting_count();
        let Some(parent) = self.app.place().parent else {
            // The ministry has nobody above: what waits there waits for those below.
            return if waiting == 0 { Road::Alone } else { Road::Waiting { items: waiting } };
        };
        match self.app.link(&parent) {
            Some(link) if link.is_up && waiting == 0 => Road::Connected,
            Some(link) if link.is_up => Road::Waiting { items: waiting },
            Some(link) => Road::Down { since: link.since, items: waiting },
            None => Road::Down { since: self.app.now(), items: waiting },
        }
    }

    fn practice(&self) -> bool {
        self.app.is_practice()
    }

    fn now(&self) -> Millis {
        self.app.now()
    }

    fn utc_offset_minutes(&self) -> i32 {
        self.app.utc_offset_minutes()
    }
}
