//! Roles, and the groups of roles that the policies speak of.

use crate::coded::{CodeSet, coded};

coded! {
    /// What a person does at the facility of this node. Somebody may hold several; the police,
    /// security and the party hold none, for there is none to hold (DESIGN §5).
    Role {
        /// Health worker of a village clinic.
        HealthWorker = "health-worker",
        /// Nurse or midwife.
        Nurse = "nurse",
        /// Doctor of a clinic, hospital ward or emergency room.
        Doctor = "doctor",
        /// Specialist who answers consults.
        Specialist = "specialist",
        /// Doctor responsible for a section of households (호담당의사).
        SectionDoctor = "section-doctor",
        /// Pharmacist.
        Pharmacist = "pharmacist",
        /// Manager of the facility.
        FacilityManager = "facility-manager",
        /// Officer of the county's health office.
        CountyOfficer = "county-officer",
        /// Officer of the province's or city's health office.
        ProvinceOfficer = "province-officer",
        /// Officer of the ministry.
        MinistryOfficer = "ministry-officer",
        /// Administrator of the node and its accounts.
        Administrator = "administrator",
        /// Coordinator of consults.
        Coordinator = "coordinator",
        /// The node itself, when it carries, counts and calls.
        System = "system",
    }
}

/// Some roles.
pub type RoleSet = CodeSet<Role>;

use Role::{
    Administrator, Coordinator, CountyOfficer, Doctor, FacilityManager, HealthWorker,
    MinistryOfficer, Nurse, Pharmacist, ProvinceOfficer, SectionDoctor, Specialist, System,
};

/// Groups that policies name as `Role::"group"`, each with its members.
pub(crate) const GROUPS: &[(&str, &[Role])] = &[
    (
        "person",
        &[
            HealthWorker,
            Nurse,
            Doctor,
            Specialist,
            SectionDoctor,
            Pharmacist,
            FacilityManager,
            CountyOfficer,
            ProvinceOfficer,
            MinistryOfficer,
            Administrator,
            Coordinator,
        ],
    ),
    ("treating", &[HealthWorker, Nurse, Doctor, Specialist, SectionDoctor]),
    ("clinical", &[HealthWorker, Nurse, Doctor, Specialist, SectionDoctor, Pharmacist]),
    ("prescriber", &[HealthWorker, Doctor, Specialist, SectionDoctor]),
    ("consultant", &[Doctor, Specialist]),
    ("caller", &[HealthWorker, Nurse, Doctor, Specialist, SectionDoctor, Coordinator]),
    ("on-duty", &[HealthWorker, Nurse, Doctor, Specialist, SectionDoctor, Pharmacist, Coordinator]),
    (
        "facility-staff",
        &[HealthWorker, Nurse, Doctor, Specialist, SectionDoctor, Pharmacist, FacilityManager],
    ),
    ("stock-keeper", &[HealthWorker, Nurse, Pharmacist, FacilityManager]),
    ("reporter", &[HealthWorker, FacilityManager]),
    ("housekeeper", &[FacilityManager, Administrator]),
    ("officer", &[CountyOfficer, ProvinceOfficer, MinistryOfficer]),
    ("directing", &[FacilityManager, CountyOfficer, ProvinceOfficer, MinistryOfficer]),
    (
        "desk-staff",
        &[
            Pharmacist,
            FacilityManager,
            CountyOfficer,
            ProvinceOfficer,
            MinistryOfficer,
            Administrator,
        ],
    ),
    (
        "desk",
        &[
            FacilityManager,
            CountyOfficer,
            ProvinceOfficer,
            MinistryOfficer,
            Administrator,
            Coordinator,
            System,
        ],
    ),
];
