//! What a workbook says of itself: its sheets, its date system, its formats and shared texts.

use std::collections::HashMap;

use super::{
    SheetError,
    archive::Archive,
    format::{Shown, built_in, custom},
    xml::{Broken, Next, Tag, Xml, collect},
};

/// More formats or sheets than any workbook has.
const ITEMS_MAX: usize = 65_536;

/// A workbook that is open.
pub(super) struct Workbook<'b> {
    pub(super) archive: Archive<'b>,
    /// Name and part of each sheet that has cells; those that are seen come first.
    pub(super) sheets: Vec<(String, String)>,
    pub(super) since_1904: bool,
    /// What the numbers of each style are shown as.
    pub(super) styles: Vec<Shown>,
    pub(super) texts: Texts,
}

impl<'b> Workbook<'b> {
    pub(super) fn open(bytes: &'b [u8]) -> Result<Self, SheetError> {
        let archive = Archive::open(bytes)?;
        let links = links(&archive, "")?;
        let main = links.iter().find(|link| link.is("officeDocument"));
        let main = main.map_or("xl/workbook.xml", |link| link.to.as_str()).to_owned();
        if !archive.has(&main) || !main.to_ascii_lowercase().ends_with(".xml") {
            return Err(SheetError::NotXlsx);
        }
        let links = self::links(&archive, &main)?;
        let (sheets, since_1904) =
            each(&archive, &main, "its list of sheets", |xml| listed(xml, &links))?;
        let of = |kind: &str| {
            let link = links.iter().find(|link| link.is(kind))?;
            archive.has(&link.to).then_some(link.to.as_str())
        };
        let styles = of("styles").map(|part| each(&archive, part, "its formats", styles));
        let texts = of("sharedStrings").map(|part| each(&archive, part, "its texts", texts));
        let (styles, texts) =
            (styles.transpose()?.unwrap_or_default(), texts.transpose()?.unwrap_or_default());
        Ok(Self { archive, sheets, since_1904, styles, texts })
    }
}

/// Reads a part to its end, where its checksum is.
fn each<T>(
    archive: &Archive<'_>,
    part: &str,
    what: &'static str,
    read: impl FnOnce(&mut Xml<'_>) -> Result<T, Broken>,
) -> Result<T, SheetError> {
    let part = archive.part(part).ok_or(SheetError::NotXlsx)??;
    read(&mut Xml::new(part)).map_err(|Broken| SheetError::Part(what))
}

/// A link from one part to another.
struct Link {
    id: String,
    kind: String,
    to: String,
}

impl Link {
    /// Kinds are URLs, and the strict form of the standard has its own.
    fn is(&self, kind: &str) -> bool {
        self.kind.rsplit('/').next() == Some(kind)
    }
}

/// The links of a part; those of the whole archive if its name is empty.
fn links(archive: &Archive<'_>, part: &str) -> Result<Vec<Link>, SheetError> {
    let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
    let slash = if folder.is_empty() { "" } else { "/" };
    let name = format!("{folder}{slash}_rels/{file}.rels");
    if !archive.has(&name) {
        return Ok(vec![]);
    }
    each(archive, &name, "its links", |xml| {
        let mut links = vec![];
        loop {
            match xml.next()? {
                Next::Open(tag) if tag.name == "Relationship" && links.len() < ITEMS_MAX => {
                    let get = |name| tag.get(name).unwrap_or_default().to_owned();
                    let to = resolved(folder, &get("Target"));
                    links.push(Link { id: get("Id"), kind: get("Type"), to });
                }
                Next::End => return Ok(links),
                _ => {}
            }
        }
    })
}

/// Where a link leads from a part in `folder`.
fn resolved(folder: &str, target: &str) -> String {
    let target = target.replace('\\', "/");
    let folder = if target.starts_with('/') { "" } else { folder };
    let mut path = vec![];
    for step in folder.split('/').chain(target.split('/')) {
        match step {
            "" | "." => {}
            ".." => drop(path.pop()),
            step => path.push(step),
        }
    }
    path.join("/")
}

/// Name and part of each sheet, and whether days count from 1904.
type Listed = (Vec<(String, String)>, bool);

fn listed(xml: &mut Xml<'_>, links: &[Link]) -> Result<Listed, Broken> {
    let (mut seen, mut hidden, mut since_1904) = (vec![], vec![], false);
    loop {
        match xml.next()? {
            Next::Open(tag) if tag.name == "workbookPr" => since_1904 = tag.says("date1904"),
            Next::Open(tag) if tag.name == "sheet" => {
                if seen.len() + hidden.len() > 1_000 {
                    return Err(Broken);
                }
                let link = tag.get("id").and_then(|id| links.iter().find(|link| link.id == id));
                let Some(link) = link.filter(|link| link.is("worksheet")) else {
                    continue;
                };
                let is_hidden = !matches!(tag.get("state"), None | Some("visible"));
                let sheets = if is_hidden { &mut hidden } else { &mut seen };
                sheets.push((tag.get("name").ok_or(Broken)?.to_owned(), link.to.clone()));
            }
            Next::End => {
                seen.append(&mut hidden);
                return Ok((seen, since_1904));
            }
            _ => {}
        }
    }
}

fn styles(xml: &mut Xml<'_>) -> Result<Vec<Shown>, Broken> {
    let (mut own, mut styles, mut in_cells) = (HashMap::new(), vec![], false);
    let number = |tag: &Tag| tag.get("numFmtId").unwrap_or("0").parse::<u32>().map_err(|_| Broken);
    loop {
        match xml.next()? {
            Next::Open(tag) if tag.name == "numFmt" => {
                // Formats of conditions stand elsewhere, and have numbers of their own.
                let shown = custom(tag.get("formatCode").unwrap_or_default());
                own.entry(number(&tag)?).or_insert(shown);
            }
            Next::Open(tag) if tag.name == "cellXfs" => in_cells = true,
            Next::Close(name) if name == "cellXfs" => in_cells = false,
            Next::Open(tag) if tag.name == "xf" && in_cells => {
                let id = number(&tag)?;
                styles.push(own.get(&id).copied().unwrap_or_else(|| built_in(id)));
            }
            Next::End => return Ok(styles),
            _ => {}
        }
        if own.len().max(styles.len()) > ITEMS_MAX {
            return Err(Broken);
        }
    }
}

/// Texts that cells share, one after the other.
#[derive(Default)]
pub(super) struct Texts {
    all: String,
    ends: Vec<u32>,
}

impl Texts {
    /// The text with a number, from 0.
    pub(super) fn get(&self, number: usize) -> Option<&str> {
        let end = *self.ends.get(number)?;
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.all.get(start as usize..end as usize)
    }
}

fn texts(xml: &mut Xml<'_>) -> Result<Texts, Broken> {
    let mut texts = Texts::default();
    loop {
        match xml.next()? {
            Next::Open(tag) if tag.name == "si" => {
                texts.all.push_str(collect(xml, "si")?.trim());
                texts.ends.push(u32::try_from(texts.all.len()).map_err(|_| Broken)?);
            }
            Next::End => return Ok(texts),
            _ => {}
        }
    }
}
