//! Pictures of a case: the preview goes along, the original comes when somebody asks.

use cases::{advice, page, patient_at, photo, question, radiograph};
use ondol_access::Role;
use ondol_app::{
    AppError,
    attachment::{Differs, PartKind, Size},
    consult::{ConsultDraft, RequestKind},
};
use ondol_kernel::Class;
use support::Country;

use crate::{cases, support};

#[test]
fn a_small_preview_goes_along_and_the_original_comes_when_it_is_asked_for() {
    let country = Country::new();
    let (clinic, specialist) = (country.clinic(), country.specialist());
    let patient = patient_at(clinic);
    let worker = clinic.person(Role::HealthWorker);
    let doctor = specialist.person(Role::Specialist);
    let part = clinic.app.prepare_part(&worker, &patient, &photo(1200, 900)).unwrap();
    assert!(part.bytes_at_once() <= 30_000 && part.original.bytes > 30_000);
    assert!(part.cost(9_600).seconds <= 25);
    let parts = vec![part];
    let request = clinic.app.ask(&worker, &patient, question(Class::Care), parts).unwrap();
    country.carry();

    let picture = page(specialist, &doctor, &request).pictures.remove(0);
    assert_eq!(picture.seen_as(), "preview");
    let app = &specialist.app;
    let get = |size| app.picture(&doctor, RequestKind::Consult, &request, &picture.id, size);
    let preview = get(Size::Preview).unwrap();
    assert_eq!(preview.media_type, "image/jpeg");
    assert!(matches!(get(Size::Original), Err(AppError::NotFound)));
    // An answer from the preview says so.
    app.take_consult(&doctor, &request).unwrap();
    let basis = page(specialist, &doctor, &request).basis;
    app.answer_consult(&doctor, &request, advice(), &basis).unwrap();
    let answers = page(specialist, &doctor, &request).answers;
    assert_eq!((answers[0].pictures_seen, answers[0].pictures_unseen), (1, 1));
    assert_eq!(answers[0].step.about[0].1, "preview");

    app.want_picture(&doctor, RequestKind::Consult, &request, &picture.id, Size::Original).unwrap();
    country.carry();
    assert_eq!(page(specialist, &doctor, &request).pictures[0].seen_as(), "original");
    let original = get(Size::Original).unwrap();
    assert_eq!(original.bytes.len() as u64, picture.original.bytes);
}

#[test]
fn a_dicom_file_of_somebody_else_is_warned_of_before_and_after_it_is_sent() {
    let country = Country::new();
    let clinic = country.clinic();
    let patient = patient_at(clinic);
    let worker = clinic.person(Role::HealthWorker);
    let prepare = |name, born, sex| {
        clinic.app.prepare_part(&worker, &patient, &radiograph(name, born, sex)).unwrap()
    };
    let own = prepare("리^영희", "19610309", "F");
    assert_eq!((own.kind, own.differs.as_slice()), (PartKind::Dicom, [].as_slice()));
    assert!(own.preview.is_some() && own.view.is_some());
    let other = prepare("김^철수", "19900101", "M");
    assert_eq!(other.differs, [Differs::Name, Differs::BirthDate, Differs::Sex]);
    let request = clinic.app.ask(&worker, &patient, question(Class::Care), vec![other]).unwrap();
    country.carry();
    let specialist = country.specialist();
    let doctor = specialist.person(Role::Specialist);
    let picture = page(specialist, &doctor, &request).pictures.remove(0);
    assert_eq!(picture.differs, [Differs::Name, Differs::BirthDate, Differs::Sex]);
    assert_eq!(picture.modality.as_deref(), Some("CR"));
}

#[test]
fn what_is_no_picture_is_refused_in_words_and_nothing_is_kept() {
    let country = Country::new();
    let clinic = country.clinic();
    let patient = patient_at(clinic);
    let worker = clinic.person(Role::HealthWorker);
    let why = |upload: &[u8]| match clinic.app.prepare_part(&worker, &patient, upload) {
        Err(AppError::Field { field: "file", why }) => why,
        _ => "",
    };
    assert_eq!(why(b"hello"), "attachment-unknown");
    assert_eq!(why(&photo(300, 200)[..900]), "attachment-cut-off");
    let manager = clinic.person(Role::FacilityManager);
    let denied = clinic.app.prepare_part(&manager, &patient, &photo(30, 20));
    assert!(matches!(denied, Err(AppError::Denied(_))));
}

#[test]
fn a_draft_keeps_what_was_typed_and_its_pictures_for_its_author_alone() {
    let country = Country::new();
    let clinic = country.clinic();
    let patient = patient_at(clinic);
    let (worker, other) = (clinic.person(Role::HealthWorker), clinic.person(Role::Nurse));
    let app = &clinic.app;
    let mut draft = app.consult_draft(&worker, &patient).unwrap();
    draft.fields.insert("question".into(), "언제부터".into());
    draft.parts.push(app.prepare_part(&worker, &patient, &photo(300, 200)).unwrap());
    app.save_consult_draft(&worker, &patient, &draft).unwrap();
    assert_eq!(app.consult_draft(&worker, &patient).unwrap(), draft);
    assert_eq!(app.consult_draft(&other, &patient).unwrap(), ConsultDraft::default());
    app.drop_consult_draft(&worker, &patient).unwrap();
    assert_eq!(app.consult_draft(&worker, &patient).unwrap(), ConsultDraft::default());
}
