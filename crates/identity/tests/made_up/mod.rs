//! People made up by a seed, some of them entered twice with errors, some of them namesakes and
//! siblings of others. The rates were fixed in ADR 0015 before any figure was taken.

use ondol_identity::{
    linkage::Described,
    names::{System, romanise, sounded},
};

/// Surnames as the north writes them, with how many of a thousand bear them.
const SURNAMES: [(&str, u64); 30] = [
    ("김", 215),
    ("리", 147),
    ("박", 84),
    ("최", 47),
    ("정", 43),
    ("강", 24),
    ("조", 21),
    ("윤", 21),
    ("장", 20),
    ("림", 17),
    ("한", 15),
    ("오", 15),
    ("서", 15),
    ("신", 15),
    ("권", 14),
    ("황", 14),
    ("안", 14),
    ("송", 14),
    ("류", 13),
    ("홍", 11),
    ("전", 11),
    ("고", 10),
    ("문", 9),
    ("손", 9),
    ("량", 9),
    ("배", 8),
    ("백", 8),
    ("허", 6),
    ("남", 5),
    ("로", 5),
];
/// Syllables of given names; the earlier are the more frequent.
const SYLLABLES: [&str; 40] = [
    "영", "철", "희", "순", "옥", "명", "성", "금", "수", "혁", "정", "일", "남", "룡", "광", "미",
    "향", "경", "진", "호", "복", "련", "선", "국", "학", "은", "춘", "화", "실", "숙", "용", "혜",
    "봉", "훈", "림", "심", "동", "설", "창", "녀",
];
const VILLAGES: [&str; 32] = [
    "룡강리",
    "룡흥리",
    "신흥리",
    "락원리",
    "련포리",
    "로동리",
    "례성리",
    "리상리",
    "동봉리",
    "삼봉리",
    "학현리",
    "청룡리",
    "백암리",
    "덕흥리",
    "남산리",
    "운곡리",
    "대평리",
    "연풍리",
    "송림리",
    "금곡리",
    "석정리",
    "화암리",
    "봉산리",
    "추동리",
    "장수리",
    "옥계리",
    "평촌리",
    "미산리",
    "향산리",
    "구룡리",
    "상팔리",
    "하팔리",
];

/// How many people there are, and how many of them are entered twice.
const PEOPLE: usize = 2_000;
const TWICE: usize = 1_000;

/// Of a hundred people.
const NAMESAKES: u64 = 10;
const SIBLINGS: u64 = 10;

/// A record and who it is.
pub struct Entered {
    /// The person.
    pub person: usize,
    /// What was entered.
    pub of: Described,
}

/// Chance from a seed: splitmix64 (Steele, Lea, Flood 2014).
pub struct Chance(pub u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ mixed >> 31) % bound
    }

    /// True in so many of a hundred cases.
    fn percent(&mut self, of: u64) -> bool {
        self.below(100) < of
    }

    fn place(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap()
    }

    /// A place of a list, the earlier the likelier: 1/(place + 2).
    fn early(&mut self, len: usize) -> usize {
        let weights: Vec<u64> = (0..len as u64).map(|at| 100_000 / (at + 2)).collect();
        let mut left = self.below(weights.iter().sum());
        weights
            .iter()
            .position(|weight| {
                let here = left < *weight;
                left = left.saturating_sub(*weight);
                here
            })
            .unwrap()
    }
}

/// All records, in an order by chance.
pub fn people(seed: u64) -> Vec<Entered> {
    let mut chance = Chance(seed);
    let mut people: Vec<Described> = vec![];
    while people.len() < PEOPLE {
        let kin = chance.below(100);
        let mut one = person(&mut chance);
        if !people.is_empty() && kin < NAMESAKES + SIBLINGS {
            let other = people[chance.place(people.len())].clone();
            if kin < NAMESAKES {
                one.birth.replace_range(..4, &other.birth[..4]);
                (one.name, one.sex, one.ri) = (other.name, other.sex, other.ri);
            } else {
                let surname = other.name.chars().next().unwrap();
                one.name = [surname.to_string(), given(&mut chance)].concat();
                (one.mother, one.ri) = (other.mother, other.ri);
                (one.house, one.phone) = (other.house, other.phone);
            }
        }
        people.push(one);
    }
    let again: Vec<Entered> = (0..TWICE)
        .map(|person| Entered { person, of: with_errors(&mut chance, &people[person]) })
        .collect();
    let first = people.into_iter().enumerate().map(|(person, of)| Entered { person, of });
    let mut all: Vec<Entered> = first.chain(again).collect();
    for at in (1..all.len()).rev() {
        let other = chance.place(at + 1);
        all.swap(at, other);
    }
    all
}

