//! The line to a server on another machine: what has to be proved, and what is said if it is not.

mod support;

use std::path::PathBuf;

use ondol_store::{Store as _, StoreError, contract::scene::identity, transact};
use ondol_store_postgres::{OpenOptions, PostgresStore};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

/// Addresses of this machine that nothing else listens at, one for each test.
const HOSTS: [&str; 2] = ["127.0.77.7", "127.0.77.9"];

/// Who vouches for servers.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate for a host and its key.
    fn vouch(&self, host: &str) -> [(&'static str, String); 2] {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([host.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        [("server.crt", certificate), ("server.key", key.serialize_pem())]
    }

    fn file(&self, name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("ondol-{}-{name}.pem", std::process::id()));
        std::fs::write(&path, &self.pem).unwrap();
        path
    }
}

/// A server that speaks TLS at a host, with a certificate for `name`.
fn server(authority: &Authority, host: &str, name: &str) -> Option<support::Server> {
    let options = format!(
        "-c listen_addresses={host} -c ssl=on -c ssl_cert_file=../server.crt \
         -c ssl_key_file=../server.key"
    );
    support::Server::start_with(&options, &authority.vouch(name))
}

fn url(host: &str, schema: &str, more: &str) -> String {
    format!("postgres://ondol@{host}/postgres?options=-csearch_path%3D{schema}{more}")
}

fn opened(url: &str) -> Result<PostgresStore, String> {
    PostgresStore::open(url, OpenOptions::default()).map_err(|why: StoreError| {
        let source = std::error::Error::source(&why).map(ToString::to_string);
        format!("{why}: {}", source.unwrap_or_default())
    })
}

#[test]
fn a_server_that_proves_who_it_is_is_spoken_to_by_tls_alone() {
    let authority = Authority::new();
    let Some(server) = server(&authority, HOSTS[0], HOSTS[0]) else { return };
    let (schema, root) = (server.schema(), authority.file("right"));
    let store = opened(&url(
        HOSTS[0],
        &schema,
        &format!("&sslmode=verify-full&sslrootcert={}", root.display()),
    ));
    let store = store.unwrap();
    transact(&store, |tx| tx.set_identity(&identity(1))).unwrap();
    assert_eq!(store.read().unwrap().identity().unwrap(), Some(identity(1)));
    let lines = "SELECT count(*) FILTER (WHERE ssl) || ' of ' || count(*) FROM pg_stat_ssl \
        JOIN pg_stat_activity USING (pid) WHERE application_name = 'ondol'";
    assert_eq!(server.sql(lines).unwrap(), "2 of 2");
    drop(store);

    let stranger = Authority::new().file("stranger");
    let refused = opened(&url(
        HOSTS[0],
        &schema,
        &format!("&sslmode=require&sslrootcert={}", stranger.display()),
    ));
    assert!(refused.err().unwrap().contains("not signed by who sslrootcert names"));
    for path in [root, stranger] {
        std::fs::remove_file(path).unwrap();
    }
}

#[test]
fn a_certificate_for_another_host_and_a_server_without_tls_are_refused_with_a_plain_sentence() {
    let authority = Authority::new();
    let Some(other) = server(&authority, HOSTS[1], "127.0.77.8") else { return };
    let root = authority.file("names");
    let asked = format!("&sslmode=verify-full&sslrootcert={}", root.display());
    let refused = opened(&url(HOSTS[1], &other.schema(), &asked)).err().unwrap();
    assert!(refused.contains("is for another name"), "{refused}");
    drop(other);
    let options = format!("-c listen_addresses={}", HOSTS[1]);
    let Some(clear) = support::Server::start_with(&options, &[]) else { return };
    let refused = opened(&url(HOSTS[1], &clear.schema(), &asked)).err().unwrap();
    assert!(refused.contains("does not speak TLS"), "{refused}");
    assert!(
        opened(&url(HOSTS[1], &clear.schema(), "")).is_ok(),
        "this machine itself needs no TLS"
    );
    std::fs::remove_file(root).unwrap();
}
