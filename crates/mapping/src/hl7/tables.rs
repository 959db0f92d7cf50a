//! Codes of HL7's tables as those of FHIR, after the maps of HL7's guide "v2-to-FHIR" (1.0.0).
//! A code that the guide gives no counterpart has none here, unless R4 itself says what it is.

/// Administrative sex (table 0001).
pub(super) fn gender(code: &str) -> Option<&'static str> {
    Some(match code {
        "F" => "female",
        "M" => "male",
        "O" | "A" | "N" => "other",
        "U" => "unknown",
        _ => return None,
    })
}

const MARITAL: &str = "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus";
const NULL_FLAVOR: &str = "http://terminology.hl7.org/CodeSystem/v3-NullFlavor";

/// Marital status (table 0002): system and code. `A` is separated there and annulled in version 3.
pub(super) fn marital(code: &str) -> Option<(&'static str, &'static str)> {
    Some(match code {
        "A" | "E" => (MARITAL, "L"),
        "D" => (MARITAL, "D"),
        "M" => (MARITAL, "M"),
        "S" => (MARITAL, "S"),
        "W" => (MARITAL, "W"),
        "C" => (MARITAL, "C"),
        "G" | "P" | "R" => (MARITAL, "T"),
        "N" => (MARITAL, "A"),
        "I" => (MARITAL, "I"),
        "B" => (MARITAL, "U"),
        "U" => (NULL_FLAVOR, "UNK"),
        "O" => (NULL_FLAVOR, "OTH"),
        _ => return None,
    })
}

/// Name type (table 0200). `A` is an alias there, no anonymous name.
pub(super) fn name_use(code: &str) -> Option<&'static str> {
    Some(match code {
        "L" | "R" => "official",
        "D" => "usual",
        "M" => "maiden",
        "N" => "nickname",
        "MSK" => "anonymous",
        "NAV" | "TEMP" => "temp",
        "BAD" => "old",
        _ => return None,
    })
}

/// What an address is for (table 0190).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AddressKind {
    Use(&'static str),
    Postal,
    /// Where somebody was born or is registered, not where to find them.
    Elsewhere,
}

/// Address type (table 0190).
pub(super) fn address_kind(code: &str) -> Option<AddressKind> {
    Some(match code {
        "H" => AddressKind::Use("home"),
        "B" | "O" => AddressKind::Use("work"),
        "C" => AddressKind::Use("temp"),
        "BA" => AddressKind::Use("old"),
        "BI" => AddressKind::Use("billing"),
        "M" | "SH" => AddressKind::Postal,
        "N" | "BDL" | "BR" | "F" | "RH" => AddressKind::Elsewhere,
        _ => return None,
    })
}

/// Telecommunication use (table 0201).
pub(super) fn telecom_use(code: &str) -> Option<&'static str> {
    Some(match code {
        "PRN" => "home",
        "WPN" => "work",
        "PRS" => "mobile",
        _ => return None,
    })
}

/// Telecommunication equipment (table 0202).
pub(super) fn telecom_system(code: &str) -> Option<&'static str> {
    Some(match code {
        "PH" | "CP" => "phone",
        "FX" => "fax",
        "BP" => "pager",
        "Internet" | "X.400" => "email",
        "MD" | "SAT" | "TDD" | "TTY" => "other",
        _ => return None,
    })
}

/// Identifier types (table 0203) that are known to be in HL7's code system of them.
pub(super) fn is_identifier_type(code: &str) -> bool {
    const KNOWN: [&str; 26] = [
        "AN", "BC", "BRN", "DL", "DN", "EI", "EN", "FILL", "JHN", "LN", "MA", "MC", "MD", "MR",
        "NH", "NI", "PI", "PLAC", "PN", "PPN", "PRN", "PT", "RI", "SS", "VN", "XX",
    ];
    KNOWN.contains(&code)
}

const ACT: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const PATIENT_CLASS: &str = "http://terminology.hl7.org/CodeSystem/v2-0004";

/// Patient class (table 0004): system and code.
pub(super) fn class(code: &str) -> Option<(&'static str, &'static str)> {
    Some(match code {
        "E" => (ACT, "EMER"),
        "I" => (ACT, "IMP"),
        "O" => (ACT, "AMB"),
        "P" => (ACT, "PRENC"),
        "R" => (PATIENT_CLASS, "R"),
        "B" => (PATIENT_CLASS, "B"),
        "C" => (PATIENT_CLASS, "C"),
        "N" => (PATIENT_CLASS, "N"),
        "U" => (PATIENT_CLASS, "U"),
        _ => return None,
    })
}

