use ondol_store::StoreError;

use super::read;

fn said(url: &str) -> String {
    match read(url) {
        Ok((_, tls)) => if tls.is_some() { "TLS" } else { "clear" }.to_owned(),
        Err(failure) => {
            let why = StoreError::from(failure);
            let source = std::error::Error::source(&why).map(ToString::to_string);
            format!("{why}: {}", source.unwrap_or_default())
        }
    }
}

#[test]
fn on_this_machine_the_line_is_in_the_clear_unless_more_is_asked() {
    for url in [
        "postgres://a@%2Frun%2Fpostgresql/x",
        "postgres://a@localhost/x?options=-csearch_path%3Dy",
        "postgres://a@127.0.0.1:5433/x",
        "postgres://a@[::1]/x",
        "postgres://a@db.example/x?sslmode=disable",
    ] {
        assert_eq!(said(url), "clear", "{url}");
    }
}

#[test]
fn another_machine_has_to_prove_who_it_is() {
    for url in [
        "postgres://a:secret@db.example/x",
        "postgres://a:secret@10.0.0.7/x",
        "postgres://a:secret@localhost,db.example/x",
        "postgres://a:secret@localhost/x?sslmode=require",
        "postgres://a:secret@db.example/x?sslmode=prefer",
    ] {
        let said = said(url);
        assert!(said.contains("sslrootcert=FILE") && !said.contains("secret"), "{url}: {said}");
    }
    let wrong = said("postgres://a:secret@localhost/x?sslmode=never");
    assert!(wrong.contains("sslmode takes") && !wrong.contains("secret"), "{wrong}");
}

#[test]
fn a_file_that_holds_no_certificate_is_said() {
    let nothing = std::env::temp_dir().join("ondol-no-such-certificate");
    let url = format!("postgres://a@db.example/x?sslrootcert={}", nothing.display());
    assert!(said(&url).contains("sslrootcert cannot be read"), "{}", said(&url));
}
