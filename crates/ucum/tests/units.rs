//! What the functional tests do not ask: special units, assays, canonical forms, hostile input.

use ondol_ucum::{CODE_BYTES_MAX, ConvertError, Unit, UnitError, Value, ValueError};
use proptest::prelude::*;

fn unit(code: &str) -> Unit {
    Unit::parse(code).unwrap_or_else(|error| panic!("{code}: {error}"))
}

fn converted(value: &str, from: &str, to: &str) -> String {
    let found = Value::parse(value).unwrap().convert(&unit(from), &unit(to)).unwrap();
    found.to_string()
}

#[test]
fn decimals_stay_decimals() {
    let cases = [
        ("6.3", "mg", "g", "0.0063"),
        ("0.1", "mm", "m", "0.0001"),
        ("98.6", "[degF]", "Cel", "37"),
        ("37", "Cel", "[degF]", "98.6"),
        ("37", "Cel", "K", "310.15"),
        ("120", "mm[Hg]", "Pa", "15998.64"),
        ("5.5", "mmol/L", "mol/m3", "5.5"),
        ("1", "[ly]", "m", "9460730472580800"),
        ("7", "wk", "d", "49"),
        ("12", "[in_i]", "cm", "30.48"),
        ("-40", "Cel", "[degF]", "-40"),
        ("1", "10*9/L", "/L", "1000000000"),
    ];
    for (value, from, to, expected) in cases {
        assert_eq!(converted(value, from, to), expected, "{value} {from} in {to}");
    }
}

#[test]
fn logarithms_roots_and_angles_are_true_to_twelve_digits() {
    let cases = [
        ("7", "[pH]", "mol/L", "1e-7"),
        ("20", "dB", "1", "100"),
        ("20", "dB[SPL]", "Pa", "2e-4"),
        ("100", "%[slope]", "deg", "45"),
        ("3", "[hp'_X]", "1", "0.001"),
        ("2", "[m/s2/Hz^(1/2)]", "m2/s4/Hz", "4"),
        ("0.0001", "mol/L", "[pH]", "4"),
    ];
    for (value, from, to, expected) in cases {
        let found = Value::parse(value).unwrap().convert(&unit(from), &unit(to)).unwrap();
        assert_eq!(
            found.rounded(12),
            Value::parse(expected).unwrap().rounded(12),
            "{value} {from} in {to} is {found}"
        );
    }
}

#[test]
fn a_value_outside_a_logarithms_scale_is_an_error() {
    let nothing = Value::parse("0").unwrap();
    let found = nothing.convert(&unit("mol/L"), &unit("[pH]"));
    assert_eq!(found, Err(ConvertError::OutOfScale));
}

#[test]
fn equal_units_have_one_canonical_form() {
    let warm = [("98.6", "[degF]"), ("37", "Cel"), ("310150", "mK")];
    for (value, code) in warm {
        let canonical = Value::parse(value).unwrap().canonical(&unit(code)).unwrap();
        assert_eq!(canonical.to_string(), "310.15", "{value} {code}");
    }
    for codes in [
        ["mg/dL", "g/L", "10*-3.kg/dm3"],
        ["N", "kg.m/s2", "m.kg.s-2"],
        ["[iU]/mL", "[IU]/L", "k[iU]/dL"],
        ["mm[Hg]", "kPa", "cm[H2O]"],
        ["{beats}/min", "/s", "Hz"],
        ["%", "1", "mol/mol"],
        ["Cel", "K", "[degF]"],
    ] {
        let [first, ..] = codes.map(|code| unit(code).canonical().to_owned());
        for code in codes {
            assert_eq!(unit(code).canonical(), first, "{code}");
            assert!(unit(code).is_commensurable(&unit(codes[0])), "{code}");
        }
    }
    assert_eq!(unit("mmol/(kg.h)").canonical(), "g-1.s-1");
}

#[test]
fn a_canonical_form_is_a_unit_and_its_own_canonical_form() {
    for code in ["mg/dL", "[iU]/mL", "dB[SPL]", "Cel", "[degF]", "V", "cd.sr", "1", "kat/m3"] {
        let canonical = unit(code).canonical().to_owned();
        assert_eq!(unit(&canonical).canonical(), canonical);
    }
}

#[test]
fn units_of_assays_convert_to_nothing_but_themselves() {
    let value = Value::parse("1").unwrap();
    for other in ["1", "mol", "[PFU]", "[arb'U]"] {
        let found = value.convert(&unit("[iU]"), &unit(other));
        assert_eq!(found, Err(ConvertError::NotCommensurable), "{other}");
    }
    assert_eq!(converted("5", "k[IU]", "[iU]"), "5000");
    let per_unit = unit("g").divide(&unit("[iU]")).unwrap();
    assert_eq!(per_unit.multiply(&unit("[iU]")).unwrap().canonical(), "g");
}

