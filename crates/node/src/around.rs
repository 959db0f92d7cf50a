//! What the node says about itself on every page.

use std::sync::Arc;

use ondol_app::App;
use ondol_kernel::Millis;
use ondol_ui::{DiskTrouble, Lang, Road, Surroundings};

/// One facility's use cases, as the pages' surroundings.
pub struct Around {
    /// The use cases.
    pub app: Arc<App>,
}

impl Around {
    /// The road of a node that has joined nobody: its neighbours below, if there are any. Which
    /// of them is silent stands on the page of the road.
    fn downward(&self, waiting: u32) -> Road {
        let nation = self.app.nation();
        let links: Vec<_> = nation.neighbours().iter().map(|node| self.app.link(node)).collect();
        let down = links.iter().flatten().filter(|link| !link.is_up).map(|link| link.since).max();
        if links.is_empty() && waiting == 0 {
            Road::Alone
        } else if waiting > 0 {
            Road::Waiting { items: waiting }
        } else if links.iter().flatten().any(|link| link.is_up) {
            Road::Connected
        } else {
            Road::Down { since: down.unwrap_or_else(|| self.app.now()), items: 0 }
        }
    }
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
        let Some(parent) = self.app.nation().parent() else {
            // The ministry has nobody above: its road is that to those below.
            return self.downward(waiting);
        };
        match self.app.link(&parent) {
            Some(link) if link.is_up && waiting == 0 => Road::Connected,
            Some(link) if link.is_up => Road::Waiting { items: waiting },
            Some(link) => Road::Down { since: link.since, items: waiting },
            None => Road::Down { since: self.app.now(), items: waiting },
        }
    }

    fn disk(&self) -> Option<DiskTrouble> {
        self.app.disk_trouble().map(|(trouble, _)| trouble)
    }

    fn revoked(&self) -> bool {
        self.app.own_revocation().is_some()
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
