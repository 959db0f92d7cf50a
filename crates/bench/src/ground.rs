//! What figures are taken on: a clinic's node of its own, and this machine's disk and memory.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use ondol_kernel::Date;
use ondol_testkit::{
    http::Request,
    node::{Binary, NodeConfig, NodeProcess, PASSWORD},
    patience::Stopwatch,
    population,
    visitor::Visitor,
};
use serde_json::Value;

use crate::{
    fhir::Server,
    inputs::{ClinicDays, Desk, Ids},
    sample::{Times, timed},
    slow_disk::SlowDisk,
};

/// Who works at the clinic.
pub const LOGIN: &str = "yonghui";
/// The same person's name.
pub const NAME: &str = "리용희";
/// People of a village that is made up at once.
const VILLAGE: usize = 2_000;
/// A commit of SQLite's log appends about so much, bytes.
const SMALL: usize = 4_096;
/// The disk is asked so often.
const SYNCS: usize = 200;

/// A folder for a work, emptied first.
pub fn folder(work: &str) -> Result<PathBuf> {
    let dir = ondol_testkit::target_dir().join("bench").join(work);
    match fs::remove_dir_all(&dir) {
        Err(why) if why.kind() != std::io::ErrorKind::NotFound => return Err(why.into()),
        _ => fs::create_dir_all(&dir)?,
    }
    Ok(dir.canonicalize()?)
}

/// A clinic under a ministry that it cannot reach, with one health worker.
#[derive(Debug)]
pub struct Clinic {
    dir: PathBuf,
    binary: Binary,
    process: Option<NodeProcess>,
    variables: Vec<(String, String)>,
}

impl Clinic {
    /// Founds both in an empty folder.
    pub fn found(work: &str) -> Result<Self> {
        let (dir, binary) = (folder(work)?, Binary::find()?);
        let at = |name: &str| dir.join(name).display().to_string();
        let (ministry, clinic) = (at("ministry"), at("clinic"));
        let run = |arguments: &[&str], input: &str| binary.run(arguments, input);
        run(&["init", "--data", &ministry, "--nation", "Bench", "--name", "보건성"], "")?;
        let parent = run(&["node-id", "--data", &ministry], "")?;
        let who = ["--tier", "clinic", "--name", "은정리진료소", "--parent", parent.trim()];
        let road = ["--road", "127.0.0.1:9"];
        let invitation =
            run(&[&["invite", "--data", &ministry], &who[..], &road[..]].concat(), "")?;
        run(&["join", "--data", &clinic, "-"], &invitation)?;
        let who = ["--login", LOGIN, "--name", NAME, "--roles", "health-worker,section-doctor"];
        let how = ["--pin", "4821", "--password-stdin"];
        run(&[&["account", "--data", &clinic], &who[..], &how[..]].concat(), PASSWORD)?;
        let variables = vec![("ONDOL_LOG".into(), "warn".into())];
        Ok(Self { dir, binary, process: None, variables })
    }

    /// From the next start on each fsync of the node takes so much longer.
    pub fn slow_disk(&mut self, extra_ms: u64) -> Result<SlowDisk> {
        let slow = SlowDisk::make(&self.dir, extra_ms)?;
        self.variables.extend(slow.variables());
        Ok(slow)
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.dir.join("clinic")
    }

    /// The program.
    pub const fn binary(&self) -> &Binary {
        &self.binary
    }

    /// Imports made-up residents and their visits, at least so many resources. Gives the count.
    pub fn fill(&self, seed: u64, resources: usize) -> Result<usize> {
        let day = Date::parse("2026-03-02").context("a day")?;
        let path = self.dir.join("residents.ndjson");
        let mut file = std::io::BufWriter::new(File::create(&path)?);
        let mut count = 0;
        for part in 0.. {
            for bundle in population::village(seed.wrapping_add(part), VILLAGE, day) {
                if count >= resources {
                    break;
                }
                count += bundle["entry"].as_array().map_or(0, Vec::len);
                writeln!(file, "{bundle}")?;
            }
            if count >= resources {
                break;
            }
        }
        file.flush()?;
        let (data, from) = (self.data().display().to_string(), path.display().to_string());
        self.binary.run(&["import", "--data", &data, &from], "")?;
        fs::remove_file(&path)?;
        Ok(count)
    }

    /// Starts the node and waits until its first page is answered. Gives how long that took.
    pub fn start(&mut self) -> Result<Duration> {
        let any = "127.0.0.1:0".parse()?;
        let config = NodeConfig {
            data: self.data(),
            http: any,
            https: None,
            road: any,
            // Nobody listens there: what waits for the ministry goes on waiting.
            parent_address: Some("127.0.0.1:9".parse()?),
            variables: self.variables.clone(),
        };
        let watch = Stopwatch::start();
        let process = NodeProcess::start(&self.binary, &config)?;
        let address = process.ready().http.trim_start_matches("http://").to_owned();
        let status = Request::new("GET", "/sign-in").send(&address)?.status;
        let took = watch.elapsed();
        self.process = Some(process);
        ensure!(status == 200, "the first page is answered with {status}");
        Ok(took)
    }

