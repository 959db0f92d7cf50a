use proptest::prelude::*;

use super::*;

fn value(text: &str) -> Result<String, EvaluateError> {
    let path = FhirPath::compile(text).unwrap();
    let items = path.evaluate_alone(&Environment::plain())?;
    let texts: Vec<String> =
        items.as_slice().iter().map(|item| item.text().unwrap_or_else(|| "?".into())).collect();
    Ok(texts.join(","))
}

fn patient(text: &str) -> Map<String, Value> {
    let text = format!(r#"{{"resourceType":"Patient",{text}}}"#);
    match crate::parse_json(text.as_bytes(), crate::Limits::RESOURCE).unwrap() {
        Value::Object(body) => body,
        _ => unreachable!(),
    }
}

#[test]
fn what_is_too_long_or_too_deep_is_refused() {
    let long = format!("'{}'", "x".repeat(LENGTH_MAX));
    assert_eq!(FhirPath::compile(&long).unwrap_err(), CompileError::TooLong);
    for (open, close) in [("(", ")"), ("-", ""), ("a[", "]"), ("a.select(", ")")] {
        let deep = format!("{}1{}", open.repeat(3_000), close.repeat(3_000));
        assert_eq!(FhirPath::compile(&deep).unwrap_err(), CompileError::TooDeep, "{open}");
    }
    for link in [".a", "+1", "[0]", " is Patient"] {
        let deep = format!("a{}", link.repeat(2_500));
        assert_eq!(FhirPath::compile(&deep).unwrap_err(), CompileError::TooDeep, "{link}");
    }
}

#[test]
fn what_costs_too_much_is_stopped() {
    let many = FhirPath::compile("(1|2|3|4|5|6|7|8).select(1|2|3|4|5|6|7|8)").unwrap();
    let poor = Environment { steps: 50, ..Environment::plain() };
    assert_eq!(many.evaluate_alone(&poor).unwrap_err(), EvaluateError::Limit);
    // A string that doubles forty times.
    let ones = ["1"; 40].join(").combine(");
    let bomb = format!("({ones}).aggregate($total & $total, 'xxxxxxxx')");
    assert_eq!(value(&bomb), Err(EvaluateError::Limit));
    let bomb = format!("({ones}).aggregate($total.replace('x', 'xxxx'), 'x')");
    assert_eq!(value(&bomb), Err(EvaluateError::Limit));
    assert_eq!(value("'x'.matches('(a{1000}){1000}')"), Err(EvaluateError::Pattern));
    // `repeat` on what finds itself again ends.
    assert_eq!(value("1.repeat($this)"), Ok("1".into()));
    assert_eq!(value("1.repeat($this + 1)"), Err(EvaluateError::Limit));
}

#[test]
fn there_is_no_clock_unless_one_is_handed_in() {
    assert_eq!(value("now()"), Err(EvaluateError::Unavailable("now")));
    let now = Moment::from_millis(ondol_kernel::Millis(0), 540);
    let path = FhirPath::compile("now().toString() & ' ' & today().toString()").unwrap();
    let environment = Environment { now: Some(now), ..Environment::plain() };
    let said = path.evaluate_alone(&environment).unwrap();
    assert_eq!(
        said.as_slice()[0].text().as_deref(),
        Some("1970-01-01T09:00:00.000+09:00 1970-01-01")
    );
}

#[test]
fn numbers_at_the_edge_of_their_range_are_empty_or_refused_and_never_wrong() {
    assert_eq!(value("2147483647 + 1"), Ok(String::new()));
    assert_eq!(value("(-2147483647 - 1).abs()"), Ok(String::new()));
    assert_eq!(value("-2147483647 - 2"), Ok(String::new()));
    assert!(FhirPath::compile("79228162514264337593543950336.0").is_err());
    assert_eq!(value("7922816251426433759354395033.5 * 100000"), Ok(String::new()));
    assert!(FhirPath::compile("2147483648").is_err());
    assert_eq!(value("10.power(100)"), Ok(String::new()));
    assert_eq!(value("@9999-12-31 + 1 day"), Ok(String::new()));
    assert_eq!(value("@2024-01-31 + 1 month"), Ok("2024-02-29".into()));
    assert_eq!(value("@2024 + 24 months"), Ok("2026".into()));
    assert_eq!(value("@T23:30:00 + 1 hour"), Ok("00:30:00".into()));
    assert_eq!(value("@2024-01-01 + 9999999999999999 years"), Ok(String::new()));
}

#[test]
fn zones_that_are_not_known_decide_only_what_holds_in_all_of_them() {
    assert_eq!(value("@2024-01-01T00:00:00Z < @2024-01-03"), Ok("true".into()));
    assert_eq!(value("@2024-01-01T00:00:00Z < @2024-01-01T10:00:00"), Ok(String::new()));
    assert_eq!(value("@2024-01-01T00:00:00Z > @2023-12-30T10:00:00"), Ok("true".into()));
    assert_eq!(value("@2024-01-01T09:00:00+09:00 = @2024-01-01T00:00:00Z"), Ok("true".into()));
}

#[test]
fn units_are_compared_by_what_they_measure() {
    for (text, wanted) in [
        ("1 'L' = 1000 'mL'", "true"),
        ("1 'kg/m2' = 0.1 'g/cm2'", "true"),
        ("37 'm' > 5 's'", ""),
        ("1 '{tablet}' = 1 '1'", "true"),
        ("120 'mm[Hg]' > 1 'kPa'", "true"),
        ("12 months = 1 year", "true"),
        ("1 year = 1 'a'", ""),
        ("1 'mo' ~ 1 month", "true"),
        ("2 'm' / 1 's' * 3 's' = 6 'm'", "true"),
    ] {
        assert_eq!(value(text), Ok(wanted.to_owned()), "{text}");
    }
}

#[test]
fn lists_with_gaps_keep_values_and_extensions_together() {
    let body = patient(
        r#""name":[{"given":["a",null,"c"],"_given":[null,{"id":"x"},{"id":"y"}]}],
            "_birthDate":{"extension":[{"url":"u","valueCode":"v"}]}"#,
    );
    let say = |text: &str| {
        let path = FhirPath::compile(text).unwrap();
        let items = path.evaluate(&body, &Environment::plain()).unwrap();
        items.as_slice().iter().map(|i| i.text().unwrap_or_else(|| "?".into())).collect::<Vec<_>>()
    };
    assert_eq!(say("name.given"), ["a", "?", "c"]);
    assert_eq!(say("name.given.select(id)"), ["x", "y"]);
    assert_eq!(say("birthDate.hasValue()"), ["false"]);
    assert_eq!(say("birthDate.extension('u').value"), ["v"]);
    assert_eq!(say("descendants().count()"), ["10"]);
}

/// What an expression is made of.
fn words() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "name",
        "given",
        "Patient",
        "$this",
        "%resource",
        "where(",
        "select(",
        "(",
        ")",
        ".",
        "[0]",
        "=",
        "~",
        "and",
        "or",
        "is",
        "as",
        "|",
        "+",
        "-",
        "*",
        "/",
        "1",
        "2.5",
        "'x'",
        "@2024",
        "@T10",
        "{}",
        ",",
        "exists()",
        "descendants()",
        "children()",
        "matches('a')",
        "4 'mg'",
        "toString()",
        "aggregate(",
        "$total",
        "iif(",
        "true",
        "implies",
        "in",
        "contains",
        "days",
        "round(",
        "substring(",
        "lowBoundary()",
        "sort()",
        "repeat(",
        "ofType(string)",
        "value",
    ]);
    prop::collection::vec(word, 0..24).prop_map(|words| words.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,60}") {
        let _ = FhirPath::compile(&text);
    }

    #[test]
    fn no_expression_makes_the_evaluator_panic(text in words(), given in ".{0,8}") {
        if let Ok(path) = FhirPath::compile(&text) {
            let given = Value::from(given);
            let body = patient(&format!(
                r#""name":[{{"given":[{given},null],"_given":[null,{{"id":"x"}}]}}],
                    "birthDate":{given},"multipleBirthInteger":{given},"contained":[{{}}]"#
            ));
            let environment = Environment { steps: 20_000, ..Environment::plain() };
            let _ = path.evaluate(&body, &environment);
        }
    }
}
