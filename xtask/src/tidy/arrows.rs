//! Who may depend on whom (ARCHITECTURE.md, 'The arrows').

use anyhow::{Context, Result};
use toml::{Table, Value};

use super::{Finding, config::Arrows, house::House};

/// A crate that a manifest names below `[dependencies]` or `[build-dependencies]`, of any target.
pub fn shipped_dependencies(manifest: &Table) -> Vec<String> {
    let mut tables = vec![manifest];
    if let Some(Value::Table(targets)) = manifest.get("target") {
        tables.extend(targets.values().filter_map(Value::as_table));
    }
    let mut names = Vec::new();
    for table in tables {
        for section in ["dependencies", "build-dependencies"] {
            for (key, value) in table.get(section).and_then(Value::as_table).into_iter().flatten() {
                let renamed = value.get("package").and_then(Value::as_str);
                names.push(renamed.unwrap_or(key).to_owned());
            }
        }
    }
    names
}

pub fn check(arrows: &Arrows, house: &House) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (name, file) in house.crates() {
        let manifest: Table = toml::from_str(&file.text).with_context(|| file.path.clone())?;
        let mut report = |what: String| findings.push(Finding::of_file(&file.path, what));
        let lints = manifest.get("lints").and_then(|lints| lints.get("workspace"));
        let is_free = arrows.free.iter().any(|free| free == name);
        let has_own = is_free && arrows.own_lints.iter().any(|own| own == name);
        if lints != Some(&Value::Boolean(true)) && !has_own {
            report("does not take the workspace's lints".to_owned());
        }
        if is_free {
            continue;
        }
        let Some(allowed) = arrows.may_use.get(name) else {
            report(format!("the crate '{name}' has no row in xtask/tidy.toml [arrows.may_use]"));
            continue;
        };
        for used in shipped_dependencies(&manifest) {
            let used = used.strip_prefix("ondol-").unwrap_or(&used);
            let ours = arrows.may_use.contains_key(used) || arrows.free.iter().any(|f| f == used);
            if ours && !allowed.iter().any(|may| may == used) {
                report(format!("'{name}' may not depend on '{used}': arrows point down only"));
            }
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(manifest: &str) -> Vec<String> {
        let arrows: Arrows = toml::from_str(concat!(
            "free = ['testkit']\n",
            "[may_use]\nkernel = []\nfhir = ['kernel']\nrecord = ['fhir', 'kernel']\n"
        ))
        .unwrap();
        let manifest = format!("[lints]\nworkspace = true\n{manifest}");
        let house = House::of(&[("crates/fhir/Cargo.toml", &manifest)]);
        check(&arrows, &house).unwrap().into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn an_arrow_that_points_up_is_found() {
        assert_eq!(findings("[dependencies]\nondol-kernel.workspace = true"), [""; 0]);
        for up in [
            "[dependencies]\nondol-record.workspace = true",
            "[build-dependencies]\nondol-record = { path = '../record' }",
            "[target.'cfg(unix)'.dependencies]\nondol-record.workspace = true",
            "[dependencies]\nother = { package = 'ondol-record', path = '../record' }",
            "[dependencies]\nondol-testkit.workspace = true",
        ] {
            assert_eq!(findings(up).len(), 1, "{up}");
        }
    }

    #[test]
    fn tests_may_use_what_is_never_shipped() {
        assert_eq!(findings("[dev-dependencies]\nondol-testkit.workspace = true"), [""; 0]);
    }

    #[test]
    fn only_a_crate_that_is_never_shipped_has_lints_of_its_own() {
        let count = |config: &str| {
            let arrows: Arrows = toml::from_str(config).unwrap();
            let house = House::of(&[("crates/faulty/Cargo.toml", "")]);
            check(&arrows, &house).unwrap().len()
        };
        assert_eq!(count("free = ['faulty']\nown_lints = ['faulty']\n[may_use]\n"), 0);
        assert_eq!(count("free = ['faulty']\n[may_use]\n"), 1);
        assert_eq!(count("free = []\nown_lints = ['faulty']\n[may_use]\nfaulty = []\n"), 1);
    }

    #[test]
    fn a_crate_without_a_row_is_found() {
        let arrows: Arrows = toml::from_str("free = []\n[may_use]\n").unwrap();
        let house = House::of(&[("crates/new/Cargo.toml", "[lints]\nworkspace = true")]);
        assert_eq!(check(&arrows, &house).unwrap().len(), 1);
    }
}
