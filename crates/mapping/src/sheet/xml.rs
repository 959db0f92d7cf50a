//! XML of a workbook's parts, an event at a time. Names are told by their local part: programs
//! differ in prefixes, and the strict form of the standard in namespaces.

use quick_xml::{
    Reader, XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};

use super::archive::Part;

/// Deeper than any part of a workbook goes.
const DEPTH_MAX: usize = 64;

/// More attributes than any element of a workbook has.
const ATTRIBUTES_MAX: usize = 64;

/// What comes next in a part.
#[derive(Debug)]
pub(super) enum Next {
    /// An element begins.
    Open(Tag),
    /// An element ends.
    Close(String),
    /// Text, or a piece of it.
    Text(String),
    /// The part is at its end.
    End,
}

/// The XML of a part is damaged, or more than is taken.
#[derive(Debug)]
pub(super) struct Broken;

/// An element's name and attributes.
#[derive(Debug)]
pub(super) struct Tag {
    pub(super) name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    /// An attribute by its local name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether an attribute says yes.
    pub(super) fn says(&self, name: &str) -> bool {
        matches!(self.get(name), Some("1" | "true"))
    }

    fn of(start: &BytesStart<'_>) -> Result<Self, Broken> {
        let mut attributes = vec![];
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|_| Broken)?;
            if attributes.len() == ATTRIBUTES_MAX {
                return Err(Broken);
            }
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            let name = text(attribute.key.local_name().as_ref())?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            attributes.push((name, value.map_err(|_| Broken)?.into_owned()));
        }
        Ok(Self { name: text(start.local_name().as_ref())?, attributes })
    }
}

fn text(bytes: &[u8]) -> Result<String, Broken> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Broken)
}

/// A part on its way through the parser.
pub(super) struct Xml<'b> {
    reader: Reader<Part<'b>>,
    held: Vec<u8>,
    depth: usize,
}

impl<'b> Xml<'b> {
    pub(super) fn new(part: Part<'b>) -> Self {
        let mut reader = Reader::from_reader(part);
        reader.config_mut().expand_empty_elements = true;
        Self { reader, held: vec![], depth: 0 }
    }

    /// The next thing that counts; comments and the like are passed over.
    pub(super) fn next(&mut self) -> Result<Next, Broken> {
        loop {
            self.held.clear();
            self.reader.get_mut().let_go();
            match self.reader.read_event_into(&mut self.held).map_err(|_| Broken)? {
                Event::Start(start) => {
                    self.depth += 1;
                    if self.depth > DEPTH_MAX {
                        return Err(Broken);
                    }
                    return Tag::of(&start).map(Next::Open);
                }
                Event::End(end) => {
                    self.depth = self.depth.saturating_sub(1);
                    return text(end.local_name().as_ref()).map(Next::Close);
                }
                Event::Text(piece) => {
                    let piece = piece.xml10_content().map_err(|_| Broken)?;
                    return Ok(Next::Text(piece.into_owned()));
                }
                Event::CData(piece) => {
                    let piece = piece.xml10_content().map_err(|_| Broken)?;
                    return Ok(Next::Text(piece.into_owned()));
                }
                Event::GeneralRef(reference) => {
                    if let Some(letter) = reference.resolve_char_ref().map_err(|_| Broken)? {
                        return Ok(Next::Text(letter.to_string()));
                    }
                    let name = reference.decode().map_err(|_| Broken)?;
                    let letter = resolve_predefined_entity(&name).ok_or(Broken)?;
                    return Ok(Next::Text(letter.to_owned()));
                }
                Event::Eof if self.depth == 0 => return Ok(Next::End),
                Event::Eof | Event::DocType(_) => return Err(Broken),
                Event::Empty(_) | Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            }
        }
    }
}

/// The text of an item that may be rich: its pieces joined, its reading aids left out. Of a text
/// that is too long for a cell as much is kept as shows that.
pub(super) fn collect(xml: &mut Xml<'_>, item: &str) -> Result<String, Broken> {
    let (mut in_text, mut aids, mut joined) = (false, 0_usize, String::new());
    loop {
        match xml.next()? {
            Next::Open(tag) if tag.name == "rPh" => aids += 1,
            Next::Open(tag) if tag.name == "t" => in_text = true,
            Next::Close(name) if name == "rPh" => aids = aids.saturating_sub(1),
            Next::Close(name) if name == "t" => in_text = false,
            Next::Close(name) if name == item => return Ok(unescaped(joined)),
            Next::Text(piece) if in_text && aids == 0 => push(&mut joined, &piece),
            Next::Open(_) | Next::Close(_) | Next::Text(_) => {}
            Next::End => return Err(Broken),
        }
    }
}

/// Adds a piece to a text that is not too long yet.
pub(super) fn push(text: &mut String, piece: &str) {
    // Seven bytes are the most that stand for one character, as in `_x000D_`.
    if text.len() <= 7 * super::CELL_CHARS_MAX {
        text.push_str(piece);
    }
}

/// Characters that XML cannot hold stand in texts as `_xHHHH_`.
pub(super) fn unescaped(text: String) -> String {
    if !text.contains("_x") {
        return text;
    }
    let (mut rest, mut to) = (text.as_str(), String::with_capacity(text.len()));
    while let Some(at) = rest.find("_x") {
        let (before, from) = rest.split_at(at);
        to.push_str(before);
        match letter(from) {
            Some(letter) => {
                to.push(letter);
                rest = &from[7..];
            }
            None => {
                to.push_str("_x");
                rest = &from[2..];
            }
        }
    }
    to.push_str(rest);
    to
}

fn letter(from: &str) -> Option<char> {
    let digits = from.get(2..6)?;
    let whole = from.get(6..7) == Some("_") && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    whole.then(|| u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)).flatten()
}
