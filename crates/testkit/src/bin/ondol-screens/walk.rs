//! Walks through the screens and takes the pictures.

use std::{
    net::{Ipv4Addr, SocketAddr},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    time::Duration,
};

use ondol_testkit::{
    browser::Wish,
    desk::Desk,
    node::{Binary, Country, NodeConfig, NodeError, NodeProcess, Seat},
};

use crate::{
    scenes::{self, Scene},
    story::Places,
};

/// Takes the pictures of all scenes; gives the names of those that could not be taken.
pub fn walk(
    country: &Country,
    wish: Wish,
    places: &Places,
    out: &Path,
    only: &[String],
) -> Vec<String> {
    let wanted = |scene: &Scene| only.is_empty() || only.iter().any(|one| scene.name.contains(one));
    let scenes: Vec<Scene> = scenes::all(places).into_iter().filter(wanted).collect();
    let mut missed = vec![];
    let mut at: Option<(Seat, &str, Desk)> = None;
    for scene in &scenes {
        let there = at
            .as_ref()
            .is_some_and(|(seat, login, _)| (*seat, *login) == (scene.seat, scene.login));
        let done = catch_unwind(AssertUnwindSafe(|| {
            if !there {
                at = None;
                let desk = Desk::at(country.url(scene.seat), wish).expect("a browser");
                if !scene.login.is_empty() {
                    desk.sign_in(scene.login);
                }
                at = Some((scene.seat, scene.login, desk));
            }
            let (_, _, desk) = at.as_ref().expect("a desk");
            desk.go(&scene.path);
            (scene.act)(desk);
            shoot(desk, scene.name, wish, out);
            (scene.after)(desk);
        }));
        if done.is_err() {
            eprintln!("missed: {}", scene.name);
            missed.push(scene.name.to_owned());
            at = None;
        }
    }
    missed
}

fn shoot(desk: &Desk, name: &str, wish: Wish, out: &Path) {
    let lang = wish.lang.tag().split('-').next().unwrap_or_default();
    let file = out.join(format!("{name}.{lang}.{}.png", wish.size.name()));
    // What was pressed may still be on its way, and pictures load when they are scrolled to.
    std::thread::sleep(Duration::from_millis(700));
    let small = out.join("small").join(format!("{name}.{lang}.{}.webp", wish.size.name()));
    desk.browser.first_sight(&small).expect("a small picture");
    desk.browser.run(include_str!("still.js"));
    std::thread::sleep(Duration::from_millis(300));
    desk.browser.whole_page(&file).expect("a picture");
    println!("{}", file.display());
    for trouble in troubles(desk) {
        println!("  {name} {lang} {}: {trouble}", wish.size.name());
    }
}

/// What can be seen to be wrong without eyes: pages wider than the screen, small targets,
/// text that is cut.
fn troubles(desk: &Desk) -> Vec<String> {
    let found = desk.browser.run(include_str!("troubles.js"));
    let lines = found.as_array().into_iter().flatten();
    lines.filter_map(|line| line.as_str().map(str::to_owned)).collect()
}

/// The pictures of an emergency that nobody took.
pub fn alarm(country: &Country, wish: Wish, consult: &str, out: &Path) -> Vec<String> {
    let done = catch_unwind(AssertUnwindSafe(|| {
        let clinic = Desk::at(country.url(Seat::Clinic), wish).expect("a browser");
        clinic.sign_in("yonghui");
        clinic.go(&format!("/consult/{consult}"));
        shoot(&clinic, "alarm-asked", wish, out);
        let specialist = Desk::at(country.url(Seat::Specialist), wish).expect("a browser");
        specialist.sign_in("ryonhwa");
        specialist.go("/");
        specialist.browser.press_at("//*[@role='alert']//*[@data-alarm-sound] | //body");
        shoot(&specialist, "alarm-anywhere", wish, out);
        specialist.go("/inbox");
        shoot(&specialist, "alarm-inbox", wish, out);
        specialist.go(&format!("/consult/{consult}"));
        shoot(&specialist, "alarm-consult", wish, out);
    }));
    if done.is_err() { vec!["alarm".to_owned()] } else { vec![] }
}

/// The pictures of a node in which nobody has an account yet.
pub fn first_run(country: &Country, wishes: &[Wish], out: &Path) -> Result<Vec<String>, NodeError> {
    let binary = Binary::find()?;
    let data = country.dir().join("new");
    let _ = std::fs::remove_dir_all(&data);
    let own = data.display().to_string();
    binary.run(&["init", "--data", &own, "--nation", "Ondol", "--name", "새 진료소"], "")?;
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let node = NodeProcess::start(
        &binary,
        &NodeConfig {
            data,
            http: any,
            https: None,
            road: any,
            parent_address: None,
            variables: vec![],
        },
    )?;
    let mut missed = vec![];
    for wish in wishes {
        let done = catch_unwind(AssertUnwindSafe(|| {
            let desk = Desk::at(&node.ready().http, *wish).expect("a browser");
            desk.go("/first-run");
            shoot(&desk, "first-run", *wish, out);
            desk.go("/recover");
            shoot(&desk, "recover", *wish, out);
        }));
        if done.is_err() {
            missed.push("first-run".to_owned());
        }
    }
    node.terminate();
    Ok(missed)
}
