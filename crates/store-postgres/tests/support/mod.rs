//! A PostgreSQL of the tests' own, and stores in schemas of it.

#![allow(dead_code, reason = "not every test file needs all of it")]

use std::{
    any::Any,
    io::Read as _,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _},
        process::CommandExt as _,
    },
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use ondol_store::contract::Opened;
use ondol_store_postgres::{OpenOptions, PostgresStore};

/// Where Debian's packages put a version's programs.
const DEBIAN: &str = "/usr/lib/postgresql";

/// Runs until its input ends, which is when whoever started it is gone, however that happened;
/// then it stops the server and takes its directory away.
const KEEPER: &str = r#"
"$1/initdb" -D "$2/data" -A trust -U ondol -E UTF8 --locale=C --no-sync \
    >"$2/log" 2>&1 || { echo no; exit 1; }
start() {
    "$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c max_connections=400 \
        -c shared_buffers=64MB -c max_wal_size=4GB -c checkpoint_timeout=1h -c autovacuum=off \
        -c recovery_init_sync_method=syncfs -c fsync=on -c log_min_messages=fatal $EXTRA >>"$2/log" 2>&1 &
    server=$!
}
start "$1" "$2"
echo "$server"
while read -r word; do
    case "$word" in
    wait) wait "$server" 2>/dev/null; echo gone ;;
    start) rm -f "$2/data/postmaster.pid"; start "$1" "$2"; echo "$server" ;;
    esac
done
kill -QUIT "$server" 2>/dev/null
wait "$server" 2>/dev/null
rm -rf "$2"
"#;

/// A running server.
pub struct Server {
    directory: PathBuf,
    keeper: Child,
    /// The first of its processes.
    process: u32,
}

/// The newest version that is installed, from 14 on: before it, each recovery syncs file by file,
/// which takes a second or three.
fn programs() -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir(DEBIAN)
        .ok()?
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())))
        .filter(|(version, path)| *version >= 14 && path.join("bin/initdb").is_file())
        .collect();
    versions.sort();
    versions.pop().map(|(_, path)| path.join("bin"))
}

