use ondol_kernel::ResourceId;
use ondol_record::ChartId;
use proptest::prelude::*;

use super::*;
use crate::consult::{Means, RequestKind, Told};

const CLINIC: &str = "Organization/clinic";
const HEART: &str = "Organization/heart";
const COUNTY: &str = "Organization/county";

fn who(name: &str, place: &str) -> Who {
    Who {
        reference: format!("Practitioner/{name}"),
        name: name.into(),
        place: place.into(),
        place_name: place.into(),
    }
}

fn request(urgency: Class) -> Request {
    Request {
        id: ResourceId::new("r1").unwrap(),
        chart: ChartId::Patient(ResourceId::new("p1").unwrap()),
        kind: RequestKind::Consult,
        open: true,
        urgency,
        specialty: "heart".into(),
        to: vec![Named { reference: HEART.into(), name: "heart".into() }],
        from: who("asker", CLINIC),
        overseer: None,
        at: Millis(0),
        question: "?".into(),
        means: Means::default(),
        stock: None,
        expected: None,
        needs: vec![],
        notes: vec![],
    }
}

fn step(at: u64, code: StepCode, name: &str, place: &str) -> Step {
    Step {
        order: (at, format!("s{at}")),
        code,
        at: Millis(at.cast_signed()),
        doubtful: false,
        who: who(name, place),
        settles: vec![],
        said: vec![],
        priority: None,
        topic: None,
        told: vec![],
        about: vec![],
        basis: None,
    }
}

fn settling(mut step: Step, ids: &[u64]) -> Step {
    step.settles = ids.iter().map(|id| format!("s{id}")).collect();
    step
}

fn redirected(at: u64, to: &str, ids: &[u64]) -> Step {
    let mut step = settling(step(at, StepCode::Redirected, "boss", COUNTY), ids);
    step.told = vec![Told { part: String::new(), reference: to.into(), name: to.into() }];
    step.topic = Some("lungs".into());
    step
}

fn fold(steps: &[Step]) -> ConsultState {
    ConsultState::of(&request(Class::Emergency), steps.iter().cloned())
}

#[test]
fn a_new_emergency_is_an_alarm_until_somebody_takes_it() {
    let state = fold(&[]);
    assert_eq!((state.phase(), state.is_alarm()), (Phase::Untaken, true));
    let state = fold(&[step(5, StepCode::Taken, "kim", HEART)]);
    assert_eq!((state.phase(), state.is_alarm()), (Phase::Taken, false));
    assert_eq!(state.holder.unwrap().who.name, "kim");
}

#[test]
fn of_two_who_take_it_at_once_the_first_holds_it_and_the_other_is_seen_beside_them() {
    let steps = [step(7, StepCode::Taken, "choe", COUNTY), step(5, StepCode::Taken, "kim", HEART)];
    let state = fold(&steps);
    assert_eq!(state.holder.unwrap().who.name, "kim");
    assert_eq!(state.joined[0].who.name, "choe");
}

#[test]
fn given_back_it_waits_again_and_is_told_upwards_again() {
    let mut steps =
        vec![step(2, StepCode::Escalated, "node", HEART), step(5, StepCode::Taken, "kim", HEART)];
    assert!(fold(&steps).escalated.is_some());
    steps.push(settling(step(9, StepCode::Released, "kim", HEART), &[5]));
    let state = fold(&steps);
    assert!(state.is_alarm() && state.holder.is_none());
    assert_eq!((state.escalated, state.untaken_since.0), (None, 9));
}

#[test]
fn a_redirection_takes_it_only_from_those_whom_its_author_knew_to_have_it() {
    let steps = [
        step(5, StepCode::Taken, "kim", HEART),
        redirected(6, "Organization/lungs", &[]),
        step(7, StepCode::Delivered, "node", "Organization/lungs"),
    ];
    let state = fold(&steps);
    assert_eq!(state.holder.as_ref().unwrap().who.name, "kim");
    assert_eq!(state.address.reference, "Organization/lungs");
    assert_eq!(state.specialty, "lungs");
    let steps = [step(5, StepCode::Taken, "kim", HEART), redirected(6, "o", &[5])];
    assert!(fold(&steps).holder.is_none());
}

