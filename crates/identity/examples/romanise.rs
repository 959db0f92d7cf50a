//! Hangul names from standard input, one a line, in Latin letters: letter by letter, as spoken, and
//! as each system writes names; for `tests-external/names`.

use std::io::{Read, stdin};

use ondol_identity::names::{System, letter_by_letter, romanise, spoken};

fn main() -> std::io::Result<()> {
    let mut text = String::new();
    stdin().read_to_string(&mut text)?;
    for name in text.lines() {
        let systems = System::ALL.map(|system| romanise(name, system));
        let all = [letter_by_letter(name), spoken(name)].into_iter().chain(systems);
        println!("{}", all.map(Option::unwrap_or_default).collect::<Vec<_>>().join("\t"));
    }
    Ok(())
}
