//! How the small country begins: a ministry, invitations, joining, accounts. Certificates are
//! carried to the ministry by stick, because no link stands yet.

use std::{fs, path::Path};

use super::{Binary, NodeError, PASSWORD, Seat};

/// Founds all five nodes in `dir`.
pub(super) fn found(
    binary: &Binary,
    dir: &Path,
    say: &mut dyn FnMut(&str),
) -> Result<(), NodeError> {
    let data = |seat: Seat| dir.join(seat.folder()).display().to_string();
    let ministry = data(Seat::Ministry);
    for seat in Seat::ALL {
        say(&format!("founding {} ({})", seat.name(), seat.english()));
        // What an interrupted founding left is no node yet.
        if dir.join(seat.folder()).exists() {
            fs::remove_dir_all(dir.join(seat.folder()))
                .map_err(NodeError::io("an unfinished node cannot be removed"))?;
        }
        let own = data(seat);
        match seat.above() {
            None => {
                let nation = ["--nation", "Ondol demo", "--name", seat.name()];
                binary.run(&[&["init", "--data", &own], &nation[..]].concat(), "")?;
            }
            Some(above) => {
                let parent = binary.run(&["node-id", "--data", &data(above)], "")?;
                let (tier, name) = (seat.folder(), seat.name());
                let who = ["--tier", tier, "--name", name, "--parent", parent.trim()];
                // The address is told at each start: the emulated link has a new one every time.
                let road = ["--road", "127.0.0.1:7464"];
                let invite = [&["invite", "--data", &ministry], &who[..], &road[..]].concat();
                let invitation = binary.run(&invite, "")?;
                binary.run(&["join", "--data", &own, "-"], &invitation)?;
                introduce(binary, dir, &own, &ministry)?;
            }
        }
        for person in seat.people() {
            let roles = person.roles.join(",");
            let who = ["--login", person.login, "--name", person.name, "--roles", &roles];
            let how = ["--pin", person.pin, "--password-stdin"];
            binary.run(&[&["account", "--data", &own], &who[..], &how[..]].concat(), PASSWORD)?;
        }
    }
    Ok(())
}

/// Carries a new node's certificate to the ministry, which invites those below it.
fn introduce(binary: &Binary, dir: &Path, own: &str, ministry: &str) -> Result<(), NodeError> {
    let stick = dir.join("stick");
    let path = stick.display().to_string();
    let carried = binary
        .run(&["carry", "out", &path, "--data", own], "")
        .and_then(|_| binary.run(&["carry", "in", &path, "--data", ministry], ""));
    let _ = fs::remove_dir_all(&stick);
    carried.map(|_| ())
}
