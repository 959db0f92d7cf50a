//! The command line.

use std::{
    io::{IsTerminal as _, Read},
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};
use ed25519_dalek::SigningKey;
use ondol_app::{
    Actor,
    founding::{self, Invite, Ticket},
    rest::import::Mode,
};
use ondol_kernel::{Clock, NodeId};
use ondol_record::certificate::Tier;
use ondol_replicate::link;

use crate::{
    backup, carry,
    chance::seed,
    clock::MachineClock,
    copy,
    data_dir::{DataDir, Settings},
    import, nodes, private,
    serve::{self, ServeConfig},
    terminology,
    ticket::{self, Authority},
};

/// One lifelong record and one telemedicine network, at every facility of a country.
#[derive(Debug, Parser)]
#[command(name = "ondol", version, about)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
struct Data {
    /// The data directory of the facility.
    #[arg(long, env = "ONDOL_DATA", default_value = "/var/lib/ondol")]
    data: PathBuf,
    /// The URL of a PostgreSQL database for the record, `postgres://…`. Without it the record is
    /// a file in the data directory. All else stays in the directory.
    #[arg(long, env = "ONDOL_STORE", hide_env_values = true)]
    store: Option<String>,
}

impl Data {
    /// The directory, made if it is missing.
    fn dir(&self) -> Result<DataDir> {
        DataDir::at(&self.data)?.with_store(self.store.as_deref())
    }

