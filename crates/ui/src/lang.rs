//! The languages of the pages, and how one is chosen.

/// A language in which every page exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Lang {
    /// Korean as it is written in the north.
    #[default]
    Ko,
    /// English.
    En,
}

impl Lang {
    /// All languages, the default first.
    pub const ALL: [Self; 2] = [Self::Ko, Self::En];

    /// The BCP 47 tag: `ko-KP`, `en`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Ko => "ko-KP",
            Self::En => "en",
        }
    }

    /// What the language calls itself.
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::Ko => "조선말",
            Self::En => "English",
        }
    }

    /// The language of a BCP 47 tag; the region does not matter (`ko`, `ko-KR`, `en-GB`).
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next()?.trim();
        Self::ALL.into_iter().find(|lang| {
            let ours = lang.tag().split('-').next();
            ours.is_some_and(|ours| ours.eq_ignore_ascii_case(primary))
        })
    }

    /// The language for a request: the cookie's, else the best of `Accept-Language`
    /// (RFC 9110 §12.5.4), else Korean.
    pub fn choose(cookie: Option<&str>, accept: Option<&str>) -> Self {
        cookie
            .and_then(Self::from_tag)
            .or_else(|| accept.and_then(best_accepted))
            .unwrap_or_default()
    }

    /// The other languages, for the switch on every page.
    pub fn others(self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |lang| *lang != self)
    }
}

/// The language with the highest weight; the first of equals.
fn best_accepted(accept: &str) -> Option<Lang> {
    let mut best: Option<(u32, Lang)> = None;
    for range in accept.split(',') {
        let mut parts = range.split(';');
        let Some(lang) = parts.next().and_then(Lang::from_tag) else { continue };
        let weight = parts.find_map(|p| p.trim().strip_prefix("q=").map(thousandths));
        let weight = weight.unwrap_or(1_000);
        if weight > 0 && best.is_none_or(|(w, _)| weight > w) {
            best = Some((weight, lang));
        }
    }
    best.map(|(_, lang)| lang)
}

/// A weight of RFC 9110 §12.4.2 in thousandths; 0 if it is none.
fn thousandths(q: &str) -> u32 {
    let (whole, rest) = q.trim().split_once('.').unwrap_or((q.trim(), ""));
    let digits = format!("{rest:0<3}");
    let fraction = digits.get(..3).and_then(|d| d.parse::<u32>().ok());
    match (whole.parse::<u32>().ok(), fraction) {
        (Some(whole), Some(fraction)) => (whole * 1_000 + fraction).min(1_000),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_beats_the_browser_and_the_browser_beats_the_default() {
        assert_eq!(Lang::choose(Some("en"), Some("ko")), Lang::En);
        assert_eq!(Lang::choose(Some("xx"), Some("fr, en-GB;q=0.5")), Lang::En);
        assert_eq!(Lang::choose(None, Some("en;q=0.2, ko-KR;q=0.9")), Lang::Ko);
        assert_eq!(Lang::choose(None, Some("ko;q=0, en;q=0.1")), Lang::En);
        assert_eq!(Lang::choose(None, Some("en, ko")), Lang::En);
        assert_eq!(Lang::choose(None, Some("fr, de;q=0.8")), Lang::Ko);
        assert_eq!(Lang::choose(None, None), Lang::Ko);
    }

    #[test]
    fn a_damaged_header_is_no_trouble() {
        for accept in ["", ";;;", "en;q=", "en;q=9999999999999", "ko;q=é.ü", ",,,"] {
            let _ = Lang::choose(None, Some(accept));
        }
        assert_eq!(Lang::choose(None, Some("en;q=é")), Lang::Ko);
    }
}
