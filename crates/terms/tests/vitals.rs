//! What values of vital signs say, against the charts of the WHO/ICRC/MSF Interagency Integrated
//! Triage Tool (2020).

use ondol_terms::{Age, Alertness, Judgement, Level, Subject, vital, vital_by_loinc, vitals};
use rust_decimal::Decimal;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn judge(key: &str, value: &str, age_years: Option<u32>) -> Judgement {
    vital(key).unwrap().judge(decimal(value), age_years)
}

fn level(judgement: Judgement) -> Option<Level> {
    match judgement {
        Judgement::Danger { level, source } => {
            assert!(source.contains("Interagency Integrated Triage Tool (2020)"), "{source}");
            Some(level)
        }
        Judgement::Fine => None,
        other => panic!("{other:?}"),
    }
}

const RED: Option<Level> = Some(Level::Red);
const HIGH: Option<Level> = Some(Level::HighRisk);

#[test]
fn the_limits_of_adults_are_those_of_the_chart_for_twelve_and_over() {
    let cases = [
        ("heart-rate", "49", RED),
        ("heart-rate", "50", HIGH),
        ("heart-rate", "59", HIGH),
        ("heart-rate", "60", None),
        ("heart-rate", "130", None),
        ("heart-rate", "131", HIGH),
        ("heart-rate", "150", HIGH),
        ("heart-rate", "151", RED),
        ("respiratory-rate", "9", HIGH),
        ("respiratory-rate", "10", None),
        ("respiratory-rate", "30", None),
        ("respiratory-rate", "31", HIGH),
        ("body-temperature", "35.9", HIGH),
        ("body-temperature", "36.0", None),
        ("body-temperature", "36", None),
        ("body-temperature", "39.0", None),
        ("body-temperature", "39.1", HIGH),
        ("oxygen-saturation", "91", HIGH),
        ("oxygen-saturation", "92", None),
        ("capillary-refill", "3", None),
        ("capillary-refill", "3.0", None),
        ("capillary-refill", "3.5", RED),
    ];
    for (key, value, expected) in cases {
        for age in [12, 40, 99] {
            assert_eq!(level(judge(key, value, Some(age))), expected, "{key} {value} at {age}");
        }
    }
}

#[test]
fn the_limits_of_children_are_those_of_the_chart_for_under_twelve() {
    let cases = [
        (0, "heart-rate", ("89", "90"), ("180", "181")),
        (1, "heart-rate", ("79", "80"), ("160", "161")),
        (4, "heart-rate", ("79", "80"), ("160", "161")),
        (5, "heart-rate", ("69", "70"), ("140", "141")),
        (11, "heart-rate", ("69", "70"), ("140", "141")),
        (0, "respiratory-rate", ("24", "25"), ("50", "51")),
        (1, "respiratory-rate", ("19", "20"), ("40", "41")),
        (4, "respiratory-rate", ("19", "20"), ("40", "41")),
        (5, "respiratory-rate", ("9", "10"), ("30", "31")),
        (11, "respiratory-rate", ("9", "10"), ("30", "31")),
    ];
    for (age, key, (too_low, low), (high, too_high)) in cases {
        for value in [too_low, too_high] {
            assert_eq!(level(judge(key, value, Some(age))), HIGH, "{key} {value} at {age}");
        }
        for value in [low, high] {
            assert_eq!(level(judge(key, value, Some(age))), None, "{key} {value} at {age}");
        }
    }
}

#[test]
fn fever_or_cold_in_the_first_two_months_is_red() {
    let temperature = vital("body-temperature").unwrap();
    let at = |months, value| {
        let subject = Subject { age: Age::Months(months), pregnant: false };
        level(temperature.judge_for(decimal(value), subject))
    };
    assert_eq!(at(0, "39.1"), RED);
    assert_eq!(at(1, "35.9"), RED);
    assert_eq!(at(2, "39.1"), HIGH);
    assert_eq!(at(1, "37"), None);
    // With years alone only what holds all through the first year is said.
    assert_eq!(level(judge("body-temperature", "39.1", Some(0))), HIGH);
}

#[test]
fn without_an_age_only_what_holds_at_every_age_is_said() {
    assert_eq!(judge("heart-rate", "140", None), Judgement::AgeNeeded);
    assert_eq!(judge("heart-rate", "85", None), Judgement::AgeNeeded);
    assert_eq!(level(judge("heart-rate", "200", None)), HIGH);
    assert_eq!(level(judge("heart-rate", "100", None)), None);
    assert_eq!(level(judge("oxygen-saturation", "88", None)), HIGH);
    assert_eq!(level(judge("capillary-refill", "4", None)), RED);
}

#[test]
fn blood_pressure_is_dangerous_by_this_tool_in_pregnancy_only() {
    let at = |key, value, pregnant| {
        let subject = Subject { age: Age::Years(27), pregnant };
        level(vital(key).unwrap().judge_for(decimal(value), subject))
    };
    assert_eq!(at("systolic-pressure", "160", true), RED);
    assert_eq!(at("systolic-pressure", "159", true), None);
    assert_eq!(at("diastolic-pressure", "110", true), RED);
    assert_eq!(at("diastolic-pressure", "109", true), None);
    assert_eq!(at("systolic-pressure", "200", false), None);
    assert_eq!(level(judge("systolic-pressure", "170", Some(27))), None);
}

#[test]
fn anyone_not_alert_is_at_high_risk_and_the_unresponsive_are_red() {
    let levels = Alertness::ALL.map(|step| level(step.judge()));
    assert_eq!(levels, [None, HIGH, HIGH, RED]);
    assert_eq!(Alertness::from_letter('v'), Some(Alertness::Voice));
    assert_eq!(Alertness::from_letter('X'), None);
}

#[test]
fn slips_of_the_keyboard_are_impossible_and_not_dangerous() {
    assert_eq!(judge("body-temperature", "365", Some(30)), Judgement::Impossible);
    assert_eq!(judge("heart-rate", "7", Some(30)), Judgement::Impossible);
    assert_eq!(judge("oxygen-saturation", "101", Some(30)), Judgement::Impossible);
    assert_eq!(judge("body-weight", "3200", Some(0)), Judgement::Impossible);
    assert_eq!(judge("consciousness", "1", Some(30)), Judgement::Impossible);
}

#[test]
fn the_guard_lets_every_dangerous_value_through() {
    // The lowest recorded survivals and small newborns must be typable.
    for (key, value) in [("body-temperature", "24"), ("body-weight", "0.450"), ("heart-rate", "20")]
    {
        assert_ne!(judge(key, value, Some(30)), Judgement::Impossible, "{key} {value}");
    }
}

#[test]
fn every_sign_is_found_by_its_key_and_its_code() {
    for sign in vitals() {
        assert_eq!(vital(sign.key).unwrap().loinc, sign.loinc);
        assert_eq!(vital_by_loinc(sign.loinc).unwrap().key, sign.key);
        let (number, check) = sign.loinc.split_once('-').unwrap();
        assert_eq!(check.parse(), Ok(loinc_check_digit(number)), "{}", sign.loinc);
    }
}

/// The check digit of a LOINC number ('mod 10' in the LOINC Users' Guide): every second digit
/// from the right is doubled, and the digits are added up.
fn loinc_check_digit(number: &str) -> u32 {
    let digits = number.chars().rev().map(|c| c.to_digit(10).unwrap());
    let sum: u32 = digits
        .enumerate()
        .map(|(i, digit)| if i % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { digit })
        .sum();
    (10 - sum % 10) % 10
}
