//! What is known of files that were brought, as it is kept over a restart. It names files and
//! places in them, and nothing that stands there.

use ondol_app::{
    DiskTrouble,
    intake::{Bringer, Failure, LeftOut, Phase, Progress, RefusedFile, Seen},
};
use ondol_kernel::Millis;
use serde_json::{Value, json};

/// A file of what was left out, and the folder where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) file: RefusedFile,
    pub(super) folder: u32,
}

pub(super) fn to_json(seen: &Seen, kept: &[Kept]) -> Value {
    let (phase, failure) = match &seen.phase {
        Phase::Empty | Phase::Receiving => ("empty", Value::Null),
        Phase::Ready => ("ready", Value::Null),
        Phase::Running { .. } | Phase::Cut => ("running", Value::Null),
        Phase::Done => ("done", Value::Null),
        Phase::Stopped => ("stopped", Value::Null),
        Phase::Failed(why) => ("failed", of_failure(why)),
    };
    let p = seen.progress;
    json!({
        "phase": phase,
        "failure": failure,
        "trial": seen.is_trial,
        "by": seen.by.as_ref().map(of_bringer),
        "files": seen.files,
        "progress": [
            p.files, p.files_done, p.bytes, p.bytes_read, p.lines, p.lines_known, p.saved,
            p.unchanged, p.left_out, p.remarks
        ],
        "left": seen.left_out.iter().map(of_left).collect::<Vec<_>>(),
        "began": seen.began.map(|at| at.0),
        "ended": seen.ended.map(|at| at.0),
        "refused": kept.iter().map(of_kept).collect::<Vec<_>>(),
    })
}

fn of_bringer(by: &Bringer) -> Value {
    json!([by.who, by.name])
}

fn of_left(left: &LeftOut) -> Value {
    json!([left.file, left.line, left.entry, left.code, left.at])
}

fn of_kept(Kept { file, folder }: &Kept) -> Value {
    json!([file.number, file.name, file.bytes, of_bringer(&file.by), file.at.0, folder])
}

fn of_failure(why: &Failure) -> Value {
    match why {
        Failure::Disk(DiskTrouble::Full) => json!(["disk-full"]),
        Failure::Disk(DiskTrouble::ReadOnly) => json!(["disk-read-only"]),
        Failure::Disk(DiskTrouble::Failing) => json!(["disk-failing"]),
        Failure::Changed { file } => json!(["changed", file]),
        Failure::File { file, code, about } => json!(["file", file, code, about]),
        Failure::Broken => json!(["broken"]),
    }
}

