//! How the small country begins: a ministry, invitations, joining, accounts.

use std::{collections::BTreeMap, fs, path::Path, thread, time::Duration};

use super::{
    Binary, NodeConfig, NodeError, NodeProcess, PASSWORD, Seat,
    process::ask_to_stop,
    state::{Doors, here},
};

/// So often the ministry is asked whether it knows a new node.
const TRIES: u32 = 20;
/// So long nodes talk between two tries.
const TALK: Duration = Duration::from_millis(1_500);

/// Founds all five nodes in `dir`.
pub(super) fn found(
    binary: &Binary,
    dir: &Path,
    doors: &BTreeMap<Seat, Doors>,
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
                let mut tries = TRIES;
                let invitation = loop {
                    match binary.run(&invite, "") {
                        Ok(invitation) => break invitation,
                        Err(why) if tries == 0 => return Err(why),
                        Err(_) => introduce(binary, dir, doors, &line_to(above))?,
                    }
                    tries -= 1;
                };
                binary.run(&["join", "--data", &own, "-"], &invitation)?;
            }
        }
        for person in seat.people() {
            let roles = person.roles.join(",");
            let who = ["--login", person.login, "--name", person.name, "--roles", &roles];
            let how = ["--pin", person.pin, "--password-stdin"];
            binary.run(&[&["account", "--data", &own], &who[..], &how[..]].concat(), PASSWORD)?;
        }
    }
    say("the nodes come to know each other");
    introduce(binary, dir, doors, &Seat::ALL)
}

/// A node and all above it, the highest first.
fn line_to(seat: Seat) -> Vec<Seat> {
    let mut line: Vec<Seat> = std::iter::successors(Some(seat), |seat| seat.above()).collect();
    line.reverse();
    line
}

/// Lets nodes talk for a moment: the ministry has to know a node before it invites those below
/// it, and a node has to know the one above before it sends charts there. The emulated links
/// come later; here they would only take time. Those above are started first, because a new node
/// knocks at once, and then only every few seconds.
fn introduce(
    binary: &Binary,
    dir: &Path,
    doors: &BTreeMap<Seat, Doors>,
    seats: &[Seat],
) -> Result<(), NodeError> {
    let nodes = seats
        .iter()
        .map(|&seat| {
            let config = NodeConfig {
                data: dir.join(seat.folder()),
                http: here(0),
                https: None,
                road: here(doors[&seat].road),
                parent_address: seat.above().map(|above| here(doors[&above].road)),
                variables: vec![],
            };
            NodeProcess::start(binary, &config)
        })
        .collect::<Result<Vec<_>, _>>()?;
    thread::sleep(TALK);
    for node in &nodes {
        ask_to_stop(node.id());
    }
    for mut node in nodes {
        node.wait();
    }
    Ok(())
}
