use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::parse::parse_json;

fn json(text: &str) -> Value {
    parse_json(text.as_bytes(), Limits::RESOURCE).unwrap()
}

fn patched(document: &str, patch: &str) -> Result<String, PatchError> {
    let mut document = json(document);
    apply(&Patch::parse(patch.as_bytes())?, &mut document)?;
    Ok(document.to_string())
}

fn undone(document: &str, patch: &str) -> (usize, Undone) {
    match patched(document, patch) {
        Err(PatchError::Undone { at, why, .. }) => (at, why),
        other => panic!("{patch}: {other:?}"),
    }
}

/// The examples of RFC 6902, appendix A, in our words: document, patch, result.
const EXAMPLES: &[(&str, &str, &str)] = &[
    (
        r#"{"foo":"bar"}"#,
        r#"[{"op":"add","path":"/baz","value":"q"}]"#,
        r#"{"foo":"bar","baz":"q"}"#,
    ),
    (
        r#"{"foo":["a","b"]}"#,
        r#"[{"op":"add","path":"/foo/1","value":"x"}]"#,
        r#"{"foo":["a","x","b"]}"#,
    ),
    (r#"{"baz":1,"foo":2}"#, r#"[{"op":"remove","path":"/baz"}]"#, r#"{"foo":2}"#),
    (r#"{"foo":["a","b","c"]}"#, r#"[{"op":"remove","path":"/foo/1"}]"#, r#"{"foo":["a","c"]}"#),
    (
        r#"{"baz":1,"foo":2}"#,
        r#"[{"op":"replace","path":"/baz","value":3}]"#,
        r#"{"baz":3,"foo":2}"#,
    ),
    (
        r#"{"a":{"b":1,"c":2},"d":{}}"#,
        r#"[{"op":"move","from":"/a/b","path":"/d/e"}]"#,
        r#"{"a":{"c":2},"d":{"e":1}}"#,
    ),
    (
        r#"{"f":["a","b","c","d"]}"#,
        r#"[{"op":"move","from":"/f/1","path":"/f/3"}]"#,
        r#"{"f":["a","c","d","b"]}"#,
    ),
    (r#"{"a":[1]}"#, r#"[{"op":"copy","from":"/a/0","path":"/a/-"}]"#, r#"{"a":[1,1]}"#),
    (
        r#"{"a":1}"#,
        r#"[{"op":"add","path":"/b","value":{"c":{}},"xyz":1}]"#,
        r#"{"a":1,"b":{"c":{}}}"#,
    ),
    (r#"{"a":1}"#, r#"[{"op":"add","path":"","value":{"c":2}}]"#, r#"{"c":2}"#),
    (
        r#"{"/":9,"~1":10}"#,
        r#"[{"op":"test","path":"/~01","value":10},{"op":"remove","path":"/~1"}]"#,
        r#"{"~1":10}"#,
    ),
    (r#"{"a":["b"]}"#, r#"[{"op":"add","path":"/a/-","value":["c"]}]"#, r#"{"a":["b",["c"]]}"#),
    (r#"{"a":null}"#, r#"[{"op":"test","path":"/a","value":null}]"#, r#"{"a":null}"#),
    (r#"{"a":1}"#, r#"[{"op":"move","from":"/a","path":"/a"}]"#, r#"{"a":1}"#),
    (r#"{"a":1}"#, "[]", r#"{"a":1}"#),
];

#[test]
fn all_six_operations_do_what_the_rfc_says() {
    for (document, patch, expected) in EXAMPLES {
        assert_eq!(patched(document, patch).as_deref(), Ok(*expected), "{patch}");
    }
}

#[test]
fn decimals_keep_their_text_and_keys_their_order() {
    let document = r#"{"z":1.50,"a":1E5,"m":{"x":0.0010}}"#;
    let patch =
        r#"[{"op":"add","path":"/n","value":2.500},{"op":"copy","from":"/m/x","path":"/m/y"}]"#;
    let expected = r#"{"z":1.50,"a":1E5,"m":{"x":0.0010,"y":0.0010},"n":2.500}"#;
    assert_eq!(patched(document, patch).as_deref(), Ok(expected));
}

#[test]
fn a_test_compares_numbers_by_value_and_objects_whatever_their_order() {
    let document = r#"{"n":1.50,"o":{"a":1,"b":[2]},"z":0.0,"s":"1.5"}"#;
    for value in ["1.5", "150e-2", "0.15E1"] {
        let patch = format!(r#"[{{"op":"test","path":"/n","value":{value}}}]"#);
        assert!(patched(document, &patch).is_ok(), "{value}");
    }
    assert!(patched(document, r#"[{"op":"test","path":"/z","value":-0}]"#).is_ok());
    let order = r#"[{"op":"test","path":"/o","value":{"b":[2.0],"a":1}}]"#;
    assert!(patched(document, order).is_ok());
    for (path, value) in [("/n", "1.51"), ("/n", "\"1.50\""), ("/s", "1.5"), ("/o", r#"{"a":1}"#)] {
        let patch = format!(r#"[{{"op":"test","path":"{path}","value":{value}}}]"#);
        assert_eq!(undone(document, &patch), (0, Undone::TestFailed), "{patch}");
    }
}

#[test]
fn what_cannot_be_done_is_named_and_nothing_of_the_patch_is_done() {
    let document = r#"{"a":[1,2],"o":{"k":1}}"#;
    for (operation, why) in [
        (r#""op":"remove","path":"/b""#, Undone::NoPlace),
        (r#""op":"replace","path":"/b","value":1"#, Undone::NoPlace),
        (r#""op":"add","path":"/b/c","value":1"#, Undone::NoPlace),
        (r#""op":"add","path":"/a/3","value":1"#, Undone::NoIndex),
        (r#""op":"add","path":"/a/01","value":1"#, Undone::NoIndex),
        (r#""op":"add","path":"/a/x","value":1"#, Undone::NoIndex),
        (r#""op":"remove","path":"/a/-""#, Undone::NoIndex),
        (r#""op":"remove","path":"""#, Undone::Whole),
        (r#""op":"move","from":"/o","path":"/o/k""#, Undone::IntoItself),
        (r#""op":"move","from":"/x","path":"/y""#, Undone::NoPlace),
        (r#""op":"add","path":"/a/0/b","value":1"#, Undone::NoPlace),
    ] {
        let patch = format!(r#"[{{"op":"remove","path":"/a/0"}},{{{operation}}}]"#);
        let mut same = json(document);
        let read = Patch::parse(patch.as_bytes()).unwrap();
        assert!(apply(&read, &mut same).is_err());
        assert_eq!(same.to_string(), document, "nothing was done");
        assert_eq!(undone(document, &patch), (1, why), "{patch}");
    }
}

#[test]
fn what_is_no_patch_is_refused_with_the_place() {
    assert_eq!(Patch::parse(b"{}"), Err(PatchError::NoList));
    for text in [
        "[1]",
        r#"[{"path":"/a"}]"#,
        r#"[{"op":"add","path":"/a"}]"#,
        r#"[{"op":"add","value":1}]"#,
        r#"[{"op":"add","path":"a","value":1}]"#,
        r#"[{"op":"add","path":"/a~2","value":1}]"#,
        r#"[{"op":"add","path":7,"value":1}]"#,
        r#"[{"op":"move","path":"/a"}]"#,
        r#"[{"op":"merge","path":"/a"}]"#,
    ] {
        let found = Patch::parse(text.as_bytes());
        assert!(matches!(found, Err(PatchError::Operation { at: 0, .. })), "{text}: {found:?}");
    }
    let twice = Patch::parse(br#"[{"op":"remove","op":"add","path":"/a"}]"#);
    assert!(matches!(twice, Err(PatchError::Json(_))));
}

#[test]
fn errors_repeat_no_values_and_no_odd_paths() {
    let patch = r#"[{"op":"test","path":"/name/0/리 용희","value":"비밀"}]"#;
    let why = patched(r#"{"name":[{"family":"x"}]}"#, patch).unwrap_err();
    assert_eq!(why.to_string(), "operation 0 (test /name/0/?): there is no such place");
    let path = Pointer::parse("/name/0/family").unwrap();
    assert_eq!(path.expression("Patient"), "Patient.name[0].family");
}

#[test]
fn patches_that_grow_without_end_are_stopped() {
    let doubling: Vec<String> = (0..100)
        .map(|n| {
            format!(r#"{{"op":"copy","from":"/a","path":"/a/{}"}}"#, if n == 0 { "-" } else { "0" })
        })
        .collect();
    let patch = format!("[{}]", doubling.join(","));
    assert_eq!(undone(r#"{"a":["0123456789"]}"#, &patch).1, Undone::TooLarge);

    let nesting: Vec<String> = (0..100)
        .map(|_| r#"{"op":"copy","from":"/a","path":"/b/b"},{"op":"move","from":"/b","path":"/a"},{"op":"add","path":"/b","value":{}}"#.to_owned())
        .collect();
    let patch = format!("[{}]", nesting[..80].join(","));
    assert_eq!(undone(r#"{"a":{},"b":{}}"#, &patch).1, Undone::TooDeep);

    let many = format!("[{}]", vec![r#"{"op":"test","path":"","value":1}"#; 257].join(","));
    assert_eq!(Patch::parse(many.as_bytes()), Err(PatchError::TooMany));
    let deep = format!("{}1{}", "[".repeat(1000), "]".repeat(1000));
    assert!(matches!(Patch::parse(deep.as_bytes()), Err(PatchError::Json(_))));
    let long = format!(r#"[{{"op":"remove","path":"{}"}}]"#, "/a".repeat(65));
    assert!(matches!(Patch::parse(long.as_bytes()), Err(PatchError::Operation { .. })));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9i64..99).prop_map(Value::from),
        "[a-c]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("[a-c]", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_path() -> impl Strategy<Value = String> {
    prop::collection::vec(prop_oneof!["[a-c]", "[0-3]", Just("-".to_owned()), "~[01]"], 0..5)
        .prop_map(|steps| steps.iter().flat_map(|step| ["/", step.as_str()]).collect())
}

fn any_operation() -> impl Strategy<Value = Value> {
    let op = prop::sample::select(vec!["add", "remove", "replace", "move", "copy", "test"]);
    (op, any_path(), any_path(), any_json()).prop_map(|(op, path, from, value)| {
        serde_json::json!({"op": op, "path": path, "from": from, "value": value})
    })
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _patch = Patch::parse(&bytes);
    }

    #[test]
    fn no_patch_panics_and_each_is_done_whole_or_not_at_all(
        document in any_json(),
        operations in prop::collection::vec(any_operation(), 0..12),
    ) {
        let patch = Patch::parse(Value::from(operations).to_string().as_bytes()).unwrap();
        let mut after = document.clone();
        match apply(&patch, &mut after) {
            Ok(()) => {
                let again = parse_json(after.to_string().as_bytes(), Limits::RESOURCE);
                prop_assert_eq!(again.unwrap(), after);
            }
            Err(_) => prop_assert_eq!(after, document),
        }
    }

    #[test]
    fn what_was_added_is_there_and_can_be_taken_away_again(
        document in any_json(), value in any_json(),
    ) {
        let holder = serde_json::json!({"held": document});
        let mut work = holder.clone();
        let add = serde_json::json!([
            {"op": "add", "path": "/new", "value": value},
            {"op": "test", "path": "/new", "value": value},
            {"op": "copy", "from": "/new", "path": "/other"},
            {"op": "move", "from": "/other", "path": "/third"},
            {"op": "test", "path": "/third", "value": value},
            {"op": "remove", "path": "/third"},
            {"op": "remove", "path": "/new"}
        ]);
        apply(&Patch::parse(add.to_string().as_bytes()).unwrap(), &mut work).unwrap();
        prop_assert_eq!(work, holder);
    }
}