/// None where it is not what [`to_json`] writes.
pub(super) fn from_json(value: &Value) -> Option<(Seen, Vec<Kept>)> {
    let time = |key: &str| value[key].as_i64().map(Millis);
    let all = |key: &str| value[key].as_array();
    let by = if value["by"].is_null() { None } else { Some(bringer(&value["by"])?) };
    let files = all("files")?.iter().map(|one| Some((text(&one[0])?, one[1].as_u64()?)));
    let numbers: Vec<u64> = all("progress")?.iter().map(Value::as_u64).collect::<Option<_>>()?;
    let kept: Vec<Kept> = all("refused")?.iter().map(kept).collect::<Option<_>>()?;
    let seen = Seen {
        phase: phase(value)?,
        is_trial: value["trial"].as_bool()?,
        by,
        files: files.collect::<Option<_>>()?,
        progress: progress(&numbers)?,
        left_out: all("left")?.iter().map(left).collect::<Option<_>>()?,
        began: time("began"),
        ended: time("ended"),
        refused: kept.iter().map(|one| one.file.clone()).collect(),
    };
    Some((seen, kept))
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn bringer(value: &Value) -> Option<Bringer> {
    Some(Bringer { who: text(&value[0])?, name: text(&value[1])? })
}

fn progress(numbers: &[u64]) -> Option<Progress> {
    let &[
        files,
        files_done,
        bytes,
        bytes_read,
        lines,
        lines_known,
        saved,
        unchanged,
        left_out,
        remarks,
    ] = numbers
    else {
        return None;
    };
    Some(Progress {
        files,
        files_done,
        bytes,
        bytes_read,
        lines,
        lines_known,
        saved,
        unchanged,
        left_out,
        remarks,
    })
}

fn left(value: &Value) -> Option<LeftOut> {
    Some(LeftOut {
        file: text(&value[0])?,
        line: value[1].as_u64()?,
        entry: value[2].as_u64(),
        code: text(&value[3])?,
        at: text(&value[4]),
    })
}

fn kept(value: &Value) -> Option<Kept> {
    let file = RefusedFile {
        number: u32::try_from(value[0].as_u64()?).ok()?,
        name: text(&value[1])?,
        bytes: value[2].as_u64()?,
        by: bringer(&value[3])?,
        at: Millis(value[4].as_i64()?),
    };
    Some(Kept { file, folder: u32::try_from(value[5].as_u64()?).ok()? })
}

fn phase(value: &Value) -> Option<Phase> {
    Some(match value["phase"].as_str()? {
        "empty" => Phase::Empty,
        "ready" => Phase::Ready,
        // Whoever wrote this is not there any more.
        "running" => Phase::Cut,
        "done" => Phase::Done,
        "stopped" => Phase::Stopped,
        "failed" => Phase::Failed(failure(&value["failure"])?),
        _ => return None,
    })
}

fn failure(value: &Value) -> Option<Failure> {
    Some(match value[0].as_str()? {
        "disk-full" => Failure::Disk(DiskTrouble::Full),
        "disk-read-only" => Failure::Disk(DiskTrouble::ReadOnly),
        "disk-failing" => Failure::Disk(DiskTrouble::Failing),
        "changed" => Failure::Changed { file: text(&value[1])? },
        "file" => Failure::File {
            file: text(&value[1])?,
            code: text(&value[2])?,
            about: text(&value[3])?,
        },
        "broken" => Failure::Broken,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back_and_a_run_that_was_cut_says_so() {
        let by = Bringer { who: "Practitioner/a".into(), name: "관리원".into() };
        let file = RefusedFile {
            number: 3,
            name: "방문.csv.refused-0a.csv".into(),
            bytes: 77,
            by: by.clone(),
            at: Millis(5),
        };
        let failures = [
            Failure::Disk(DiskTrouble::Full),
            Failure::Disk(DiskTrouble::ReadOnly),
            Failure::Disk(DiskTrouble::Failing),
            Failure::Changed { file: "a".into() },
            Failure::File { file: "a".into(), code: "quote".into(), about: "7".into() },
            Failure::Broken,
        ];
        let mut phases = vec![Phase::Empty, Phase::Ready, Phase::Done, Phase::Stopped, Phase::Cut];
        phases.extend(failures.map(Phase::Failed));
        for phase in phases {
            let seen = Seen {
                phase,
                is_trial: true,
                by: Some(by.clone()),
                files: vec![("방문.csv".into(), 12)],
                progress: Progress { files: 1, lines: 4, remarks: 9, ..Progress::default() },
                left_out: vec![LeftOut {
                    file: "방문.csv".into(),
                    line: 5,
                    entry: Some(2),
                    code: "row-date".into(),
                    at: Some("born".into()),
                }],
                began: Some(Millis(1)),
                ended: None,
                refused: vec![file.clone()],
            };
            let kept = vec![Kept { file: file.clone(), folder: 2 }];
            assert_eq!(from_json(&to_json(&seen, &kept)), Some((seen, kept)));
        }
        let running = Seen { phase: Phase::Running { is_stopping: false }, ..Seen::default() };
        assert_eq!(from_json(&to_json(&running, &[])).unwrap().0.phase, Phase::Cut);
        assert_eq!(from_json(&json!({ "phase": "done" })), None);
    }
}
