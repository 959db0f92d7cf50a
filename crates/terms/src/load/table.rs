//! Tables of codes: ICD-11's linearization, `Loinc.csv`, and those with a column for the code
//! and one for the name.

use std::io::BufRead;

use super::{
    ConceptRead, LoadError, Sink, SinkError, SystemRead,
    layout::{Layout, Plain, above_by_form},
    records::Records,
};
use crate::library::{Concept, Content, Designation, Property, System, starter_system};

/// What whoever loads a table says about it.
#[derive(Debug, Clone, Copy, Default)]
pub struct TableAsked<'a> {
    /// The system that the codes are of, where the table does not tell.
    pub system: Option<&'a str>,
    /// Its version, where the table does not tell.
    pub version: Option<&'a str>,
    /// The language of the names.
    pub language: Option<&'a str>,
}

/// Reads a table whose first line names its columns.
pub fn table(
    reader: impl BufRead,
    asked: TableAsked<'_>,
    sink: &mut dyn Sink,
) -> Result<(), LoadError> {
    let (mut records, header) = Records::open(reader)?;
    let layout = Layout::of(&header)?;
    let system = asked.system.or_else(|| layout.system()).ok_or(LoadError::WhichSystem)?.to_owned();
    let keep = |line: usize| move |why: SinkError| LoadError::Keep { line, why };
    sink.begin().map_err(keep(1))?;
    let mut reading =
        Reading { header: &header, asked, system: &system, open: vec![], version: None };
    let mut number = 0;
    while let Some(row) = records.next_row()? {
        let line = records.began();
        if row.len() != header.len()
            && !row[header.len().min(row.len())..].iter().all(String::is_empty)
            || row.len() < header.len()
        {
            let (found, expected) = (row.len(), header.len());
            return Err(LoadError::Cells { line, found, expected });
        }
        let Some((concept, parent)) =
            reading.concept(&layout, &row).ok_or(LoadError::NoCode { line })?
        else {
            continue;
        };
        let parents = parent.into_iter().collect();
        let read = ConceptRead { concept, number, parents, children: vec![] };
        sink.concept(read).map_err(keep(line))?;
        number += 1;
    }
    if number == 0 {
        return Err(LoadError::Nothing);
    }
    let version = asked.version.map(str::to_owned).or(reading.version);
    let system = SystemRead {
        title: title_of(&system).to_owned(),
        url: system,
        version,
        content: Content::Complete,
        case_sensitive: true,
        properties: properties_of(&layout, &header),
    };
    sink.end(system).map_err(keep(records.began()))
}

fn title_of(system: &str) -> &str {
    match system {
        crate::ICD_10 => "ICD-10",
        super::layout::ICD_11 => "ICD-11 for mortality and morbidity statistics",
        crate::ATC => "ATC",
        crate::LOINC => "LOINC",
        other => other,
    }
}

fn properties_of(layout: &Layout, header: &[String]) -> Vec<String> {
    let own = match layout {
        Layout::Icd11 { .. } => &["kind", "notSelectable"][..],
        Layout::Loinc { .. } => &["inactive"],
        Layout::Plain(_) => &[],
    };
    own.iter().map(|name| (*name).to_owned()).chain(header.iter().cloned()).collect()
}

struct Reading<'r> {
    header: &'r [String],
    asked: TableAsked<'r>,
    system: &'r str,
    /// ICD-11: the codes above the next row, by depth.
    open: Vec<String>,
    version: Option<String>,
}

/// A concept with the code above it; nothing for a row that is none.
type Row = Option<(Concept, Option<String>)>;

