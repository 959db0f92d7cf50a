//! The command line.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use ondol_testkit::node::PASSWORD;

use crate::{
    all::Step,
    fhir::Server,
    figure::{Figure, Report},
    ground::{self, Clinic, LOGIN},
    inputs::{ClinicDays, Ids},
    works::{
        alert, bootstrap, chart, cut, goodput, hub, import, index, journeys, matching, metadata,
        pull, rest, save, start, wire,
    },
};

/// Measures what the README quotes, on this machine. The program `ondol` is looked for beside
/// this one, or where `ONDOL_BINARY` says.
#[derive(Debug, Parser)]
#[command(name = "ondol-bench", version, about)]
pub struct Arguments {
    /// Print a line of JSON for each work instead of a table.
    #[arg(long, global = true)]
    pub json: bool,
    /// From what everything made up by chance is made.
    #[arg(long, global = true, default_value_t = 1)]
    seed: u64,
    #[command(subcommand)]
    work: Work,
}

/// A FHIR server that is there already; without it a clinic of our own is started.
#[derive(Debug, Args)]
struct Target {
    /// `http://HOST:PORT/PATH` of any FHIR server.
    #[arg(long)]
    url: Option<String>,
    /// The account's name, for HTTP Basic.
    #[arg(long, requires = "password")]
    login: Option<String>,
    /// Its password.
    #[arg(long)]
    password: Option<String>,
    /// So many ask at once.
    #[arg(long, default_value_t = 1)]
    clients: usize,
    /// Add so much to each fsync of the clinic of our own.
    #[arg(long, default_value_t = 0, conflicts_with = "url")]
    fsync_extra_ms: u64,
}

