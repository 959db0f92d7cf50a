//! What a narrative may hold (R4 2.4.0, invariants txt-1 and txt-2): the formatting elements of
//! HTML 4 that lie in its chapters 7 to 11 and 15, well nested, without scripts, forms and
//! handlers of events, and with something to read in it.

/// What is wrong with a narrative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HtmlWrong {
    /// It is not well formed, or has an element or attribute that is not allowed (txt-1).
    NotAllowed,
    /// There is nothing to read in it (txt-2).
    Empty,
}

const ELEMENTS: &[&str] = &[
    "a",
    "abbr",
    "acronym",
    "address",
    "area",
    "b",
    "bdo",
    "big",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "kbd",
    "li",
    "map",
    "ol",
    "p",
    "pre",
    "q",
    "samp",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "ul",
    "var",
];

const ATTRIBUTES: &[&str] = &[
    "abbr",
    "accesskey",
    "align",
    "alt",
    "axis",
    "bgcolor",
    "border",
    "cellpadding",
    "cellspacing",
    "char",
    "charoff",
    "cite",
    "class",
    "clear",
    "colspan",
    "compact",
    "coords",
    "dir",
    "frame",
    "headers",
    "height",
    "href",
    "hreflang",
    "hspace",
    "id",
    "ismap",
    "lang",
    "longdesc",
    "name",
    "nohref",
    "noshade",
    "nowrap",
    "rel",
    "rev",
    "rowspan",
    "rules",
    "scope",
    "shape",
    "size",
    "span",
    "src",
    "start",
    "style",
    "summary",
    "tabindex",
    "title",
    "type",
    "usemap",
    "valign",
    "value",
    "vspace",
    "width",
    "xml:lang",
    "xmlns",
];

const NESTED_MAX: usize = 256;

pub(super) fn is_allowed(text: &str) -> bool {
    check(text).is_ok()
}

/// Checks the XHTML of a narrative.
pub(crate) fn check(text: &str) -> Result<(), HtmlWrong> {
    let mut scanner = Scanner { rest: text.trim(), open: Vec::new(), has_content: false };
    let mut is_first = true;
    while !scanner.rest.is_empty() {
        if !is_first && scanner.open.is_empty() {
            // Something after the end of the outermost element.
            return Err(HtmlWrong::NotAllowed);
        }
        scanner.step(is_first).ok_or(HtmlWrong::NotAllowed)?;
        is_first = false;
    }
    if !scanner.open.is_empty() || is_first {
        return Err(HtmlWrong::NotAllowed);
    }
    if scanner.has_content { Ok(()) } else { Err(HtmlWrong::Empty) }
}

struct Scanner<'t> {
    rest: &'t str,
    open: Vec<&'t str>,
    has_content: bool,
}

impl Scanner<'_> {
    /// One tag, comment or text; `None` if it is not allowed.
    fn step(&mut self, is_first: bool) -> Option<()> {
        if let Some(rest) = self.rest.strip_prefix("<!--") {
            self.rest = &rest[rest.find("-->")? + 3..];
            return (!is_first).then_some(());
        }
        if let Some(rest) = self.rest.strip_prefix("</") {
            let end = rest.find('>')?;
            self.rest = &rest[end + 1..];
            return (self.open.pop()? == rest[..end].trim_end()).then_some(());
        }
        if self.rest.starts_with('<') {
            return self.tag(is_first);
        }
        let end = self.rest.find('<').unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.has_content |= !text.trim().is_empty();
        (!is_first && has_sound_entities(text)).then_some(())
    }

    fn tag(&mut self, is_first: bool) -> Option<()> {
        let rest = &self.rest[1..];
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '>' | '/'))?;
        let (name, mut rest) = rest.split_at(end);
        if !ELEMENTS.contains(&name) || (is_first && name != "div") {
            return None;
        }
        self.has_content |= name == "img";
        loop {
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix("/>") {
                self.rest = after;
                return Some(());
            }
            if let Some(after) = rest.strip_prefix('>') {
                self.open.push(name);
                self.rest = after;
                return (self.open.len() <= NESTED_MAX).then_some(());
            }
            let (attribute, after) = rest.split_once('=')?;
            let after = after.trim_start();
            let quote = after.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
            let (value, after) = after[1..].split_once(quote)?;
            if !ATTRIBUTES.contains(&attribute.trim_end()) || value.contains('<') {
                return None;
            }
            if matches!(attribute.trim_end(), "href" | "src") && is_script(value) {
                return None;
            }
            rest = after;
        }
    }
}

fn is_script(url: &str) -> bool {
    let plain = url.trim_start().to_ascii_lowercase();
    ["javascript:", "vbscript:"].iter().any(|scheme| plain.starts_with(scheme))
}

/// An ampersand begins an entity.
fn has_sound_entities(text: &str) -> bool {
    text.split('&').skip(1).all(|after| {
        after.split_once(';').is_some_and(|(name, _)| {
            let name = name.strip_prefix('#').unwrap_or(name);
            !name.is_empty() && name.len() <= 10 && name.bytes().all(|b| b.is_ascii_alphanumeric())
        })
    })
}
