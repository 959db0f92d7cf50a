//! The line to the server: in the clear on this machine, by TLS to any other.
//!
//! A record that leaves the machine in the clear would be read by whoever looks at the network.
//! So a URL that names another machine has to name who vouches for the server's certificate
//! (`sslrootcert`), or say in so many words that the line is sealed by other means
//! (`sslmode=disable`).

use std::{future::Future, io, path::Path, pin::Pin, sync::Arc, task::Context, task::Poll};

use percent_encoding::percent_decode_str;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, InvalidDnsNameError, PrivateKeyDer, ServerName, pem::PemObject},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::{
    Config,
    config::{Host, SslMode},
    tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream},
};
use tokio_rustls::TlsConnector;

use crate::error::{Failure, defect};

/// What the URL says about TLS, which the driver's own parser knows only in part.
#[derive(Default)]
struct Said {
    mode: Option<String>,
    root: Option<String>,
    certificate: Option<String>,
    key: Option<String>,
}

/// Reads a URL: how to connect, and with what TLS, if any.
///
/// `sslmode` is `disable`, or any word that asks for more, which all mean the same here: the
/// server proves by its certificate that it is the host of the URL. Without the word it is
/// `disable` on this machine (a socket, `localhost`) and asked for elsewhere. `sslrootcert`,
/// `sslcert` and `sslkey` name PEM files.
///
/// # Errors
/// If the URL is not one of PostgreSQL, names another machine without saying how the line is
/// sealed, or a file cannot be used. No error quotes the URL.
pub(crate) fn read(url: &str) -> Result<(Config, Option<Tls>), Failure> {
    let (plain, said) = take_out(url)?;
    // The error of the parser may quote the URL, and with it a password.
    let mut config: Config =
        plain.parse().map_err(|_| defect("the URL is not one of PostgreSQL"))?;
    let asked = match said.mode.as_deref() {
        None => !config.get_hosts().iter().all(is_here),
        Some("disable") => false,
        Some("prefer" | "require" | "verify-ca" | "verify-full") => true,
        Some(_) => return Err(defect("sslmode takes disable or verify-full")),
    };
    if !asked {
        config.ssl_mode(SslMode::Disable);
        return Ok((config, None));
    }
    config.ssl_mode(SslMode::Require);
    let Some(root) = &said.root else {
        return Err(defect(
            "the database is on another machine: add ?sslrootcert=FILE, the certificate (PEM) of \
             who signed the server's, to the URL; or sslmode=disable, if the line is sealed by \
             other means",
        ));
    };
    let tls = Tls::new(root, said.certificate.as_deref().zip(said.key.as_deref()))?;
    Ok((config, Some(tls)))
}

/// The URL without what is said of TLS, and that.
fn take_out(url: &str) -> Result<(String, Said), Failure> {
    let mut said = Said::default();
    let Some((before, query)) = url.split_once('?') else { return Ok((url.to_owned(), said)) };
    let mut rest = vec![];
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let slot = match name {
            "sslmode" => &mut said.mode,
            "sslrootcert" => &mut said.root,
            "sslcert" => &mut said.certificate,
            "sslkey" => &mut said.key,
            _ => {
                rest.push(pair);
                continue;
            }
        };
        let value = percent_decode_str(value).decode_utf8();
        let value = value.map_err(|_| defect("the URL is not one of PostgreSQL"))?;
        *slot = Some(value.into_owned());
    }
    Ok(([before, "?", &rest.join("&")].concat(), said))
}

/// Whether a host is this machine.
fn is_here(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost"
                || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// How a server proves who it is.
#[derive(Clone)]
pub(crate) struct Tls(TlsConnector);

impl Tls {
    fn new(root: &str, own: Option<(&str, &str)>) -> Result<Self, Failure> {
        let no_root = || defect("the file of sslrootcert cannot be read as certificates (PEM)");
        let mut roots = RootCertStore::empty();
        for certificate in certificates(root).ok_or_else(no_root)? {
            roots.add(certificate).map_err(|_| no_root())?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| defect("TLS cannot be set up"))?
            .with_root_certificates(roots);
        let config = match own {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let bad = || defect("the files of sslcert and sslkey cannot be used (PEM)");
                let chain = certificates(certificate).ok_or_else(bad)?;
                let key = PrivateKeyDer::from_pem_file(Path::new(key)).map_err(|_| bad())?;
                builder.with_client_auth_cert(chain, key).map_err(|_| bad())?
            }
        };
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }
}

/// The certificates of a file; none if it cannot be read or holds none.
fn certificates(file: &str) -> Option<Vec<CertificateDer<'static>>> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_file_iter(Path::new(file)).ok()?.collect();
    read.ok().filter(|certificates| !certificates.is_empty())
}

impl<S> MakeTlsConnect<S> for Tls
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Stream<S>;
    type TlsConnect = Shake;
    type Error = InvalidDnsNameError;

    fn make_tls_connect(&mut self, domain: &str) -> Result<Shake, InvalidDnsNameError> {
        let name = ServerName::try_from(domain)?.to_owned();
        Ok(Shake { connector: self.0.clone(), name })
    }
}

/// One handshake that is to come.
pub(crate) struct Shake {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl<S> TlsConnect<S> for Shake
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Stream<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move { Ok(Stream(self.connector.connect(self.name, stream).await?)) })
    }
}

/// A line by TLS.
pub(crate) struct Stream<S>(tokio_rustls::client::TlsStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Stream<S> {
    /// None: the certificate is checked against `sslrootcert` and the host's name, so that nobody
    /// can stand in the middle.
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, into)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

/// What is wrong with a handshake, in plain words; none if it is something else.
pub(crate) fn refusal(why: &tokio_postgres::Error) -> Option<&'static str> {
    use rustls::CertificateError as Bad;
    let source = std::error::Error::source(why)?;
    if source.to_string().contains("server does not support TLS") {
        return Some(
            "the database's server does not speak TLS: turn it on there (ssl = on), or add \
             sslmode=disable to the URL if the line is sealed by other means",
        );
    }
    let io = source.downcast_ref::<io::Error>()?;
    match io.get_ref()?.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidCertificate(bad) => Some(match bad {
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
                "the certificate of the database's server is for another name than the URL's host"
            }
            Bad::Expired | Bad::ExpiredContext { .. } => {
                "the certificate of the database's server has expired, or this machine's clock is \
                 wrong"
            }
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
                "the certificate of the database's server is not valid yet, or this machine's \
                 clock is wrong"
            }
            _ => "the certificate of the database's server was not signed by who sslrootcert names",
        }),
        _ => Some("the database's server does not agree on TLS"),
    }
}

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;
