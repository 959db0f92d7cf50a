//! Paging while others write.

use super::{
    Opened,
    scene::{Open, append, found, node, one, patient, put, query, see, token},
};
use crate::{Order, Query};

fn add(opened: &Opened, of: &str) {
    append(opened, vec![put(&patient(of, "A", "B"), &[])]);
}

fn edit(opened: &Opened, of: &str) {
    let heads = found(opened, "Patient", of).heads();
    append(opened, vec![put(&patient(of, "Edited", "B"), &heads)]);
}

fn page(opened: &Opened, asked: &Query) -> (Vec<String>, Option<Box<str>>) {
    let page = see(opened).search(asked).unwrap();
    (page.hits.iter().map(|hit| hit.found.shown.id.to_string()).collect(), page.next)
}

/// What was there at the first page comes once; what is edited meanwhile keeps its place.
pub fn pages_neither_miss_nor_repeat_while_writes_go_on(open: Open<'_>) {
    for filters in [vec![], one("gender", token(None, Some("female")))] {
        let opened = node(open, 1);
        for at in 0..6 {
            add(&opened, &format!("p{at}"));
        }
        let mut asked = Query { limit: 2, ..query("Patient", &filters) };
        let (first, next) = page(&opened, &asked);
        assert_eq!(first, ["p0", "p1"]);
        edit(&opened, "p0");
        edit(&opened, "p3");
        add(&opened, "p6");
        asked.after = next;
        let (second, next) = page(&opened, &asked);
        assert_eq!(second, ["p2", "p3"]);
        edit(&opened, "p3");
        asked.after = next;
        let (third, next) = page(&opened, &asked);
        assert_eq!(third, ["p4", "p5"]);
        asked.after = next;
        let (fourth, next) = page(&opened, &asked);
        assert_eq!((fourth, next), (vec!["p6".to_owned()], None));
    }
}

/// Newest first: what arrives meanwhile stands before the first page and disturbs none.
pub fn newest_first_pages_go_back_in_time(open: Open<'_>) {
    let opened = node(open, 1);
    for at in 0..5 {
        add(&opened, &format!("p{at}"));
    }
    let mut asked = Query { limit: 2, order: Order::NewestArrival, ..query("Patient", &[]) };
    let (first, next) = page(&opened, &asked);
    assert_eq!(first, ["p4", "p3"]);
    add(&opened, "p5");
    edit(&opened, "p4");
    asked.after = next;
    let (second, next) = page(&opened, &asked);
    assert_eq!(second, ["p2", "p1"]);
    asked.after = next;
    assert_eq!(page(&opened, &asked), (vec!["p0".to_owned()], None));
}
