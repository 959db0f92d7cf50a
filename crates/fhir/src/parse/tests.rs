use super::*;
use proptest::prelude::*;

fn parse(text: &str) -> Result<Value, ParseError> {
    parse_json(text.as_bytes(), Limits { bytes: 1_000, depth: 8 })
}

#[test]
fn numbers_keep_their_text() {
    for number in ["1.00", "0.0", "-0", "1E5", "1e+05", "12345678901234567890.123456789012345678"] {
        assert_eq!(parse(number).unwrap().to_string(), number);
    }
    assert_ne!(parse("1.0").unwrap(), parse("1.00").unwrap());
}

#[test]
fn what_is_not_json_is_refused_where_it_is() {
    for (text, path, offset) in [
        (r#"{"a":[1,{"b":tru}]}"#, "a[1].b", 13),
        (r#"{"a":01}"#, "a", 6),
        (r#"{"a":1.}"#, "a", 7),
        (r#"{"a":1e}"#, "a", 7),
        (r#"{"a":.5}"#, "a", 5),
        (r#"{"a":"x"#, "a", 7),
        ("{\"a\":\"\u{1}\"}", "a", 6),
        (r#"{"a":"\ud800"}"#, "a", 12),
        (r#"{"a":"\udc00\ud800"}"#, "a", 12),
        (r#"{"a":"\u00g0"}"#, "a", 7),
        (r#"{"a":1,}"#, "", 7),
        (r"[1,]", "[1]", 3),
        (r"{} {}", "", 3),
        (r#"{"a" 1}"#, "a", 5),
        ("", "", 0),
    ] {
        match parse(text) {
            Err(ParseError::Syntax { path: p, offset: o, .. }) => {
                assert_eq!((p.as_str(), o), (path, offset), "{text}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn a_key_given_twice_is_refused_and_named() {
    let error = parse(r#"{"name":[{"given":1,"given":1}]}"#).unwrap_err();
    assert_eq!(error, ParseError::DuplicateKey { path: "name[0].given".into(), offset: 29 });
    // An escaped spelling is the same key.
    assert!(matches!(parse(r#"{"a":1,"\u0061":1}"#), Err(ParseError::DuplicateKey { .. })));
}

#[test]
fn a_key_that_may_be_data_is_not_repeated() {
    let error = parse(r#"{"Ri Yong Hui":1,"Ri Yong Hui":1}"#).unwrap_err();
    assert!(!error.to_string().contains("Yong"), "{error}");
}

#[test]
fn size_and_depth_have_limits() {
    assert_eq!(parse(&" ".repeat(1_001)), Err(ParseError::TooLarge { bytes: 1_001, limit: 1_000 }));
    assert!(parse(&format!("{}{}", "[".repeat(8), "]".repeat(8))).is_ok());
    assert!(matches!(parse(&"[".repeat(9)), Err(ParseError::TooDeep { limit: 8, .. })));
}

#[test]
fn the_librarys_own_key_cannot_be_smuggled_in() {
    let text = r#"{"$serde_json::private::Number":"1"}"#;
    assert!(matches!(parse(text), Err(ParseError::ReservedKey { .. })));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,9})?"
            .prop_map(|n| Value::Number(Number::from_string_unchecked(n))),
        "\\PC{0,12}".prop_map(Value::String),
        any::<String>().prop_map(Value::String),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::vec(("[a-z가-힣\\\\\" ]{0,6}", inner), 0..5)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn parsing_what_was_written_gives_it_back(value in any_json()) {
        let bytes = serde_json::to_vec(&value).unwrap();
        let limits = Limits { bytes: 1 << 20, depth: 32 };
        let back = parse_json(&bytes, limits).unwrap();
        prop_assert_eq!(&back, &value);
        prop_assert_eq!(serde_json::to_vec(&back).unwrap(), bytes);
        let pretty = serde_json::to_vec_pretty(&value).unwrap();
        prop_assert_eq!(parse_json(&pretty, limits).unwrap(), value);
    }

    #[test]
    fn it_accepts_what_the_library_accepts(text in "[\\[\\]{}:,\"a1.eE+\\-\\\\u0tn ]{0,12}") {
        let ours = parse(&text);
        let theirs = serde_json::from_str::<Value>(&text);
        // The library lets a duplicate key pass.
        let duplicate = matches!(ours, Err(ParseError::DuplicateKey { .. }));
        prop_assert!(duplicate || ours.is_ok() == theirs.is_ok(), "{} {:?}", text, ours);
    }

    #[test]
    fn garbage_never_panics(bytes: Vec<u8>) {
        let _ = parse_json(&bytes, Limits::RESOURCE);
    }
}
