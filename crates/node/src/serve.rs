//! A node at work: pages, the FHIR API, the road, and timers.

use std::{
    io::{IsTerminal as _, Write as _},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result};
use axum::Router;
use ondol_api::{AccountAuthenticator, ApiState};
use ondol_app::{App, DiskTrouble};
use ondol_ui::Ui;
use serde_json::json;
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

use crate::{
    around::Around,
    chance::{MachineChance, seed},
    data_dir::DataDir,
    https,
    import::NodeIntake,
    metrics,
    nodes::RootFile,
    road::{Road, RoadConfig},
    ticket::Authority,
};

/// Timers of treatment are looked at this often.
const TICK: Duration = Duration::from_secs(2);

/// Where a node listens.
#[derive(Debug, Clone)]
pub struct ServeConfig {
    /// Plain HTTP: for this machine and for tests.
    pub http: Option<SocketAddr>,
    /// HTTPS: for the local network.
    pub https: Option<SocketAddr>,
    /// Datagrams of the road.
    pub road: SocketAddr,
    /// Where the node above listens, if not where its settings say.
    pub parent_address: Option<String>,
}

/// Serves until the process is asked to stop.
pub fn serve(data: &DataDir, config: &ServeConfig) -> Result<()> {
    let app = data.app()?;
    let practice = data.practice(&app)?;
    practice.beside_on_disk(&app);
    app.keep_reserve(Arc::new(data.reserve()));
    let intake = NodeIntake::open(&data.0)?;
    app.use_intake(intake.clone());
    app.use_root_key(Arc::new(RootFile(data.root_key())));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let stop_road = Arc::new(AtomicBool::new(false));
    let settings = data.settings()?;
    let road = Road::open(
        app.clone(),
        RoadConfig {
            listen: config.road,
            parent_address: config.parent_address.clone().or(settings.parent_address),
            parent_link_key: settings.parent_link_key,
            addresses: data.addresses(),
        },
        stop_road.clone(),
    )?;
    let road_address = road.address()?;
    let road = std::thread::Builder::new().name("road".into()).spawn(move || road.run())?;
    for app in [&app, &practice] {
        renew_index(app.clone())?;
    }
    let ticking = tick(app.clone(), stop_road.clone())?;
    let served = runtime.block_on(serve_pages(data, &app, &practice, config, road_address));
    intake.halt();
    stop_road.store(true, Ordering::Relaxed);
    let _ = road.join();
    let _ = ticking.join();
    served
}

/// Makes an index of another version again beside the work. Nobody waits for it: the process may
/// end at any moment of it.
fn renew_index(app: Arc<App>) -> Result<()> {
    std::thread::Builder::new().name("index".into()).spawn(move || match app.renew_index() {
        Ok(true) => tracing::info!("the index of searches was made again"),
        Ok(false) => {}
        Err(why) => tracing::error!(%why, "the index of searches could not be made again"),
    })?;
    Ok(())
}

/// Durable timers, counts and whatever else a node does by itself.
fn tick(app: Arc<App>, stop: Arc<AtomicBool>) -> Result<std::thread::JoinHandle<()>> {
    let thread = std::thread::Builder::new().name("timers".into()).spawn(move || {
        let mut known = None;
        while !stop.load(Ordering::Relaxed) {
            let trouble = app.disk_trouble().map(|(trouble, _)| trouble);
            if trouble != known {
                match trouble {
                    Some(trouble) => tracing::error!(?trouble, "the disk takes no writes"),
                    None => tracing::warn!("the disk takes writes again"),
                }
                known = trouble;
            }
            // That the disk takes nothing is said once, above.
            if let Err(why) = app.tick()
                && DiskTrouble::of_app(&why).is_none()
            {
                tracing::error!(%why, "a timer stumbled");
            }
            std::thread::sleep(TICK);
        }
    })?;
    Ok(thread)
}

