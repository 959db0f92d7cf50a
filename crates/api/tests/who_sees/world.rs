//! The county hospital with its API.

use std::ops::Deref;

use ondol_access::Coded;

use super::setting::{Setting, Who, roles};
use crate::door::{Door, Facility};

pub struct World {
    pub door: Door,
    setting: Setting,
}

impl Deref for World {
    type Target = Setting;

    fn deref(&self) -> &Setting {
        &self.setting
    }
}

impl World {
    pub fn new() -> Self {
        let door = Door::of(Facility::at("county"));
        // The door knows everybody by the code of their role.
        let people = roles().map(|role| Who { role, actor: door.person(role.code(), &[role]) });
        let setting = Setting::put(&door.facility, people.collect());
        Self { door, setting }
    }

    /// Opens every patient's chart to who treats here.
    pub fn open_all(&mut self) {
        self.setting.open_all(&self.door.facility);
    }
}
