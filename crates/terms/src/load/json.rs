//! FHIR resources and bundles, read as they come: the concepts of a code system one by one,
//! value sets and concept maps whole, all else passed over.

use std::{
    fmt,
    io::{BufReader, Read},
    rc::Rc,
};

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::{
    ConceptRead, LoadError, Sink, SinkError, SystemRead,
    guard::{Guard, Limit, Watch},
};
use crate::library::{Concept, Content, Property};

/// Reads one resource, or a Bundle of them.
pub fn json(reader: impl Read, sink: &mut dyn Sink) -> Result<(), LoadError> {
    let watch = Rc::new(Watch::default());
    let guarded = BufReader::new(Guard::new(reader, watch.clone()));
    let mut parser = serde_json::Deserializer::from_reader(guarded);
    let mut reading = Reading {
        sink,
        watch: watch.clone(),
        failure: None,
        begun: false,
        number: 0,
        is_any: false,
    };
    let read = ResourceSeed(&mut reading).deserialize(&mut parser);
    let read = read.and_then(|()| parser.end());
    if let Some(failure) = reading.failure {
        return Err(failure);
    }
    let is_any = reading.is_any;
    if let Err(why) = read {
        let line = watch.line.get();
        return Err(match watch.broken.get() {
            Some(Limit::Text) => LoadError::LongText { line },
            Some(Limit::Resource) => LoadError::LargeResource { line },
            None if why.is_io() => LoadError::Read(why.into()),
            None => LoadError::Json { line: why.line(), column: why.column() },
        });
    }
    if is_any { Ok(()) } else { Err(LoadError::NoResource) }
}

struct Reading<'s> {
    sink: &'s mut dyn Sink,
    watch: Rc<Watch>,
    failure: Option<LoadError>,
    /// Concepts of the present resource were handed on.
    begun: bool,
    number: u64,
    /// There was a resource.
    is_any: bool,
}

impl Reading<'_> {
    fn line(&self) -> usize {
        self.watch.line.get()
    }

    fn fail<E: serde::de::Error>(&mut self, why: LoadError) -> E {
        self.failure.get_or_insert(why);
        E::custom("stopped")
    }

    fn kept<E: serde::de::Error>(&mut self, kept: Result<(), SinkError>) -> Result<(), E> {
        let line = self.line();
        kept.map_err(|why| self.fail(LoadError::Keep { line, why }))
    }

    fn begin<E: serde::de::Error>(&mut self) -> Result<(), E> {
        if !self.begun {
            (self.begun, self.number) = (true, 0);
            let kept = self.sink.begin();
            self.kept(kept)?;
        }
        Ok(())
    }

    /// Hands a concept on, whose children were or will be handed on by themselves.
    fn concept<E: serde::de::Error>(
        &mut self,
        body: &Map<String, Value>,
        number: u64,
        parent: Option<&str>,
    ) -> Result<(), E> {
        let line = self.line();
        let concept = Concept::from_fhir(body);
        let concept = concept.ok_or_else(|| self.fail(LoadError::NoCode { line }))?;
        let named = |name: &str| concept.property(name).map(Property::compared).collect::<Vec<_>>();
        let mut parents = named("parent");
        if let Some(parent) = parent.filter(|parent| !parents.iter().any(|known| known == parent)) {
            parents.insert(0, parent.to_owned());
        }
        let children = named("child");
        let kept = self.sink.concept(ConceptRead { concept, number, parents, children });
        self.watch.let_go();
        self.kept(kept)
    }

    /// Hands concepts on that were held, with all that are nested in them.
    fn held<E: serde::de::Error>(
        &mut self,
        concepts: &[Value],
        parent: Option<&str>,
    ) -> Result<(), E> {
        for body in concepts.iter().filter_map(Value::as_object) {
            let number = self.number;
            self.number += 1;
            self.concept(body, number, parent)?;
            if let Some(nested) = body.get("concept").and_then(Value::as_array) {
                self.held(nested, body.get("code").and_then(Value::as_str))?;
            }
        }
        Ok(())
    }

    fn finish<E: serde::de::Error>(
        &mut self,
        kind: &str,
        body: Map<String, Value>,
    ) -> Result<(), E> {
        let is_set = matches!(kind, "ValueSet" | "ConceptMap");
        if kind != "CodeSystem" && !is_set {
            return Ok(());
        }
        let line = self.line();
        let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
        let Some(url) = text("url").filter(|url| !url.is_empty()) else {
            return Err(self.fail(LoadError::NoUrl { line }));
        };
        if is_set {
            let mut resource = Map::from_iter([("resourceType".to_owned(), kind.into())]);
            resource.extend(body);
            let kept = self.sink.resource(resource.into());
            return self.kept(kept);
        }
        if !self.begun {
            // A system without concepts says only that it exists, unless that is all of it.
            if text("content").as_deref() != Some("complete") {
                return Ok(());
            }
            self.begin()?;
        }
        let declared =
            ["property", "filter"].into_iter().filter_map(|key| body.get(key)?.as_array());
        let properties = declared.flatten().filter_map(|one| one["code"].as_str());
        let system = SystemRead {
            title: text("title").or_else(|| text("name")).unwrap_or_else(|| url.clone()),
            version: text("version"),
            content: match text("content").as_deref() {
                Some("complete") => Content::Complete,
                _ => Content::Part,
            },
            case_sensitive: body.get("caseSensitive") != Some(&Value::Bool(false)),
            properties: properties.map(str::to_owned).collect(),
            url,
        };
        let kept = self.sink.end(system);
        self.kept(kept)
    }
}

