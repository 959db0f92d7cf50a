//! The doors of `doors.tsv`, and what each has to give to whom.

use std::collections::BTreeSet;

use super::{
    page::rows,
    planted::{Planted, unlike},
    setting::{Seen, Setting},
};

const DOORS: &str = include_str!("doors.tsv");

/// Of each chart one type does for doors through which all types go alike.
fn is_one_of_few(one: &Planted) -> bool {
    match one.kind {
        "Patient" => one.chart.is_multiple_of(2),
        "Observation" => !one.chart.is_multiple_of(2),
        kind => ["Group", "Practitioner"].contains(&kind),
    }
}

/// How it is seen that something came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    Page,
    Pages,
    Ids,
    Past,
    Count,
    Part,
    Status(u16),
}

/// One thing that a door shows.
#[derive(Debug, Clone)]
struct Shown {
    kind: &'static str,
    through: Vec<&'static str>,
    /// `*` or `@`, or nothing.
    also: &'static str,
}

/// A line of the table.
#[derive(Debug, Clone)]
pub struct Line {
    pub address: &'static str,
    pub body: &'static str,
    shows: Vec<&'static str>,
    pub proof: Proof,
    denied: u16,
    asks: Option<&'static str>,
}

/// A door that is asked about one thing that was planted, or about all.
pub struct Question {
    pub method: String,
    pub path: String,
    pub body: String,
    pub proof: Proof,
    denied: u16,
    shows: Vec<Shown>,
    asks: Option<&'static str>,
    /// Whether the same is asked of other charts and resources as well.
    pub is_one_of_many: bool,
    /// About this chart alone, or about this resource alone.
    chart: Option<usize>,
    resource: Option<String>,
}

/// What a door has to answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// What comes out: matches, and what comes with them (references).
    pub matches: BTreeSet<String>,
    pub others: BTreeSet<String>,
}

pub fn lines() -> Vec<Line> {
    let of = |row: Vec<&'static str>| {
        let (proof, denied) = row[3].split_once('!').unwrap_or((row[3], ""));
        let proof = match proof {
            "page" => Proof::Page,
            "pages" => Proof::Pages,
            "ids" => Proof::Ids,
            "past" => Proof::Past,
            "count" => Proof::Count,
            "part" => Proof::Part,
            status => Proof::Status(status.parse().unwrap()),
        };
        let of_one = row[0].contains("{id}") || row[1].contains("{id}");
        let searches = row[0].contains('?') || matches!(proof, Proof::Count | Proof::Ids);
        let status = if of_one && (!searches || row[0].contains("mode=")) { 403 } else { 200 };
        Line {
            address: row[0],
            body: row[1],
            shows: row[2].split_whitespace().collect(),
            proof,
            denied: denied.parse().unwrap_or(status),
            asks: row.get(4).copied().filter(|asks| !asks.is_empty()),
        }
    };
    rows(DOORS).map(of).collect()
}

impl Line {
    /// The questions that the line asks of a world.
    pub fn questions(&self, world: &Setting) -> Vec<Question> {
        let has = |what: &str| self.address.contains(what) || self.body.contains(what);
        if !has("{type}") {
            let shows: Vec<Shown> = self.shows.iter().flat_map(|item| shown(item, world)).collect();
            let of_chart = ["{chart}", "{value}", "{name}", "{mark}"].into_iter().any(has);
            // Whom `$match` finds by a chart that says that another one is in use is told by that one.
            let is_asked =
                |name: &str| !["linked-far", "linked-once"].contains(&name) || !has("$match");
            let patients = world.charts.iter().enumerate();
            let patients = patients.filter(|(_, c)| c.kind == "patient" && is_asked(c.name));
            return if of_chart {
                patients.map(|(at, _)| self.ask(world, &shows, Some(at), None)).collect()
            } else {
                vec![self.ask(world, &shows, None, None)]
            };
        }
        let mut kinds: Vec<&'static str> = world.reads.keys().map(|(_, kind)| *kind).collect();
        kinds.sort_unstable();
        let few = self.shows == ["{few}"];
        if few {
            let all = world.planted.iter().filter(|one| is_one_of_few(one));
            let of: BTreeSet<&str> = all.map(|one| one.kind).collect();
            kinds.retain(|kind| of.contains(kind));
        }
        let mut questions = vec![];
        for kind in kinds {
            let shows = [Shown { kind, through: vec![], also: "" }];
            if has("{id}") {
                let all = world.planted.iter().filter(|one| one.kind == kind);
                let all = all.filter(|one| !few || is_one_of_few(one));
                questions
                    .extend(all.map(|one| self.ask(world, &shows, Some(one.chart), Some(one))));
            } else {
                let mut question = self.ask(world, &shows, None, None);
                question.path = question.path.replace("{type}", kind);
                question.body = question.body.replace("{type}", kind);
                questions.push(question);
            }
        }
        questions
    }

