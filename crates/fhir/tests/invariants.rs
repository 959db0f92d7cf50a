//! R4's invariants: each case is sound but for what it says, and says where.

use ondol_fhir::{Resource, Severity, validate, validate_structure};
use proptest::prelude::*;

/// The invariants that do not hold, as `key at place`; warnings with a `~`.
fn broken(text: &str) -> Vec<String> {
    let resource = Resource::parse(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e}"));
    assert_eq!(validate_structure(&resource), [], "{text}");
    validate(&resource)
        .into_iter()
        .map(|issue| {
            assert_eq!(issue.code.code(), "invariant", "{issue}");
            let (key, _) = issue.diagnostics.split_once(": ").unwrap();
            let mark = if issue.severity == Severity::Warning { "~" } else { "" };
            format!("{mark}{key} at {}", issue.location)
        })
        .collect()
}

/// A document, and what does not hold in it.
const CASES: &[(&str, &[&str])] = &[
    // Datatypes, inside whatever has them.
    (
        r#"{"resourceType":"Patient","address":[{"period":{"start":"2024-02","end":"2024-01-31"}}]}"#,
        &["per-1 at Patient.address[0].period"],
    ),
    (
        r#"{"resourceType":"Patient","address":[{"period":{"start":"2024-02","end":"2024-02-01"}}]}"#,
        &[],
    ),
    (
        r#"{"resourceType":"Patient","telecom":[{"use":"home"},{"value":"1"}],
                "photo":[{"data":"QQ=="}]}"#,
        &["cpt-2 at Patient.telecom[1]", "att-1 at Patient.photo[0]"],
    ),
    (
        r#"{"resourceType":"Observation","status":"final","code":{"text":"x"},
                "valueQuantity":{"value":1,"code":"kg"}}"#,
        &["qty-3 at Observation.value.ofType(Quantity)"],
    ),
    (
        r#"{"resourceType":"Observation","status":"final","code":{"text":"x"},
                "valueRange":{"low":{"value":3,"unit":"kg"},"high":{"value":1,"unit":"kg"}}}"#,
        &["rng-2 at Observation.value.ofType(Range)"],
    ),
    (
        r#"{"resourceType":"Condition","subject":{"display":"x"},"onsetAge":{"value":-1,
                "code":"a","system":"http://unitsofmeasure.org"}}"#,
        &["age-1 at Condition.onset.ofType(Age)"],
    ),
    // What an element is made of.
    (
        r#"{"resourceType":"Patient","name":[{"id":"x"}],"extension":[{"url":"http://a.kp"}]}"#,
        &["ele-1 at Patient.name[0]", "ext-1 at Patient.extension[0]"],
    ),
    (
        r#"{"resourceType":"Patient","_birthDate":{"id":"x"},"_active":{"id":"y"},"active":true}"#,
        &["ele-1 at Patient.birthDate"],
    ),
    (
        r#"{"resourceType":"Organization","name":"x","address":[{"use":"work"},{"use":"home"}]}"#,
        &["org-2 at Organization.address[1]"],
    ),
    (r#"{"resourceType":"Organization","active":true}"#, &["org-1 at Organization"]),
    (
        r#"{"resourceType":"Observation","status":"final","code":{"coding":[{"code":"a"}]},
                "valueString":"x","dataAbsentReason":{"text":"y"},
                "component":[{"code":{"coding":[{"code":"a"}]}}]}"#,
        &["obs-6 at Observation", "obs-7 at Observation"],
    ),
    // References and containers.
    (
        r##"{"resourceType":"Patient","generalPractitioner":[{"reference":"#a"},{"reference":"#b"}],
                "contained":[{"resourceType":"Practitioner","id":"a"}]}"##,
        &["ref-1 at Patient.generalPractitioner[1]"],
    ),
    (
        r##"{"resourceType":"Patient","contained":[{"resourceType":"Practitioner","id":"a",
                "meta":{"versionId":"1"}},{"resourceType":"Provenance","id":"b","recorded":
                "2024-01-01T00:00:00Z","target":[{"reference":"#"}],"agent":[{"who":{"reference":"#a"}}]},
                {"resourceType":"Group","id":"c","type":"person","actual":true}]}"##,
        &["dom-4 at Patient", "dom-3 at Patient.contained[2]"],
    ),
    // Bundles: each resource in them is a root of its own.
    (
        r##"{"resourceType":"Bundle","type":"transaction","entry":[
                {"request":{"method":"POST","url":"Patient"},"fullUrl":"urn:uuid:1","resource":
                {"resourceType":"Patient","generalPractitioner":[{"reference":"#a"}],
                "contained":[{"resourceType":"Practitioner","id":"a"}]}},
                {"resource":{"resourceType":"Patient","contact":[{"gender":"male"}]}}]}"##,
        &["pat-1 at Bundle.entry[1].resource.contact[0]", "bdl-3 at Bundle"],
    ),
    // As corrected.
    (
        r#"{"resourceType":"Questionnaire","status":"draft","item":[{"linkId":"1","type":"string",
                "enableWhen":[{"question":"2","operator":"exists","answerBoolean":true},
                {"question":"3","operator":"exists","answerString":"x"}]},
                {"linkId":"2","type":"string"},{"linkId":"2","type":"group"}]}"#,
        &[
            "que-7 at Questionnaire.item[0].enableWhen[1]",
            "que-1 at Questionnaire.item[2]",
            "que-2 at Questionnaire",
        ],
    ),
    (
        r#"{"resourceType":"Condition","subject":{"display":"x"},
                "category":[{"coding":[{"code":"encounter-diagnosis"}]}]}"#,
        &[],
    ),
    (
        r#"{"resourceType":"Condition","subject":{"display":"x"},
                "category":[{"coding":[{"code":"problem-list-item"}]}]}"#,
        &["~con-3 at Condition"],
    ),
    (r#"{"resourceType":"ValueSet","status":"draft","name":"a-b"}"#, &["~vsd-0 at ValueSet"]),
];