async fn serve_pages(
    data: &DataDir,
    app: &Arc<App>,
    practice: &Arc<App>,
    config: &ServeConfig,
    road: SocketAddr,
) -> Result<()> {
    // Before anybody is told that the node is ready: whoever asks it to stop from then on is heard.
    let asked_to_stop = AskedToStop::listen()?;
    let (stop, stopped) = watch::channel(false);
    let mut servers = tokio::task::JoinSet::new();
    let mut said = json!({ "http": null, "https": null, "road": road.to_string(), "node": app.place().node.to_string(),
            "facility": app.place().facility.as_str() });
    let sealed = match config.https {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    let trust = trust(data, sealed.as_ref())?;
    if let Some(address) = config.http {
        let listener = bind(address).await?;
        said["http"] = format!("http://{}", listener.local_addr()?).into();
        servers.spawn(https::serve(
            listener,
            None,
            ondol_ui::with_trust(pages(data, app, practice, false)?, trust.clone())
                .merge(metrics::router(app.clone())),
            stopped.clone(),
        ));
    }
    if let Some(listener) = sealed {
        let authority = Authority::from_bytes(
            &std::fs::read(data.tls()).context("this node has no certificate for its pages")?,
        )?;
        said["https"] = https::shown(listener.local_addr()?).into();
        let tls = https::Certified::by(authority)?;
        let pages = ondol_ui::with_trust(pages(data, app, practice, true)?, trust);
        servers.spawn(https::serve(listener, Some(tls), pages, stopped));
    }
    println!("{said}");
    say_setup_code(app)?;
    asked_to_stop.wait().await;
    tracing::info!("stopping");
    let _ = stop.send(true);
    // Requests that are being answered get a moment; pages that listen for news get none.
    let _ = tokio::time::timeout(Duration::from_secs(3), servers.join_all()).await;
    Ok(())
}

/// Says on the console, and nowhere that keeps what it is told, what the page of the first run
/// asks for. A journal would show it to whoever reads logs.
fn say_setup_code(app: &App) -> Result<()> {
    if !app.is_first_run()? {
        return Ok(());
    }
    let mut console = std::io::stderr();
    if console.is_terminal()
        && let Some(code) = app.new_setup_code()?
    {
        writeln!(console, "the first run on this node's pages asks for this code: {code}")?;
    } else {
        tracing::info!("nobody has an account yet: `ondol setup-code` prints the code for that");
    }
    Ok(())
}

async fn bind(address: SocketAddr) -> Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| format!("pages cannot be served on {address}"))
}

/// What the pages tell devices to trust, and where those on the local network find them sealed.
fn trust(data: &DataDir, sealed: Option<&TcpListener>) -> Result<ondol_ui::Trust> {
    let Some(listener) = sealed else { return Ok(ondol_ui::Trust::default()) };
    let authority =
        std::fs::read(data.tls()).context("this node has no certificate for its pages")?;
    let authority = Authority::from_bytes(&authority)?;
    let https = https::shown(listener.local_addr()?);
    Ok(ondol_ui::Trust { root_der: authority.root().to_vec(), https })
}

/// Ctrl-C, or what systemd sends.
struct AskedToStop {
    interrupt: Signal,
    terminate: Signal,
}

impl AskedToStop {
    fn listen() -> Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    async fn wait(mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Everything that is served: the screens of the facility and of its practice room, the FHIR API.
pub fn pages(data: &DataDir, app: &Arc<App>, practice: &Arc<App>, https: bool) -> Result<Router> {
    let secret = data.form_secret()?;
    let frame = |app: &Arc<App>| ondol_ui::Frame {
        surroundings: Arc::new(Around { app: app.clone() }),
        rng: Arc::new(MachineChance),
        secret,
        https,
    };
    let facility = ondol_ui::router(Ui::new(app.clone()), frame(app));
    let room = Ui { app: practice.clone(), door: app.clone() };
    let practice = ondol_ui::router(room, frame(practice));
    let scheme = if https { "https" } else { "http" };
    let accounts = Arc::new(AccountAuthenticator::new(app.clone(), seed()));
    let fhir = ondol_api::mounted(ApiState::new(app.clone(), accounts, scheme));
    Ok(fhir.fallback_service(ondol_ui::rooms(facility, practice)))
}
