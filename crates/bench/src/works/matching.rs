//! Records that are of one person, told from the records alone.

mod csv;
mod judge;
mod table;

#[path = "../../../identity/tests/made_up/mod.rs"]
pub(super) mod made_up;

use std::path::Path;

use anyhow::{Result, bail};
use ondol_identity::linkage::{Linkage, Record, Records, Schema, Shape, link, person_schema};
use ondol_testkit::patience::Stopwatch;

use self::{judge::Judged, table::Table};
use crate::{
    figure::{Aim, Figure},
    inputs,
};

/// Which records are linked.
pub struct Lists<'a> {
    /// One list, in which people may stand several times.
    pub input: Option<&'a Path>,
    /// Two lists, in each of which everybody stands once.
    pub left: Option<&'a Path>,
    /// The other one.
    pub right: Option<&'a Path>,
    /// Columns that are not looked at.
    pub without: &'a [String],
}

/// A set of records with who is who.
struct Set {
    name: String,
    schema: Schema,
    records: Vec<Record>,
    people: Vec<String>,
    second_from: Option<usize>,
}

/// Takes the figures of the named lists; without any, of Febrl's three sets without the
/// social-security number and of Korean people made up by the seed.
pub fn figures(lists: &Lists<'_>, seed: u64) -> Result<Vec<Figure>> {
    let sets = match (lists.input, lists.left, lists.right) {
        (Some(input), None, None) => vec![Set::of(&[input], lists.without)?],
        (None, Some(left), Some(right)) => vec![Set::of(&[left, right], lists.without)?],
        (None, None, None) => return defaults(seed),
        _ => bail!("either --input, or --left and --right"),
    };
    Ok(sets.iter().flat_map(|set| set.take("")).collect())
}

fn defaults(seed: u64) -> Result<Vec<Figure>> {
    let mut figures = vec![];
    for number in 1..=3 {
        let path = inputs::data_dir().join(format!("linkage/dataset{number}.csv"));
        if !path.exists() {
            let why = "Febrl's sets are not in the test data";
            figures.push(Figure::missing(format!("f1_febrl_{number}"), why));
            continue;
        }
        let set = Set::of(&[&path], &["soc_sec_id".to_owned()])?;
        figures.extend(set.take(&format!("_febrl_{number}")));
    }
    figures.extend(Set::made_up(seed).take("_korean"));
    Ok(figures)
}

impl Set {
    fn of(paths: &[&Path], without: &[String]) -> Result<Self> {
        let mut tables = vec![];
        for path in paths {
            tables.push(Table::read(&inputs::read(path)?)?);
        }
        let second_from = tables.get(1).map(|_| tables[0].rows.len());
        let table = Table::together(tables)?;
        let (schema, places) = table.schema(without)?;
        let cells = |row: &Vec<String>| places.iter().map(|at| row[*at].clone()).collect();
        let rows: Vec<Vec<String>> = table.rows.iter().map(cells).collect();
        let records = rows.iter().map(|row| schema.record(row)).collect();
        let names: Vec<_> = paths.iter().filter_map(|path| path.file_name()).collect();
        let name = names.iter().map(|name| name.to_string_lossy()).collect::<Vec<_>>().join(", ");
        Ok(Self { name, schema, records, people: table.people()?, second_from })
    }

    fn made_up(seed: u64) -> Self {
        let people = made_up::people(seed);
        let schema = person_schema();
        Self {
            name: "people made up by the seed (ADR 0015)".into(),
            records: people.iter().map(|one| one.of.record(&schema)).collect(),
            people: people.iter().map(|one| one.person.to_string()).collect(),
            schema,
            second_from: None,
        }
    }

    /// The time is that of linking: the lists are read before.
    fn take(&self, of: &str) -> Vec<Figure> {
        let shape = self.second_from.map_or(Shape::Groups, |_| Shape::OneToOne);
        let records = Records { all: &self.records, second_from: self.second_from };
        let watch = Stopwatch::start();
        let Linkage { same, compared, .. } = link(&self.schema, records, shape);
        let seconds = watch.elapsed().as_secs_f64();
        let judged = Judged::of(&self.people, self.second_from, &same);
        let how = format!(
            "{}: {} records, {compared} pairs compared, {} wrong, {} missing",
            self.name,
            self.records.len(),
            judged.wrong,
            judged.missing
        );
        vec![
            Figure::new(format!("f1{of}"), judged.f1(), "").aim(Aim::AtLeast(0.99)).how(how),
            Figure::new(format!("precision{of}"), judged.precision(), ""),
            Figure::new(format!("recall{of}"), judged.recall(), ""),
            Figure::new(format!("seconds{of}"), seconds, "s").aim(Aim::AtMost(2.0)),
        ]
    }
}
