//! All works with their defaults. Each is a process of its own, so that one that hangs or fails
//! ends with its nodes after its time and says so in the table, and the others go on.

use std::{
    env,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use ondol_testkit::patience::Stopwatch;

use crate::figure::{Figure, Report};

/// A work, and the time within which it has to be done.
#[derive(Debug, Clone)]
pub struct Step {
    arguments: Vec<String>,
    within: Duration,
}

impl Step {
    /// As it would be called on the command line.
    pub fn new(arguments: &str, within_s: u64) -> Self {
        let arguments = arguments.split(' ').map(str::to_owned).collect();
        Self { arguments, within: Duration::from_secs(within_s) }
    }

    fn name(&self) -> &str {
        self.arguments.first().map_or("", String::as_str)
    }

    /// That it came to nothing.
    fn failed(&self, why: String, seed: u64) -> Report {
        let figures = vec![Figure::missing(self.arguments.join(" "), why)];
        Report { work: self.name().to_owned(), seed, figures }
    }
}

/// Takes the steps one after the other, those of a group beside each other, and tells each report
/// as soon as it is there.
pub fn take(groups: &[Vec<Step>], seed: u64, say: &mut dyn FnMut(&Report)) {
    for group in groups {
        let (sender, reports) = channel();
        thread::scope(|scope| {
            for step in group {
                let sender = sender.clone();
                scope.spawn(move || {
                    if let Err(why) = run(step, seed, &sender) {
                        let _ = sender.send(step.failed(format!("{why:#}"), seed));
                    }
                });
            }
            drop(sender);
            for report in &reports {
                say(&report);
            }
        });
    }
}

fn run(step: &Step, seed: u64, reports: &Sender<Report>) -> Result<()> {
    let watch = Stopwatch::start();
    let mut child = Command::new(env::current_exe()?)
        .args(["--json", "--seed", &seed.to_string()])
        .args(&step.arguments)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("a work does not start")?;
    let told = lines(child.stdout.take());
    let errors = lines(child.stderr.take());
    loop {
        match told.recv_timeout(step.within.saturating_sub(watch.elapsed())) {
            Ok(line) => {
                let report = Report::from_json(&line).context("a work's report is not read")?;
                let _ = reports.send(report);
            }
            Err(RecvTimeoutError::Timeout) => {
                end(&mut child);
                anyhow::bail!("not done within {} s, and ended", step.within.as_secs());
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let status = child.wait()?;
    if !status.success() {
        let said: Vec<String> = errors.iter().collect();
        anyhow::bail!("{}", said.last().map_or("failed and said nothing", String::as_str));
    }
    Ok(())
}

/// The lines of an output, until it is closed.
fn lines(from: Option<impl std::io::Read + Send + 'static>) -> std::sync::mpsc::Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let Some(from) = from else { return };
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Ends a work with everything that it started. A shell does it: the standard library has no call
/// for it.
fn end(child: &mut Child) {
    let kill = format!("kill -KILL -{}", child.id());
    let _ = Command::new("sh").args(["-c", &kill]).stderr(Stdio::null()).status();
    let _ = child.wait();
}
