//! Febrl's three sets of people with errors (Christen, Australian National University), without the
//! social-security number: who is who is learnt from the records alone.

use std::{collections::HashMap, path::PathBuf};

use ondol_identity::linkage::{
    Class, Field, Kind, Linkage, Pair, Record, Records, Schema, Shape, Shared, link,
};

const FIELDS: [(&str, Kind, Option<usize>, bool); 9] = [
    ("given_name", Kind::Words, Some(1), false),
    ("surname", Kind::Words, Some(0), false),
    ("street_number", Kind::Code, None, false),
    ("address_1", Kind::Words, Some(4), true),
    ("address_2", Kind::Words, Some(3), true),
    ("suburb", Kind::Words, None, true),
    ("postcode", Kind::Code, None, false),
    ("state", Kind::Code, None, false),
    ("date_of_birth", Kind::Date, None, true),
];

fn schema() -> Schema {
    let fields = FIELDS.map(|(name, kind, crosses, alone)| {
        let name = name.to_owned();
        Field { name, kind, crosses, alone, shared: Shared::default(), chance: None }
    });
    Schema::new(fields.to_vec()).unwrap()
}

struct Set {
    records: Vec<Record>,
    /// Who each record is.
    people: Vec<String>,
}

fn set(number: usize) -> Option<Set> {
    let path = format!("../../../shared/data/linkage/dataset{number}.csv");
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    let Ok(text) = std::fs::read_to_string(&path) else {
        assert!(std::env::var_os("CI").is_none(), "Febrl's sets are not in ../shared/data");
        eprintln!("skipped: Febrl's sets are not in ../shared/data");
        return None;
    };
    let mut lines = text.lines().map(|line| line.split(',').map(str::trim).collect::<Vec<_>>());
    let head = lines.next().unwrap();
    let at = |name: &str| head.iter().position(|column| *column == name).unwrap();
    let places = FIELDS.map(|(name, ..)| at(name));
    let (schema, id) = (schema(), at("rec_id"));
    let (mut records, mut people) = (vec![], vec![]);
    for line in lines {
        records.push(schema.record(&places.map(|place| line[place])));
        people.push(line[id].split('-').nth(1).unwrap().to_owned());
    }
    Some(Set { records, people })
}

/// F1 of the pairs that were told, and the wrong and missing ones.
fn judge(people: &[String], same: &[Pair]) -> (f64, usize, usize) {
    let mut sizes: HashMap<&str, usize> = HashMap::new();
    for person in people {
        *sizes.entry(person).or_default() += 1;
    }
    let all: usize = sizes.values().map(|size| size * (size - 1) / 2).sum();
    let right = same.iter().filter(|p| people[p.a as usize] == people[p.b as usize]).count();
    let real = |count: usize| f64::from(u32::try_from(count).unwrap());
    let f1 = 2.0 * real(right) / (real(all) + real(same.len()));
    (f1, same.len() - right, all - right)
}

fn reaches(number: usize) {
    let Some(set) = set(number) else { return };
    let Linkage { model, same, compared } =
        link(&schema(), Records::one(&set.records), Shape::Groups);
    let (f1, wrong, missing) = judge(&set.people, &same);
    let share = model.share(Class::Same);
    println!("set {number}: F1 {f1:.4}, {wrong} wrong, {missing} missing, {compared}, {share:e}");
    assert!(f1 >= 0.99, "set {number}: F1 {f1:.4}, {wrong} wrong, {missing} missing");
}

#[test]
fn the_first_set_is_told_apart() {
    reaches(1);
}

#[test]
fn the_second_set_is_told_apart() {
    reaches(2);
}

#[test]
fn the_third_set_is_told_apart() {
    reaches(3);
}

#[test]
fn originals_and_copies_of_the_first_set_are_paired_as_two_lists() {
    let Some(set) = set(1) else { return };
    // The file mixes them: the first record of each person stands in the one list.
    let mut seen = std::collections::HashSet::new();
    let mut rows: Vec<(bool, &String, &Record)> = vec![];
    for (person, record) in set.people.iter().zip(&set.records) {
        rows.push((!seen.insert(person.clone()), person, record));
    }
    rows.sort_by_key(|(second, ..)| *second);
    let from = rows.iter().filter(|(second, ..)| !second).count();
    let people: Vec<String> = rows.iter().map(|(_, person, _)| (*person).clone()).collect();
    let records: Vec<Record> = rows.iter().map(|(.., record)| (*record).clone()).collect();
    let told = link(&schema(), Records::two(&records, from), Shape::OneToOne);
    let (f1, wrong, missing) = judge(&people, &told.same);
    assert!(f1 >= 0.99, "F1 {f1:.4}, {wrong} wrong, {missing} missing");
}
