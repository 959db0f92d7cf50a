use super::*;

const MAPPING: &str = r#"{
  "source": "ri-clinic",
  "tables": [{
    "file": "register*.csv",
    "key": ["번호"],
    "dates": ["YYYY.MM.DD"],
    "words": { "성별": { "남": "male", "녀": "female" } },
    "resources": [
      { "name": "person", "key": ["카드"],
        "resource": {
          "resourceType": "Patient",
          "identifier": [{ "system": "urn:x:card", "value": "{카드}" }],
          "name": [{ "text": "{이름}" }],
          "gender": "{성별|word}",
          "birthDate": "{난날|date}",
          "address": [{ "use": "home", "text": "{주소}, {리}" }]
        } },
      { "name": "visit",
        "resource": {
          "resourceType": "Encounter", "status": "finished",
          "class": { "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB" },
          "subject": { "reference": "{>person}" },
          "period": { "start": "{날자|date}" }
        } },
      { "name": "weight", "when": "몸무게",
        "resource": {
          "resourceType": "Observation", "status": "final",
          "code": { "coding": [{ "system": "http://loinc.org", "code": "29463-7" }] },
          "subject": { "reference": "{>person}" }, "encounter": { "reference": "{>visit}" },
          "effectiveDateTime": "{날자|date}",
          "valueQuantity": { "value": "{몸무게|number}", "unit": "kg",
            "system": "http://unitsofmeasure.org", "code": "kg" },
          "note": [{ "text": "{{적은것}} {말}" }]
        } }
    ]
  }]
}"#;

fn cells(row: &[&str]) -> Vec<String> {
    row.iter().map(|cell| (*cell).to_owned()).collect()
}

const COLUMNS: [&str; 10] =
    ["번호", "카드", "이름", "성별", "난날", "주소", "리", "날자", "몸무게", "말"];

#[test]
fn a_row_becomes_valid_resources_that_refer_to_each_other() {
    let mapping = Mapping::parse(MAPPING.as_bytes()).unwrap();
    let table = mapping.table_of("register-2024.csv").unwrap();
    let mut keys = Keys::default();
    let mut rows = table.with_columns(&mapping.source, &cells(&COLUMNS), &mut keys).unwrap();
    let row = cells(&[
        "1",
        "K-7",
        "리영희",
        "녀",
        "1961.3.7",
        "중구역",
        "련화동",
        "2024.11.02",
        "52,50",
        "건강",
    ]);
    let bundle = rows.bundle(&row).unwrap().unwrap();
    let of = |at: usize| &bundle["entry"][at]["resource"];
    assert_eq!(of(0)["birthDate"], "1961-03-07");
    assert_eq!(of(0)["gender"], "female");
    assert_eq!(of(0)["address"][0]["text"], "중구역, 련화동");
    let person = format!("Patient/{}", of(0)["id"].as_str().unwrap());
    assert_eq!(bundle["entry"][0]["request"]["ifNoneMatch"], "*");
    assert_eq!(bundle["entry"][1]["request"]["ifNoneMatch"], Value::Null);
    assert_eq!(bundle["entry"][1]["request"]["method"], "PUT");
    assert_eq!(of(1)["subject"]["reference"], person.as_str());
    assert_eq!(of(2)["valueQuantity"]["value"].to_string(), "52.50");
    assert_eq!(of(2)["note"][0]["text"], "{적은것} 건강");
    for at in 0..3 {
        let resource = ondol_fhir::Resource::from_json(of(at).clone()).unwrap();
        let issues = ondol_fhir::validate(&resource);
        assert!(issues.iter().all(|issue| !issue.is_error()), "{issues:?}");
    }
    // The next row of the same card makes the same person, and its own visit.
    let mut next = row.clone();
    next[0] = "2".into();
    let next = rows.bundle(&next).unwrap().unwrap();
    assert_eq!(next["entry"][0]["resource"]["id"], of(0)["id"]);
    assert_ne!(next["entry"][1]["resource"]["id"], of(1)["id"]);
    // Read once more, all ids are as they were.
    let mut keys = Keys::default();
    let mut again = table.with_columns(&mapping.source, &cells(&COLUMNS), &mut keys).unwrap();
    assert_eq!(again.bundle(&row).unwrap().unwrap(), bundle);
}

