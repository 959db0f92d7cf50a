//! HL7 v2 messages as they come from hospitals and laboratories.

use ondol_fhir::{Issue, Resource, validate};
use ondol_mapping::hl7::{Hl7Error, Left, MESSAGE_BYTES_MAX, Made, messages, resources};
use proptest::prelude::*;
use serde_json::Value;

const ADT: &str = "MSH|^~\\&|HIS|HOSP|ONDOL|HOSP|20240305101500+0900||ADT^A01^ADT_A01|M1|P|2.5||||||UNICODE UTF-8\r\
EVN|A01|20240305101500\r\
PID|1||P-77^^^HOSP&2.16.840.1.113883.2.99&ISO^PI~12345^^^HOSP^MR||김^철수^^^^^L~Kim^Chol Su^^^^^D||19800229|M|||대동강구역 1동^^평양^^00100^KP^H||010-1234^PRN^CP~^NET^Internet^a@b.kp|02-555||M||||||||Y|2|||||N\r\
NK1|1|김^영희|SPO\r\
PV1|1|I|W1^389^1^HOSP||||D7^박^의사^^^Dr|||MED|||||||||V-9^^^HOSP^VN|||||||||||||||||||||||||202403051010|\r\
AL1|1|DA|1191^Aspirin^L|SV|Hives~Rash|20200101\r\
DG1|1||J45.9^Asthma^I10||202403051000|A|||||||||1\r\
ZPI|1|local\r";

const ORU: &str = "MSH|^~\\&|LAB|L|HIS|H|202403060900||ORU^R01^ORU_R01|M2|P|2.3\r\
PID|1||12345^^^HOSP^MR||Kim^Chol Su||198002\r\
OBR|1|PL-1^HIS|FI-9^LAB|57021-8^CBC^LN|||20240306083000|||||||||||||||202403060855+0900||HM|F\r\
OBX|1|NM|718-7^Hemoglobin^LN||13.50|g/dL^^UCUM|12.0-16.0|N|||F\r\
NTE|1|L|first line~second line\r\
OBX|2|NM|WBC^White cells^99LAB||+.90|10*3/uL^^UCUM|>4|LL~XX|||C|||20240306084500-0500\r\
OBX|3|SN|TITER^Titer||^1^:^128||||||F\r\
OBX|4|SN|CRP^CRP||<^5|mg/L^^UCUM|<5||||F\r\
OBX|5|SN|RNG^Range||^2^-^3||||||P\r\
OBX|6|CE|ABO^Blood group^L||A^Group A^L||||||F\r\
OBX|7|TX|RPT^Report||line one||||||F\r\
OBX|8|TX|RPT^Report||line two~line\\.br\\four \\T\\ more||||||F\r\
OBX|9|DT|DUE^Due||20240401||||||F\r\
OBX|10|TM|TIME^Time||0830||||||F\r\
OBX|11|ED|PDF^Document||^application^pdf^Base64^JVBERi0=||||||F\r\
OBX|12|NM|K^Potassium||haemolysed|mmol/L||||X|X\r\
OBX|13|NM|NA^Sodium||140|mmol/L|||||W\r";

fn made(text: &str) -> Made {
    let made = resources(text, "his", 510).unwrap();
    are_valid(&made);
    made
}

fn are_valid(made: &Made) {
    for value in &made.resources {
        let resource = Resource::from_json(value.clone()).unwrap();
        let errors: Vec<String> =
            validate(&resource).iter().filter(|i| i.is_error()).map(Issue::to_string).collect();
        assert!(errors.is_empty(), "{errors:?}\n{value}");
    }
}

fn of<'m>(made: &'m Made, kind: &str) -> Vec<&'m Value> {
    made.resources.iter().filter(|resource| resource["resourceType"] == kind).collect()
}

fn observed<'m>(made: &'m Made, code: &str) -> &'m Value {
    let all = of(made, "Observation");
    all.into_iter().find(|o| o["code"]["coding"][0]["code"] == code).unwrap()
}

fn places(made: &Made) -> Vec<&str> {
    made.left.iter().map(|left| left.at.as_str()).collect()
}