fn person(chance: &mut Chance) -> Described {
    let year = 1940 + chance.below(85);
    let (month, day) = (1 + chance.below(12), 1 + chance.below(28));
    let phone = if chance.percent(60) {
        format!("19{:08}", chance.below(100_000_000))
    } else {
        String::new()
    };
    Described {
        name: name(chance),
        sex: if chance.percent(50) { "F" } else { "M" }.into(),
        birth: format!("{year}-{month:02}-{day:02}"),
        mother: name(chance),
        ri: VILLAGES[chance.place(VILLAGES.len())].into(),
        house: house(chance),
        phone,
    }
}

fn name(chance: &mut Chance) -> String {
    let mut left = chance.below(SURNAMES.iter().map(|(_, weight)| weight).sum());
    let surname = SURNAMES.iter().find(|(_, weight)| {
        let here = left < *weight;
        left = left.saturating_sub(*weight);
        here
    });
    [surname.unwrap().0, &given(chance)].concat()
}

/// Two syllables, in 15 of a hundred cases one.
fn given(chance: &mut Chance) -> String {
    let mut syllable = || SYLLABLES[chance.early(SYLLABLES.len())];
    let (one, two) = (syllable(), syllable());
    if chance.percent(15) { one.to_owned() } else { [one, two].concat() }
}

fn house(chance: &mut Chance) -> String {
    format!("{}반 {}호", 1 + chance.below(40), 1 + chance.below(30))
}

/// The same person, entered again by somebody else.
fn with_errors(chance: &mut Chance, of: &Described) -> Described {
    let mut again = of.clone();
    again.name = as_heard(chance, &again.name, 20, 8);
    if chance.percent(10) {
        let system = System::ALL[chance.place(3)];
        again.name = romanise(&again.name, system).unwrap_or(again.name);
    }
    again.mother = as_heard(chance, &again.mother, 20, 8);
    if chance.percent(15) {
        again.mother.clear();
    }
    again.birth = birth_with_errors(chance, &again.birth);
    match chance.below(100) {
        0 => again.sex = if of.sex == "F" { "M" } else { "F" }.into(),
        1 | 2 => again.sex.clear(),
        _ => {}
    }
    if chance.percent(8) {
        again.ri = VILLAGES[chance.place(VILLAGES.len())].into();
        again.house = house(chance);
    }
    again.ri = as_heard(chance, &again.ri, 20, 3);
    match chance.below(100) {
        0..15 => again.house.clear(),
        15..20 => again.house = one_digit(chance, &again.house),
        _ => {}
    }
    match chance.below(100) {
        0..30 => again.phone.clear(),
        30..40 => again.phone = format!("19{:08}", chance.below(100_000_000)),
        40..43 => again.phone = one_digit(chance, &again.phone),
        _ => {}
    }
    again
}

/// With the other initial sound, and with a letter mistyped, each in so many of a hundred cases.
fn as_heard(chance: &mut Chance, name: &str, sound: u64, slip: u64) -> String {
    let mut heard = name.to_owned();
    if chance.percent(sound) {
        heard = sounded(name);
    }
    if chance.percent(slip) {
        heard = mistyped(chance, &heard);
    }
    heard
}

/// One letter of one syllable is another one (Unicode 3.12).
fn mistyped(chance: &mut Chance, name: &str) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    let at = chance.place(letters.len());
    let index = u32::from(letters[at]) - 0xAC00;
    let mut parts = [index / 588, index % 588 / 28, index % 28];
    let which = chance.place(3);
    let most = [19, 21, 28][which];
    let other = (u64::from(parts[which]) + 1 + chance.below(most - 1)) % most;
    parts[which] = u32::try_from(other).unwrap();
    letters[at] = char::from_u32(0xAC00 + (parts[0] * 21 + parts[1]) * 28 + parts[2]).unwrap();
    letters.into_iter().collect()
}

fn birth_with_errors(chance: &mut Chance, birth: &str) -> String {
    let (year, month, day) = (&birth[..4], &birth[5..7], &birth[8..]);
    match chance.below(100) {
        0 => String::new(),
        1..9 => year.to_owned(),
        9..14 => {
            let guess = year.parse::<u64>().unwrap() + chance.below(5) - 2;
            format!("~{guess}")
        }
        14..18 => one_digit(chance, birth),
        18..20 if day < "13" => format!("{year}-{day}-{month}"),
        _ => birth.to_owned(),
    }
}

/// One digit is another one.
fn one_digit(chance: &mut Chance, text: &str) -> String {
    let places: Vec<usize> =
        text.char_indices().filter(|(_, c)| c.is_ascii_digit()).map(|(at, _)| at).collect();
    if places.is_empty() {
        return text.to_owned();
    }
    let at = places[chance.place(places.len())];
    let digit = u64::from(text.as_bytes()[at] - b'0');
    let other = (digit + 1 + chance.below(9)) % 10;
    let mut text = text.to_owned();
    text.replace_range(at..=at, &other.to_string());
    text
}