/// A resource.
struct ResourceSeed<'r, 's>(&'r mut Reading<'s>);

impl<'de> DeserializeSeed<'de> for ResourceSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ResourceSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a FHIR resource")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let reading = self.0;
        let mut kind: Option<String> = None;
        let mut body = Map::new();
        reading.begun = false;
        reading.watch.let_go();
        reading.watch.holds.set(true);
        while let Some(key) = map.next_key::<String>()? {
            let of = kind.as_deref();
            let is_wanted =
                of.is_none_or(|of| matches!(of, "CodeSystem" | "ValueSet" | "ConceptMap"));
            match key.as_str() {
                "resourceType" => {
                    let name: String = map.next_value()?;
                    reading.is_any = true;
                    kind = Some(name);
                }
                "entry" if of.is_none_or(|of| of == "Bundle") => {
                    map.next_value_seed(EntriesSeed(reading))?;
                    kind.get_or_insert_with(|| "Bundle".to_owned());
                }
                "concept" if of.is_none_or(|of| of == "CodeSystem") => {
                    reading.begin()?;
                    map.next_value_seed(ConceptsSeed { reading, parent: None })?;
                }
                _ if is_wanted => {
                    body.insert(key, map.next_value()?);
                }
                _ => {
                    reading.watch.holds.set(false);
                    map.next_value::<IgnoredAny>()?;
                    reading.watch.holds.set(true);
                }
            }
        }
        match kind {
            Some(kind) => reading.finish(&kind, body),
            None => Err(reading.fail(LoadError::NoResource)),
        }
    }
}

/// The entries of a Bundle.
struct EntriesSeed<'r, 's>(&'r mut Reading<'s>);

impl<'de> DeserializeSeed<'de> for EntriesSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for EntriesSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<(), A::Error> {
        while all.next_element_seed(EntrySeed(self.0))?.is_some() {}
        Ok(())
    }
}

/// One entry of a Bundle.
struct EntrySeed<'r, 's>(&'r mut Reading<'s>);

impl<'de> DeserializeSeed<'de> for EntrySeed<'_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for EntrySeed<'_, '_> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("an entry")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if key == "resource" {
                map.next_value_seed(ResourceSeed(self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// Concepts below one, or of the system.
struct ConceptsSeed<'r, 's, 'p> {
    reading: &'r mut Reading<'s>,
    parent: Option<&'p str>,
}

impl<'de> DeserializeSeed<'de> for ConceptsSeed<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ConceptsSeed<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("concepts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<(), A::Error> {
        let Self { reading, parent } = self;
        while all.next_element_seed(ConceptSeed { reading, parent })?.is_some() {}
        Ok(())
    }
}

/// One concept.
struct ConceptSeed<'r, 's, 'p> {
    reading: &'r mut Reading<'s>,
    parent: Option<&'p str>,
}

