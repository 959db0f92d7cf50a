//! An import in words.

use ondol_app::DiskTrouble;
use ondol_app::intake::{Failure, IntakeError, LeftOut, MappingFault, Phase, Progress, Seen};

use crate::page::Page;
use crate::screens::road;
use crate::texts::T;
use crate::view::Fact;

/// What is said first: how it is marked, the icon, a sentence.
pub(super) fn phase(t: T, seen: &Seen) -> Option<(&'static str, &'static str, String)> {
    let failed = seen.progress.left_out > 0;
    Some(match &seen.phase {
        Phase::Empty => return None,
        Phase::Receiving => ("", "clock", t.get("import-receiving")),
        Phase::Ready => ("ask", "warning", t.get("import-ready")),
        Phase::Running { is_stopping: true } => ("", "clock", t.get("import-stopping")),
        Phase::Running { .. } => ("", "clock", t.get("import-goes-on")),
        Phase::Done if seen.is_trial && failed => ("ask", "warning", t.get("import-tried-left")),
        Phase::Done if seen.is_trial => ("good", "check", t.get("import-tried")),
        Phase::Done if failed => ("ask", "warning", t.get("import-done-left")),
        Phase::Done => ("good", "check", t.get("import-done")),
        Phase::Stopped if seen.is_trial => ("ask", "warning", t.get("import-trial-stopped")),
        Phase::Cut if seen.is_trial => ("ask", "warning", t.get("import-trial-cut")),
        Phase::Stopped => ("ask", "warning", t.get("import-stopped")),
        Phase::Cut => ("ask", "warning", t.get("import-cut")),
        Phase::Failed(why) => ("ask", "warning", failure(t, why)),
    })
}

/// When it ended and who brought it.
pub(super) fn about(page: &Page, seen: &Seen) -> String {
    let t = page.t;
    let by = seen.by.as_ref().map(|by| by.name.as_str());
    match (seen.ended.or(seen.began), by) {
        (Some(at), Some(by)) => {
            t.msg("import-when-by").arg("when", page.when(&at)).arg("by", by).to_string()
        }
        (None, Some(by)) => t.msg("import-by").arg("by", by).to_string(),
        _ => String::new(),
    }
}

/// How far it is.
pub(super) fn bar(t: T, p: &Progress) -> String {
    let percent = p.bytes_read.saturating_mul(100) / p.bytes.max(1);
    t.msg("import-bar")
        .arg("percent", percent.min(100))
        .arg("done", p.files_done)
        .arg("files", p.files)
        .to_string()
}

/// The numbers.
pub(super) fn facts(t: T, seen: &Seen) -> Vec<Fact> {
    let p = seen.progress;
    let saved = if seen.is_trial { t.get("import-would-save") } else { t.get("import-saved") };
    let left = if seen.is_trial { t.get("import-would-leave") } else { t.get("import-left-count") };
    let mut facts = vec![
        Fact::new(saved, p.saved.to_string()),
        Fact::new(t.get("import-unchanged"), p.unchanged.to_string()),
        Fact::new(left, p.left_out.to_string()),
        Fact::new(t.get("import-lines"), p.lines.to_string()),
    ];
    if p.lines_known > 0 {
        facts.push(Fact::new(t.get("import-known"), p.lines_known.to_string()));
    }
    if p.remarks > 0 {
        facts.push(Fact::new(t.get("import-remarks"), p.remarks.to_string()));
    }
    facts
}

/// Where something stands.
pub(super) fn place(t: T, left: &LeftOut) -> String {
    match left.entry {
        Some(entry) => t
            .msg("import-place-entry")
            .arg("file", &left.file)
            .arg("line", left.line)
            .arg("entry", entry)
            .to_string(),
        None => t.msg("import-place").arg("file", &left.file).arg("line", left.line).to_string(),
    }
}

