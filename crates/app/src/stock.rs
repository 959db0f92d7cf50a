//! Which medicines are here: a list that the staff tick in seconds, and that goes along with each
//! question to a specialist, so that the advice can be followed.
//!
//! It counts nothing: there is enough, there are few, there are none. In FHIR it is one `List` in
//! the facility's chart, a working list whose items are contained `Medication`s, each with its
//! level as the item's flag and the time when that level was said. R4 has no report of stock
//! (`InventoryReport` came with R5), and `SupplyDelivery` tells of movements, which nobody has
//! written down here. With a question the levels travel by value, as an extension of the request:
//! the facility's chart itself does not go to the hospital that is asked.

use std::{collections::BTreeMap, sync::Arc};

use ondol_access::Action;
use ondol_kernel::{Class, Millis};
use ondol_record::ChartId;
use ondol_store::{Found, View};
use serde_json::{Value, json};

use crate::{
    Actor, App, AppError, Changes, coding,
    consult::step::{each, extension, text},
};

/// What a list is for.
const LIST: &str = "urn:ondol:list";
/// How much of a medicine there is: an item's flag.
const LEVEL: &str = "urn:ondol:stock-level";
/// Extension on a request: the list of the asking place as it was then.
const SENT: &str = "urn:ondol:stock";
/// Longer lists than this nobody ticks.
const LINES_MAX: usize = 300;

/// What a list begins with where nothing was prescribed yet: our own choice of what a village
/// clinic often keeps, in no order of importance.
const AT_FIRST: [&str; 20] = [
    "N02BE01", "M01AE01", "N02BA01", "J01CA04", "J01CE01", "J01EE01", "J01AA02", "P01AB01",
    "J01GB03", "A07CA", "A12CB01", "B05XA03", "B05BA03", "C01CA24", "H02AB02", "R03AC02",
    "N01BB02", "D08AG02", "B03AD03", "H01BB02",
];

/// How much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As much as is needed.
    Enough,
    /// It will run out.
    Few,
    /// Nothing is left.
    None,
}

impl Level {
    /// All.
    pub const ALL: [Self; 3] = [Self::Enough, Self::Few, Self::None];

    /// The code in records.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Enough => "enough",
            Self::Few => "few",
            Self::None => "none",
        }
    }

    /// The level with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.code() == code)
    }
}

/// What was said of a medicine, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// How much there is.
    pub level: Level,
    /// Since when this is so.
    pub since: Millis,
}

/// The list of a facility.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stock {
    /// When somebody last looked.
    pub at: Millis,
    /// Who that was.
    pub by: String,
    /// By the ATC code.
    pub lines: BTreeMap<String, Said>,
}

impl Stock {
    /// The codes that are at a level.
    pub fn at_level(&self, level: Level) -> impl Iterator<Item = &str> {
        let lines = self.lines.iter().filter(move |(_, said)| said.level == level);
        lines.map(|(atc, _)| atc.as_str())
    }

    fn to_json(&self, who: &Value, utc_offset_minutes: i32) -> Value {
        let when = |at: Millis| at.to_fhir(utc_offset_minutes);
        let medication = |atc: &String| {
            json!({
                "resourceType": "Medication",
                "id": atc,
                "code": { "coding": [{ "system": ondol_terms::ATC, "code": atc }] },
            })
        };
        let entry = |(atc, said): (&String, &Said)| {
            json!({
                "flag": coding::concept(LEVEL, said.level.code()),
                "date": when(said.since),
                "item": { "reference": format!("#{atc}") },
            })
        };
        json!({
            "resourceType": "List",
            "contained": self.lines.keys().map(medication).collect::<Vec<_>>(),
            "status": "current",
            "mode": "working",
            "code": coding::concept(LIST, "stock"),
            "date": when(self.at),
            "source": who,
            "entry": self.lines.iter().map(entry).collect::<Vec<_>>(),
        })
    }

    fn of(list: &Value) -> Option<Self> {
        if coding::code_of(&list["code"], LIST)? != "stock" {
            return None;
        }
        let medications: BTreeMap<&str, &str> = each(&list["contained"])
            .filter_map(|one| {
                Some((one["id"].as_str()?, coding::code_of(&one["code"], ondol_terms::ATC)?))
            })
            .collect();
        let line = |entry: &Value| {
            let id = entry["item"]["reference"].as_str()?.strip_prefix('#')?;
            let level = Level::from_code(coding::code_of(&entry["flag"], LEVEL)?)?;
            let since = Millis::parse_fhir(entry["date"].as_str()?)?;
            Some(((*medications.get(id)?).to_owned(), Said { level, since }))
        };
        Some(Self {
            at: Millis::parse_fhir(list["date"].as_str()?)?,
            by: text(&list["source"]["display"]),
            lines: each(&list["entry"]).filter_map(line).collect(),
        })
    }

    /// The levels as they go along with a question: codes alone, because each node names
    /// medicines in the language of its reader.
    pub(crate) fn to_extension(&self) -> Value {
        let mut parts = vec![json!({ "url": "at", "valueInstant": self.at.to_fhir(0) })];
        parts.extend(self.lines.iter().map(|(atc, said)| {
            let coding = json!({ "system": ondol_terms::ATC, "code": atc });
            json!({ "url": said.level.code(), "valueCoding": coding })
        }));
        json!({ "url": SENT, "extension": parts })
    }