    /// The directory as it is.
    fn standing(&self) -> Result<DataDir> {
        DataDir(self.data.clone(), None).with_store(self.store.as_deref())
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Begin a nation: makes its root key and the ministry's node.
    Init {
        #[command(flatten)]
        data: Data,
        /// The nation's name, as certificates show it.
        #[arg(long)]
        nation: String,
        /// The ministry's name.
        #[arg(long)]
        name: String,
    },
    /// Invite a facility (at the ministry). Prints the invitation.
    Invite {
        #[command(flatten)]
        data: Data,
        /// clinic, county, province or specialist.
        #[arg(long)]
        tier: String,
        /// The facility's name.
        #[arg(long)]
        name: String,
        /// The id of the node above it.
        #[arg(long)]
        parent: String,
        /// Where the node above listens on the road: host:port.
        #[arg(long)]
        road: String,
        /// Also draw it as a QR code.
        #[arg(long)]
        qr: bool,
    },
    /// Join with an invitation (its text, or - to read it from standard input).
    Join {
        #[command(flatten)]
        data: Data,
        /// The invitation.
        code: String,
    },
    /// Print this node's id.
    NodeId {
        #[command(flatten)]
        data: Data,
    },
    /// Serve pages and the road until stopped.
    Serve {
        #[command(flatten)]
        data: Data,
        /// Plain HTTP, for this machine alone.
        #[arg(long, default_value = "127.0.0.1:8080")]
        http: Option<SocketAddr>,
        /// HTTPS, for the local network.
        #[arg(long)]
        https: Option<SocketAddr>,
        /// Datagrams of the road.
        #[arg(long, default_value = "0.0.0.0:7464")]
        road: SocketAddr,
        /// Where the node above listens, if not where the invitation said.
        #[arg(long)]
        parent_address: Option<String>,
    },
    /// Print a new code for the first run: its page asks for it.
    SetupCode {
        #[command(flatten)]
        data: Data,
    },
    /// Add an account, with a password from standard input.
    Account {
        #[command(flatten)]
        data: Data,
        /// The sign-in name.
        #[arg(long)]
        login: String,
        /// The person's name.
        #[arg(long)]
        name: String,
        /// Roles, separated by commas: health-worker, doctor, specialist ...
        #[arg(long, value_delimiter = ',')]
        roles: Vec<String>,
        /// Read the password from standard input.
        #[arg(long, required = true)]
        password_stdin: bool,
        /// A PIN for quick switching.
        #[arg(long)]
        pin: Option<String>,
    },
    /// Load FHIR bundles (JSON, or NDJSON with one a line), and tables (CSV, TSV) by the
    /// mapping.json beside them. What is there already is not written again.
    Import {
        #[command(flatten)]
        data: Data,
        /// Only tell what would be saved, and what would be left out.
        #[arg(long = "try")]
        only_try: bool,
        /// Files and folders.
        #[arg(required = true)]
        paths: Vec<PathBuf>,
    },
    /// Carry what waits by stick: out to a folder, or in from one.
    Carry {
        #[command(subcommand)]
        way: Way,
    },
    /// Print a code that opens this node's backups. Write it down: nobody can read it again.
    BackupCode {
        #[command(flatten)]
        data: Data,
        /// Make another code in place of the one that there is.
        #[arg(long)]
        anew: bool,
    },
    /// Back up to a stick or another disk what is not there yet, while the node runs.
    Backup {
        /// Where the stick or disk is.
        folder: PathBuf,
        #[command(flatten)]
        data: Data,
        /// Read everything back that is there, and write anew what is damaged.
        #[arg(long)]
        check: bool,
    },
    /// Put a backup back, with the code from its envelope on standard input.
    Restore {
        /// Where the stick or disk is.
        folder: PathBuf,
        /// The data directory to make.
        data: PathBuf,
        /// Which backup, if several stand side by side.
        #[arg(long)]
        backup: Option<String>,
        /// Which snapshot, if not the newest.
        #[arg(long)]
        snapshot: Option<u64>,
    },
    /// Check the record against itself.
    Verify {
        #[command(flatten)]
        data: Data,
    },
    /// Make indexes and views again from the log.
    Reindex {
        #[command(flatten)]
        data: Data,
    },
    /// The database of a record: how it is spread, and moving a record into another one.
    Store {
        #[command(subcommand)]
        what: StoreCommand,
    },
    /// Packages of terminology: code systems and value sets that are too large for the record.
    Terminology {
        #[command(subcommand)]
        what: TerminologyCommand,
    },
    /// The computers of the facilities: which are trusted, and revoking one that was stolen.
    Node {
        #[command(subcommand)]
        what: NodeCommand,
    },
    /// What waits for whom.
    Road {
        #[command(subcommand)]
        what: RoadCommand,
    },
}

#[derive(Debug, Subcommand)]
enum Way {
    /// Write what waits to a stick.
    Out {
        /// Where the stick is.
        folder: PathBuf,
        #[command(flatten)]
        data: Data,
    },
    /// Read a stick.
    In {
        /// Where the stick is.
        folder: PathBuf,
        #[command(flatten)]
        data: Data,
    },
}

#[derive(Debug, Subcommand)]
enum RoadCommand {
    /// What waits for each neighbour.
    Status {
        #[command(flatten)]
        data: Data,
    },
}

#[derive(Debug, Subcommand)]
enum NodeCommand {
    /// List this node and those below, and all that were revoked.
    List {
        #[command(flatten)]
        data: Data,
    },
    /// Say in the nation's name that a node is believed no more (where the root key lies). The
    /// node may run.
    Revoke {
        #[command(flatten)]
        data: Data,
        /// Its id, as `ondol node list` prints it.
        node: String,
        /// stolen, lost, copied or closed.
        #[arg(long)]
        why: String,
        /// The last trusted numbers, a line for each incarnation: 'INCARNATION: EMERGENCY CARE
        /// ROUTINE BULK', lines parted by ';'. Read them from the page of the node above it.
        /// Without it, what has come here before --before counts.
        #[arg(long)]
        trusted: Option<String>,
        /// When the node was surely in the right hands for the last time, ms since 1970. Without
        /// it: now.
        #[arg(long)]
        before: Option<i64>,
        /// The file of the nation's root key, if it is not in the data directory.
        #[arg(long)]
        root: Option<PathBuf>,
        /// Also write the revocation to a file, for nodes that no link reaches.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Take in a revocation from a file that `ondol node revoke --out` wrote. The node may run.
    Revoked {
        #[command(flatten)]
        data: Data,
        /// The file.
        file: PathBuf,
    },
    /// Hang a node below another one (where the root key lies): a county that moves to another
    /// province, a clinic that another hospital looks after. The nodes may run.
    Move {
        #[command(flatten)]
        data: Data,
        /// Its id, as `ondol node list` prints it.
        node: String,
        /// The id of the node above it from now on.
        #[arg(long)]
        below: String,
        /// Where that one listens on the road: host:port. Without it, the moved node has to be told
        /// in its configuration, or gets sticks.
        #[arg(long, default_value = "")]
        road: String,
        /// The file of the nation's root key, if it is not in the data directory.
        #[arg(long)]
        root: Option<PathBuf>,
        /// Also write the placement to a file, for nodes that no link reaches.
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Take in a placement from a file that `ondol node move --out` wrote. The node may run.
    Moved {
        #[command(flatten)]
        data: Data,
        /// The file.
        file: PathBuf,
    },
    /// Invite a facility again whose node was revoked, for a new node in its place (at the
    /// ministry). Prints the invitation.
    InviteAgain {
        #[command(flatten)]
        data: Data,
        /// The id of the node that was revoked.
        node: String,
        /// Where the node above listens on the road: host:port.
        #[arg(long)]
        road: String,
        /// Also draw it as a QR code.
        #[arg(long)]
        qr: bool,
    },
}

#[derive(Debug, Subcommand)]
enum TerminologyCommand {
    /// Add a file: a code system, value set, concept map or Bundle of FHIR (JSON), a FHIR package
    /// (.tgz), or a table with a header (CSV or TSV: ICD-10, ICD-11, ATC, LOINC ...). A package of
    /// the same name is replaced. The node may run.
    Add {
        /// The file.
        file: PathBuf,
        #[command(flatten)]
        data: Data,
        /// Whose codes a table has, if its header does not tell: icd-10, icd-11, atc, loinc, or
        /// the URL of a code system.
        #[arg(long)]
        system: Option<String>,
        /// The version of the code system of a table.
        #[arg(long)]
        version: Option<String>,
        /// The language of the names in a table: en, ko ...
        #[arg(long)]
        language: Option<String>,
        /// What the package is called here, if not as it calls itself.
        #[arg(long)]
        name: Option<String>,
    },
    /// List the packages, each read to its end.
    List {
        #[command(flatten)]
        data: Data,
    },
    /// Remove a package.
    Remove {
        /// Its name.
        name: String,
        #[command(flatten)]
        data: Data,
    },
}

#[derive(Debug, Subcommand)]
enum StoreCommand {
    /// Print the statements that spread the record over a PostgreSQL cluster.
    Plan {
        /// So many servers hold charts: one has partitions, several are a cluster of Citus.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
        workers: u32,
        /// So many parts of the charts.
        #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=4096))]
        shards: u32,
    },
    /// Copy a record into another store, and compare both. Stopped anywhere, it goes on where it
    /// was. The node must not run.
    Copy {
        /// A data directory, or postgres://…
        from: String,
        /// A data directory, or postgres://…
        to: String,
    },
}

/// Does what the command line says.
pub fn run(arguments: Arguments) -> Result<()> {
    log_to_stderr();
    match arguments.command {
        Command::Init { data, nation, name } => init(&data.dir()?, &nation, &name),
        Command::Invite { data, tier, name, parent, road, qr } => {
            invite(&data.dir()?, &tier, name, &parent, road, qr)
        }
        Command::Join { data, code } => join(&data.dir()?, &code),
        Command::NodeId { data } => {
            println!("{}", data.dir()?.app()?.place().node);
            Ok(())
        }
        Command::Serve { data, http, https, road, parent_address } => {
            let config = ServeConfig { http, https, road, parent_address };
            serve::serve(&data.dir()?, &config)
        }
        Command::SetupCode { data } => setup_code(&data.dir()?),
        Command::Account { data, login, name, roles, password_stdin: _, pin } => {
            account(&data.dir()?, &login, &name, &roles, pin.as_deref())
        }
        Command::Import { data, only_try, paths } => {
            let mode = if only_try { Mode::Try } else { Mode::Write };
            import::import(&data.dir()?, &paths, mode)
        }
        Command::Carry { way: Way::Out { folder, data } } => {
            carry::out(&data.dir()?.app()?, &folder)
        }
        Command::Carry { way: Way::In { folder, data } } => {
            carry::carry_in(&data.dir()?.app()?, &folder)
        }
        Command::BackupCode { data, anew } => backup_code(&data.standing()?, anew),
        Command::Backup { folder, data, check } => {
            let mut steps = Steps::default();
            let mut told = |step, done, all| steps.tell(step, done, all);
            backup::backup(&data.standing()?, &folder, check, &mut told)
        }
        Command::Restore { folder, data, backup, snapshot } => {
            restore(&folder, &data, backup.as_deref(), snapshot)
        }
        Command::Verify { data } => verify(&data.dir()?),
        Command::Reindex { data } => reindex(&data.dir()?),
        Command::Store { what: StoreCommand::Plan { workers, shards } } => {
            print!("{}", ondol_store_postgres::plan(workers, shards));
            Ok(())
        }
        Command::Store { what: StoreCommand::Copy { from, to } } => copy(&from, &to),
        Command::Terminology { what } => terminology(what),
        Command::Node { what } => node(what),
        Command::Road { what: RoadCommand::Status { data } } => road_status(&data.dir()?),
    }
}

fn node(what: NodeCommand) -> Result<()> {
    match what {
        NodeCommand::List { data } => nodes::list(&data.dir()?),
        NodeCommand::Revoke { data, node, why, trusted, before, root, out } => {
            let asked = nodes::Asked { node, why, trusted, before, root, out };
            nodes::revoke(&data.dir()?, &asked)
        }
        NodeCommand::Revoked { data, file } => nodes::revoked(&data.dir()?, &file),
        NodeCommand::Move { data, node, below, road, root, out } => {
            let asked = nodes::AskedMove { node, below, road, root, out };
            nodes::move_node(&data.dir()?, &asked)
        }
        NodeCommand::Moved { data, file } => nodes::moved(&data.dir()?, &file),
        NodeCommand::InviteAgain { data, node, road, qr } => {
            show_ticket(&nodes::invite_again(&data.dir()?, &node, &road)?, qr)
        }
    }
}

fn terminology(what: TerminologyCommand) -> Result<()> {
    match what {
        TerminologyCommand::Add { file, data, system, version, language, name } => {
            let asked = terminology::Asked { system, version, language, name };
            terminology::add(&data.dir()?.0, &file, &asked)
        }
        TerminologyCommand::List { data } => terminology::list(&data.dir()?.0),
        TerminologyCommand::Remove { name, data } => terminology::remove(&data.dir()?.0, &name),
    }
}

fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("ONDOL_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

fn init(data: &DataDir, nation: &str, name: &str) -> Result<()> {
    let clock = MachineClock::new(0);
    let (root, keys) = (SigningKey::from_bytes(&seed()), private::new_keys());
    let link_public = link::public_key(&keys.link)?;
    let store = data.store()?;
    if store.read()?.identity()?.is_some() {
        bail!("this data directory already belongs to a facility");
    }
    private::write_keys(&data.keys(), &keys)?;
    private::write(&data.root_key(), &root.to_bytes())?;
    private::write(&data.tls(), &Authority::nation(nation)?.to_bytes())?;
    founding::found_nation(&*store, &root, &keys, link_public, name, clock.wall())?;
    drop(store);
    let app = data.app()?;
    app.found_organization(&carry::node_actor(&app))?;
    println!("the nation is founded; keep {} safe and secret", data.root_key().display());
    Ok(())
}

fn invite(
    data: &DataDir,
    tier: &str,
    name: String,
    parent: &str,
    parent_address: String,
    qr: bool,
) -> Result<()> {
    let tier = Tier::from_name(tier)
        .filter(|tier| *tier != Tier::Ministry)
        .context("the tier is clinic, county, province or specialist")?;
    let parent =
        NodeId::from_hex(parent).context("--parent is the id that `ondol node-id` prints")?;
    let root = nodes::root_key(&data.root_key())?;
    let authority = Authority::from_bytes(&std::fs::read(data.tls())?)?;
    let app = data.app()?;
    let actor = Actor::node(app.place().node, &app.place().name);
    let tls = authority.below(&format!("Ondol {name}"))?.to_bytes();
    let invite = Invite { name, tier, parent, parent_address };
    let ticket = app.invite(&actor, &root, &invite, tls)?;
    show_ticket(&ticket, qr)
}

fn show_ticket(ticket: &Ticket, qr: bool) -> Result<()> {
    let text = ticket::to_text(ticket);
    if qr {
        let code = qrcode::QrCode::new(text.as_bytes())?;
        println!("{}", code.render::<qrcode::render::unicode::Dense1x2>().build());
    }
    println!("{text}");
    Ok(())
}

fn join(data: &DataDir, code: &str) -> Result<()> {
    let mut text = code.to_owned();
    if text == "-" {
        text.clear();
        std::io::stdin().read_to_string(&mut text)?;
    }
    let ticket = ticket::from_text(&text)?;
    let keys = private::new_keys();
    let link_public = link::public_key(&keys.link)?;
    let store = data.store()?;
    if store.read()?.identity()?.is_some() {
        bail!("this data directory already belongs to a facility");
    }
    private::write_keys(&data.keys(), &keys)?;
    private::write(&data.tls(), &ticket.tls)?;
    data.write_settings(&Settings {
        parent_address: Some(ticket.parent_address.clone()),
        parent_link_key: Some(ticket.parent_link_key),
        ..data.settings()?
    })?;
    let now = MachineClock::new(0).wall();
    let (place, _) = founding::join(&*store, &ticket, &keys, link_public, now)?;
    println!("{} joined as {}", place.name, place.tier.name());
    Ok(())
}

fn setup_code(data: &DataDir) -> Result<()> {
    match data.app()?.new_setup_code()? {
        Some(code) => println!("{code}"),
        None => bail!("this facility has accounts: there is no first run any more"),
    }
    Ok(())
}

fn account(
    data: &DataDir,
    login: &str,
    name: &str,
    roles: &[String],
    pin: Option<&str>,
) -> Result<()> {
    let mut password = String::new();
    std::io::stdin().read_to_string(&mut password)?;
    let app = data.app()?;
    let password = password.trim_end_matches(['\r', '\n']);
    app.provision_account(login, name, roles, password, pin)?;
    println!("the account {login} was added");
    Ok(())
}

fn backup_code(data: &DataDir, anew: bool) -> Result<()> {
    let code = backup::new_code(data, anew)?;
    println!("{code}");
    eprintln!(
        "Write this code down, seal it into an envelope, and keep it neither at the node nor with \
         the backup. Without it no backup can be opened, by anybody."
    );
    Ok(())
}

fn restore(from: &Path, to: &Path, backup: Option<&str>, snapshot: Option<u64>) -> Result<()> {
    let mut steps = Steps::default();
    let restored = backup::restore(
        &backup::Restoring { from, to, backup, snapshot },
        &mut || {
            if std::io::stdin().is_terminal() {
                eprintln!("The backup code from the envelope:");
            }
            let mut code = String::new();
            std::io::stdin().read_line(&mut code)?;
            Ok(code)
        },
        &mut |step, done, all| steps.tell(step, done, all),
    )?;
    println!(
        "restored: {} entries and {} pictures, as of {}. The node begins a new incarnation; the \
         machine that it was on must not run any more",
        restored.entries,
        restored.blobs,
        restored.taken.to_fhir(0)
    );
    Ok(())
}

fn copy(from: &str, to: &str) -> Result<()> {
    let mut steps = Steps::default();
    let copied = copy::copy(from, to, &mut |step, done, all| steps.tell(step, done, all))?;
    println!("{copied} entries stand in both, alike");
    Ok(())
}

/// Says how far each step is.
#[derive(Default)]
struct Steps {
    step: &'static str,
    said: u64,
}

impl Steps {
    fn tell(&mut self, step: &'static str, done: u64, all: u64) {
        if self.step != step {
            *self = Self { step, said: 0 };
            eprintln!("{step}:");
        }
        progress(&mut self.said, done, all);
    }
}

fn verify(data: &DataDir) -> Result<()> {
    let store = data.store()?;
    let mut said = 0;
    let findings = store.verify(&mut |done, all| progress(&mut said, done, all))?;
    for finding in &findings {
        match finding.address {
            Some(address) => println!("{address}: {}", finding.what),
            None => println!("{}", finding.what),
        }
    }
    if !findings.is_empty() {
        bail!(
            "{} findings; the log is what counts: try `ondol reindex`, then ask for help",
            findings.len()
        );
    }
    println!("the record is sound");
    Ok(())
}

fn reindex(data: &DataDir) -> Result<()> {
    let store = data.store()?;
    let mut said = 0;
    let entries = store.reindex(&mut |done, all| progress(&mut said, done, all))?;
    println!("{entries} entries indexed");
    Ok(())
}

/// Says how far it is, each tenth once.
fn progress(said: &mut u64, done: u64, all: u64) {
    let tenth = done.saturating_mul(10).checked_div(all).unwrap_or(10);
    if tenth > *said {
        *said = tenth;
        eprintln!("{} %", tenth * 10);
    }
}

fn road_status(data: &DataDir) -> Result<()> {
    let app = data.app()?;
    for peer in app.road_status()? {
        println!("{} ({:?})", peer.node, peer.reach);
        for (class, status) in ondol_kernel::Class::ALL.iter().zip(peer.classes) {
            println!(
                "  {class}: {} entries queued, {} messages of {} bytes waiting",
                status.entries_queued, status.messages_waiting, status.bytes_waiting
            );
        }
    }
    Ok(())
}