#[test]
fn each_of_these_breaks_the_invariants_that_it_says() {
    for (text, wanted) in CASES {
        assert_eq!(broken(text), *wanted, "{text}");
    }
}

#[test]
fn narratives_are_formatting_and_nothing_else() {
    let of = |div: &str| {
        let text = serde_json::json!({"resourceType":"Patient",
            "text":{"status":"generated","div":div}});
        broken(&text.to_string())
    };
    let xmlns = r#"xmlns="http://www.w3.org/1999/xhtml""#;
    for good in [
        "<p>리용희 &amp; <b class='x'>a</b><br/></p>",
        "<table><tr><td colspan=\"2\">1 &lt; 2 &#160;</td></tr></table>",
        "<img src=\"#a\" alt=\"x\"/>",
        "<!-- a comment --><a href=\"http://a.kp/?a=1&amp;b=2\">x</a>",
    ] {
        assert_eq!(of(&format!("<div {xmlns}>{good}</div>")), [""; 0], "{good}");
    }
    let not_allowed = ["txt-1 at Patient.text.div"];
    for bad in [
        "<script>1</script>",
        "<p onclick=\"x()\">a</p>",
        "<iframe src=\"x\">a</iframe>",
        "<a href=\" JavaScript:x()\">a</a>",
        "<p>a",
        "<b><i>a</b></i>",
        "a & b",
        "<p class=x>a</p>",
        "</div><div>a",
    ] {
        assert_eq!(of(&format!("<div {xmlns}>{bad}</div>")), not_allowed, "{bad}");
    }
    assert_eq!(of(&format!("<div {xmlns}> <p/> </div>")), ["txt-2 at Patient.text.div"]);
    assert_eq!(of(&format!("<div {xmlns}>{}", "<p>".repeat(50_000))), not_allowed);
}

#[test]
fn the_cost_of_a_document_is_bounded_by_its_size() {
    // Codes that are compared each with each, where the published expression does so.
    let concepts: Vec<String> = (0..4_000).map(|at| format!(r#"{{"code":"{at}"}}"#)).collect();
    let wide = format!(
        r#"{{"resourceType":"CodeSystem","status":"draft","content":"complete","concept":[{}]}}"#,
        concepts.join(",")
    );
    assert_eq!(broken(&wide), [""; 0]);
    let codings: Vec<String> = (0..3_000).map(|at| format!(r#"{{"code":"{at}"}}"#)).collect();
    let codings = codings.join(",");
    let hostile = format!(
        r#"{{"resourceType":"Observation","status":"final","code":{{"coding":[{codings}]}},
            "valueString":"x","component":[{{"code":{{"coding":[{codings}]}}}}]}}"#
    );
    let resource = Resource::parse(hostile.as_bytes()).unwrap();
    let issues = validate(&resource);
    assert_eq!(issues.len(), 1, "{issues:?}");
    assert!(issues[0].is_error());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever stands where, nothing panics, and invariants only add issues.
    #[test]
    fn invariants_only_add(
        text in "\\PC{0,12}",
        number in -5i32..5,
        element in prop::sample::select(vec!["period", "name", "contact", "contained", "text"]),
    ) {
        let wild = serde_json::json!({"resourceType":"Patient","id":text,
            "identifier":[{"period":{"start":text,"end":number}}],
            element:[{"reference":text,"id":number,"contained":[null,{"meta":text}],"div":text}],
            "generalPractitioner":{"reference":format!("#{text}")}});
        if let Ok(resource) = Resource::from_json(wild) {
            let (all, structure) = (validate(&resource), validate_structure(&resource));
            prop_assert!(structure.iter().all(|issue| all.contains(issue)));
        }
    }
}
