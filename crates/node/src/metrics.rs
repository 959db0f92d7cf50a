//! `/metrics`: how the node and its road do, as Prometheus reads it (text format 0.0.4,
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>).
//!
//! Counts, bytes and times alone: no chart, no person and no text of theirs. Neighbours are named
//! by their node's id. It is served where plain HTTP is, which is this machine alone unless the
//! administrator says otherwise.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use ondol_app::{
    App, AppError,
    road::{LinkReport, PeerStatus, Reach},
};
use ondol_kernel::Class;

/// The media type of the format.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// `GET /metrics`.
pub fn router(app: Arc<App>) -> Router {
    Router::new().route("/metrics", get(answer)).with_state(app)
}

async fn answer(State(app): State<Arc<App>>) -> Response {
    let read = tokio::task::spawn_blocking(move || told(&app)).await;
    match read {
        Ok(Ok(text)) => ([(CONTENT_TYPE, TEXT)], text).into_response(),
        Ok(Err(why)) => {
            tracing::error!(%why, "the figures of the node could not be read");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn told(app: &App) -> Result<String, AppError> {
    let mut to = Exposition::default();
    to.family("ondol_build_info", "gauge", "The version that runs.");
    to.sample("ondol_build_info", &[("version", env!("CARGO_PKG_VERSION"))], "1");
    if let Some(bytes) = resident_bytes() {
        to.family("process_resident_memory_bytes", "gauge", "Memory that the process holds.");
        to.sample("process_resident_memory_bytes", &[], &bytes.to_string());
    }
    let peers = app.road_status()?;
    waiting(&mut to, &peers);
    let links: Vec<_> =
        peers.iter().filter_map(|peer| Some((peer, app.link(&peer.node)?))).collect();
    links_told(&mut to, &links);
    Ok(to.0)
}

/// A figure of what waits: its name, what it counts, and how it is read.
type Waiting = (&'static str, &'static str, fn(&ondol_app::road::ClassStatus) -> u64);

const WAITING: [Waiting; 3] = [
    ("ondol_road_waiting_entries", "Entries not packed yet.", |class| class.entries_queued),
    (
        "ondol_road_waiting_messages",
        "Messages that the neighbour does not hold durably yet.",
        |class| class.messages_waiting,
    ),
    ("ondol_road_waiting_bytes", "Bytes that wait; of entries not packed yet guessed.", |class| {
        class.bytes()
    }),
];

fn waiting(to: &mut Exposition, peers: &[PeerStatus]) {
    for (name, help, read) in WAITING {
        to.family(name, "gauge", help);
        for peer in peers {
            let node = peer.node.to_string();
            for (class, status) in Class::ALL.iter().zip(&peer.classes) {
                let labels =
                    [("peer", &*node), ("reach", reach(peer.reach)), ("class", &class.to_string())];
                to.sample(name, &labels, &read(status).to_string());
            }
        }
    }
}

/// A figure of a link: its name, its type, what it is, and how it is read; none before it is
/// known.
type Linked = (&'static str, &'static str, &'static str, fn(&LinkReport) -> Option<String>);

const LINKED: [Linked; 7] = [
    ("ondol_road_link_up", "gauge", "Whether the neighbour is heard.", |link| {
        Some(u8::from(link.is_up).to_string())
    }),
    ("ondol_road_link_changed_timestamp_seconds", "gauge", "Since when that is so.", |link| {
        Some(seconds(link.since.0))
    }),
    (
        "ondol_road_rate_bits_per_second",
        "gauge",
        "What the road passes outwards, as measured.",
        |link| (link.rate_bps > 0).then(|| link.rate_bps.to_string()),
    ),
    ("ondol_road_round_trip_seconds", "gauge", "There and back.", |link| {
        link.rtt_ms.and_then(|ms| i64::try_from(ms).ok()).map(seconds)
    }),
    ("ondol_road_loss_ratio", "gauge", "The share of packets lost.", |link| {
        Some(link.loss.to_string())
    }),
    (
        "ondol_road_acknowledged_timestamp_seconds",
        "gauge",
        "When the neighbour last held something durably that was sent.",
        |link| link.acknowledged.map(|at| seconds(at.0)),
    ),
    (
        "ondol_road_bytes_total",
        "counter",
        "Bytes since the start, with IP and UDP headers.",
        |_| None,
    ),
];

fn links_told(to: &mut Exposition, links: &[(&PeerStatus, LinkReport)]) {
    for (name, kind, help, read) in LINKED {
        to.family(name, kind, help);
        for (peer, link) in links {
            let node = peer.node.to_string();
            if let Some(value) = read(link) {
                to.sample(name, &[("peer", &node)], &value);
            }
            if name == "ondol_road_bytes_total" {
                for (way, bytes) in [("in", link.bytes_in), ("out", link.bytes_out)] {
                    to.sample(name, &[("peer", &node), ("direction", way)], &bytes.to_string());
                }
            }
        }
    }
}

const fn reach(reach: Reach) -> &'static str {
    match reach {
        Reach::Above => "above",
        Reach::Below => "below",
        Reach::Through => "through",
    }
}

/// Milliseconds as seconds with three places.
fn seconds(ms: i64) -> String {
    let sign = if ms < 0 { "-" } else { "" };
    let ms = ms.unsigned_abs();
    format!("{sign}{}.{:03}", ms / 1_000, ms % 1_000)
}

/// `VmRSS` of this process; none where the system does not tell it.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1_024)
}

/// Families of figures in the text format.
#[derive(Default)]
struct Exposition(String);

impl Exposition {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a text cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: &str) {
        self.0.push_str(name);
        for (at, (label, text)) in labels.iter().enumerate() {
            let _ = write!(self.0, "{}{label}=\"{text}\"", if at == 0 { '{' } else { ',' });
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        let _ = writeln!(self.0, " {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_with_three_places_on_either_side_of_1970() {
        assert_eq!(seconds(1_700_000_000_123), "1700000000.123");
        assert_eq!(seconds(-1), "-0.001");
    }

    #[test]
    fn a_sample_has_its_labels_in_braces() {
        let mut to = Exposition::default();
        to.family("a", "gauge", "What it is.");
        to.sample("a", &[("b", "c"), ("d", "e")], "1");
        to.sample("a", &[], "2");
        assert_eq!(to.0, "# HELP a What it is.\n# TYPE a gauge\na{b=\"c\",d=\"e\"} 1\na 2\n");
    }
}
