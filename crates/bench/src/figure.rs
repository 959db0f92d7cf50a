//! A figure, its aim, and how both are printed.

use std::{borrow::Cow, fs};

use serde_json::{Value, json};

/// What a figure should reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Aim {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
}

impl Aim {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtMost(most) => value <= most,
            Self::AtLeast(least) => value >= least,
        }
    }

    fn read(text: &str) -> Option<Self> {
        let (sign, number) = text.split_once(' ')?;
        let number = number.parse().ok()?;
        match sign {
            "<=" => Some(Self::AtMost(number)),
            ">=" => Some(Self::AtLeast(number)),
            _ => None,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtMost(most) => format!("<= {most}"),
            Self::AtLeast(least) => format!(">= {least}"),
        }
    }
}

/// One measured number, or why there is none.
#[derive(Debug, Clone)]
pub struct Figure {
    name: String,
    value: Result<f64, String>,
    unit: Cow<'static, str>,
    aim: Option<Aim>,
    peer: Option<String>,
    how: Option<String>,
}

impl Figure {
    /// A number that was measured.
    pub fn new(name: impl Into<String>, value: f64, unit: &'static str) -> Self {
        Self {
            name: name.into(),
            value: Ok(value),
            unit: unit.into(),
            aim: None,
            peer: None,
            how: None,
        }
    }

    /// A number that could not be taken, and why.
    pub fn missing(name: impl Into<String>, why: impl Into<String>) -> Self {
        let value = Err(why.into());
        Self { name: name.into(), value, unit: "".into(), aim: None, peer: None, how: None }
    }

    /// What it should reach.
    #[must_use]
    pub fn aim(mut self, aim: Aim) -> Self {
        self.aim = Some(aim);
        self
    }

    /// What others need for the same.
    #[must_use]
    pub fn peer(mut self, peer: impl Into<String>) -> Self {
        self.peer = Some(peer.into());
        self
    }

    /// How it was taken, in a few words.
    #[must_use]
    pub fn how(mut self, how: impl Into<String>) -> Self {
        self.how = Some(how.into());
        self
    }

    fn met(&self) -> Option<bool> {
        Some(self.aim?.is_met(*self.value.as_ref().ok()?))
    }

    fn to_json(&self) -> Value {
        let mut json = json!({ "name": self.name });
        match &self.value {
            Ok(value) => json["value"] = json!(value),
            Err(why) => {
                json["value"] = Value::Null;
                json["why"] = json!(why);
            }
        }
        json["unit"] = json!(self.unit);
        if let Some(aim) = self.aim {
            json["aim"] = json!(aim.text());
        }
        if let Some(peer) = &self.peer {
            json["peer"] = json!(peer);
        }
        if let Some(met) = self.met() {
            json["met"] = json!(met);
        }
        if let Some(how) = &self.how {
            json["how"] = json!(how);
        }
        json
    }

    /// Reads [`Figure::to_json`]. The aim is one that was judged already.
    fn from_json(json: &Value) -> Option<Self> {
        let text = |name: &str| json[name].as_str().map(str::to_owned);
        let unit = text("unit")?;
        Some(Self {
            name: text("name")?,
            value: json["value"].as_f64().ok_or_else(|| text("why").unwrap_or_default()),
            unit: unit.into(),
            aim: text("aim").and_then(|aim| Aim::read(&aim)),
            peer: text("peer"),
            how: text("how"),
        })
    }

    fn row(&self, work: &str) -> String {
        let value = match &self.value {
            Ok(value) => format!("{} {}", shown(*value), self.unit),
            Err(why) => format!("not taken: {why}"),
        };
        let aim = self.aim.map_or_else(String::new, Aim::text);
        let met = match self.met() {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "",
        };
        let beside: Vec<&str> = self.peer.iter().chain(&self.how).map(String::as_str).collect();
        format!("| {work} | {} | {value} | {aim} | {met} | {} |", self.name, beside.join("; "))
    }
}

/// Digits enough to judge by; the aim is judged by the number itself.
fn shown(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// The figures of one work.
#[derive(Debug)]
pub struct Report {
    /// The work and its arguments.
    pub work: String,
    /// What chance came from.
    pub seed: u64,
    /// The figures.
    pub figures: Vec<Figure>,
}

impl Report {
    /// One line of JSON (DESIGN §11).
    pub fn to_json(&self) -> String {
        let figures: Vec<Value> = self.figures.iter().map(Figure::to_json).collect();
        json!({ "work": self.work, "figures": figures, "machine": machine(), "seed": self.seed })
            .to_string()
    }

    /// Reads [`Report::to_json`].
    pub fn from_json(line: &str) -> Option<Self> {
        let json: Value = serde_json::from_str(line).ok()?;
        let figures = json["figures"].as_array()?.iter().map(Figure::from_json);
        Some(Self {
            work: json["work"].as_str()?.to_owned(),
            seed: json["seed"].as_u64()?,
            figures: figures.collect::<Option<_>>()?,
        })
    }

    /// Rows of the table, one a line.
    pub fn rows(&self) -> String {
        let rows: Vec<String> = self.figures.iter().map(|figure| figure.row(&self.work)).collect();
        rows.join("\n")
    }
}

/// The head of the table.
pub const HEAD: &str =
    "| work | figure | value | aim | met | beside it |\n| --- | --- | ---: | --- | --- | --- |";

/// What the figures were taken on.
pub fn machine() -> Value {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).map(str::to_owned);
        line.and_then(|line| line.split_once(':').map(|(_, value)| value.trim().to_owned()))
    };
    let load = read("/proc/loadavg");
    json!({
        "cpu": field(&read("/proc/cpuinfo"), "model name"),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "memory": field(&read("/proc/meminfo"), "MemTotal"),
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
        "load_1_5_15_min": load.split(' ').take(3).collect::<Vec<_>>().join(" "),
        "build": if cfg!(debug_assertions) { "debug" } else { "release" },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aim_is_judged_by_the_number_and_not_by_what_is_printed() {
        let figure = Figure::new("p95_ms", 30.001, "ms").aim(Aim::AtMost(30.0));
        assert_eq!(figure.met(), Some(false));
        assert!(
            figure.row("chart").contains("| 30.0 ms | <= 30 | NO |"),
            "{}",
            figure.row("chart")
        );
        assert!(Aim::AtLeast(3.0).is_met(3.0));
    }

    #[test]
    fn a_report_is_the_same_after_its_line_of_json() {
        let taken = Figure::new("p95_ms", 1.5, "ms").aim(Aim::AtMost(30.0)).how("so").peer("p");
        let figures = vec![taken, Figure::missing("per_s", "no")];
        let report = Report { work: "chart".into(), seed: 7, figures };
        let read = Report::from_json(&report.to_json()).unwrap();
        assert_eq!((read.rows(), read.to_json()), (report.rows(), report.to_json()));
    }

    #[test]
    fn what_was_not_taken_says_why_and_is_not_met() {
        let figure = Figure::missing("p95_ms", "no page").aim(Aim::AtMost(30.0));
        let json = figure.to_json();
        assert_eq!((&json["value"], &json["why"]), (&Value::Null, &json!("no page")));
        assert_eq!(json.get("met"), None);
    }
}
