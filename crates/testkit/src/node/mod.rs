//! Real nodes: the binary `ondol`, as processes with their own data, keys and ports.

mod cast;
mod country;
mod founding;
mod links;
mod process;
mod state;
mod template;

use std::{
    env, io,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use thiserror::Error;

use crate::http::HttpError;

pub use cast::{DutyPost, PASSWORD, Person, Seat};
pub use country::{Country, CountryConfig};
pub use links::Links;
pub use process::{NodeConfig, NodeProcess, Ready, tail};
pub use state::Ports;
pub use template::test_dir;

/// A node or a country did not do what was asked.
#[derive(Debug, Error)]
pub enum NodeError {
    /// The binary is not built.
    #[error("the node's program was not found at {0}: cargo build --package ondol-node --bins")]
    NotBuilt(String),
    /// The program could not be run.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// A command of `ondol` failed.
    #[error("`ondol {command}` failed:\n{said}")]
    Command {
        /// Its first arguments.
        command: String,
        /// What it said.
        said: String,
    },
    /// A node did not become ready.
    #[error("the node in {data} did not start; its log ends with:\n{log}")]
    NotReady {
        /// The data directory.
        data: String,
        /// The last lines of its log.
        log: String,
    },
    /// The directory holds something that is no country of ours.
    #[error("{0} is damaged; remove the directory to begin anew")]
    State(String),
    /// A node does not answer.
    #[error(transparent)]
    Http(#[from] HttpError),
}

impl NodeError {
    /// An error of the machine, with what was tried.
    pub fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }
}

/// The binary `ondol`.
#[derive(Debug, Clone)]
pub struct Binary(PathBuf);

impl Binary {
    /// Finds it: `ONDOL_BINARY`, else beside this program or (for tests) one directory up.
    pub fn find() -> Result<Self, NodeError> {
        if let Some(path) = env::var_os("ONDOL_BINARY") {
            return Ok(Self(path.into()));
        }
        let program = env::current_exe().map_err(NodeError::io("where this program stands"))?;
        let beside = program.ancestors().skip(1).take(2).map(|dir| dir.join("ondol"));
        beside.clone().find(|path| path.is_file()).map(Self).ok_or_else(|| {
            let looked: Vec<_> = beside.map(|path| path.display().to_string()).collect();
            NodeError::NotBuilt(looked.join(" or "))
        })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Runs `ondol ARGUMENTS…`, gives it something to read, and returns what it printed.
    pub fn run(&self, arguments: &[&str], input: &str) -> Result<String, NodeError> {
        let mut child = Command::new(&self.0)
            .args(arguments)
            .env("ONDOL_LOG", "warn")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(NodeError::io("the node's program does not run"))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A command that reads nothing closes its end.
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = child.wait_with_output().map_err(NodeError::io("the node's program"))?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(said);
        }
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(NodeError::Command { command: first_of(arguments), said: said + &error })
    }

    /// The same for a command that takes long: what it says goes to the terminal.
    pub fn run_aloud(&self, arguments: &[&str]) -> Result<(), NodeError> {
        let status = Command::new(&self.0)
            .args(arguments)
            .env("ONDOL_LOG", "warn")
            .stdin(Stdio::null())
            .status()
            .map_err(NodeError::io("the node's program does not run"))?;
        if status.success() {
            return Ok(());
        }
        Err(NodeError::Command { command: first_of(arguments), said: "see above".into() })
    }
}

/// What a command is called in a complaint: its values may name somebody.
fn first_of(arguments: &[&str]) -> String {
    arguments
        .iter()
        .take_while(|word| !word.starts_with("--"))
        .copied()
        .collect::<Vec<_>>()
        .join(" ")
}
