//! `ondol-screens`: a picture of every screen, in both languages, on an old PC and on a telephone.
//!
//! It starts the small country with fast links, lives a morning in it (`story`), and then walks
//! through the screens as the people of that country (`walk`). A second run on the same data
//! takes the pictures again without living the morning again.

mod bring;
mod scenes;
mod story;
mod walk;

use std::{
    path::PathBuf,
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::Parser;
use ondol_kernel::{Date, Millis};
use ondol_testkit::{
    browser::{Lang, Size, Wish},
    filling,
    node::{Country, CountryConfig, NodeError, Seat},
};

/// Takes a picture of every screen, in Korean and English, at 1024×768 and 390×844.
#[derive(Debug, Parser)]
#[command(name = "ondol-screens", version, about)]
struct Arguments {
    /// Where the pictures go: whole pages as `OUT/NAME.LANG.SIZE.png`, and what is seen of each
    /// without scrolling, at half the size, as `OUT/small/NAME.LANG.SIZE.webp`.
    #[arg(long)]
    out: PathBuf,
    /// Where the country's data stand.
    #[arg(long, default_value = "target/screens-country")]
    data: PathBuf,
    /// Only screens with one of these in their names.
    #[arg(long)]
    only: Vec<String>,
    /// Only this language: `ko` or `en`.
    #[arg(long)]
    lang: Option<String>,
    /// Only this size: `desk` or `phone`.
    #[arg(long)]
    size: Option<String>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(missed) if missed.is_empty() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("ondol-screens: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Gives the pictures that could not be taken, each already said.
fn run(arguments: &Arguments) -> Result<Vec<String>, NodeError> {
    let mut say = |step: &str| println!("{step}");
    let config = CountryConfig::for_tests();
    let mut country = Country::prepare(&arguments.data, config, &mut say)?;
    let today = today();
    filling::village(&mut country, 1, 60, today)?;
    country.start_nodes(&mut say)?;
    filling::rosters(&country)?;
    let wish = Wish { lang: Lang::Ko, size: Size::Desk, script: true };
    say("living a morning");
    let mut places = story::live(&mut country, wish, today)?;
    places.insert("clinic-node".to_owned(), country.ready(Seat::Clinic).node.clone());
    let mut missed = vec![];
    for wish in wishes(arguments) {
        missed.extend(walk::walk(&country, wish, &places, &arguments.out, &arguments.only));
    }
    if arguments.only.is_empty() || arguments.only.iter().any(|one| "alarm".contains(one.as_str()))
    {
        let alarm = story::alarm(&country, wish);
        for wish in wishes(arguments) {
            missed.extend(walk::alarm(&country, wish, &alarm, &arguments.out));
        }
        story::calm(&country, wish, &alarm);
    }
    if arguments.only.is_empty() || arguments.only.iter().any(|one| "first".contains(one.as_str()))
    {
        missed.extend(walk::first_run(&country, &wishes(arguments), &arguments.out)?);
    }
    country.stop();
    Ok(missed)
}

fn wishes(arguments: &Arguments) -> Vec<Wish> {
    let langs = Lang::ALL.into_iter().filter(|lang| {
        arguments.lang.as_deref().is_none_or(|wanted| lang.tag().starts_with(wanted))
    });
    langs
        .flat_map(|lang| Size::ALL.map(|size| Wish { lang, size, script: true }))
        .filter(|wish| arguments.size.as_deref().is_none_or(|wanted| wish.size.name() == wanted))
        .collect()
}

#[expect(clippy::disallowed_methods, reason = "the village's visits lie in the weeks before today")]
fn today() -> Date {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(i64::try_from(since.as_millis()).unwrap_or(0)).local(9 * 60).0
}