/// User and group of a name of the machine.
fn account(name: &str) -> Option<(u32, u32)> {
    let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
    let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// Whether a process runs; one that is dead and not yet taken note of does not.
fn is_alive(process: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().unwrap_or_default().split_whitespace().next();
    state.is_some_and(|state| state != "Z")
}

impl Server {
    /// Starts one; none, with a message, where PostgreSQL is not installed. In CI it has to be.
    pub fn start() -> Option<Self> {
        Self::start_with("", &[])
    }

    /// The same with further options, and with files in its directory that it alone may read.
    pub fn start_with(options: &str, files: &[(&str, String)]) -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let Some(programs) = programs() else {
            let must = std::env::var("CI").is_ok_and(|ci| ci == "true");
            assert!(!must, "PostgreSQL is not installed, and CI has to test the store on it");
            eprintln!("skipped: PostgreSQL is not installed (on Debian: apt install postgresql)");
            return None;
        };
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ondol-pg-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&directory).unwrap();
        for (name, text) in files {
            std::fs::write(directory.join(name), text).unwrap();
            let own = std::fs::Permissions::from_mode(0o600);
            std::fs::set_permissions(directory.join(name), own).unwrap();
        }
        let mut command = Command::new("sh");
        command.args(["-c", KEEPER, "sh"]).arg(&programs).arg(&directory).env("EXTRA", options);
        // PostgreSQL refuses to run as root.
        if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
            let (user, group) = account("postgres").or_else(|| account("nobody")).unwrap();
            let files = files.iter().map(|(name, _)| directory.join(name));
            for path in files.chain([directory.clone()]) {
                std::os::unix::fs::chown(path, Some(user), Some(group)).unwrap();
            }
            command.uid(user).gid(group);
        }
        command.current_dir(&directory).stdin(Stdio::piped()).stdout(Stdio::piped());
        let keeper = command.spawn().unwrap();
        let mut server = Self { keeper, directory, process: 0 };
        server.process = server.answer();
        server.wait_until_ready();
        Some(server)
    }

    /// The number of the server's first process.
    fn answer(&mut self) -> u32 {
        let line = self.line();
        line.trim().parse().unwrap_or_else(|_| {
            panic!("the server does not start; see {}", self.directory.display())
        })
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        let out = self.keeper.stdout.as_mut().unwrap();
        let mut byte = [0];
        while !line.ends_with('\n') && out.read(&mut byte).unwrap() == 1 {
            line.push(char::from(byte[0]));
        }
        line
    }

    fn say(&mut self, word: &str) {
        use std::io::Write as _;
        let input = self.keeper.stdin.as_mut().unwrap();
        input.write_all(format!("{word}\n").as_bytes()).unwrap();
    }

    /// The server's processes, the first one first.
    fn processes(&self) -> Vec<u32> {
        let mut processes = vec![self.process];
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            // The parent stands second behind the name, which is in brackets.
            let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            let mut fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
            if fields.nth(1).is_some_and(|of| of == self.process.to_string()) {
                processes.push(id);
            }
        }
        processes
    }

    /// Kills the server and all its processes.
    pub fn kill(&mut self) {
        let processes = self.processes();
        let ids = processes.iter().map(u32::to_string);
        let killed = Command::new("kill").arg("-KILL").args(ids).stderr(Stdio::null()).status();
        // One that ended by itself meanwhile is no failure of the others.
        killed.unwrap();
        self.say("wait");
        assert_eq!(self.line(), "gone\n");
        for process in processes {
            while is_alive(process) {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }

    /// Starts it again; it may still be recovering.
    pub fn start_again(&mut self) {
        self.say("start");
        self.process = self.answer();
    }

    fn wait_until_ready(&self) {
        for _ in 0..600 {
            if self.sql("SELECT 1").is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the server does not start; see {}", self.directory.display());
    }

    /// Runs statements by the server's own program.
    pub fn sql(&self, text: &str) -> Result<String, String> {
        self.sql_in("public", text)
    }

    /// The same in a schema.
    pub fn sql_in(&self, schema: &str, text: &str) -> Result<String, String> {
        use std::io::Write as _;
        let mut child = Command::new(programs().unwrap().join("psql"))
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "ondol", "-h"])
            .arg(&self.directory)
            .arg("postgres")
            .env("PGOPTIONS", format!("-c search_path={schema}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        if output.status.success() {
            Ok(String::from_utf8(output.stdout).unwrap().trim().to_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// The URL of a schema.
    pub fn url(&self, schema: &str) -> String {
        let host = self.directory.to_str().unwrap().replace('/', "%2F");
        format!("postgres://ondol@{host}/postgres?options=-csearch_path%3D{schema}")
    }

    /// A new schema; its name.
    pub fn schema(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let schema = format!("s{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.sql(&format!("CREATE SCHEMA {schema}")).unwrap();
        schema
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

/// The server that the tests of a file share. It goes away with the process.
pub fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(Server::start).as_ref()
}

/// Whether there is one.
pub fn is_there() -> bool {
    server().is_some()
}

/// Opens a schema.
pub fn open(server: &Server, schema: &str) -> PostgresStore {
    PostgresStore::open(&server.url(schema), OpenOptions::default()).unwrap()
}

/// An empty store in a schema of its own.
pub fn open_empty() -> Opened {
    let server = server().expect("whoever asks looked whether there is a server");
    let schema = server.schema();
    Opened { store: Arc::new(open(server, &schema)), keep: Box::new(()) as Box<dyn Any> }
}

/// Runs all bodies of the contract on one server, some at a time; fails with the names of those
/// that failed.
pub fn contract_holds(open: fn() -> Opened) {
    const THREADS: usize = 4;
    if !is_there() {
        return;
    }
    let bodies = ondol_store::store_contract!(bodies);
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(vec![]));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some((name, body)) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let done = catch_unwind(AssertUnwindSafe(|| body(&|| open())));
                    println!("{name}: {}", if done.is_ok() { "ok" } else { "FAILED" });
                    if done.is_err() {
                        failed.lock().unwrap().push(*name);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(bodies.len() > 50 && failed.is_empty(), "{failed:?}");
}

/// Does something at its end, a panic's included.
pub struct AtEnd<F: FnMut()>(pub F);

impl<F: FnMut()> Drop for AtEnd<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
