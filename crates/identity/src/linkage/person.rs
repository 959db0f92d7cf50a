//! The fields by which people are told apart here.

use super::{Field, Kind, Record, Schema, Shared};

/// What is known of a person. Texts as written; empty ones are not known. It has no `Debug`: it
/// names somebody.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Described {
    /// The name, in any letters.
    pub name: String,
    /// `F`, `M`, or empty.
    pub sex: String,
    /// When born: `YYYY-MM-DD`, `YYYY-MM`, `YYYY`, after `~` if it was guessed.
    pub birth: String,
    /// The mother's name.
    pub mother: String,
    /// The village or town.
    pub ri: String,
    /// People's unit and house.
    pub house: String,
    /// A telephone number.
    pub phone: String,
}

/// The fields of [`Described`]. The chances are our own estimates for a county: they count where
/// few people are known, and give way to what is there (ADR 0015).
pub fn person_schema() -> Schema {
    let field = |name: &str, kind, alone, chance| Field {
        name: name.to_owned(),
        kind,
        crosses: None,
        alone,
        shared: Shared {
            household: matches!(name, "mother" | "ri" | "house" | "phone"),
            namesakes: matches!(name, "name" | "sex" | "birth" | "ri"),
        },
        chance: Some(chance),
    };
    Schema(vec![
        field("name", Kind::Name, true, 0.001),
        field("sex", Kind::Code, false, 0.5),
        field("birth", Kind::Date, true, 0.000_05),
        field("mother", Kind::Name, true, 0.001),
        field("ri", Kind::Name, false, 0.05),
        field("house", Kind::Code, false, 0.002),
        field("phone", Kind::Code, true, 0.000_1),
    ])
}

impl Described {
    /// As a record of [`person_schema`].
    pub fn record(&self, schema: &Schema) -> Record {
        schema.record(&[
            &self.name,
            &self.sex,
            &self.birth,
            &self.mother,
            &self.ri,
            &self.house,
            &self.phone,
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linkage::{Model, Records};

    fn person(name: &str, birth: &str, mother: &str) -> Described {
        let [name, birth, mother] = [name, birth, mother].map(str::to_owned);
        Described {
            name,
            birth,
            mother,
            sex: "F".into(),
            ri: "룡강리".into(),
            ..Described::default()
        }
    }

    /// Where almost nobody is known yet, beliefs carry the weights.
    #[test]
    fn in_an_empty_village_a_person_is_known_again_and_a_namesake_is_not() {
        let schema = person_schema();
        let known = person("리용희", "1961-03-02", "김복순").record(&schema);
        let all = [known.clone()];
        let model = Model::learn(&schema, Records::one(&all), &[]).against(1);
        let likely = |asked: Described| model.probability(&asked.record(&schema), &known);
        assert!(likely(person("리용희", "1961-03-02", "김복순")) > 0.999);
        assert!(likely(person("Lee Yong-hee", "1961-03-02", "김복순")) > 0.999);
        assert!(likely(person("이용희", "1961", "")) > 0.5);
        assert!(likely(person("리용희", "1988-11-19", "박영순")) < 0.2);
        assert!(likely(person("최철", "1961-11-19", "박영순")) < 0.01);
    }
}