#[test]
fn an_admission_gives_patient_visit_allergy_and_diagnosis() {
    let made = made(ADT);
    let kinds: Vec<&str> =
        made.resources.iter().filter_map(|resource| resource["resourceType"].as_str()).collect();
    assert_eq!(kinds, ["Patient", "Encounter", "AllergyIntolerance", "Condition"]);
    let [patient, encounter, allergy, condition] = &made.resources[..] else { panic!() };
    assert_eq!(patient["identifier"][0]["system"], "urn:oid:2.16.840.1.113883.2.99");
    assert_eq!(patient["identifier"][1]["system"], "urn:ondol:source:his:HOSP");
    assert_eq!(patient["identifier"][1]["type"]["coding"][0]["code"], "MR");
    assert_eq!(patient["name"][0]["family"], "김");
    assert_eq!(
        (&patient["name"][0]["use"], &patient["name"][1]["use"]),
        (&"official".into(), &"usual".into())
    );
    assert_eq!((&patient["birthDate"], &patient["gender"]), (&"1980-02-29".into(), &"male".into()));
    assert_eq!(patient["telecom"][0]["use"], "mobile");
    assert_eq!(patient["telecom"][1]["system"], "email");
    assert_eq!(patient["telecom"][2]["use"], "work");
    assert_eq!(patient["maritalStatus"]["coding"][0]["code"], "M");
    assert_eq!(patient["multipleBirthInteger"], 2);
    assert_eq!(patient["deceasedBoolean"], false);
    assert_eq!(patient["address"][0]["city"], "평양");
    assert_eq!(
        (&encounter["status"], &encounter["class"]["code"]),
        (&"in-progress".into(), &"IMP".into())
    );
    // The zone of MSH-7 is that of the message.
    assert_eq!(encounter["period"]["start"], "2024-03-05T10:10:00+09:00");
    assert_eq!(encounter["participant"][0]["individual"]["display"], "Dr 박 의사");
    let subject = format!("Patient/{}", patient["id"].as_str().unwrap());
    assert_eq!(encounter["subject"]["reference"], subject);
    assert_eq!(allergy["patient"]["reference"], subject);
    assert_eq!(
        (&allergy["criticality"], &allergy["category"][0]),
        (&"high".into(), &"medication".into())
    );
    assert_eq!(allergy["reaction"][0]["manifestation"][1]["text"], "Rash");
    assert_eq!(condition["code"]["coding"][0]["system"], "http://hl7.org/fhir/sid/icd-10");
    let diagnosis = &encounter["diagnosis"][0];
    assert_eq!(
        (&diagnosis["rank"], &diagnosis["use"]["coding"][0]["code"]),
        (&1.into(), &"AD".into())
    );
    assert_eq!(places(&made), ["NK1", "PV1-10", "ZPI"]);
}

