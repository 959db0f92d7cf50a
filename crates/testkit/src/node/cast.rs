//! Who is who in the small country: five facilities and their people. County and province are
//! real places; the village, the facilities' staff and the residents are made up.

/// The facilities of the demo, in the order in which they join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Seat {
    /// The ministry.
    Ministry,
    /// The provincial hospital, under the ministry.
    Province,
    /// The county hospital, under the province.
    County,
    /// The village clinic, under the county.
    Clinic,
    /// The specialist hospital in the capital, under the ministry.
    Specialist,
}

impl Seat {
    /// All, each after the one above it.
    pub const ALL: [Self; 5] =
        [Self::Ministry, Self::Province, Self::County, Self::Clinic, Self::Specialist];

    /// The one above.
    pub const fn above(self) -> Option<Self> {
        match self {
            Self::Ministry => None,
            Self::Province | Self::Specialist => Some(Self::Ministry),
            Self::County => Some(Self::Province),
            Self::Clinic => Some(Self::County),
        }
    }

    /// The tier's name on the command line, and the data directory's.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Ministry => "ministry",
            Self::Province => "province",
            Self::County => "county",
            Self::Clinic => "clinic",
            Self::Specialist => "specialist",
        }
    }

    /// The facility's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ministry => "보건성",
            Self::Province => "평안남도병원",
            Self::County => "맹산군병원",
            Self::Clinic => "은정리진료소",
            Self::Specialist => "중앙전문병원",
        }
    }

    /// The same in English, for the table on the terminal.
    pub const fn english(self) -> &'static str {
        match self {
            Self::Ministry => "Ministry of Public Health",
            Self::Province => "South Pyongan provincial hospital",
            Self::County => "Maengsan county hospital",
            Self::Clinic => "Unjong-ri clinic",
            Self::Specialist => "Central specialist hospital",
        }
    }

    /// The services with somebody on duty.
    pub const fn duties(self) -> &'static [DutyPost] {
        const fn post(service: &'static str, phone: &'static str, login: &'static str) -> DutyPost {
            DutyPost { service, phone, login }
        }
        match self {
            Self::Ministry | Self::Clinic => &[],
            Self::Province => &[const { post("internal-medicine", "031-25-118", "hyonok") }],
            Self::County => &[const { post("internal-medicine", "62-304", "chomsu") }],
            Self::Specialist => &[
                const { post("skin", "02-381-214", "ryonhwa") },
                const { post("internal-medicine", "02-381-226", "kyongho") },
            ],
        }
    }

    /// Who keeps the facility's roster.
    pub fn manager(self) -> Option<&'static Person> {
        self.people().iter().find(|person| person.roles.contains(&"facility-manager"))
    }

    /// The person with this sign-in name.
    pub fn person(self, login: &str) -> Option<&'static Person> {
        self.people().iter().find(|person| person.login == login)
    }

    /// The people who have accounts. Two administrators everywhere, so that one may be away.
    pub const fn people(self) -> &'static [Person] {
        match self {
            Self::Ministry => MINISTRY,
            Self::Province => PROVINCE,
            Self::County => COUNTY,
            Self::Clinic => CLINIC,
            Self::Specialist => SPECIALIST,
        }
    }
}

/// A service that others may call, and who is on duty for it.
#[derive(Debug, Clone, Copy)]
pub struct DutyPost {
    /// The specialty's code.
    pub service: &'static str,
    /// The number to call. It is made up.
    pub phone: &'static str,
    /// The sign-in name of the one on duty.
    pub login: &'static str,
}

/// The password of everybody in the demo. Nothing of the demo is secret.
pub const PASSWORD: &str = "ondol-demo-77";

/// Somebody with an account.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    /// The name to sign in with.
    pub login: &'static str,
    /// The person's name.
    pub name: &'static str,
    /// Roles at the facility.
    pub roles: &'static [&'static str],
    /// The PIN for quick switching.
    pub pin: &'static str,
    /// What the person does, for the table on the terminal.
    pub does: &'static str,
}

const fn person(
    login: &'static str,
    name: &'static str,
    roles: &'static [&'static str],
    pin: &'static str,
    does: &'static str,
) -> Person {
    Person { login, name, roles, pin, does }
}

const CLINIC: &[Person] = &[
    person(
        "yonghui",
        "리용희",
        &["health-worker", "section-doctor"],
        "4821",
        "health worker: sees people, asks specialists",
    ),
    person(
        "songchol",
        "김성철",
        &["health-worker", "facility-manager", "administrator"],
        "7390",
        "head of the clinic",
    ),
    person("kumok", "박금옥", &["nurse", "administrator"], "2856", "nurse"),
];
const COUNTY: &[Person] = &[
    person(
        "chomsu",
        "로점수",
        &["doctor", "coordinator"],
        "6174",
        "doctor on duty; coordinates consults",
    ),
    person(
        "myongsuk",
        "한명숙",
        &["county-officer", "facility-manager", "administrator"],
        "9052",
        "county health officer",
    ),
    person("tongil", "류동일", &["doctor", "administrator"], "3648", "doctor: internal medicine"),
];
const PROVINCE: &[Person] = &[
    person("hyonok", "최현옥", &["doctor", "coordinator"], "5927", "doctor on duty"),
    person(
        "chunsik",
        "림춘식",
        &["province-officer", "administrator"],
        "8163",
        "province health officer",
    ),
    person(
        "unsil",
        "장은실",
        &["nurse", "facility-manager", "administrator"],
        "1749",
        "nurse; keeps the roster",
    ),
];
const MINISTRY: &[Person] = &[
    person(
        "kwangmin",
        "오광민",
        &["ministry-officer", "administrator"],
        "6285",
        "officer: sees counts, no names",
    ),
    person("solgyong", "백설경", &["ministry-officer", "administrator"], "4907", "officer"),
];
const SPECIALIST: &[Person] = &[
    person(
        "ryonhwa",
        "량련화",
        &["specialist", "doctor"],
        "7514",
        "specialist: dermatology, answers consults",
    ),
    person(
        "kyongho",
        "정경호",
        &["specialist", "coordinator", "administrator"],
        "2068",
        "specialist: internal medicine",
    ),
    person(
        "yongnam",
        "신영남",
        &["facility-manager", "administrator"],
        "9431",
        "head of the hospital",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn everybody_is_called_differently_and_two_administer_each_facility() {
        let mut logins = BTreeSet::new();
        for seat in Seat::ALL {
            let administrators =
                seat.people().iter().filter(|p| p.roles.contains(&"administrator")).count();
            assert!(administrators >= 2, "{seat:?}");
            for post in seat.duties() {
                assert!(seat.person(post.login).is_some() && seat.manager().is_some(), "{seat:?}");
            }
            for person in seat.people() {
                assert!(logins.insert(person.login), "{} twice", person.login);
            }
        }
    }
}
