//! A code system that fits into memory.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::{Concept, Content, Head, LibraryError, System, Visit, Words};

/// A code system as a list, with what stands below what.
#[derive(Debug, Clone)]
pub struct Listed {
    head: Head,
    concepts: Vec<Concept>,
    by_code: HashMap<String, usize>,
    parents: HashMap<String, Vec<String>>,
    children: HashMap<String, Vec<String>>,
    /// Properties that the system says its concepts may have.
    declared: HashSet<String>,
}

impl Listed {
    /// An empty one.
    pub fn new(head: Head) -> Self {
        Self {
            head,
            concepts: vec![],
            by_code: HashMap::new(),
            parents: HashMap::new(),
            children: HashMap::new(),
            declared: HashSet::new(),
        }
    }

    /// Adds a concept below another one. Of two with one code the first stays; the second can
    /// only stand below one more.
    pub fn add(&mut self, concept: Concept, parent: Option<&str>) {
        let key = self.key(&concept.code);
        let parents = concept.property("parent").map(super::Property::compared);
        let parents: Vec<String> = parent.map(str::to_owned).into_iter().chain(parents).collect();
        for child in concept.property("child").map(super::Property::compared) {
            self.link(&concept.code, &child);
        }
        for parent in parents {
            self.link(&parent, &concept.code);
        }
        if let std::collections::hash_map::Entry::Vacant(place) = self.by_code.entry(key) {
            place.insert(self.concepts.len());
            self.concepts.push(concept);
        }
    }

    fn link(&mut self, parent: &str, child: &str) {
        let (above, below) = (self.key(parent), self.key(child));
        let parents = self.parents.entry(below).or_default();
        if !parents.iter().any(|known| known == parent) {
            parents.push(parent.to_owned());
            self.children.entry(above).or_default().push(child.to_owned());
        }
    }

    /// Reads a FHIR `CodeSystem`; none without a URL, or where it only says that it exists.
    pub fn from_fhir(body: &Value) -> Option<Self> {
        let text = |key: &str| body[key].as_str().map(str::to_owned);
        let url = text("url")?;
        let head = Head {
            title: text("title").or_else(|| text("name")).unwrap_or_else(|| url.clone()),
            url,
            version: text("version"),
            content: match body["content"].as_str() {
                Some("complete") => Content::Complete,
                _ => Content::Part,
            },
            case_sensitive: body["caseSensitive"] != false,
        };
        let mut listed = Self::new(head);
        for (key, with) in [("property", "code"), ("filter", "code")] {
            let declared = body[key].as_array().into_iter().flatten();
            listed
                .declared
                .extend(declared.filter_map(|one| one[with].as_str()).map(str::to_owned));
        }
        listed.add_all(body["concept"].as_array().map_or(&[], Vec::as_slice));
        let says_more = listed.head.content == Content::Complete || !listed.concepts.is_empty();
        says_more.then_some(listed)
    }

    /// Adds concepts with all that are nested in them, however deep.
    fn add_all(&mut self, concepts: &[Value]) {
        let mut open: Vec<(&Value, Option<&str>)> =
            concepts.iter().rev().map(|concept| (concept, None)).collect();
        while let Some((body, parent)) = open.pop() {
            let Some(concept) = body.as_object().and_then(Concept::from_fhir) else { continue };
            let code = body["code"].as_str();
            let nested = body["concept"].as_array().map_or(&[][..], Vec::as_slice);
            open.extend(nested.iter().rev().map(|concept| (concept, code)));
            self.add(concept, parent);
        }
    }

    fn key(&self, code: &str) -> String {
        if self.head.case_sensitive { code.to_owned() } else { code.to_lowercase() }
    }
}

impl System for Listed {
    fn head(&self) -> &Head {
        &self.head
    }

    fn concept(&self, code: &str) -> Result<Option<Concept>, LibraryError> {
        let at = self.by_code.get(&self.key(code));
        Ok(at.map(|at| self.concepts[*at].clone()))
    }

    fn parents(&self, code: &str) -> Result<Vec<String>, LibraryError> {
        Ok(self.parents.get(&self.key(code)).cloned().unwrap_or_default())
    }

    fn children(&self, code: &str) -> Result<Vec<String>, LibraryError> {
        Ok(self.children.get(&self.key(code)).cloned().unwrap_or_default())
    }

    fn knows_property(&self, property: &str) -> Result<bool, LibraryError> {
        let has = |concept: &Concept| concept.property(property).next().is_some();
        Ok(self.declared.contains(property) || self.concepts.iter().any(has))
    }

    fn each(
        &self,
        codes: Option<&HashSet<String>>,
        words: &Words,
        visit: &mut dyn FnMut(Concept) -> Visit,
    ) -> Result<(), LibraryError> {
        for concept in &self.concepts {
            let wanted = codes.is_none_or(|codes| codes.contains(&concept.code));
            let fits = wanted && words.fit(&concept.code, concept.names());
            if fits && visit(concept.clone()) == Visit::Enough {
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn parents_are_those_around_and_those_named() {
        let listed =
            Listed::from_fhir(&json!({ "url": "urn:x", "content": "complete", "concept": [
                { "code": "a", "concept": [{ "code": "b" }] },
                { "code": "c", "property": [{ "code": "parent", "valueCode": "b" }] },
                { "code": "d", "property": [{ "code": "child", "valueCode": "a" }] }
            ]}))
            .unwrap();
        assert_eq!(listed.parents("b"), Ok(vec!["a".to_owned()]));
        assert_eq!(listed.parents("c"), Ok(vec!["b".to_owned()]));
        assert_eq!(listed.parents("a"), Ok(vec!["d".to_owned()]));
        assert_eq!(listed.children("b"), Ok(vec!["c".to_owned()]));
    }

    #[test]
    fn capitals_count_unless_the_system_says_that_they_do_not() {
        let of = |sensitive: bool| {
            let body = json!({ "url": "urn:x", "caseSensitive": sensitive,
                "concept": [{ "code": "Ab" }, { "code": "aB" }] });
            Listed::from_fhir(&body).unwrap()
        };
        assert_eq!(of(true).concept("ab"), Ok(None));
        assert_eq!(of(false).concept("ab").unwrap().unwrap().code, "Ab");
        assert_eq!(of(true).concepts.len(), 2);
        assert_eq!(of(false).concepts.len(), 1);
    }
}
