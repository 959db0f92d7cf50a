//! The files of the repository, read once.

use std::{fs, io, path::Path, process::Command};

use anyhow::{Context, Result, ensure};

use super::rust_code;

/// One text file.
pub struct File {
    /// From the root, with `/`.
    pub path: String,
    pub text: String,
    /// The text with comments and literals blanked, if it is Rust; else empty.
    pub code: String,
}

impl File {
    fn new(path: String, text: String) -> Self {
        let mut file = Self { path, text, code: String::new() };
        if file.extension() == "rs" {
            file.code = rust_code::mask(&file.text);
        }
        file
    }

    /// The letters behind the last dot of the name, or "".
    pub fn extension(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    /// Whether the file holds tests only.
    pub fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        self.path.contains("/tests/") || name == "tests.rs" || name.ends_with("_tests.rs")
    }
}

/// All files that git tracks or would track.
pub struct House {
    pub files: Vec<File>,
    /// Paths of the files that are no text: pictures, compressed tables.
    others: Vec<String>,
}

impl House {
    /// Asks git for the list, so that build output and local data are left out.
    pub fn read(root: &Path) -> Result<Self> {
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output()
            .context("tidy asks git for the list of files")?;
        ensure!(
            listed.status.success(),
            "git ls-files: {}",
            String::from_utf8_lossy(&listed.stderr)
        );
        let listed = String::from_utf8(listed.stdout).context("a file name is not UTF-8")?;
        let mut paths: Vec<&str> = listed.split('\0').filter(|path| !path.is_empty()).collect();
        paths.sort_unstable();
        paths.dedup();
        let (mut files, mut others) = (Vec::new(), Vec::new());
        for path in paths.into_iter().map(str::to_owned) {
            match fs::read(root.join(&path)) {
                Ok(bytes) => match String::from_utf8(bytes) {
                    Ok(text) => files.push(File::new(path, text)),
                    Err(_) => others.push(path),
                },
                // Deleted and not committed yet.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error).context(path),
            }
        }
        Ok(Self { files, others })
    }

    /// The text of a file, if it is there.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.file(path).map(|file| file.text.as_str())
    }

    /// A file, if it is there.
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Whether there is such a file or folder.
    pub fn has(&self, path: &str) -> bool {
        let mut paths = self.files.iter().map(|file| &file.path).chain(&self.others);
        let inside = |file: &str| file.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        paths.any(|file| file == path || inside(file))
    }

    /// The crates' folder names with their manifests' files, `xtask` among them.
    pub fn crates(&self) -> impl Iterator<Item = (&str, &File)> {
        self.files.iter().filter_map(|file| {
            let folder = file.path.strip_suffix("/Cargo.toml")?;
            let name = folder.strip_prefix("crates/").unwrap_or(folder);
            (!name.contains('/')).then_some((name, file))
        })
    }

    /// The Rust files below a crate's `src`.
    pub fn sources<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a File> + use<'a> {
        let folder =
            if name == "xtask" { "xtask/src/".to_owned() } else { format!("crates/{name}/src/") };
        self.files.iter().filter(move |f| f.path.starts_with(&folder) && f.extension() == "rs")
    }

    #[cfg(test)]
    pub fn of(files: &[(&str, &str)]) -> Self {
        let file = |&(path, text): &(&str, &str)| File::new(path.to_owned(), text.to_owned());
        Self { files: files.iter().map(file).collect(), others: Vec::new() }
    }
}