#[test]
fn what_the_old_address_had_seen_says_nothing_of_the_new_one() {
    let steps = [
        step(2, StepCode::Delivered, "node", HEART),
        step(3, StepCode::Seen, "kim", HEART),
        redirected(6, "Organization/lungs", &[]),
    ];
    let state = fold(&steps);
    assert!(state.delivered.is_none() && state.seen.is_none());
}

#[test]
fn an_acknowledgement_of_an_older_answer_does_not_count_for_a_newer_one() {
    let mut steps = vec![
        step(5, StepCode::Answer, "kim", HEART),
        settling(step(6, StepCode::Acknowledged, "asker", CLINIC), &[5]),
    ];
    assert_eq!(fold(&steps).phase(), Phase::Acknowledged);
    steps.push(step(7, StepCode::Answer, "kim", HEART));
    assert_eq!(fold(&steps).phase(), Phase::Answered);
    steps.push(settling(step(8, StepCode::Acknowledged, "asker", CLINIC), &[7]));
    assert_eq!(fold(&steps).phase(), Phase::Acknowledged);
}

#[test]
fn a_question_back_waits_until_the_asking_side_replies() {
    let mut steps =
        vec![step(4, StepCode::Taken, "kim", HEART), step(5, StepCode::Message, "kim", HEART)];
    assert_eq!(fold(&steps).phase(), Phase::AskedBack);
    steps.push(step(6, StepCode::Message, "asker", CLINIC));
    assert_eq!(fold(&steps).phase(), Phase::Taken);
}

#[test]
fn the_last_regrading_counts_and_an_emergency_begins_to_wait_with_it() {
    let mut up = step(5, StepCode::Regraded, "kim", HEART);
    up.priority = Some("stat".into());
    let routine = request(Class::Routine);
    let state = ConsultState::of(&routine, [up.clone()]);
    assert_eq!((state.urgency, state.untaken_since.0), (Class::Emergency, 5));
    let mut down = step(6, StepCode::Regraded, "kim", HEART);
    down.priority = Some("routine".into());
    assert_eq!(ConsultState::of(&routine, [down, up]).urgency, Class::Routine);
}

#[test]
fn an_answer_without_a_take_ends_the_alarm() {
    let state = fold(&[step(5, StepCode::Answer, "choe", COUNTY)]);
    assert!(!state.is_alarm());
    assert_eq!(state.phase(), Phase::Answered);
}

fn any_step() -> impl Strategy<Value = Step> {
    let places = prop::sample::select(vec![CLINIC, HEART, COUNTY]);
    let names = prop::sample::select(vec!["asker", "kim", "choe", "node"]);
    let code = prop::sample::select(StepCode::ALL.to_vec());
    let priority = prop::sample::select(vec!["stat", "urgent", "routine"]);
    (0u64..30, code, names, places, prop::collection::vec(0u64..30, 0..3), priority).prop_map(
        |(at, code, name, place, settles, priority)| {
            let mut step = settling(step(at, code, name, place), &settles);
            step.priority = Some(priority.into());
            if code == StepCode::Redirected {
                step.told = redirected(at, place, &[]).told;
            }
            step
        },
    )
}

proptest! {
    #[test]
    fn the_state_is_that_of_the_set_in_any_order_with_any_duplicates(
        steps in prop::collection::btree_map(0u64..30, any_step(), 0..14),
        shuffle in any::<prop::sample::Index>(),
        again in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let steps: Vec<Step> = steps.into_iter().map(|(at, mut step)| {
            step.order = (at, format!("s{at}"));
            step
        }).collect();
        let state = fold(&steps);
        let mut other = steps.clone();
        if !steps.is_empty() {
            other.rotate_left(shuffle.index(steps.len()));
            other.reverse();
            other.extend(again.iter().map(|at| steps[at.index(steps.len())].clone()));
        }
        prop_assert_eq!(&state, &fold(&other));
        prop_assert!(state.holder.is_none() || !state.is_alarm());
    }

    #[test]
    fn a_step_that_arrives_later_is_never_lost(
        steps in prop::collection::btree_map(0u64..30, any_step(), 1..10),
    ) {
        let steps: Vec<Step> = steps.into_iter().map(|(at, mut step)| {
            step.order = (at, format!("s{at}"));
            step
        }).collect();
        let ids: Vec<&str> = steps.iter().map(Step::id).collect();
        let state = fold(&steps);
        for id in ids {
            prop_assert!(state.steps.iter().any(|step| step.id() == id));
        }
    }
}