    /// What came along with a question; the times are those of the whole list.
    pub(crate) fn sent_with(request: &Value) -> Option<Self> {
        let sent = extension(request, SENT)?;
        let at = Millis::parse_fhir(extension(sent, "at")?["valueInstant"].as_str()?)?;
        let line = |part: &Value| {
            let level = Level::from_code(part["url"].as_str()?)?;
            let code = part["valueCoding"]["code"].as_str()?;
            Some((code.to_owned(), Said { level, since: at }))
        };
        let lines = each(&sent["extension"]).filter_map(line).collect();
        Some(Self { at, by: String::new(), lines })
    }
}

/// The list in a facility's chart.
fn read(view: &dyn View, chart: &ChartId) -> Result<Option<(Stock, Found)>, AppError> {
    for found in view.chart(chart, &["List"])? {
        let body = serde_json::from_str(&found.shown.body)
            .map_err(|_| AppError::Unexpected("a resource is not JSON"))?;
        if let Some(stock) = Stock::of(&body) {
            return Ok(Some((stock, found)));
        }
    }
    Ok(None)
}

impl App {
    /// Which medicines are here; `None` until somebody has said it.
    pub fn stock(&self, actor: &Actor) -> Result<Option<Stock>, AppError> {
        let chart = self.facility_chart();
        self.reading(actor, Action::ReadStock, &chart, |view| {
            Ok(read(view, &chart)?.map(|(stock, _)| stock))
        })
    }

    /// The codes with which a list begins: what is prescribed here most, then our own choice.
    pub fn stock_to_begin_with(&self) -> Result<Vec<String>, AppError> {
        let mut codes = self.local_medicines()?;
        codes.extend(AT_FIRST.map(str::to_owned));
        let mut seen = std::collections::BTreeSet::new();
        codes.retain(|code| ondol_terms::medicine(code).is_some() && seen.insert(code.clone()));
        Ok(codes)
    }

    /// Says which medicines are here. What is not among the levels is no longer on the list.
    pub fn set_stock(
        self: &Arc<Self>,
        actor: &Actor,
        levels: BTreeMap<String, Level>,
    ) -> Result<(), AppError> {
        let refused = |why| Err(AppError::Field { field: "stock", why });
        if levels.is_empty() {
            return refused("missing");
        }
        if levels.len() > LINES_MAX {
            return refused("too-long");
        }
        if levels.keys().any(|atc| ondol_terms::medicine(atc).is_none()) {
            return refused("unknown");
        }
        let chart = self.facility_chart();
        let (at, by, offset) = (self.now(), actor.name().to_owned(), self.utc_offset_minutes());
        let who = json!({ "reference": actor.reference(), "display": by });
        self.writing(actor, Action::WriteStock, &chart.clone(), move |view| {
            let old = read(view, &chart)?;
            let known = old.as_ref().map(|(stock, _)| &stock.lines);
            let line = |(atc, level): (String, Level)| {
                let before = known.and_then(|lines| lines.get(&atc));
                let same = before.filter(|said| said.level == level);
                let since = same.map_or(at, |said| said.since);
                (atc, Said { level, since })
            };
            let lines = levels.into_iter().map(line).collect();
            let list = Stock { at, by, lines }.to_json(&who, offset);
            let mut changes = Changes::new(Class::Routine);
            match &old {
                Some((_, found)) => changes.update(found, list),
                None => {
                    changes.create(list);
                }
            }
            Ok(changes)
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stock() -> Stock {
        let said = |level, since| Said { level, since: Millis(since) };
        Stock {
            at: Millis(1_700_000_000_000),
            by: "최은경".into(),
            lines: [
                ("N02BE01".to_owned(), said(Level::Enough, 1_600_000_000_000)),
                ("J01CA04".to_owned(), said(Level::Few, 1_700_000_000_000)),
                ("A07CA".to_owned(), said(Level::None, 1_650_000_000_000)),
            ]
            .into(),
        }
    }

    #[test]
    fn the_list_is_valid_fhir_and_read_as_it_was_written() {
        let json = stock().to_json(&json!({ "display": "최은경" }), 540);
        let resource = ondol_fhir::Resource::from_json(json.clone()).unwrap();
        let faults = ondol_fhir::validate(&resource);
        assert!(faults.is_empty(), "{faults:?}");
        assert_eq!(Stock::of(&json), Some(stock()));
        let other = json!({ "resourceType": "List", "code": { "text": "problems" } });
        assert_eq!(Stock::of(&other), None, "a list of something else is none of medicines");
    }

    #[test]
    fn what_goes_along_says_the_levels_and_the_day() {
        let request =
            json!({ "resourceType": "ServiceRequest", "extension": [stock().to_extension()] });
        let sent = Stock::sent_with(&request).unwrap();
        assert_eq!(sent.at, stock().at);
        assert_eq!(sent.at_level(Level::Few).collect::<Vec<_>>(), ["J01CA04"]);
        assert_eq!(sent.at_level(Level::None).collect::<Vec<_>>(), ["A07CA"]);
    }

    #[test]
    fn all_that_a_list_begins_with_is_known() {
        for atc in AT_FIRST {
            assert!(ondol_terms::medicine(atc).is_some(), "{atc}");
        }
    }
}