impl<'de> DeserializeSeed<'de> for ConceptSeed<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ConceptSeed<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a concept")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { reading, parent } = self;
        let number = reading.number;
        reading.number += 1;
        let mut body = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            let code = body.get("code").and_then(Value::as_str).map(str::to_owned);
            match (key.as_str(), code) {
                ("concept", Some(code)) => {
                    map.next_value_seed(ConceptsSeed { reading, parent: Some(&code) })?;
                }
                // Its own code comes later: what is below it has to wait.
                _ => {
                    body.insert(key, map.next_value()?);
                }
            }
        }
        reading.concept(&body, number, parent)?;
        if let Some(nested) = body.get("concept").and_then(Value::as_array) {
            let code = body.get("code").and_then(Value::as_str);
            reading.held(nested, code)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::tests::Kept;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Kept, LoadError> {
        let mut kept = Kept::default();
        json(text.as_bytes(), &mut kept).map(|()| kept)
    }

    const SYSTEM: &str = r#"{"resourceType":"CodeSystem","url":"urn:x","version":"1","content":"complete",
        "property":[{"code":"colour"}],"concept":[
        {"code":"a","display":"A","concept":[{"code":"b","concept":[{"code":"c"}]},{"code":"d"}]},
        {"concept":[{"code":"f","display":"F"}],"code":"e"},
        {"code":"g","property":[{"code":"parent","valueCode":"a"},{"code":"child","valueCode":"e"}]}]}"#;

    #[test]
    fn concepts_come_with_what_they_stand_below_in_whatever_order_keys_are_written() {
        let kept = read(SYSTEM).unwrap();
        assert_eq!(kept.tree(0), ["a<", "b<a", "c<b", "d<a", "e<", "f<e", "g<a"]);
        let (system, concepts) = &kept.systems[0];
        assert_eq!((system.url.as_str(), system.version.as_deref()), ("urn:x", Some("1")));
        assert_eq!(
            (system.content, &*system.properties),
            (Content::Complete, &["colour".to_owned()][..])
        );
        assert_eq!(concepts[6].children, ["e"]);
        // The type may stand at the end.
        let turned = r#"{"concept":[{"code":"a"}],"url":"urn:x","resourceType":"CodeSystem"}"#;
        assert_eq!(read(turned).unwrap().tree(0), ["a<"]);
    }

    #[test]
    fn bundles_are_read_entry_by_entry_and_other_types_passed_over() {
        let kept = read(&format!(
            r#"{{"resourceType":"Bundle","entry":[{{"fullUrl":"x","resource":{SYSTEM}}},
            {{"resource":{{"resourceType":"Patient","concept":[1],"entry":2,"name":[{{"family":"x"}}]}}}},
            {{"resource":{{"resourceType":"ValueSet","url":"urn:v","compose":{{}}}}}}]}}"#
        ))
        .unwrap();
        assert_eq!((kept.systems.len(), kept.resources.len()), (1, 1));
        assert_eq!(kept.resources[0]["url"], "urn:v");
        assert_eq!(kept.resources[0]["resourceType"], "ValueSet");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let cut = &SYSTEM[..SYSTEM.len() - 40];
        let long = format!(r#"{{"resourceType":"ValueSet","url":"{}"}}"#, "x".repeat(1 << 21));
        let large = format!(
            r#"{{"resourceType":"ValueSet","url":"urn:v","x":[{}0]}}"#,
            format!(r#""{}","#, "x".repeat(1 << 19)).repeat(40)
        );
        let deep = format!(r#"{{"resourceType":"ValueSet","x":{}"#, "[".repeat(5_000));
        for (text, says) in [
            (cut, "line 5, character 62"),
            ("", "line 1, character 0: this is not valid JSON"),
            ("[]", "this is not valid JSON"),
            ("{}", "no FHIR resource"),
            (r#"{"resourceType":"CodeSystem","concept":[{"code":"a"}]}"#, "has no url"),
            (
                "{\"resourceType\":\"CodeSystem\",\n\"concept\":[{\"display\":\"a\"}]}",
                "line 2: a concept",
            ),
            (
                r#"{"resourceType":"CodeSystem","concept":[{"code":"a"},{"code":"a"}]}"#,
                "the code a stands there twice",
            ),
            (&long, "longer than a million bytes"),
            (&large, "larger than 16 MB"),
            (&deep, "this is not valid JSON"),
        ] {
            let why = read(text).err().unwrap().to_string();
            assert!(why.contains(says), "{why} / {says}");
        }
    }

    proptest! {
        #[test]
        fn a_file_that_is_cut_anywhere_is_refused(cut in 0..SYSTEM.len()) {
            prop_assert!(read(&SYSTEM[..cut]).is_err());
        }

        #[test]
        fn no_text_panics(text in "[\\[\\]{}\":,a-z0-9 ]{0,60}") {
            let _ = read(&format!(r#"{{"resourceType":"CodeSystem","concept":{text}"#));
        }
    }
}
