//! The resource types of FHIR R4 (4.0.1).

use std::{fmt, str::FromStr};

macro_rules! resource_types {
    ($($name:ident),* $(,)?) => {
        /// A concrete resource type of FHIR R4 (4.0.1). There are 146; the two abstract ones,
        /// `Resource` and `DomainResource`, are not among them.
        ///
        /// The order is the alphabetical one, and R4 is closed, so the numbers never change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum ResourceType {
            $(#[doc = concat!("The R4 resource type `", stringify!($name), "`.")] $name,)*
        }

        impl ResourceType {
            /// Every resource type, by its number.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];
        }
    };
}

resource_types! {
    Account, ActivityDefinition, AdverseEvent, AllergyIntolerance, Appointment,
    AppointmentResponse, AuditEvent, Basic, Binary, BiologicallyDerivedProduct, BodyStructure,
    Bundle, CapabilityStatement, CarePlan, CareTeam, CatalogEntry, ChargeItem,
    ChargeItemDefinition, Claim, ClaimResponse, ClinicalImpression, CodeSystem, Communication,
    CommunicationRequest, CompartmentDefinition, Composition, ConceptMap, Condition, Consent,
    Contract, Coverage, CoverageEligibilityRequest, CoverageEligibilityResponse, DetectedIssue,
    Device, DeviceDefinition, DeviceMetric, DeviceRequest, DeviceUseStatement, DiagnosticReport,
    DocumentManifest, DocumentReference, EffectEvidenceSynthesis, Encounter, Endpoint,
    EnrollmentRequest, EnrollmentResponse, EpisodeOfCare, EventDefinition, Evidence,
    EvidenceVariable, ExampleScenario, ExplanationOfBenefit, FamilyMemberHistory, Flag, Goal,
    GraphDefinition, Group, GuidanceResponse, HealthcareService, ImagingStudy, Immunization,
    ImmunizationEvaluation, ImmunizationRecommendation, ImplementationGuide, InsurancePlan,
    Invoice, Library, Linkage, List, Location, Measure, MeasureReport, Media, Medication,
    MedicationAdministration, MedicationDispense, MedicationKnowledge, MedicationRequest,
    MedicationStatement, MedicinalProduct, MedicinalProductAuthorization,
    MedicinalProductContraindication, MedicinalProductIndication, MedicinalProductIngredient,
    MedicinalProductInteraction, MedicinalProductManufactured, MedicinalProductPackaged,
    MedicinalProductPharmaceutical, MedicinalProductUndesirableEffect, MessageDefinition,
    MessageHeader, MolecularSequence, NamingSystem, NutritionOrder, Observation,
    ObservationDefinition, OperationDefinition, OperationOutcome, Organization,
    OrganizationAffiliation, Parameters, Patient, PaymentNotice, PaymentReconciliation, Person,
    PlanDefinition, Practitioner, PractitionerRole, Procedure, Provenance, Questionnaire,
    QuestionnaireResponse, RelatedPerson, RequestGroup, ResearchDefinition,
    ResearchElementDefinition, ResearchStudy, ResearchSubject, RiskAssessment,
    RiskEvidenceSynthesis, Schedule, SearchParameter, ServiceRequest, Slot, Specimen,
    SpecimenDefinition, StructureDefinition, StructureMap, Subscription, Substance,
    SubstanceNucleicAcid, SubstancePolymer, SubstanceProtein, SubstanceReferenceInformation,
    SubstanceSourceMaterial, SubstanceSpecification, SupplyDelivery, SupplyRequest, Task,
    TerminologyCapabilities, TestReport, TestScript, ValueSet, VerificationResult,
    VisionPrescription,
}

impl ResourceType {
    /// The name as `resourceType` writes it.
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The type of a name; letters' case counts.
    pub fn from_name(name: &str) -> Option<Self> {
        let number = Self::NAMES.binary_search(&name).ok()?;
        Some(Self::ALL[number])
    }

    /// The number of the type, from 0, in alphabetical order.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The type of a number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

impl fmt::Display for ResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no resource type of R4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a resource type of FHIR R4")]
pub struct UnknownResourceType;

impl FromStr for ResourceType {
    type Err = UnknownResourceType;

    fn from_str(name: &str) -> Result<Self, UnknownResourceType> {
        Self::from_name(name).ok_or(UnknownResourceType)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_and_number_finds_its_type() {
        assert_eq!(ResourceType::ALL.len(), 146);
        for (at, &kind) in ResourceType::ALL.iter().enumerate() {
            assert_eq!(ResourceType::from_name(kind.name()), Some(kind));
            assert_eq!(usize::from(kind.number()), at);
            assert_eq!(ResourceType::from_number(kind.number()), Some(kind));
        }
    }

    #[test]
    fn what_is_no_concrete_type_is_refused() {
        for name in ["patient", "Resource", "DomainResource", "HumanName", ""] {
            assert_eq!(ResourceType::from_name(name), None);
        }
        assert_eq!(ResourceType::from_number(146), None);
    }
}