/// Why something was left out, and what to do. `at` is a column, a field, an element.
pub(super) fn why(t: T, code: &str, at: &str) -> String {
    let column = |key: &str, t: T| t.msg(key).arg("at", at).to_string();
    let text = match code {
        "row-key-missing" => return column(crate::key!("import-why-key-missing"), t),
        "row-key-twice" => return column(crate::key!("import-why-key-twice"), t),
        "row-date" => return column(crate::key!("import-why-date"), t),
        "row-number" => return column(crate::key!("import-why-number"), t),
        "row-word" => return column(crate::key!("import-why-word"), t),
        "row-cells" => t.get("import-why-cells"),
        "hl7-unreadable" | "hl7-no-message" => t.get("import-why-hl7-no-message"),
        "hl7-charset" => t.get("import-why-hl7-charset"),
        "hl7-delimiters" => t.get("import-why-hl7-delimiters"),
        "hl7-kind" => t.get("import-why-hl7-kind"),
        "hl7-no-patient" | "hl7-no-patient-id" => t.get("import-why-hl7-patient"),
        "not-json" => t.get("import-why-not-json"),
        "too-large" | "too-deep" | "hl7-too-large" => t.get("import-why-too-large"),
        "duplicate-key" | "reserved-key" => t.get("import-why-key"),
        "not-an-object" | "resource-type-missing" | "resource-type-unknown" => {
            t.get("import-why-no-resource")
        }
        "not-supported" | "own-steps" => t.get("import-why-not-taken"),
        "entry-request" => t.get("import-why-entry"),
        "same-twice" => t.get("import-why-twice"),
        "conflict" | "version-mismatch" => t.get("import-why-conflict"),
        "moves-chart" | "not-at-home" => t.get("import-why-moves"),
        "conditional-reference" | "many-match" | "not-found" | "gone" => {
            t.get("import-why-reference")
        }
        "invalid" | "unplaceable" => t.get("import-why-invalid"),
        other => t.msg("import-why-other").arg("code", other).to_string(),
    };
    if at.is_empty() {
        text
    } else {
        t.msg("import-why-at").arg("text", text).arg("at", at).to_string()
    }
}

fn disk(t: T, trouble: DiskTrouble) -> String {
    match trouble {
        DiskTrouble::Full => t.get("import-disk-full"),
        DiskTrouble::ReadOnly | DiskTrouble::Failing => t.get("import-disk-failing"),
    }
}

fn failure(t: T, why: &Failure) -> String {
    let (file, code, about) = match why {
        Failure::Disk(trouble) => return disk(t, *trouble),
        Failure::Changed { file } => {
            return t.msg("import-failed-changed").arg("file", file).to_string();
        }
        Failure::Broken => return t.get("import-failed-broken"),
        Failure::File { file, code, about } => (file, code.as_str(), about),
    };
    let of = |key: &str| t.msg(key).arg("file", file).arg("about", about).to_string();
    match code {
        "columns" => of(crate::key!("import-failed-columns")),
        "mapping" => of(crate::key!("import-failed-mapping")),
        "not-utf-8" => of(crate::key!("import-failed-not-utf-8")),
        "quote" | "long-text" => of(crate::key!("import-failed-quote")),
        "sheet-locked" => of(crate::key!("import-failed-locked")),
        "sheet-no-xlsx" => of(crate::key!("import-failed-no-xlsx")),
        "sheet-missing" => of(crate::key!("import-failed-no-sheet")),
        "sheet-empty" => of(crate::key!("import-failed-empty")),
        "sheet-large" => of(crate::key!("import-failed-large")),
        _ => of(crate::key!("import-failed-unreadable")),
    }
}

/// Why files were not taken, or nothing was begun with them.
pub(super) fn refusal(t: T, why: &IntakeError) -> String {
    let of = |key: &str, file: &str| t.msg(key).arg("file", file).to_string();
    match why {
        IntakeError::Busy => t.get("import-busy"),
        IntakeError::NotHere => t.get("import-practice"),
        IntakeError::TooLarge => {
            let most = road::size(t, ondol_app::intake::BYTES_MAX);
            t.msg("import-too-large").arg("most", most).to_string()
        }
        IntakeError::TooMany => {
            t.msg("import-too-many").arg("n", ondol_app::intake::FILES_MAX).to_string()
        }
        IntakeError::Kind(file) if file.is_empty() => t.get("import-no-name"),
        IntakeError::Kind(file) => of(crate::key!("import-other-kind"), file),
        IntakeError::SameName(file) => of(crate::key!("import-same-name"), file),
        IntakeError::NoMapping(file) => of(crate::key!("import-no-mapping"), file),
        IntakeError::NoTable(file) => of(crate::key!("import-no-table"), file),
        IntakeError::Mapping(MappingFault::Json { line: Some(line) }) => {
            t.msg("import-mapping-line").arg("line", *line).to_string()
        }
        IntakeError::Mapping(MappingFault::Json { line: None }) => t.get("import-mapping-bad"),
        IntakeError::Mapping(MappingFault::Source) => t.get("import-mapping-source"),
        IntakeError::Mapping(MappingFault::Key(table)) => {
            of(crate::key!("import-mapping-key"), table)
        }
        IntakeError::Mapping(MappingFault::Table(table)) => {
            of(crate::key!("import-mapping-table"), table)
        }
        IntakeError::Disk(trouble) => disk(t, *trouble),
        IntakeError::Nothing | IntakeError::App(_) | IntakeError::NotYours => {
            t.get("import-choose")
        }
    }
}