    fn ask(
        &self,
        world: &Setting,
        shows: &[Shown],
        chart: Option<usize>,
        one: Option<&Planted>,
    ) -> Question {
        let (method, path) = self.address.split_once(' ').unwrap();
        let fill = |text: &str| {
            let mut text = text.to_owned();
            if let Some(one) = one {
                let parts = [("{type}", one.kind), ("{id}", &one.id), ("{version}", &one.version)];
                for (what, by) in parts {
                    text = text.replace(what, by);
                }
            }
            if let Some(at) = chart {
                let (name, birth, value) = unlike(at);
                let of = &world.charts[at];
                let mark = super::planted::mark(of, "Patient");
                let parts = [("{chart}", of.name), ("{name}", name), ("{birth}", &birth)];
                for (what, by) in parts.into_iter().chain([("{value}", &*value), ("{mark}", &mark)])
                {
                    text = text.replace(what, by);
                }
            }
            text
        };
        Question {
            method: method.to_owned(),
            path: fill(path),
            body: fill(self.body),
            proof: self.proof,
            denied: self.denied,
            shows: shows.to_vec(),
            asks: self.asks,
            is_one_of_many: chart.is_some() && self.shows != ["{type}"],
            chart,
            resource: one.map(|one| one.reference.clone()),
        }
    }
}

/// An item of `shows`.
fn shown(item: &&'static str, world: &Setting) -> Vec<Shown> {
    let (kind, through) = item.split_once('<').unwrap_or((item, ""));
    let through: Vec<&'static str> = through.split(',').filter(|kind| !kind.is_empty()).collect();
    if kind == "*" {
        let of = |kind: &(&str, &'static str)| Shown { kind: kind.1, through: vec![], also: "" };
        return world.reads.keys().map(of).collect();
    }
    let (kind, also) = kind.split_at(kind.find(['*', '@']).unwrap_or(kind.len()));
    vec![Shown { kind, through, also }]
}

impl Question {
    /// What it has to answer to somebody in a role.
    pub fn answer(&self, seen: &Seen<'_>) -> Answer {
        let (world, role) = (seen.setting, seen.role);
        let nothing = |status| Answer { status, matches: [].into(), others: [].into() };
        if let (Some(asks), Some(chart)) = (self.asks, self.chart)
            && !world.page.may(role, asks, &world.charts[chart])
        {
            return nothing(403);
        }
        let sees = |shown: &Shown| -> BTreeSet<String> {
            let all = seen.all().filter(|(one, seen)| *seen && one.kind == shown.kind);
            all.filter(|(one, _)| self.is_about(world, shown, one))
                .filter(|(one, _)| shown.through.iter().all(|kind| seen.of(one.chart, kind)))
                .map(|(one, _)| one.reference.clone())
                .collect()
        };
        let matches = sees(&self.shows[0]);
        let others: BTreeSet<String> = self.shows[1..].iter().flat_map(sees).collect();
        match self.proof {
            _ if matches.is_empty() && others.is_empty() => nothing(self.denied),
            Proof::Status(status) => Answer { status, matches, others },
            _ => Answer { status: 200, matches, others },
        }
    }

    /// The charts of which something has to be recorded as read: nothing is shown by a count.
    pub fn read(&self, world: &Setting, answer: &Answer) -> BTreeSet<usize> {
        if self.proof == Proof::Count {
            return BTreeSet::new();
        }
        let came = |one: &&Planted| {
            answer.matches.contains(&one.reference) || answer.others.contains(&one.reference)
        };
        if answer.matches.is_empty() && answer.others.is_empty() {
            return BTreeSet::new();
        }
        world.planted.iter().filter(came).map(|one| one.chart).collect()
    }

    fn is_about(&self, world: &Setting, shown: &Shown, one: &Planted) -> bool {
        if let Some(resource) = &self.resource {
            return *resource == one.reference;
        }
        self.chart.is_none_or(|chart| {
            let (of, name) = (&world.charts[one.chart], Some(world.charts[chart].name));
            let is_other = !shown.also.is_empty() && of.other == name;
            one.chart == chart || is_other || (shown.also == "@" && of.names == name)
        })
    }
}