#[test]
fn what_is_empty_leaves_nothing_behind() {
    let mapping = Mapping::parse(MAPPING.as_bytes()).unwrap();
    let table = mapping.table_of("register.csv").unwrap();
    let mut keys = Keys::default();
    let mut rows = table.with_columns(&mapping.source, &cells(&COLUMNS), &mut keys).unwrap();
    // Half an address is none.
    let row = cells(&["1", "K-7", "리영희", "", "", "중구역"]);
    let bundle = rows.bundle(&row).unwrap().unwrap();
    assert_eq!(bundle["entry"].as_array().unwrap().len(), 2, "no weight");
    let person = &bundle["entry"][0]["resource"];
    let members: Vec<&String> = person.as_object().unwrap().keys().collect();
    assert_eq!(members, ["resourceType", "identifier", "name", "id"]);
    assert_eq!(rows.bundle(&cells(&["", " "])), Ok(None));
    // Cells beyond the columns are nothing as long as they are empty.
    let mut wide = cells(&["2", "K-8", "김철"]);
    wide.resize(14, " ".into());
    assert!(rows.bundle(&wide).unwrap().is_some());
}

#[test]
fn a_row_that_cannot_be_read_names_its_column_and_not_what_is_in_it() {
    let mapping = Mapping::parse(MAPPING.as_bytes()).unwrap();
    let table = mapping.table_of("register.csv").unwrap();
    let mut keys = Keys::default();
    let mut rows = table.with_columns(&mapping.source, &cells(&COLUMNS), &mut keys).unwrap();
    let faults = [
        (cells(&["", "K-7", "비밀"]), "row-key-missing", "번호"),
        (cells(&["1", "", "비밀"]), "row-key-missing", "카드"),
        (cells(&["2", "K", "비밀", "모름"]), "row-word", "성별"),
        (cells(&["3", "K", "비밀", "남", "7.3.61"]), "row-date", "난날"),
        (cells(&["4", "K", "비밀", "", "", "", "", "", "많다"]), "row-number", "몸무게"),
    ];
    rows.bundle(&cells(&["4", "K", "비밀"])).unwrap();
    rows.bundle(&cells(&["4", "K", "비밀"])).unwrap();
    let faults =
        faults.into_iter().chain([(cells(&["4", "K", "비밀", "남"]), "row-key-twice", "번호")]);
    for (row, code, column) in faults {
        let fault = rows.bundle(&row).unwrap_err();
        assert_eq!((fault.code(), fault.column()), (code, Some(column)));
        let says = fault.to_string();
        assert!(
            row.iter().filter(|cell| cell.len() > 2).all(|cell| !says.contains(cell)),
            "{says}"
        );
    }
    assert_eq!(rows.bundle(&vec!["x".to_owned(); 11]), Err(RowFault::Cells));
}

#[test]
fn a_mapping_that_cannot_work_says_what_is_wrong_with_it() {
    let with = |from: &str, to: &str| {
        assert!(MAPPING.contains(from), "{from}");
        Mapping::parse(MAPPING.replacen(from, to, 1).as_bytes()).err().map(|why| why.to_string())
    };
    for (from, to, says) in [
        ("{>person}", "{>nobody}", "no resource is called \"nobody\""),
        ("{성별|word}", "{성별|wort}", "is not understood"),
        ("{성별|word}", "{성별", "a brace stands alone"),
        ("\"Patient\"", "\"Banana\"", "no resourceType of FHIR R4"),
        ("YYYY.MM.DD", "MM.DD", "needs YYYY, MM and DD"),
        ("[\"번호\"]", "[]", "`key` names the columns"),
        ("\"ri-clinic\"", "\"a b\"", "`source` needs a name"),
        ("\"visit\"", "\"person\"", "two resources are called"),
        ("\"words\"", "\"wrods\"", "unknown field"),
        ("\"gender\"", "\"{성별}\"", "the name of an element stands for no column"),
    ] {
        let told = with(from, to).unwrap_or_default();
        assert!(told.contains(says), "{told:?} for {to}");
    }
    let mapping = Mapping::parse(MAPPING.as_bytes()).unwrap();
    let table = mapping.table_of("register.csv").unwrap();
    let mut keys = Keys::default();
    let told = table.with_columns("x", &cells(&COLUMNS[1..]), &mut keys).err().unwrap().to_string();
    assert!(told.contains("no column is called [\"번호\"]"), "{told}");
    assert!(mapping.table_of("other.csv").is_none());
}