#[test]
fn special_units_take_no_part_in_products() {
    assert_eq!(Unit::parse("Cel/h"), Err(UnitError::Special));
    assert_eq!(Unit::parse("Cel2"), Err(UnitError::Special));
    assert_eq!(unit("Cel").multiply(&unit("m")), Err(ConvertError::Special));
    assert!(unit("mCel").is_special() && unit("dB").is_special() && !unit("K").is_special());
}

#[test]
fn errors_say_what_is_wrong_and_repeat_nothing() {
    let cases = [
        ("", UnitError::Empty),
        ("beats/min", UnitError::Unknown),
        ("k[in_i]", UnitError::Unknown),
        ("m/", UnitError::Grammar(Some(2))),
        ("mg /L", UnitError::Grammar(Some(2))),
        ("m400", UnitError::TooLarge),
    ];
    for (code, expected) in cases {
        let found = Unit::parse(code).unwrap_err();
        assert_eq!(found, expected, "{code}");
        assert!(code.is_empty() || !found.to_string().contains(code), "{found}");
    }
}

#[test]
fn hostile_units_are_refused_quickly() {
    let long = "m".repeat(CODE_BYTES_MAX + 1);
    assert_eq!(Unit::parse(&long), Err(UnitError::TooLong));
    let deep = format!("{}m{}", "(".repeat(120), ")".repeat(120));
    assert!(Unit::parse(&deep).is_ok(), "parentheses that the parser can hold");
    let quotients = format!("m{}", "/m".repeat(127));
    let _either = Unit::parse(&quotients);
    for code in ["10*999999999999", "m99999999999999999999", "99999999999999999999999999999999999m"]
    {
        assert!(Unit::parse(code).is_err(), "{code}");
    }
}

#[test]
fn numbers_that_are_none_are_told_from_those_that_are_too_long() {
    for text in ["", "-", "1.", ".5", "+1", "1e", "01", "NaN", "1,5", " 1", "0x1", "１"] {
        assert_eq!(Value::parse(text), Err(ValueError::Form), "{text:?}");
    }
    for text in ["12345678901234567890123456789", "1e10001", "1e99999999999"] {
        assert_eq!(Value::parse(text), Err(ValueError::TooLarge), "{text:?}");
    }
    let far = Value::parse("1e10000").unwrap();
    assert_eq!(far.multiply(far), Err(ConvertError::TooLarge));
}

#[test]
fn numbers_are_written_so_that_they_can_be_read_again() {
    for (text, written) in [
        ("0", "0"),
        ("-0.50", "-0.5"),
        ("1e-30", "1e-30"),
        ("120", "120"),
        ("6.02214076e23", "602214076000000000000000"),
        ("7e40", "7e40"),
        ("0.00012", "0.00012"),
    ] {
        let value = Value::parse(text).unwrap();
        assert_eq!(value.to_string(), written);
        assert_eq!(Value::parse(&value.to_string()), Ok(value));
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(code in "\\PC{0,80}", value in "\\PC{0,40}") {
        let _unit = Unit::parse(&code);
        let _value = Value::parse(&value);
    }

    #[test]
    fn no_text_of_units_makes_the_reader_panic(
        code in "([mkdu]?(g|m|L|Cel|\\[iU\\]|\\[pH\\]|10\\*|mol|s|%)[-+]?[0-9]{0,3}[./(){}]{0,2}){0,12}",
        value in "-?[0-9]{1,12}(\\.[0-9]{1,12})?(e-?[0-9]{1,4})?",
    ) {
        if let (Ok(unit), Ok(value)) = (Unit::parse(&code), Value::parse(&value)) {
            let canonical = Unit::parse(unit.canonical()).unwrap();
            prop_assert!(unit.is_commensurable(&canonical));
            let _converted = value.convert(&unit, &canonical);
        }
    }

    #[test]
    fn there_and_back_is_where_it_began(
        digits in 1_i64..1_000_000_000,
        pair in prop::sample::select(vec![
            ("mg/dL", "g/L"), ("[lb_av]", "kg"), ("Cel", "[degF]"), ("mm[Hg]", "kPa"),
            ("h", "d"), ("[drp]", "mL"), ("deg", "rad"), ("10*9/L", "/uL"),
        ]),
    ) {
        let value = Value::parse(&format!("{digits}e-4")).unwrap();
        let (from, to) = (unit(pair.0), unit(pair.1));
        let back = value.convert(&from, &to).unwrap().convert(&to, &from).unwrap();
        prop_assert_eq!(back.rounded(20), value.rounded(20));
    }
}