impl Reading<'_> {
    /// None if the row lacks its code.
    fn concept(&mut self, layout: &Layout, row: &[String]) -> Option<Row> {
        let (mut concept, parent) = match layout {
            Layout::Icd11 { code, block, chapter, title, kind } => {
                self.icd_11(row, (*code, *block, *chapter), (*title, *kind))?
            }
            Layout::Loinc { code, name, short, status } => {
                let mut concept = self.named(row.get(*code)?, row.get(*name)?)?;
                if let Some(short) =
                    short.and_then(|at| row.get(at)).filter(|text| !text.is_empty())
                {
                    concept.designations.push(Designation::named("en", short));
                }
                if status.and_then(|at| row.get(at)).is_some_and(|status| status == "DEPRECATED") {
                    concept.properties.push(Property::flag("inactive", true));
                }
                self.properties(row, &[*code, *name], &mut concept);
                (concept, None)
            }
            Layout::Plain(plain) => self.plain(row, plain)?,
        };
        self.add_starter_names(&mut concept);
        Some(Some((concept, parent)))
    }

    fn named(&self, code: &str, name: &str) -> Option<Concept> {
        if code.is_empty() {
            return None;
        }
        let language = self.asked.language.filter(|_| !name.is_empty());
        Some(Concept {
            code: code.to_owned(),
            display: Some(name.to_owned()).filter(|name| !name.is_empty()),
            designations: language.map(|tag| Designation::named(tag, name)).into_iter().collect(),
            ..Concept::default()
        })
    }

    fn plain(&self, row: &[String], plain: &Plain) -> Option<(Concept, Option<String>)> {
        let cell =
            |at: Option<usize>| at.and_then(|at| row.get(at)).filter(|text| !text.is_empty());
        let mut concept = self.named(row.get(plain.code)?, row.get(plain.title)?)?;
        if let Some(korean) = cell(plain.korean) {
            concept.designations.push(Designation::named("ko", korean));
        }
        concept.definition = cell(plain.definition).cloned();
        let known =
            [Some(plain.code), Some(plain.title), plain.korean, plain.parent, plain.definition];
        let known: Vec<usize> = known.into_iter().flatten().collect();
        self.properties(row, &known, &mut concept);
        let parent = cell(plain.parent).cloned();
        let parent =
            parent.or_else(|| above_by_form(self.system, &concept.code).map(str::to_owned));
        Some((concept, parent))
    }

    /// All other cells as properties by the names of their columns.
    fn properties(&self, row: &[String], known: &[usize], concept: &mut Concept) {
        let cells = row.iter().zip(self.header).enumerate();
        let cells = cells.filter(|(at, (cell, name))| {
            !known.contains(at) && !cell.is_empty() && !name.is_empty()
        });
        concept.properties.extend(cells.map(|(_, (cell, name))| Property::text(name, cell)));
    }

    /// A row of ICD-11: a category by its code, a block or a chapter by its number. The dashes
    /// before the title say how deep it stands.
    fn icd_11(
        &mut self,
        row: &[String],
        (code, block, chapter): (usize, Option<usize>, Option<usize>),
        (title, kind): (usize, usize),
    ) -> Option<(Concept, Option<String>)> {
        let cell = |at: Option<usize>| at.and_then(|at| row.get(at)).map_or("", String::as_str);
        let (kind, uri) = (cell(Some(kind)), self.column(row, "Linearization URI"));
        if self.version.is_none() {
            self.version = release_of(uri).map(str::to_owned);
        }
        let mut name = cell(Some(title));
        let mut depth = 0;
        while let Some(rest) = name.strip_prefix('-') {
            name = rest.trim_start();
            depth += 1;
        }
        let own =
            [cell(Some(code)), cell(block), if kind == "chapter" { cell(chapter) } else { "" }];
        // A group that has neither code nor number is told by the end of its address.
        let last = uri.rsplit('/').next().unwrap_or("");
        let code = own.into_iter().chain([last]).find(|text| !text.is_empty())?;
        let mut concept = self.named(code, name)?;
        concept.properties.push(Property::code("kind", kind));
        if matches!(kind, "chapter" | "block") || own[0].is_empty() {
            concept.properties.push(Property::flag("notSelectable", true));
        }
        for (column, property) in
            [("Foundation URI", "foundation"), ("Linearization URI", "linearization")]
        {
            let value = self.column(row, column);
            if !value.is_empty() {
                concept.properties.push(Property::text(property, value));
            }
        }
        self.open.truncate(depth);
        let parent = self.open.last().cloned();
        // A row that stands deeper than the one before it allows is one of what is open.
        self.open.push(concept.code.clone());
        Some((concept, parent))
    }

    fn column<'r>(&self, row: &'r [String], name: &str) -> &'r str {
        let at = self.header.iter().position(|known| known.eq_ignore_ascii_case(name));
        at.and_then(|at| row.get(at)).map_or("", String::as_str)
    }

    /// What the starter list calls it too, in Korean before all.
    fn add_starter_names(&self, concept: &mut Concept) {
        let starter = starter_system(self.system).map(|system| system.concept(&concept.code));
        let Some(Ok(Some(known))) = starter else { return };
        let others = known.designations.into_iter();
        let own = others.filter(|one| one.language.as_deref() == Some(crate::library::KOREAN));
        concept.designations.extend(own);
    }
}

