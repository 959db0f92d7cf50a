//! Five nodes and the links between them.

use std::{
    collections::BTreeMap,
    fs,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use tokio::runtime::Runtime;

use super::{
    Binary, Links, NodeConfig, NodeError, NodeProcess, Ports, Ready, Seat, founding, process,
    state::{State, here},
};
use crate::{
    emulate::{Controls, UdpEmulator},
    patience,
};

/// How a country is to be.
#[derive(Debug, Clone)]
pub struct CountryConfig {
    /// How its links are.
    pub links: Links,
    /// Where it listens.
    pub ports: Ports,
    /// On which address pages are served over HTTPS too.
    pub https: Option<IpAddr>,
    /// What the losses of links come from.
    pub seed: u64,
    /// Further variables of the nodes' environment.
    pub variables: Vec<(String, String)>,
}

impl CountryConfig {
    /// For tests: fast links, any ports, plain HTTP.
    pub fn for_tests() -> Self {
        Self { links: Links::Fast, ports: Ports::Any, https: None, seed: 1, variables: vec![] }
    }
}

/// A running country. Its nodes are killed when it is dropped; [`Country::stop`] is kinder.
#[derive(Debug)]
pub struct Country {
    dir: PathBuf,
    binary: Binary,
    config: CountryConfig,
    state: State,
    nodes: BTreeMap<Seat, NodeProcess>,
    /// Once known, what each node says of itself stays.
    known: BTreeMap<Seat, Ready>,
    links: BTreeMap<Seat, UdpEmulator>,
    /// Where a record lies that is not in its node's data directory.
    stores: BTreeMap<Seat, String>,
    /// Carries the links; dropped last.
    runtime: Runtime,
}

impl Country {
    /// Founds a country in `dir`, or finds the one that is there as it was, and starts it. `say`
    /// hears of each step.
    pub fn start(
        dir: &Path,
        config: CountryConfig,
        say: &mut dyn FnMut(&str),
    ) -> Result<Self, NodeError> {
        let mut country = Self::prepare(dir, config, say)?;
        country.start_nodes(say)?;
        Ok(country)
    }

    /// The same without starting the nodes: they can be filled by commands first.
    pub fn prepare(
        dir: &Path,
        config: CountryConfig,
        say: &mut dyn FnMut(&str),
    ) -> Result<Self, NodeError> {
        let binary = Binary::find()?;
        fs::create_dir_all(dir).map_err(NodeError::io("the directory cannot be made"))?;
        let dir = dir.canonicalize().map_err(NodeError::io("the directory"))?;
        let mut state = State::read(&dir)?.unwrap_or_default();
        for (seat, id) in std::mem::take(&mut state.processes) {
            process::end_left_behind(id, &dir.join(seat.folder()));
        }
        state.settle(config.ports)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("links")
            .enable_all()
            .build()
            .map_err(NodeError::io("the links' thread"))?;
        let mut country = Self {
            dir,
            binary,
            config,
            state,
            nodes: BTreeMap::new(),
            known: BTreeMap::new(),
            links: BTreeMap::new(),
            stores: BTreeMap::new(),
            runtime,
        };
        country.once("founded", |country| {
            founding::found(&country.binary, &country.dir, &country.state.doors, say)
        })?;
        country.open_links()?;
        Ok(country)
    }

    /// Starts all nodes.
    pub fn start_nodes(&mut self, say: &mut dyn FnMut(&str)) -> Result<(), NodeError> {
        for seat in Seat::ALL {
            self.start_node(seat)?;
            say(&format!("{} is ready", seat.name()));
        }
        Ok(())
    }

    /// Forgets the ports: a copy of this country shall have its own.
    pub(super) fn forget_doors(&mut self) -> Result<(), NodeError> {
        self.state.doors.clear();
        self.state.write(&self.dir)
    }

    /// The country's directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Does something once in the life of this country; what failed is done again next time.
    pub fn once(
        &mut self,
        what: &str,
        act: impl FnOnce(&mut Self) -> Result<(), NodeError>,
    ) -> Result<(), NodeError> {
        if self.has_done(what) {
            return Ok(());
        }
        act(self)?;
        self.state.done.push(what.to_owned());
        self.state.write(&self.dir)
    }

    /// Whether something was done once.
    pub fn has_done(&self, what: &str) -> bool {
        self.state.done.iter().any(|done| done == what)
    }

    fn open_links(&mut self) -> Result<(), NodeError> {
        for (at, seat) in (0..).zip(Seat::ALL) {
            let (Some(above), Some(way)) = (seat.above(), self.config.links.above(seat)) else {
                continue;
            };
            let target = here(self.state.doors[&above].road);
            let seed = self.config.seed.wrapping_mul(31).wrapping_add(at);
            let opened =
                self.runtime.block_on(UdpEmulator::start(here(0), target, way.clone(), way, seed));
            self.links.insert(seat, opened.map_err(NodeError::io("a link cannot be opened"))?);
        }
        Ok(())
    }

    /// Moves the record of a node that does not run to a database, where the node works on.
    pub fn move_record(&mut self, seat: Seat, url: &str) -> Result<String, NodeError> {
        let data = self.data(seat).display().to_string();
        let said = self.binary.run(&["store", "copy", &data, url], "")?;
        self.stores.insert(seat, url.to_owned());
        Ok(said)
    }

    /// Starts a node that does not run.
    pub fn start_node(&mut self, seat: Seat) -> Result<(), NodeError> {
        let doors = self.state.doors[&seat];
        let mut variables = self.config.variables.clone();
        variables.extend(self.stores.get(&seat).map(|url| ("ONDOL_STORE".to_owned(), url.clone())));
        let config = NodeConfig {
            data: self.data(seat),
            http: here(doors.http),
            https: self.config.https.map(|address| SocketAddr::new(address, doors.https)),
            road: here(doors.road),
            parent_address: self.links.get(&seat).map(UdpEmulator::address),
            variables,
        };
        let node = NodeProcess::start(&self.binary, &config)?;
        self.known.insert(seat, node.ready().clone());
        self.state.processes.insert(seat, node.id());
        self.nodes.insert(seat, node);
        self.state.write(&self.dir)
    }

    /// The data directory of a node.
    pub fn data(&self, seat: Seat) -> PathBuf {
        self.dir.join(seat.folder())
    }

    /// The log of a node.
    pub fn log(&self, seat: Seat) -> PathBuf {
        self.data(seat).with_extension("log")
    }

    /// What a node said when it was ready last.
    pub fn ready(&self, seat: Seat) -> &Ready {
        &self.known[&seat]
    }

    /// `http://127.0.0.1:PORT` of a node; it stays over restarts.
    pub fn url(&self, seat: Seat) -> &str {
        &self.ready(seat).http
    }

    /// Whether a node runs.
    pub fn is_running(&mut self, seat: Seat) -> bool {
        self.nodes.get_mut(&seat).is_some_and(NodeProcess::is_running)
    }

    /// Kills a node (SIGKILL), as a power cut would.
    pub fn kill(&mut self, seat: Seat) {
        if let Some(node) = self.nodes.remove(&seat) {
            node.kill();
        }
    }

    /// Asks a node to stop (SIGTERM); gives whether it stopped cleanly.
    pub fn terminate(&mut self, seat: Seat) -> bool {
        self.nodes.remove(&seat).is_none_or(NodeProcess::terminate)
    }

    /// The link between a node and the one above it; none for the ministry.
    pub fn link(&self, seat: Seat) -> Option<&Controls> {
        self.links.get(&seat).map(UdpEmulator::controls)
    }

    /// Cuts the link between a node and the one above it.
    pub fn cut(&self, seat: Seat) {
        if let Some(link) = self.link(seat) {
            link.cut();
        }
    }

    /// Holds back what comes down from above, acknowledgements and all; what goes up passes.
    pub fn hold_back_answers(&self, seat: Seat) {
        if let Some(link) = self.link(seat) {
            link.cut_one_way(false);
        }
    }

    /// Restores what was cut.
    pub fn restore(&self, seat: Seat) {
        if let Some(link) = self.link(seat) {
            link.restore();
        }
    }

    /// Runs `ondol COMMAND… --data DIR` for a node. Most commands want it stopped.
    pub fn command(&self, seat: Seat, arguments: &[&str]) -> Result<String, NodeError> {
        let data = self.data(seat).display().to_string();
        let mut arguments = [arguments, &["--data", &data]].concat();
        if let Some(url) = self.stores.get(&seat) {
            arguments.extend(["--store", url]);
        }
        self.binary.run(&arguments, "")
    }

    /// How many entries and messages wait at a node for its neighbours, as `ondol road status`
    /// says; the node may run.
    pub fn waiting(&self, seat: Seat) -> Result<u64, NodeError> {
        let said = self.command(seat, &["road", "status"])?;
        let numbers = said.lines().filter(|line| line.contains(" queued, ")).flat_map(|line| {
            let counts = line.split_once(": ").map_or("", |(_, counts)| counts);
            let mut words = counts.split(' ').filter_map(|word| word.parse::<u64>().ok());
            [words.next(), words.next()]
        });
        Ok(numbers.flatten().sum())
    }

    /// Waits until nothing waits at some nodes; gives whether that came in time.
    pub fn settles(&self, seats: &[Seat], within: Duration) -> bool {
        patience::until(within, || {
            let quiet = seats.iter().all(|seat| self.waiting(*seat).is_ok_and(|n| n == 0));
            if !quiet {
                thread::sleep(Duration::from_millis(400));
            }
            quiet.then_some(())
        })
        .is_some()
    }

    /// The same, with what the command says going to the terminal.
    pub fn command_aloud(&self, seat: Seat, arguments: &[&str]) -> Result<(), NodeError> {
        let data = self.data(seat).display().to_string();
        self.binary.run_aloud(&[arguments, &["--data", &data]].concat())
    }

    /// Asks all nodes to stop, those below first; gives whether all stopped cleanly.
    pub fn stop(mut self) -> bool {
        for node in self.nodes.values() {
            process::ask_to_stop(node.id());
        }
        let mut clean = true;
        for node in self.nodes.values_mut().rev() {
            clean &= node.wait();
        }
        self.state.processes.clear();
        clean & self.state.write(&self.dir).is_ok()
    }
}
