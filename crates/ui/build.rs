//! Lists the texts and the static files of this crate, so that adding one is adding a file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let mut code = String::new();
    list(&mut code, "KO_KP", &root.join("locales/ko-KP"), "&str", "include_str")?;
    list(&mut code, "EN", &root.join("locales/en"), "&str", "include_str")?;
    list(&mut code, "STATIC", &root.join("static"), "&[u8]", "include_bytes")?;
    println!("cargo:rerun-if-changed=build.rs");
    fs::write(out.join("embedded.rs"), code)
}

/// Writes `const NAME: &[(&str, KIND)]` with the name and the content of each file of a folder.
fn list(code: &mut String, name: &str, folder: &Path, kind: &str, with: &str) -> io::Result<()> {
    println!("cargo:rerun-if-changed={}", folder.display());
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    files.sort();
    let _ = writeln!(code, "const {name}: &[(&str, {kind})] = &[");
    for file in files.iter().filter(|f| f.is_file()) {
        println!("cargo:rerun-if-changed={}", file.display());
        let base = file.file_name().unwrap_or_default().to_string_lossy();
        let _ = writeln!(code, "    ({base:?}, {with}!({:?})),", file.display().to_string());
    }
    code.push_str("];\n");
    Ok(())
}