/// The state of a visit after an event (table 0003). None if the event does not tell.
pub(super) fn visit_status(event: &str) -> Option<&'static str> {
    Some(match event {
        // The guide has A04 as planned: here a patient is registered who has come.
        "A01" | "A02" | "A04" | "A13" => "in-progress",
        "A03" => "finished",
        "A05" => "planned",
        "A11" => "cancelled",
        _ => return None,
    })
}

/// The state of a visit by the patient class (table 0004), where the event does not tell.
pub(super) fn class_status(code: &str) -> &'static str {
    match code {
        "E" | "I" | "O" | "R" | "B" | "C" | "N" => "in-progress",
        "P" => "planned",
        _ => "unknown",
    }
}

/// Allergen type (table 0127) as a category.
pub(super) fn allergy_category(code: &str) -> Option<&'static str> {
    Some(match code {
        "DA" => "medication",
        "FA" => "food",
        "EA" | "PA" | "LA" => "environment",
        "AA" => "biologic",
        _ => return None,
    })
}

/// Allergy severity (table 0128) as criticality.
pub(super) fn criticality(code: &str) -> Option<&'static str> {
    Some(match code {
        "SV" => "high",
        "MI" => "low",
        _ => return None,
    })
}

/// Result status of an order (table 0123). `A`, some results, is what R4 calls partial.
pub(super) fn report_status(code: &str) -> Option<&'static str> {
    Some(match code {
        "O" | "I" | "S" => "registered",
        "A" | "R" => "partial",
        "P" => "preliminary",
        "C" => "corrected",
        "F" => "final",
        "X" => "cancelled",
        _ => return None,
    })
}

/// Result status of an observation (table 0085). Without a counterpart in the guide, by R4's own
/// definitions: `I` (pending) is registered, `R` (not verified) and `S` (partial) are preliminary,
/// `B` (appended) is amended, `U` and `V` (now final, verified) are final.
pub(super) fn observation_status(code: &str) -> Option<&'static str> {
    Some(match code {
        "A" | "B" => "amended",
        "C" => "corrected",
        "D" | "W" => "entered-in-error",
        "F" | "U" | "V" => "final",
        "I" => "registered",
        "P" | "R" | "S" => "preliminary",
        "X" => "cancelled",
        _ => return None,
    })
}

/// Whether a code of table 0078 is one of version 3's interpretations too.
pub(super) fn is_interpretation(code: &str) -> bool {
    const KNOWN: [&str; 39] = [
        "<", ">", "A", "AA", "B", "CAR", "D", "DET", "E", "EX", "EXP", "H", "HH", "HU", "I", "IE",
        "IND", "L", "LL", "LU", "MS", "N", "NCL", "ND", "NEG", "NR", "NS", "POS", "R", "RR", "S",
        "SDD", "SYN-R", "SYN-S", "U", "UNE", "VS", "W", "WR",
    ];
    KNOWN.contains(&code)
}

/// Whether a code is one of the diagnostic service sections (table 0074).
pub(super) fn is_section(code: &str) -> bool {
    const KNOWN: [&str; 43] = [
        "AU", "BG", "BLB", "CG", "CH", "CP", "CT", "CTH", "CUS", "EC", "EN", "GE", "HM", "ICU",
        "IMG", "IMM", "LAB", "MB", "MCB", "MYC", "NMR", "NMS", "NRS", "OSL", "OT", "OTH", "OUS",
        "PAR", "PAT", "PF", "PHR", "PHY", "PT", "RAD", "RC", "RT", "RUS", "RX", "SP", "SR", "TX",
        "VR", "VUS",
    ];
    KNOWN.contains(&code)
}

/// The URL of a code system that table 0396 names; none for local ones (`L`, `99…`) and unknown.
pub(super) fn code_system(name: &str) -> Option<String> {
    Some(match name {
        "I10" => "http://hl7.org/fhir/sid/icd-10".into(),
        "I10C" => "http://hl7.org/fhir/sid/icd-10-cm".into(),
        "I9C" => "http://hl7.org/fhir/sid/icd-9-cm".into(),
        "LN" => "http://loinc.org".into(),
        "SCT" => "http://snomed.info/sct".into(),
        "UCUM" => "http://unitsofmeasure.org".into(),
        _ => {
            let number = name.strip_prefix("HL7")?;
            let is_table = number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit());
            return is_table.then(|| format!("http://terminology.hl7.org/CodeSystem/v2-{number}"));
        }
    })
}
