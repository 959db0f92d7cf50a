//! Every door of the API through which something can be read, asked by everybody, in every
//! relation to a chart, compared with what people have written about who sees what
//! (`who_sees/*.tsv` and `docs/access.md`). A door that gives nothing to nobody would pass, so that
//! every chart is opened in the end and everything has to come out of the same doors.
//!
//! Reading by id and searching over everything are asked by everybody about everything. Of the doors to
//! one resource or one chart each role takes every third question, others than its neighbours: every
//! role comes to every door, and about every chart. With `ONDOL_EVERY_CELL` set all ask all (twice the
//! time).

use ondol_access::Role;
use who_sees::{asking::ask_all, doors, world::World};

use crate::{door, who_sees};

/// Asks the doors of some lines, as everybody.
async fn ask(which: impl Fn(&doors::Line) -> bool) {
    let mut world = World::new();
    let lines: Vec<_> = doors::lines().into_iter().filter(which).collect();
    assert!(!lines.is_empty());
    let questions: Vec<_> = lines.iter().flat_map(|line| line.questions(&world)).collect();
    let mut wrong = vec![];
    let all = std::env::var_os("ONDOL_EVERY_CELL").is_some();
    for (at, who) in world.people.iter().enumerate() {
        let of_third = |(place, of): &(usize, &doors::Question)| {
            all || !of.is_one_of_many || (place + at).is_multiple_of(3)
        };
        let own = questions.iter().enumerate().filter(of_third).map(|(_, question)| question);
        wrong.extend(ask_all(&world, who.role, own).await);
    }
    world.open_all();
    for one in world.planted.iter().filter(|one| world.charts[one.chart].kind == "patient") {
        assert!(world.sees(Role::Doctor, one), "{} is opened to nobody", one.reference);
    }
    wrong.extend(ask_all(&world, Role::Doctor, &questions).await);
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
