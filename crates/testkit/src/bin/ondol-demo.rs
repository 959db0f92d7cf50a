//! `ondol-demo`: a small country on one machine, with slow links between its nodes.

use std::{
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::Parser;
use ondol_kernel::{Date, Millis};
use ondol_testkit::{
    filling,
    node::{Country, CountryConfig, Links, NodeError, PASSWORD, Ports, Seat},
    patience::Stopwatch,
    population,
};

/// A village clinic, its county and provincial hospitals, the ministry and a specialist hospital
/// on this machine, with the links of such a country between them. Ctrl-C stops it; the next
/// start finds everything as it was.
#[derive(Debug, Parser)]
#[command(name = "ondol-demo", version, about)]
struct Arguments {
    /// Where the country's data stand.
    #[arg(long, default_value = "demo-data")]
    data: PathBuf,
    /// First load a directory of FHIR R4 bundles (JSON, or NDJSON) as residents of the county.
    #[arg(long, value_name = "DIR")]
    fhir: Option<PathBuf>,
    /// The first port of the pages.
    #[arg(long, default_value_t = 8001)]
    port: u16,
    /// Serve HTTPS to other machines too, as for a voice note from a telephone. The demo's
    /// passwords are no secret.
    #[arg(long)]
    lan: bool,
    /// Links ten times as fast, without loss.
    #[arg(long)]
    fast: bool,
    /// So many residents are made up for the village at the first start.
    #[arg(long, default_value_t = 120)]
    people: usize,
    /// From what residents and losses are made.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("ondol-demo: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Gives whether everything stopped cleanly.
fn run(arguments: &Arguments) -> Result<bool, NodeError> {
    let watch = Stopwatch::start();
    let mut say = |step: &str| println!("[{:>5.1} s] {step}", watch.elapsed().as_secs_f64());
    // Ctrl-C is heard from here on, also while the country is filled.
    let stop = StopAsked::listen()?;
    let config = CountryConfig {
        links: if arguments.fast { Links::Fast } else { Links::Real },
        ports: Ports::From(arguments.port),
        https: Some(IpAddr::V4(if arguments.lan {
            Ipv4Addr::UNSPECIFIED
        } else {
            Ipv4Addr::LOCALHOST
        })),
        seed: arguments.seed,
        variables: vec![],
    };
    let mut country = Country::prepare(&arguments.data, config, &mut say)?;
    fill(&mut country, arguments, &mut say)?;
    country.start_nodes(&mut say)?;
    say("putting people on duty");
    filling::rosters(&country)?;
    show(&country, &arguments.data);
    stop.wait();
    println!("\nStopping ...");
    let clean = country.stop();
    println!(
        "{}",
        if clean {
            "Stopped. The next start finds everything as it was."
        } else {
            "A node did not stop cleanly; its log says why."
        }
    );
    Ok(clean)
}

/// Loads residents: those of the village once, and those of each directory once.
fn fill(
    country: &mut Country,
    arguments: &Arguments,
    say: &mut dyn FnMut(&str),
) -> Result<(), NodeError> {
    if !country.has_done("village") {
        say(&format!("making up {} residents of {}", arguments.people, population::RI));
        filling::village(country, arguments.seed, arguments.people, today())?;
    }
    if let Some(dir) = &arguments.fhir {
        let dir = dir.canonicalize().map_err(NodeError::io("the directory of FHIR bundles"))?;
        let path = dir.display().to_string();
        say(&format!("loading {path} into {}", Seat::County.name()));
        country.once(&format!("fhir {path}"), |country| {
            country.command_aloud(Seat::County, &["import", &path])
        })?;
    }
    Ok(())
}

fn show(country: &Country, data: &Path) {
    println!("\nThe country runs. Its data stand in {}.\n", data.display());
    for seat in Seat::ALL {
        let ready = country.ready(seat);
        println!("{} - {}", seat.name(), seat.english());
        println!("    {}", ready.http);
        if let Some(https) = &ready.https {
            println!("    {https} (certified by the nation's own root)");
        }
        for person in seat.people() {
            println!(
                "    {:<10} {:<12} PIN {}  {}",
                person.login, person.name, person.pin, person.does
            );
        }
        println!();
    }
    println!("Everybody's password: {PASSWORD}");
    println!("Begin as yonghui at the clinic; answer as ryonhwa at the specialist hospital.");
    println!("Ctrl-C stops everything.");
}

/// The day on which the demo begins: its visits lie in the weeks before.
#[expect(clippy::disallowed_methods, reason = "the demo begins on the day on which it is started")]
fn today() -> Date {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(i64::try_from(since.as_millis()).unwrap_or(0)).local(9 * 60).0
}

/// Ctrl-C, or a request to terminate.
struct StopAsked {
    runtime: tokio::runtime::Runtime,
    asked: tokio::task::JoinHandle<()>,
}

impl StopAsked {
    fn listen() -> Result<Self, NodeError> {
        use tokio::signal::unix::{SignalKind, signal};
        let failed = NodeError::io("Ctrl-C cannot be heard");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(failed)?;
        let guard = runtime.enter();
        let listen = |kind| signal(kind).map_err(NodeError::io("Ctrl-C cannot be heard"));
        let (mut interrupt, mut terminate, mut hang_up) = (
            listen(SignalKind::interrupt())?,
            listen(SignalKind::terminate())?,
            listen(SignalKind::hangup())?,
        );
        drop(guard);
        let asked = runtime.spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hang_up.recv() => {}
            }
        });
        Ok(Self { runtime, asked })
    }

    fn wait(self) {
        let _ = self.runtime.block_on(self.asked);
    }
}