#[derive(Debug, Args)]
struct Days {
    /// One transaction bundle with the people of a clinic.
    #[arg(long)]
    population: Option<PathBuf>,
    /// One transaction bundle a line, each an encounter; may be gzipped.
    #[arg(long)]
    encounters: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Work {
    /// Cold start, and memory while nobody works.
    Start {
        /// So many resources are in the record.
        #[arg(long, default_value_t = 100_000)]
        resources: usize,
        /// The figures of `chart` too, on the same record.
        #[arg(long)]
        chart: bool,
    },
    /// An encounter of eight resources saved.
    Save {
        /// So many save at once; several numbers with commas are taken one after the other.
        #[arg(long, value_delimiter = ',', default_value = "1")]
        clients: Vec<usize>,
        /// Add so much to each fsync of the node.
        #[arg(long, default_value_t = 0)]
        fsync_extra_ms: u64,
        #[command(flatten)]
        days: Days,
    },
    /// A chart opened.
    Chart {
        /// So many resources are in the record.
        #[arg(long, default_value_t = 100_000)]
        resources: usize,
    },
    /// Bytes on the wire for the days of a clinic.
    Wire {
        #[command(flatten)]
        days: Days,
        /// With the ids of the file kept.
        #[arg(long)]
        foreign_ids: bool,
    },
    /// An emergency from 'send' to the specialist's inbox.
    Alert {
        /// The clinic's link, bits per second.
        #[arg(long, default_value_t = 9_600)]
        rate: u64,
        /// Its round trip, ms.
        #[arg(long, default_value_t = 600)]
        rtt_ms: u64,
        /// The percentage of packets lost each way.
        #[arg(long, default_value_t = 2.0)]
        loss: f64,
        /// Pictures that wait on it, MB.
        #[arg(long, default_value_t = 50)]
        queued_mb: usize,
        /// Alerts that are sent.
        #[arg(long, default_value_t = 30)]
        alerts: usize,
    },
    /// How much of a road the link fills with messages, in virtual time. Without a road: those of the
    /// aims.
    Goodput {
        /// Bits per second, with IP and UDP.
        #[arg(long, requires_all = ["rtt_ms", "loss"])]
        rate: Option<u64>,
        /// Its round trip, ms.
        #[arg(long, requires = "rate")]
        rtt_ms: Option<u64>,
        /// The percentage of packets lost each way.
        #[arg(long, requires = "rate")]
        loss: Option<f64>,
        /// 1.2 kbit/s to 1 Gbit/s, 20 ms to 2 s, 0 to 30 % lost.
        #[arg(long, conflicts_with = "rate")]
        matrix: bool,
    },
    /// A chart that another facility needs, on a line of 9.6 kbit/s and 600 ms.
    Pull {
        /// Its encounters.
        #[arg(long, default_value_t = 40)]
        encounters: usize,
        /// The percentage of packets lost each way.
        #[arg(long, default_value_t = 0.0)]
        loss: f64,
    },
    /// What a clinic that lost everything gets back from its county.
    Bootstrap {
        /// Its encounters.
        #[arg(long, default_value_t = 25_000)]
        encounters: usize,
    },
    /// A hub that takes in the day of many clinics at once.
    Hub {
        /// So many clinics, of 60 encounters each.
        #[arg(long, default_value_t = 2_000)]
        clinics: usize,
    },
    /// What is sent again after a cut although it had arrived, in virtual time.
    Cut,
    /// Resources created one by one at any FHIR server.
    Create(Target),
    /// Resources read by id at any FHIR server.
    Read(Target),
    /// Searches at any FHIR server.
    Search(Target),
    /// A directory of FHIR bundles imported.
    Import {
        /// The directory.
        #[arg(long)]
        input: Option<PathBuf>,
    },
    /// A question to the nation's index of persons and its answer, bytes on a line of 9.6 kbit/s.
    Index {
        /// The line's round trip, ms.
        #[arg(long, default_value_t = 600)]
        rtt_ms: u64,
    },
    /// The capability statement.
    Metadata,
    /// Memory before and after scripted journeys.
    Journeys {
        /// So many journeys.
        #[arg(long, default_value_t = 5_000)]
        count: usize,
        #[command(flatten)]
        days: Days,
    },
    /// Records that are of one person, told from the records alone. Without lists: Febrl's sets
    /// and Korean people made up by the seed.
    Match {
        /// One list (CSV), in which people may stand several times.
        #[arg(long, conflicts_with_all = ["left", "right"])]
        input: Option<PathBuf>,
        /// A list in which everybody stands once.
        #[arg(long, requires = "right")]
        left: Option<PathBuf>,
        /// Another one with the same columns.
        #[arg(long, requires = "left")]
        right: Option<PathBuf>,
        /// A column that is not looked at.
        #[arg(long)]
        without: Vec<String>,
    },
    /// All of them with their defaults, one table.
    All {
        /// Resources of the works `start` and `chart`.
        #[arg(long, default_value_t = 100_000)]
        resources: usize,
        /// Journeys.
        #[arg(long, default_value_t = 5_000)]
        journeys: usize,
    },
}

/// Takes the figures that were asked for; each work reports when it is done.
pub fn run(arguments: &Arguments, say: &mut dyn FnMut(&Report)) -> Result<()> {
    let seed = arguments.seed;
    let mut report = |work: &str, figures: Vec<Figure>| {
        say(&Report { work: work.to_owned(), seed, figures });
    };
    let load = |days: &Days| {
        ClinicDays::load(days.population.as_deref(), days.encounters.as_deref(), seed)
    };
    match &arguments.work {
        Work::Start { resources, chart } => {
            let (mut clinic, count) = filled("start", seed, *resources)?;
            report("start", start::figures(&mut clinic, count)?);
            if *chart {
                report("chart", chart::figures(&mut clinic, count)?);
            }
        }
        Work::Chart { resources } => {
            let (mut clinic, count) = filled("chart", seed, *resources)?;
            report("chart", chart::figures(&mut clinic, count)?);
        }
        Work::Save { clients, fsync_extra_ms, days } => {
            let mut clinic = Clinic::found("save")?;
            report("save", save::figures(&mut clinic, &load(days)?, clients, *fsync_extra_ms)?);
        }
        Work::Wire { days, foreign_ids } => {
            let take = if *foreign_ids { wire::foreign } else { wire::own };
            report("wire", take(&load(days)?, seed)?);
        }
        Work::Alert { rate, rtt_ms, loss, queued_mb, alerts } => {
            let loss = loss / 100.0;
            let (rate, rtt_ms, queued_mb, alerts) = (*rate, *rtt_ms, *queued_mb, *alerts);
            let road = alert::Road { rate, rtt_ms, loss, queued_mb, alerts };
            report("alert", alert::figures(road, seed)?);
        }
        Work::Goodput { rate, rtt_ms, loss, matrix } => {
            report("goodput", filled_roads((*rate, *rtt_ms, *loss), *matrix, seed));
        }
        Work::Pull { encounters, loss } => {
            report("pull", pull::figures(*encounters, loss / 100.0, seed)?);
        }
        Work::Bootstrap { encounters } => {
            report("bootstrap", bootstrap::figures(*encounters, seed)?);
        }
        Work::Hub { clinics } => report("hub", hub::figures(*clinics, seed)?),
        Work::Cut => report("cut", cut::figures(seed)),
        Work::Create(target) => report("create", at(target, rest::Work::Create, seed)?),
        Work::Read(target) => report("read", at(target, rest::Work::Read, seed)?),
        Work::Search(target) => report("search", at(target, rest::Work::Search, seed)?),
        Work::Import { input } => report("import", imported(input.as_ref())?),
        Work::Index { rtt_ms } => report("index", index::figures(*rtt_ms, seed)),
        Work::Metadata => report("metadata", metadata::figures(&mut Clinic::found("metadata")?)?),
        Work::Journeys { count, days } => {
            let mut clinic = Clinic::found("journeys")?;
            report("journeys", journeys::figures(&mut clinic, &load(days)?, *count)?);
        }
        Work::Match { input, left, right, without } => {
            let (input, left, right) = (input.as_deref(), left.as_deref(), right.as_deref());
            let lists = matching::Lists { input, left, right, without };
            report("match", matching::figures(&lists, seed)?);
        }
        Work::All { resources, journeys } => {
            crate::all::take(&defaults(*resources, *journeys), seed, say);
        }
    }
    Ok(())
}

/// What `all` takes. What waits for slow links most of its time goes beside each other.
fn defaults(resources: usize, journeys: usize) -> Vec<Vec<Step>> {
    let alone = |arguments: &str, within_s| vec![Step::new(arguments, within_s)];
    let mut groups = vec![
        alone(&format!("start --chart --resources {resources}"), 180),
        alone("metadata", 30),
        alone("save --clients 1,8,64", 60),
        alone("save --clients 1,64 --fsync-extra-ms 5", 60),
    ];
    for clients in [1, 8] {
        for work in ["create", "read", "search"] {
            groups.push(alone(&format!("{work} --clients {clients}"), 60));
        }
    }
    groups.push(alone("create --clients 64 --fsync-extra-ms 5", 60));
    groups.push(alone("import", 90));
    groups.push(alone("match", 60));
    groups.push(alone("index", 60));
    groups.push(alone("goodput", 60));
    groups.push(alone("cut", 60));
    groups.push(alone("pull", 60));
    groups.push(alone("bootstrap --encounters 2500", 120));
    groups.push(alone("hub --clinics 100", 120));
    groups.push(alone(&format!("journeys --count {journeys}"), 240));
    groups.push(vec![
        Step::new("alert", 420),
        Step::new("wire", 600),
        Step::new("wire --foreign-ids", 600),
    ]);
    groups
}

fn filled(work: &str, seed: u64, resources: usize) -> Result<(Clinic, usize)> {
    let clinic = Clinic::found(work)?;
    let count = clinic.fill(seed, resources)?;
    Ok((clinic, count))
}

/// All roads, one, or those of the aims.
fn filled_roads(
    (rate, rtt_ms, loss): (Option<u64>, Option<u64>, Option<f64>),
    matrix: bool,
    seed: u64,
) -> Vec<Figure> {
    if matrix {
        return goodput::matrix(seed);
    }
    let road = rate.zip(rtt_ms).zip(loss).map(|((rate, rtt_ms), percent)| goodput::Road {
        rate,
        rtt_ms,
        loss: percent / 100.0,
    });
    goodput::figures(road, seed)
}

fn imported(input: Option<&PathBuf>) -> Result<Vec<Figure>> {
    let clinic = Clinic::found("import")?;
    if let Some(input) = input {
        return import::figures(&clinic, input);
    }
    match import::default_input(&ground::folder("import-input")?)? {
        Some(input) => import::figures(&clinic, &input),
        None => {
            let why = "no --input, and the Synthea patients of the test data are not at hand";
            Ok(vec![Figure::missing("resources_per_s", why)])
        }
    }
}

/// Asks the named server, or a clinic of our own that holds a clinic's people and days.
fn at(target: &Target, work: rest::Work, seed: u64) -> Result<Vec<Figure>> {
    if let Some(url) = &target.url {
        let word = target.password.as_deref().unwrap_or(PASSWORD);
        let account = target.login.as_deref().map(|login| (login, word));
        return rest::figures(&Server::new(url, account)?, work, target.clients, None);
    }
    let days = ClinicDays::load(None, None, seed)?;
    let mut clinic = Clinic::found("rest")?;
    let slow = match target.fsync_extra_ms {
        0 => None,
        extra => Some(clinic.slow_disk(extra)?),
    };
    clinic.start()?;
    let mut desk = clinic.enter_people(&days, Ids::Own)?;
    let server = ground::server(clinic.base()?, LOGIN)?;
    for bundle in &days.encounters {
        let answer = server.json("POST", "", Some(desk.enter(bundle).to_string().as_bytes()))?;
        desk.learn(bundle, &answer)?;
    }
    let figures = rest::figures(&server, work, target.clients, slow.as_ref())?;
    clinic.stop()?;
    Ok(figures)
}
