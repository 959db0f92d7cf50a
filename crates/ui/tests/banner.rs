//! The patient's banner, as every page about a person shows it.

use askama::Template as _;
use ondol_kernel::{Date, Millis};
use ondol_ui::moments::Age;
use ondol_ui::screens::confirm::Confirm;
use ondol_ui::view::{Allergies, Patient, Sex};
use ondol_ui::{Lang, Page, Road, T};

fn shown(lang: Lang, patient: Patient) -> String {
    let t = T::new(lang);
    let page = Page {
        lang,
        t,
        facility: "F".to_owned(),
        who: None,
        road: Road::Connected,
        disk: None,
        revoked: None,
        practice: false,
        csrf: "c".to_owned(),
        here: "/".to_owned(),
        part: false,
        note: None,
        now: Millis(1_772_408_400_000),
        utc_offset_minutes: 540,
        https: true,
    };
    let confirm = Confirm {
        t,
        page,
        patient: Some(patient),
        title: String::new(),
        text: String::new(),
        facts: Vec::new(),
        action: "/".to_owned(),
        fields: Vec::new(),
        yes: String::new(),
        danger: false,
        back: "/".to_owned(),
    };
    confirm.render().unwrap()
}

fn patient(allergies: Allergies) -> Patient {
    Patient {
        name: "Ri <Yong> Hui".to_owned(),
        sex: Sex::Female,
        age: Age::Born(Date::new(2024, 12, 11).unwrap()),
        mother: String::new(),
        number: "2041-1003-175".to_owned(),
        provisional: false,
        photo: None,
        allergies,
        died: false,
        href: "/people/1".to_owned(),
    }
}

#[test]
fn allergies_known_none_and_not_asked_are_three_things() {
    let known = Allergies::Known(vec!["Penicillin".to_owned(), "Peanuts".to_owned()]);
    for (allergies, class, says) in [
        (known, "allergy known", "Penicillin, Peanuts"),
        (Allergies::NoneKnown, "allergy none", "No known allergies"),
        (Allergies::NotAsked, "allergy unasked", "Allergies not asked yet"),
    ] {
        let html = shown(Lang::En, patient(allergies));
        assert!(html.contains(class) && html.contains(says), "{class}: {html}");
        assert_eq!(html.matches("class=\"allergy ").count(), 1);
    }
}

#[test]
fn the_banner_says_who_it_is_and_escapes_what_was_typed() {
    let html = shown(Lang::Ko, patient(Allergies::NotAsked));
    for part in ["Ri &#60;Yong&#62; Hui", "녀자", "14개월", "어머니 모름", "2041-1003-175"]
    {
        assert!(html.contains(part), "{part}");
    }
    let stranger = Patient {
        name: String::new(),
        provisional: true,
        died: true,
        ..patient(Allergies::NotAsked)
    };
    let html = shown(Lang::Ko, stranger);
    for part in ["이름 모름", "림시 2041-1003-175", "사망"] {
        assert!(html.contains(part), "{part}");
    }
}
