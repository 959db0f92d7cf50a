//! Every door of the API through which something can be read, asked by everybody, in every
//! relation to a chart, compared with what people have written about who sees what
//! (`who_sees/*.tsv` and `docs/access.md`). A door that gives nothing to nobody would pass, so that
//! every chart is opened in the end and everything has to come out of the same doors.

mod door;
mod who_sees;

use ondol_access::Role;
use who_sees::{asking::ask_all, doors, world::World};

/// Asks the doors of some lines, as everybody.
async fn ask(which: impl Fn(&doors::Line) -> bool) {
    let mut world = World::new();
    let lines: Vec<_> = doors::lines().into_iter().filter(which).collect();
    assert!(!lines.is_empty());
    let questions: Vec<_> = lines.iter().flat_map(|line| line.questions(&world)).collect();
    let mut wrong = vec![];
    for role in world.people.iter().map(|who| who.role) {
        wrong.extend(ask_all(&world, role, &questions).await);
    }
    world.open_all();
    for one in world.planted.iter().filter(|one| world.charts[one.chart].kind == "patient") {
        assert!(world.sees(Role::Doctor, one), "{} is opened to nobody", one.reference);
    }
    wrong.extend(ask_all(&world, Role::Doctor, &questions).await);
    println!("{} questions of {} roles", questions.len(), world.people.len());
    for one in wrong.iter().take(20) {
        println!("{one}");
    }
    assert!(wrong.is_empty(), "{} answers are wrong", wrong.len());
}

fn is_of_one(line: &doors::Line) -> bool {
    line.address.contains("{id}") || line.body.contains("{id}")
}

fn is_of_chart(line: &doors::Line) -> bool {
    let has = |what| line.address.contains(what) || line.body.contains(what);
    ["{chart}", "{value}", "{name}", "{mark}"].into_iter().any(has)
}

#[tokio::test]
async fn doors_to_one_resource_show_it_to_whom_the_page_says() {
    ask(is_of_one).await;
}

#[tokio::test]
async fn doors_to_one_chart_show_it_to_whom_the_page_says() {
    ask(|line| !is_of_one(line) && is_of_chart(line)).await;
}

#[tokio::test]
async fn doors_to_everything_show_what_the_page_says_and_no_more() {
    ask(|line| !is_of_one(line) && !is_of_chart(line)).await;
}
