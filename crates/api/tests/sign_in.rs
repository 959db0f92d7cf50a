//! The accounts of a facility open the API: with name and password, or with a session.

use axum::http::{HeaderMap, HeaderValue, header};
use door::Facility;
use ondol_api::{AccountAuthenticator, Authenticate, Refusal};

use crate::door;

const PASSWORD: &str = "따뜻한 아래목 7";

fn headers(value: &str) -> HeaderMap {
    HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap())])
}

/// RFC 7617 in UTF-8.
fn basic(login: &str, password: &str) -> HeaderMap {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in format!("{login}:{password}").as_bytes().chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, b| bits << 8 | u32::from(*b))
            << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at)) as usize & 63];
            text.push(if at <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    headers(&format!("Basic {text}"))
}

fn clinic() -> (Facility, AccountAuthenticator) {
    let facility = Facility::new();
    let roles = ["doctor".to_owned()];
    facility.app.provision_account("yonghui", "리용희", &roles, PASSWORD, None).unwrap();
    let door = AccountAuthenticator::new(facility.app.clone(), [7; 32]);
    (facility, door)
}

#[test]
fn name_and_password_let_in_again_and_again_and_wrong_ones_do_not() {
    let (facility, door) = clinic();
    let first = door.authenticate(&basic("yonghui", PASSWORD)).unwrap();
    assert_eq!(first.name(), "리용희");
    assert_eq!(door.authenticate(&basic("yonghui", PASSWORD)).unwrap(), first);
    // The session that the first request opened locks itself; the password opens another.
    facility.clock.pass_minutes(60);
    assert_eq!(door.authenticate(&basic("yonghui", PASSWORD)).unwrap(), first);
    facility.clock.pass_minutes(24 * 60);
    assert_eq!(door.authenticate(&basic("yonghui", PASSWORD)).unwrap(), first);
    assert!(matches!(door.authenticate(&basic("yonghui", "wrong")), Err(Refusal::Wrong)));
    assert!(matches!(door.authenticate(&basic("nobody", PASSWORD)), Err(Refusal::Wrong)));
}

#[test]
fn wrong_passwords_make_the_next_try_wait() {
    let (_facility, door) = clinic();
    let waits = (0..20).any(|_| {
        matches!(
            door.authenticate(&basic("yonghui", "wrong")),
            Err(Refusal::Wait { seconds }) if seconds > 0
        )
    });
    assert!(waits);
}

#[test]
fn a_session_lets_in_as_bearer_until_it_locks() {
    let (facility, door) = clinic();
    let entered = facility.app.sign_in("yonghui", PASSWORD, None, None).unwrap();
    let bearer = headers(&format!("Bearer {}", entered.session));
    assert_eq!(door.authenticate(&bearer).unwrap(), entered.who.actor);
    facility.clock.pass_minutes(60);
    assert!(matches!(door.authenticate(&bearer), Err(Refusal::Wrong)));
    assert!(matches!(door.authenticate(&headers("Bearer x")), Err(Refusal::Wrong)));
}

#[test]
fn what_is_no_sign_in_is_asked_for_one() {
    let (_facility, door) = clinic();
    assert!(matches!(door.authenticate(&HeaderMap::new()), Err(Refusal::Missing)));
    for value in ["Basic", "Basic %%%%", "Basic eA==", "Digest x", "Cookie a=b"] {
        assert!(matches!(door.authenticate(&headers(value)), Err(Refusal::Missing)), "{value}");
    }
}
