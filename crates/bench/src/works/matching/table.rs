//! A list of people: which column is what, and who is who.

use std::collections::HashSet;

use anyhow::{Context, Result, bail, ensure};
use ondol_identity::linkage::{Field, Kind, Schema, Shared};

use super::csv;

/// Columns that say who a record is; the first that is there counts.
const WHO: [&str; 5] = ["person", "person_id", "entity_id", "cluster", "rec_id"];

/// Columns that are sometimes mixed up.
const MIXED_UP: [(&str, &str); 3] =
    [("given_name", "surname"), ("first_name", "last_name"), ("address_1", "address_2")];

/// A value of these columns alone is no reason to compare two records.
const SURNAMES: [&str; 4] = ["surname", "last_name", "family_name", "family"];

/// A list.
pub struct Table {
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Table {
    pub fn read(text: &str) -> Result<Self> {
        let mut rows = csv::rows(text.trim_start_matches('\u{FEFF}'))?;
        ensure!(!rows.is_empty(), "the list is empty");
        let head: Vec<String> = rows.remove(0).iter().map(|name| name.to_lowercase()).collect();
        for (at, row) in rows.iter().enumerate() {
            let (found, wanted) = (row.len(), head.len());
            ensure!(found == wanted, "row {}: {found} fields instead of {wanted}", at + 1);
        }
        Ok(Self { head, rows })
    }

    /// Lists with the same columns, one below the other.
    pub fn together(tables: Vec<Self>) -> Result<Self> {
        let mut all: Option<Self> = None;
        for table in tables {
            match &mut all {
                None => all = Some(table),
                Some(all) if all.head == table.head => all.rows.extend(table.rows),
                Some(_) => bail!("the lists have other columns"),
            }
        }
        all.context("no list")
    }

    fn who(&self) -> Result<usize> {
        let at = |name: &&str| self.head.iter().position(|column| column == name);
        let found = WHO.iter().find_map(at);
        found.with_context(|| format!("no column says who is who: one of {}", WHO.join(", ")))
    }

    /// Who each record is. Febrl's `rec-12-org` and `rec-12-dup-0` are person 12.
    pub fn people(&self) -> Result<Vec<String>> {
        let who = self.who()?;
        let person = |text: &str| match text.strip_prefix("rec-") {
            Some(rest) => rest.split('-').next().unwrap_or(rest).to_owned(),
            None => text.to_owned(),
        };
        Ok(self.rows.iter().map(|row| person(&row[who])).collect())
    }

    /// The fields, and the column of each.
    pub fn schema(&self, without: &[String]) -> Result<(Schema, Vec<usize>)> {
        for name in without {
            ensure!(self.head.contains(&name.to_lowercase()), "there is no column '{name}'");
        }
        let who = self.who()?;
        let kept = |at: &usize| {
            let is_without = without.iter().any(|name| name.to_lowercase() == self.head[*at]);
            *at != who && !is_without && !self.is_row_number(*at)
        };
        let places: Vec<usize> = (0..self.head.len()).filter(kept).collect();
        let crosses = |at: usize| {
            let name = self.head[at].as_str();
            let other = MIXED_UP.iter().find_map(|(one, two)| match name {
                _ if name == *one => Some(*two),
                _ if name == *two => Some(*one),
                _ => None,
            })?;
            places.iter().position(|place| self.head[*place] == other)
        };
        let fields = places.iter().map(|at| {
            let (name, kind) = (self.head[*at].clone(), self.kind(*at));
            let alone = kind != Kind::Code && !SURNAMES.contains(&name.as_str());
            let crosses = crosses(*at);
            // A given name that is taken for a surname is one.
            let alone = alone && crosses.is_none_or(|_| name.starts_with("address"));
            Field { name, kind, crosses, alone, shared: Shared::default(), chance: None }
        });
        Ok((Schema::new(fields.collect())?, places))
    }

    /// A column that only tells records apart is nobody's attribute.
    fn is_row_number(&self, at: usize) -> bool {
        matches!(self.head[at].as_str(), "id" | "row" | "record")
    }

    fn kind(&self, at: usize) -> Kind {
        let name = &self.head[at];
        let values: Vec<&str> = self
            .rows
            .iter()
            .map(|row| row[at].as_str())
            .filter(|value| !value.is_empty())
            .collect();
        let most = |is: &dyn Fn(&str) -> bool| {
            values.iter().filter(|value| is(value)).count() * 10 > values.len() * 8
        };
        let different: HashSet<&str> = values.iter().copied().collect();
        if ["birth", "date", "dob"].iter().any(|word| name.contains(word)) {
            Kind::Date
        } else if most(&|value| value.chars().any(|c| c.is_ascii_digit()))
            || different.len() * 50 < values.len()
        {
            Kind::Code
        } else if most(&|value| value.chars().any(|c| ('가'..='힣').contains(&c))) {
            Kind::Name
        } else {
            Kind::Words
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_known_by_their_names_and_values() {
        let text = "rec_id, given_name, surname, postcode, date_of_birth, soc_sec_id\n\
             rec-1-org, ann, white, 4011, 19081209, 1\nrec-1-dup-0, ann, whte, 4011, 19081209, 2\n";
        let table = Table::read(text).unwrap();
        let (schema, places) = table.schema(&["soc_sec_id".into()]).unwrap();
        let kinds: Vec<Kind> = schema.fields().iter().map(|field| field.kind).collect();
        assert_eq!(kinds, [Kind::Words, Kind::Words, Kind::Code, Kind::Date]);
        assert_eq!(places, [1, 2, 3, 4]);
        assert_eq!(schema.fields()[0].crosses, Some(1));
        assert!(!schema.fields()[1].alone);
        assert_eq!(table.people().unwrap(), ["1", "1"]);
        assert!(table.schema(&["nothing".into()]).is_err());
    }

    #[test]
    fn a_row_that_is_cut_short_is_an_error() {
        assert!(Table::read("rec_id,name\n1\n").is_err());
    }
}
