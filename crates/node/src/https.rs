//! Serving pages: plain HTTP, and HTTPS under the nation's root (DESIGN §9).

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use axum::{
    Router,
    serve::{Listener, ListenerExt},
};
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::ticket::Authority;

/// The address by which others on the local network reach this machine: the source address
/// towards one that is never really asked (connecting a datagram socket sends nothing).
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("10.255.255.255:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_unspecified() && !address.is_loopback()).then_some(address)
}

/// Where people find the pages of a listener: `https://ADDRESS:PORT`.
pub fn shown(listener: SocketAddr) -> String {
    let ip = match listener.ip() {
        ip if ip.is_unspecified() => own_address().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        ip => ip,
    };
    format!("https://{}", SocketAddr::new(ip, listener.port()))
}

/// Whether the nation's root may certify an address: those of local networks alone
/// (`ticket::Authority`). One name beyond them would spoil the whole certificate.
fn may_be_certified(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unique_local(),
    }
}

/// The name by which devices on the local network may find this machine (mDNS).
fn local_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    let name = name.trim().split('.').next()?.to_ascii_lowercase();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    (!name.is_empty() && name.chars().all(plain)).then(|| format!("{name}.local"))
}

/// More addresses than a machine has are not kept.
const ADDRESSES_MAX: usize = 64;

/// What certifies the pages: for each of this machine's addresses by which somebody comes, a
/// certificate that names it. Addresses change while a node runs, and no device would trust the
/// certificate of another.
pub struct Certified {
    authority: Authority,
    known: Mutex<HashMap<IpAddr, TlsAcceptor>>,
}

impl Certified {
    /// By an authority, which is tried at once.
    pub fn by(authority: Authority) -> Result<Arc<Self>> {
        let certified = Self { authority, known: Mutex::default() };
        certified.acceptor(IpAddr::V4(Ipv4Addr::LOCALHOST))?;
        Ok(Arc::new(certified))
    }

    /// The TLS side for whoever came by `address` of this machine.
    fn acceptor(&self, address: IpAddr) -> Result<TlsAcceptor> {
        let address = address.to_canonical();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(acceptor) = known.get(&address) {
            return Ok(acceptor.clone());
        }
        let mut names = vec!["localhost".to_owned()];
        names.extend(local_name());
        names.extend(may_be_certified(address).then(|| address.to_string()));
        let made = acceptor(&self.authority, &names)?;
        if known.len() < ADDRESSES_MAX {
            known.insert(address, made.clone());
        }
        Ok(made)
    }
}

/// The TLS side of a server whose pages `authority` certifies for `names`.
fn acceptor(authority: &Authority, names: &[String]) -> Result<TlsAcceptor> {
    let (chain, key) = authority.certify(names)?;
    let chain = chain.into_iter().map(Into::into).collect();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// How many TLS handshakes may wait to be served.
const HANDSHAKES_WAITING: usize = 64;

/// A client that does not finish its handshake within this time is let go.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(20);

/// Connections whose TLS handshake is done. Handshakes run beside each other, so that a slow
/// client holds up nobody.
struct TlsListener {
    done: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    local: SocketAddr,
}

impl TlsListener {
    fn start(mut tcp: TcpListener, tls: Arc<Certified>, local: SocketAddr) -> Self {
        let (send, done) = mpsc::channel(HANDSHAKES_WAITING);
        tokio::spawn(async move {
            loop {
                let (stream, peer) = Listener::accept(&mut tcp).await;
                let came_by = stream.local_addr().unwrap_or(local).ip();
                let tls = match tls.acceptor(came_by) {
                    Ok(tls) => tls,
                    Err(why) => {
                        tracing::error!(%why, "an address of this machine cannot be certified");
                        continue;
                    }
                };
                let send = send.clone();
                tokio::spawn(async move {
                    let _ = stream.set_nodelay(true);
                    let shaken = tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await;
                    // Clients that speak no TLS, or go away, are no event worth a line.
                    if let Ok(Ok(stream)) = shaken {
                        let _ = send.send((stream, peer)).await;
                    }
                });
            }
        });
        Self { done, local }
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.done.recv().await {
            Some(accepted) => accepted,
            // The task above never ends while this listener lives.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(self.local)
    }
}

/// Serves until `stop` says so; requests that are being answered finish first.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Arc<Certified>>,
    pages: Router,
    mut stop: watch::Receiver<bool>,
) -> Result<()> {
    let local = listener.local_addr().context("the listener has no address")?;
    tracing::info!(address = %local, tls = tls.is_some(), "pages are served");
    let stopped = async move {
        let _ = stop.changed().await;
    };
    match tls {
        None => {
            let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
            axum::serve(listener, pages).with_graceful_shutdown(stopped).await?;
        }
        Some(tls) => {
            let listener = TlsListener::start(listener, tls, local);
            axum::serve(listener, pages).with_graceful_shutdown(stopped).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_local_networks_are_certified() {
        let may = |address: &str| may_be_certified(address.parse().unwrap());
        for local in
            ["10.1.2.3", "127.0.0.1", "172.31.0.1", "192.168.7.7", "169.254.1.1", "fd00::2"]
        {
            assert!(may(local), "{local}");
        }
        for world in ["192.0.2.2", "8.8.8.8", "172.32.0.1", "2001:db8::1", "fe80::1"] {
            assert!(!may(world), "{world}");
        }
    }

    #[test]
    fn people_are_shown_an_address_that_can_be_typed() {
        assert_eq!(shown("10.1.2.3:9204".parse().unwrap()), "https://10.1.2.3:9204");
        assert!(!shown("0.0.0.0:9204".parse().unwrap()).contains("0.0.0.0"));
    }
}
