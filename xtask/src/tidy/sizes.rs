//! How long a file and a function may be.

use super::{
    Finding,
    config::{Exception, PATH, Sizes},
    house::{File, House},
    rust_code::functions,
};

pub fn check(sizes: &Sizes, house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut used = vec![false; sizes.exceptions.len()];
    for file in house.files.iter().filter(|f| sizes.extensions.iter().any(|e| e == f.extension())) {
        if sizes.generated.contains(&file.path) {
            continue;
        }
        let lines = file.text.lines().count();
        if lines > sizes.file_lines_max {
            findings.extend(too_long(sizes, &mut used, file, None, lines));
        }
        for function in functions(&file.code) {
            if function.lines > sizes.function_lines_max {
                let place = Some((function.name, function.line));
                findings.extend(too_long(sizes, &mut used, file, place, function.lines));
            }
        }
    }
    for (exception, _) in sizes.exceptions.iter().zip(used).filter(|(_, used)| !used) {
        let what = format!("the exception for {} is no longer needed", name(exception));
        findings.push(Finding::of_file(PATH, what));
    }
    for path in sizes.generated.iter().filter(|path| house.file(path).is_none()) {
        findings.push(Finding::of_file(PATH, format!("there is no generated file {path}")));
    }
    findings
}

fn name(exception: &Exception) -> String {
    let function = exception.function.as_deref();
    function.map_or(exception.path.clone(), |function| format!("{}::{function}", exception.path))
}

/// What to say of a file, or of a function by name and line, that is above the limit.
fn too_long(
    sizes: &Sizes,
    used: &mut [bool],
    file: &File,
    function: Option<(&str, usize)>,
    lines: usize,
) -> Option<Finding> {
    let known = sizes.exceptions.iter().position(|exception| {
        exception.path == file.path && exception.function.as_deref() == function.map(|f| f.0)
    });
    let what = match known {
        Some(at) => {
            used[at] = true;
            let allowed = sizes.exceptions[at].lines;
            if lines == allowed {
                return None;
            }
            let name = name(&sizes.exceptions[at]);
            if lines > allowed {
                format!("{name} grew from {allowed} lines to {lines}; the list only shrinks")
            } else {
                format!("{name} shrank to {lines} lines: write that into {PATH}")
            }
        }
        None => match function {
            Some((name, _)) => {
                format!("fn {name} has {lines} lines, above {}", sizes.function_lines_max)
            }
            None => format!("has {lines} lines, above {}", sizes.file_lines_max),
        },
    };
    Some(Finding::at(&file.path, function.map_or(0, |f| f.1), what))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(more: &str, lines_of_function: usize) -> Vec<String> {
        let sizes: Sizes = toml::from_str(&format!(
            "extensions = ['rs']\nfile_lines_max = 12\nfunction_lines_max = 5\n{more}"
        ))
        .unwrap();
        let source = format!("fn long() {{\n{}}}\n", "x();\n".repeat(lines_of_function - 2));
        let house = House::of(&[("a.rs", &source), ("a.json", &"\n".repeat(99))]);
        check(&sizes, &house).into_iter().map(|finding| finding.what).collect()
    }

    const NONE: &str = "generated = []\nexceptions = []";

    #[test]
    fn the_limits_are_inclusive() {
        assert_eq!(findings(NONE, 5), [""; 0]);
        assert_eq!(findings(NONE, 6), ["fn long has 6 lines, above 5"]);
        assert_eq!(findings(NONE, 12).len(), 1);
        assert_eq!(findings(NONE, 13).len(), 2);
    }

    #[test]
    fn an_exception_holds_for_its_exact_length_only() {
        let exception =
            "generated = []\nexceptions = [{ path = 'a.rs', function = 'long', lines = 8 }]";
        assert_eq!(findings(exception, 8), [""; 0]);
        assert!(findings(exception, 9)[0].contains("grew"));
        assert!(findings(exception, 7)[0].contains("shrank"));
        assert!(findings(exception, 5)[0].contains("no longer needed"));
    }

    #[test]
    fn generated_files_may_be_long_but_must_exist() {
        assert_eq!(findings("generated = ['a.rs']\nexceptions = []", 99), [""; 0]);
        assert_eq!(findings("generated = ['b.rs']\nexceptions = []", 5).len(), 1);
    }
}