/// `2024-01` of `http://id.who.int/icd/release/11/2024-01/mms/257068234`.
fn release_of(uri: &str) -> Option<&str> {
    let release = uri.split("/release/11/").nth(1)?.split('/').next()?;
    release.starts_with("20").then_some(release)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::tests::Kept;
    use proptest::prelude::*;

    fn read(text: &str, asked: TableAsked<'_>) -> Result<Kept, LoadError> {
        let mut kept = Kept::default();
        table(text.as_bytes(), asked, &mut kept).map(|()| kept)
    }

    /// Rows as WHO's linearization has them, with names of our own.
    const ICD_11: &str = "Foundation URI\tLinearization URI\tCode\tBlockId\tTitle\tClassKind\tDepthInKind\tIsResidual\tChapterNo\n\
        \thttp://id.who.int/icd/release/11/2024-01/mms/1\t\t\t\"Infections\"\tchapter\t1\tFalse\t01\n\
        \thttp://id.who.int/icd/release/11/2024-01/mms/2\t\tBlockL1-1A0\t\"- Gut\"\tblock\t1\tFalse\t01\n\
        http://id.who.int/icd/entity/3\thttp://id.who.int/icd/release/11/2024-01/mms/3\t1A00\t\t\"- - Cholera\"\tcategory\t1\tFalse\t01\n\
        \thttp://id.who.int/icd/release/11/2024-01/mms/4\t1A01\t\t\"- - Other vibrio\"\tcategory\t1\tFalse\t01\n\
        \thttp://id.who.int/icd/release/11/2024-01/mms/5\t\t\t\"Traditional medicine\"\tchapter\t1\tFalse\t26\n\
        \thttp://id.who.int/icd/release/11/2024-01/mms/6\t\tBlockL1-SA0\t\"- Organ system disorders (TM1)\"\tblock\t1\tFalse\t26\n\
        \thttp://id.who.int/icd/release/11/2024-01/mms/7\tSA00\t\t\"- - Hypochondrium pain\"\tcategory\t1\tFalse\t26\n";

    #[test]
    fn the_linearization_of_icd_11_keeps_its_tree_with_the_chapter_of_traditional_medicine() {
        let kept = read(ICD_11, TableAsked::default()).unwrap();
        assert_eq!(
            kept.tree(0),
            [
                "01<",
                "BlockL1-1A0<01",
                "1A00<BlockL1-1A0",
                "1A01<BlockL1-1A0",
                "26<",
                "BlockL1-SA0<26",
                "SA00<BlockL1-SA0"
            ]
        );
        let (system, concepts) = &kept.systems[0];
        assert_eq!(system.version.as_deref(), Some("2024-01"));
        let abstracts: Vec<bool> = concepts.iter().map(|read| read.concept.is_abstract()).collect();
        assert_eq!(abstracts, [true, true, false, false, true, true, false]);
        assert_eq!(concepts[2].concept.display.as_deref(), Some("Cholera"));
    }

    #[test]
    fn loinc_and_plain_tables_keep_names_and_properties() {
        let loinc = "\"LOINC_NUM\",\"COMPONENT\",\"CLASS\",\"STATUS\",\"SHORTNAME\",\"LONG_COMMON_NAME\"\n\
            \"8310-5\",\"Body temperature\",\"BDYTMP.ATOM\",\"ACTIVE\",\"Body temp\",\"Body temperature\"\n\
            \"1-8\",\"Acyclovir\",\"ABXBACT\",\"DEPRECATED\",\"\",\"Acyclovir [Susceptibility]\"\n";
        let kept =
            read(loinc, TableAsked { version: Some("2.77"), ..TableAsked::default() }).unwrap();
        let (system, concepts) = &kept.systems[0];
        assert_eq!((system.url.as_str(), system.version.as_deref()), (crate::LOINC, Some("2.77")));
        let temperature = &concepts[0].concept;
        assert_eq!(temperature.property("CLASS").next().unwrap().value, "BDYTMP.ATOM");
        assert_eq!(temperature.called(Some("ko")), Some("체온"));
        assert!(concepts[1].concept.is_inactive());
        let plain = "icd10,title,ko\nA00,Cholera,콜레라\nA00.9,Cholera unspecified,\n";
        let kept =
            read(plain, TableAsked { language: Some("en"), ..TableAsked::default() }).unwrap();
        assert_eq!(kept.tree(0), ["A00<", "A00.9<A00"]);
        assert_eq!(kept.systems[0].1[0].concept.called(Some("ko")), Some("콜레라"));
        assert_eq!(kept.systems[0].1[1].concept.called(Some("en")), Some("Cholera unspecified"));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_what_to_do() {
        let twice = "atc_code,atc_name\nA01,x\nA01,y\n";
        for (text, says) in [
            (twice, "line 3: the code A01 stands there twice"),
            ("code,name\n1,2\n", "say it with --system"),
            ("atc,name\n", "no code and no value set"),
            ("atc,name\nA,b,c\n", "line 2 has 3 cells, and the header has 2"),
            ("atc,name,x\nA,b\n", "line 2 has 2 cells, and the header has 3"),
            ("atc,name\n,b\n", "line 2: a concept"),
            ("x,y\n1,2\n", "the first line has to name the columns"),
        ] {
            let why = read(text, TableAsked::default()).err().unwrap().to_string();
            assert!(why.contains(says), "{why} / {says}");
        }
    }

    proptest! {
        #[test]
        fn no_table_panics(text in "(code|title|ClassKind|atc|name|[,;\t\"\n가-]|[a-c]){0,40}") {
            let asked = TableAsked { system: Some("urn:x"), ..TableAsked::default() };
            let _ = read(&text, asked);
            let _ = read(&format!("code\ttitle\tclasskind\n{text}"), asked);
        }
    }
}
