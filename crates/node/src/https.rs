//! Serving pages: plain HTTP, and HTTPS under the nation's root (DESIGN §9).

use std::{
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::Arc,
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

/// The names and addresses under which this machine can be reached.
pub fn own_names() -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    names.extend(own_address().map(|address| address.to_string()));
    names
}

/// The address by which others on the local network reach this machine: the source address
/// towards one that is never really asked (connecting a datagram socket sends nothing).
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("10.255.255.255:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_unspecified() && !address.is_loopback()).then_some(address)
}

/// The TLS side of a server whose pages `authority` certifies for `names`.
pub fn acceptor(authority: &Authority, names: &[String]) -> Result<TlsAcceptor> {
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
    fn start(mut tcp: TcpListener, tls: TlsAcceptor, local: SocketAddr) -> Self {
        let (send, done) = mpsc::channel(HANDSHAKES_WAITING);
        tokio::spawn(async move {
            loop {
                let (stream, peer) = Listener::accept(&mut tcp).await;
                let (tls, send) = (tls.clone(), send.clone());
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
    tls: Option<TlsAcceptor>,
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