    /// Stops the node.
    pub fn stop(&mut self) -> Result<()> {
        let stopped = self.process.take().is_none_or(NodeProcess::terminate);
        ensure!(stopped, "the node did not stop cleanly");
        Ok(())
    }

    fn running(&self) -> Result<&NodeProcess> {
        self.process.as_ref().context("the node does not run")
    }

    /// `http://127.0.0.1:PORT`.
    pub fn base(&self) -> Result<&str> {
        Ok(&self.running()?.ready().http)
    }

    /// Its API, as the health worker.
    pub fn server(&self) -> Result<Server> {
        server(self.base()?, LOGIN)
    }

    /// Its pages, as the health worker.
    pub fn visitor(&self) -> Result<Visitor> {
        signed_in(self.base()?, LOGIN)
    }

    /// Its Organization, as a reference.
    pub fn organization(&self) -> Result<String> {
        Ok(format!("Organization/{}", self.running()?.ready().facility))
    }

    /// What it holds in memory now, MB.
    pub fn resident_mb(&self) -> Result<f64> {
        memory_mb(self.running()?.id(), "VmRSS")
    }

    /// Enters the people of a clinic's days; gives the desk that knows them.
    pub fn enter_people(&self, days: &ClinicDays, ids: Ids) -> Result<Desk> {
        let server = self.server()?;
        enter_people(&server, &self.organization()?, NAME, days, ids)
    }
}

/// Enters people at a node as one of its staff.
pub fn enter_people(
    server: &Server,
    organization: &str,
    name: &str,
    days: &ClinicDays,
    ids: Ids,
) -> Result<Desk> {
    let practitioner = practitioner(server, name)?;
    let mut desk = Desk::new(ids, organization, &practitioner);
    let entered = desk.enter(&days.population).to_string();
    let answer = server.json("POST", "", Some(entered.as_bytes()))?;
    desk.learn(&days.population, &answer)?;
    Ok(desk)
}

/// A node's API as somebody of the cast.
pub fn server(base: &str, login: &str) -> Result<Server> {
    Server::new(&format!("{base}/fhir"), Some((login, PASSWORD)))
}

/// A node's pages as somebody of the cast.
pub fn signed_in(base: &str, login: &str) -> Result<Visitor> {
    let mut visitor = Visitor::new(base, "en");
    let seen = visitor.sign_in(login, PASSWORD)?;
    if seen.path.starts_with("/sign-in") {
        bail!("{login} was not let in");
    }
    Ok(visitor)
}

/// Somebody of the staff, as a reference.
pub fn practitioner(server: &Server, name: &str) -> Result<String> {
    let staff = server.json("GET", "/Practitioner?_count=100", None)?;
    let all = staff["entry"].as_array().map_or(&[][..], Vec::as_slice);
    let one = all.iter().map(|entry| &entry["resource"]).find(|person| {
        let said: String = person["name"].to_string();
        said.contains(name)
    });
    let id = one.and_then(|person| person["id"].as_str()).context("the clinician is not found")?;
    Ok(format!("Practitioner/{id}"))
}

/// The ids of people whom somebody may see.
pub fn people(server: &Server, count: usize) -> Result<Vec<String>> {
    let found = server.json("GET", &format!("/Patient?_count={count}"), None)?;
    Ok(ids(&found))
}

/// The ids of the resources of a searchset.
pub fn ids(found: &Value) -> Vec<String> {
    let entries = found["entry"].as_array().into_iter().flatten();
    entries.filter_map(|entry| entry["resource"]["id"].as_str().map(str::to_owned)).collect()
}

/// A field of a process's status, MB.
pub fn memory_mb(process: u32, field: &str) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find(|line| line.starts_with(field));
    let kib: Option<f64> = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    Ok(kib.with_context(|| format!("{field} of the process"))? * 1_024.0 / 1e6)
}

/// Asks the system to forget what it keeps of a file in memory (GNU dd does it for whole files).
pub fn forget(path: &Path) -> Result<()> {
    let of = format!("of={}", path.display());
    let arguments = [of.as_str(), "oflag=nocache", "conv=notrunc,fdatasync", "count=0"];
    let status = Command::new("dd").args(arguments).stderr(Stdio::null()).status()?;
    ensure!(status.success(), "dd could not drop a file from the cache");
    Ok(())
}

/// How long this directory's disk takes to make a small append durable.
pub fn fsync_times(dir: &Path) -> Result<Times> {
    let path = dir.join("append");
    let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
    let mut times = vec![];
    let watch = Stopwatch::start();
    for _ in 0..SYNCS {
        let ((), took) = timed(|| {
            file.write_all(&[7; SMALL])?;
            Ok(file.sync_data()?)
        })?;
        times.push(took);
    }
    let whole = watch.elapsed();
    fs::remove_file(&path)?;
    Times::new(times, whole)
}

/// The same for a program, which must not be opened for writing.
pub fn forget_program(path: &Path) -> Result<()> {
    let from = format!("if={}", path.display());
    let arguments = [from.as_str(), "iflag=nocache", "count=0", "of=/dev/null"];
    let status = Command::new("dd").args(arguments).stderr(Stdio::null()).status()?;
    ensure!(status.success(), "dd could not drop the program from the cache");
    Ok(())
}