#[test]
fn a_later_message_about_the_same_gives_the_same_ids() {
    let first = made(ADT);
    let later = ADT.replace("ADT^A01^ADT_A01", "ADT^A08").replace("철수", "철호");
    let second = made(&later);
    let ids = |made: &Made| made.resources.iter().map(|r| r["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&first), ids(&second));
    assert_eq!(made(ADT), first);
    // An identifier of another type does not make another patient, another source does.
    let alone = made(&ADT.replace("P-77^^^HOSP&2.16.840.1.113883.2.99&ISO^PI~", ""));
    assert_eq!(alone.resources[0]["id"], first.resources[0]["id"]);
    let other = resources(ADT, "other", 510).unwrap();
    assert_ne!(other.resources[0]["id"], first.resources[0]["id"]);
    // The same patient in the laboratory's message.
    assert_eq!(made(ORU).resources[0]["id"], first.resources[0]["id"]);
    let before = made(ORU);
    let corrected = made(&ORU.replace("13.50", "13.7").replace("|N|||F\r", "|N|||C\r"));
    assert_eq!(ids(&before), ids(&corrected));
    assert_eq!(observed(&corrected, "718-7")["status"], "corrected");
}

#[test]
fn events_give_the_state_of_the_visit() {
    for (event, status) in [
        ("A01", "in-progress"),
        ("A02", "in-progress"),
        ("A03", "finished"),
        ("A04", "in-progress"),
        ("A05", "planned"),
        ("A08", "in-progress"),
        ("A11", "cancelled"),
        ("A13", "in-progress"),
        ("A28", "in-progress"),
        ("A31", "in-progress"),
    ] {
        let made = made(&ADT.replace("ADT^A01^ADT_A01", &format!("ADT^{event}")));
        assert_eq!(of(&made, "Encounter")[0]["status"], status, "{event}");
    }
    let over = made(
        &ADT.replace("ADT^A01^ADT_A01", "ADT^A08")
            .replace("202403051010|", "202403051010|20240307"),
    );
    assert_eq!(of(&over, "Encounter")[0]["status"], "finished");
    let turned = made(&ADT.replace("202403051010|", "202403051010|20240301"));
    assert_eq!(of(&turned, "Encounter")[0]["period"].get("end"), None);
    assert!(places(&turned).contains(&"PV1-45"));
}

#[test]
fn results_keep_their_digits_units_times_and_states() {
    let made = made(ORU);
    let hb = observed(&made, "718-7");
    assert_eq!(hb["valueQuantity"]["value"].to_string(), "13.50");
    assert_eq!(hb["valueQuantity"]["system"], "http://unitsofmeasure.org");
    assert_eq!(hb["referenceRange"][0]["low"]["value"].to_string(), "12.0");
    assert_eq!(hb["note"][0]["text"], "first line\nsecond line");
    assert_eq!(hb["effectiveDateTime"], "2024-03-06T08:30:00+08:30");
    let wbc = observed(&made, "WBC");
    assert_eq!(wbc["valueQuantity"]["value"].to_string(), "0.90");
    assert_eq!(wbc["code"]["coding"][0]["system"], "urn:ondol:source:his:99LAB");
    assert_eq!(
        (&wbc["status"], &wbc["interpretation"][1]["text"]),
        (&"corrected".into(), &"XX".into())
    );
    assert_eq!(wbc["effectiveDateTime"], "2024-03-06T08:45:00-05:00");
    assert_eq!(wbc["referenceRange"][0]["low"]["value"].to_string(), "4");
    assert_eq!(observed(&made, "TITER")["valueRatio"]["denominator"]["value"].to_string(), "128");
    assert_eq!(observed(&made, "CRP")["valueQuantity"]["comparator"], "<");
    assert_eq!(observed(&made, "RNG")["valueRange"]["high"]["value"].to_string(), "3");
    assert_eq!(observed(&made, "ABO")["valueCodeableConcept"]["coding"][0]["code"], "A");
    assert_eq!(observed(&made, "RPT")["valueString"], "line one\nline two\nline\nfour & more");
    assert_eq!(observed(&made, "DUE")["valueDateTime"], "2024-04-01");
    assert_eq!(observed(&made, "TIME")["valueTime"], "08:30:00");
    assert_eq!(observed(&made, "K")["valueString"], "haemolysed mmol/L");
    assert_eq!(observed(&made, "NA")["status"], "entered-in-error");
    let report = of(&made, "DiagnosticReport")[0];
    assert_eq!(
        (&report["status"], &report["category"][0]["coding"][0]["code"]),
        (&"final".into(), &"HM".into())
    );
    assert_eq!(report["issued"], "2024-03-06T08:55:00+09:00");
    assert_eq!(report["result"].as_array().unwrap().len(), 12);
    assert_eq!(made.resources[0]["birthDate"], "1980-02");
    assert_eq!(places(&made), ["NTE-2", "OBX[11]-5", "OBX[12]-5", "OBX[12]-10"]);
}

#[test]
fn an_explicit_null_is_nothing_and_odd_codes_are_told() {
    let text = ADT
        .replace("|19800229|M|", "|\"\"|X|")
        .replace("|20200101\r", "|20209901\r")
        .replace("^^^^^L~", "^^^^^A~");
    let made = made(&text);
    let patient = &made.resources[0];
    assert_eq!((patient.get("birthDate"), patient.get("gender")), (None, None));
    assert_eq!(patient["name"][0].get("use"), None);
    assert_eq!(places(&made), ["PID-5.7", "PID-8", "NK1", "PV1-10", "AL1-6.1", "ZPI"]);
}

#[test]
fn several_patients_and_orders_of_one_number_stay_apart() {
    let head = "MSH|^~\\&|A|B|C|D|20240101||ORU^R01|1|P|2.5\r";
    let group = |id: &str| {
        format!("PID|||{id}^^^H\rOBR|1||F1|CBC\rOBX|1|NM|HB||1\rOBR|2||F1|CHEM\rOBX|1|NM|NA||2\r")
    };
    let other = group("2").replace("F1", "F2");
    let made = made(&format!("{head}{}{other}", group("1")));
    assert_eq!(of(&made, "Patient").len(), 2);
    assert_eq!(of(&made, "DiagnosticReport").len(), 4);
    assert_eq!(of(&made, "Observation").len(), 4);
    assert_eq!(made.left, []);
}

#[test]
fn batches_frames_and_line_ends_are_read() {
    let (adt, oru) = (ADT.replace('\r', "\n"), ORU.replace('\r', "\r\n"));
    let file = format!(
        "\u{feff}FHS|^~\\&|x\rBHS|^~\\&|x\r\u{b}{ADT}\u{1c}\r\u{b}{adt}\u{1c}\r\n{oru}\r\n{ORU}BTS|3\rFTS|1\r"
    );
    let all: Vec<_> = messages(file.as_bytes()).map(Result::unwrap).collect();
    assert_eq!(all.len(), 4);
    assert_eq!(all.iter().map(|raw| raw.line).collect::<Vec<_>>(), [3, 12, 21, 39]);
    for raw in &all[..2] {
        assert_eq!(made(&raw.text), made(ADT));
    }
    for raw in &all[2..] {
        assert_eq!(made(&raw.text), made(ORU));
    }
    assert_eq!(messages(&b""[..]).count(), 0);
}

#[test]
fn what_is_wrong_with_a_file_is_said_once_and_the_next_message_is_read() {
    let file = format!("name,born\nx,y\n{ADT}");
    let all: Vec<_> = messages(file.as_bytes()).collect();
    assert!(matches!(all[0], Err(Hl7Error::NoMessage { line: 1 })));
    assert_eq!(all[1].as_ref().unwrap().line, 3);
    assert_eq!(all.len(), 2);

    let long = "x".repeat(MESSAGE_BYTES_MAX);
    let file = format!("MSH|^~\\&|\rZZZ|{long}\rPID|1\r{ADT}");
    let all: Vec<_> = messages(file.as_bytes()).collect();
    assert!(matches!(all[0], Err(Hl7Error::TooLarge { line: 1 })));
    assert_eq!(all[1].as_ref().unwrap().text, ADT);
    assert_eq!(all.len(), 2);
    let many = format!("MSH|^~\\&|\r{}", "OBX|1\r".repeat(MESSAGE_BYTES_MAX / 6 + 1));
    assert!(matches!(messages(many.as_bytes()).next(), Some(Err(Hl7Error::TooLarge { line: 1 }))));
    assert!(matches!(resources(&many, "x", 0), Err(Hl7Error::TooMany)));
}

#[test]
fn the_character_set_is_that_of_msh_18() {
    let read = |bytes: Vec<u8>| messages(&bytes[..]).next().unwrap();
    let named = |set: &str| {
        let head = format!("MSH|^~\\&|a|b|c|d|1||ADT^A01|1|P|2.5||||||{set}\rPID|||1||");
        head.into_bytes()
    };
    let euc_kr = |set: &str| read([named(set), b"\xb1\xe8\r".to_vec()].concat());
    assert!(euc_kr("KS X 1001").unwrap().text.contains('김'));
    assert!(euc_kr("8859/1").unwrap().text.contains("±è"));
    assert!(matches!(euc_kr(""), Err(Hl7Error::NoCharset { line: 1 })));
    assert!(matches!(euc_kr("UNICODE UTF-8"), Err(Hl7Error::NotInCharset { line: 1 })));
    assert!(matches!(euc_kr("ASCII"), Err(Hl7Error::NotInCharset { .. })));
    assert!(matches!(euc_kr("ISO IR87"), Err(Hl7Error::Charset { .. })));
    assert!(euc_kr("").unwrap_err().to_string().contains("MSH-18"));
}

#[test]
fn what_is_wrong_with_a_message_is_said_without_its_values() {
    for (text, says) in [
        ("PID|1||SECRET".to_owned(), "MSH"),
        ("MSH|^^".to_owned(), "MSH-2"),
        (ADT.replace("ADT^A01^ADT_A01", "SECRET^A99"), "MSH-9"),
        (ADT.replace("PID|", "PIX|"), "PID"),
        (ADT.replace("P-77^^^HOSP&2.16.840.1.113883.2.99&ISO^PI~12345^^^HOSP^MR", ""), "PID-3"),
    ] {
        let why = resources(&text, "his", 0).unwrap_err().to_string();
        assert!(why.contains(says) && !why.contains("SECRET"), "{why}");
    }
    let secret = "\\Z9\\SECRET";
    let fields = ["X"; 60].map(|_| secret).join("|");
    let text = ["PV1", "AL1", "DG1", "OBR", "OBX", "NTE", "ZZZ"].iter().fold(
        format!("{}PID|1||1^^^H|{fields}\r", &ADT[..ADT.find("PID").unwrap()]),
        |text, name| format!("{text}{name}|{fields}\rSECRET\r"),
    );
    let made = made(&text);
    assert!(made.left.len() > 60);
    assert!(
        made.left.iter().all(|Left { at, why }| !at.contains("SECRET") && !why.contains("SECRET"))
    );
}

#[test]
fn lists_have_an_end() {
    let head = &ORU[..ORU.find("OBR").unwrap()];
    let many = format!("{head}{}", "ZZZ|x\rNTE|1||y\r".repeat(5_000));
    assert_eq!(made(&many).left.len(), 1_001);
    let wide = format!("{head}OBR|1||F|C\rOBX|1|ZZ|C||{}", "^|".repeat(1 << 20));
    assert!(made(&wide).left.len() < 10);
    let repeated = format!("{head}OBR|1||F|C\rOBX|1|CE|C||{}\r", "a~".repeat(100_001));
    assert!(matches!(resources(&repeated, "x", 0), Err(Hl7Error::TooMany)));
}

/// A message in which some pieces are replaced.
fn mutated() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "|",
        "^",
        "~",
        "&",
        "\\",
        "\r",
        "\"\"",
        "\\X00\\",
        "\\F\\",
        "20240230",
        "20240305+0900",
        "-1",
        "1e9",
        " ",
        "a  b",
        "가",
        "PID|",
        "OBX|1|SN|",
        "OBR|",
        "NTE|1||",
        "<",
        "SN",
        "TM",
        "CWE",
        "0",
    ]);
    let edit = (any::<prop::sample::Index>(), 0..12usize, prop::collection::vec(pieces, 0..3));
    let base = prop::sample::select(vec![ADT, ORU]);
    (base, prop::collection::vec(edit, 1..8)).prop_map(|(base, edits)| {
        let mut text: Vec<char> = base.chars().collect();
        for (at, cut, pieces) in edits {
            let at = 9 + at.index(text.len() - 9);
            let end = text.len().min(at + cut);
            text.splice(at..end, pieces.concat().chars());
        }
        text.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_mutated_message_is_refused_or_gives_valid_resources(text in mutated()) {
        if let Ok(made) = resources(&text, "a b:c", 510) {
            are_valid(&made);
            prop_assert!(made.left.len() <= 1_001);
            let written: usize = made.resources.iter().map(|r| r.to_string().len()).sum();
            prop_assert!(written < 20_000 + text.len() * 100);
        }
    }

    #[test]
    fn a_message_that_is_cut_anywhere_is_refused_or_gives_valid_resources(cut in 0..ORU.len()) {
        if let Ok(made) = resources(&ORU[..cut], "x", -2000) {
            are_valid(&made);
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), with_header: bool) {
        let head = if with_header { &b"MSH|^~\\&|a|b|c|d|1||ADT^A01|1|P|2.5\rPID|||1\r"[..] } else { b"" };
        for raw in messages(&[head, &bytes].concat()[..]).flatten() {
            if let Ok(made) = resources(&raw.text, "x", 9_999) {
                are_valid(&made);
            }
        }
    }

    #[test]
    fn no_fields_panic(fields in prop::collection::vec("[A-Z0-9|^~&\\\\. \"<>:/+-]{0,40}", 0..12)) {
        let head = "MSH|^~\\&|a|b|c|d|1||ORU^R01|1|P|2.5\rPID|||1\rOBR|1|1|1|1\r";
        let names = ["PV1|", "OBX|1|", "OBX|2|NM|A||", "OBX|3|SN|A||", "OBR|1|", "NTE|", "AL1|1|DA|", "DG1|1||"];
        let lines = fields.iter().zip(names.iter().cycle());
        let text = lines.fold(head.to_owned(), |text, (field, name)| format!("{text}{name}{field}\r"));
        if let Ok(made) = resources(&text, "x", 0) {
            are_valid(&made);
        }
    }
}
