//! One running node.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use serde_json::Value;

use super::{Binary, NodeError};
use crate::patience;

/// A node may take so long to start on a machine that builds at the same time.
const START: Duration = Duration::from_mins(1);
/// So long a node may take to stop when asked.
const STOP: Duration = Duration::from_secs(20);
/// So much of a log is shown when something fails.
const LOG_LINES: usize = 12;

/// How a node is to be served.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// Its data directory.
    pub data: PathBuf,
    /// Plain HTTP.
    pub http: SocketAddr,
    /// HTTPS, if wanted.
    pub https: Option<SocketAddr>,
    /// Datagrams of the road.
    pub road: SocketAddr,
    /// Where the node above is reached.
    pub parent_address: Option<SocketAddr>,
    /// Further variables of the environment.
    pub variables: Vec<(String, String)>,
}

impl NodeConfig {
    /// The log of a node stands beside its data directory.
    pub fn log(&self) -> PathBuf {
        self.data.with_extension("log")
    }
}

/// What a node says when it is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// `http://127.0.0.1:PORT`.
    pub http: String,
    /// `https://…:PORT`.
    pub https: Option<String>,
    /// `HOST:PORT` of its datagrams.
    pub road: String,
    /// Its id.
    pub node: String,
    /// The id of its Organization.
    pub facility: String,
}

/// A running node; it is killed when dropped.
#[derive(Debug)]
pub struct NodeProcess {
    child: Child,
    ready: Ready,
}

impl NodeProcess {
    /// Starts a node and waits until it is ready.
    pub fn start(binary: &Binary, config: &NodeConfig) -> Result<Self, NodeError> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(config.log())
            .map_err(NodeError::io("the node's log cannot be written"))?;
        let mut command = Command::new(binary.path());
        command.arg("serve").arg("--data").arg(&config.data);
        command.arg("--http").arg(config.http.to_string());
        command.arg("--road").arg(config.road.to_string());
        if let Some(address) = config.https {
            command.arg("--https").arg(address.to_string());
        }
        if let Some(address) = config.parent_address {
            command.arg("--parent-address").arg(address.to_string());
        }
        command.envs(config.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child =
            command.spawn().map_err(NodeError::io("the node's program does not run"))?;
        let lines = child.stdout.take().map(first_line);
        let ready = lines.and_then(|lines| lines.recv_timeout(START).ok()).and_then(|l| read(&l));
        match ready {
            Some(ready) => Ok(Self { child, ready }),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                let data = config.data.display().to_string();
                Err(NodeError::NotReady { data, log: tail(&config.log()) })
            }
        }
    }

    /// What it said when it was ready.
    pub const fn ready(&self) -> &Ready {
        &self.ready
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it runs still.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks it to stop (SIGTERM) and waits; gives whether it stopped cleanly in time. One that
    /// does not is killed.
    pub fn terminate(mut self) -> bool {
        ask_to_stop(self.child.id());
        self.wait()
    }

    /// Waits for a node that was asked to stop by others, as by Ctrl-C.
    pub fn wait(&mut self) -> bool {
        let status = patience::until(STOP, || self.child.try_wait().ok().flatten());
        status.is_some_and(|status| status.success())
    }

    /// Ends it at once (SIGKILL), whatever it is doing.
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        self.end();
    }
}

/// Sends SIGTERM. A shell does it: the standard library has no call for it.
pub(super) fn ask_to_stop(process: u32) {
    let kill = format!("kill -TERM {process}");
    let _ = Command::new("sh").args(["-c", &kill]).stderr(Stdio::null()).status();
}

/// Gives the first line, and reads on so that the node never waits for a reader.
fn first_line(from: impl std::io::Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    receiver
}

fn read(line: &str) -> Option<Ready> {
    let said: Value = serde_json::from_str(line).ok()?;
    let text = |name: &str| said[name].as_str().map(str::to_owned);
    Some(Ready {
        http: text("http")?,
        https: text("https"),
        road: text("road")?,
        node: text("node")?,
        facility: text("facility")?,
    })
}

/// The last lines of a log.
pub fn tail(log: &Path) -> String {
    let Ok(file) = File::open(log) else { return "(it wrote no log)".into() };
    let lines: Vec<String> = BufReader::new(file).lines().map_while(Result::ok).collect();
    let from = lines.len().saturating_sub(LOG_LINES);
    lines[from..].join("\n")
}

/// Ends a node that an earlier run left behind: one that runs on this very data directory.
pub(super) fn end_left_behind(process: u32, data: &Path) {
    let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    let arguments: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
    let is_ours = arguments.get(1) == Some(&b"serve".as_slice())
        && arguments.contains(&data.as_os_str().as_encoded_bytes());
    if is_ours {
        ask_to_stop(process);
        let gone = || (!Path::new(&format!("/proc/{process}")).exists()).then_some(());
        let _ = patience::until(STOP, gone);
    }
}
