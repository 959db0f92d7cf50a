//! Units that are compared: a trait, and the small table that invariants and tests need.

use rust_decimal::Decimal;

/// What a unit is in base units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canonical {
    /// How many of the base units one is.
    pub factor: Decimal,
    /// Powers of metre, gram, second, radian, kelvin, coulomb, candela and mole.
    pub dimension: [i8; 8],
}

/// Knows units.
pub trait Units: std::fmt::Debug + Sync {
    /// What a UCUM code is in base units; `None` for one that is not known or whose scale has
    /// another zero (degrees Celsius).
    fn canonical(&self, unit: &str) -> Option<Canonical>;
}

/// The units of everyday, with UCUM's prefixes, powers, products and quotients. Far from all of
/// UCUM.
#[derive(Debug, Clone, Copy)]
pub struct TableOfUnits;

/// Code, whether it takes prefixes, factor, dimension.
type Atom = (&'static str, bool, &'static str, [i8; 8]);

const fn dimension(metre: i8, gram: i8, second: i8) -> [i8; 8] {
    [metre, gram, second, 0, 0, 0, 0, 0]
}

const ATOMS: &[Atom] = &[
    ("m", true, "1", dimension(1, 0, 0)),
    ("g", true, "1", dimension(0, 1, 0)),
    ("s", true, "1", dimension(0, 0, 1)),
    ("rad", true, "1", [0, 0, 0, 1, 0, 0, 0, 0]),
    ("K", true, "1", [0, 0, 0, 0, 1, 0, 0, 0]),
    ("C", true, "1", [0, 0, 0, 0, 0, 1, 0, 0]),
    ("cd", true, "1", [0, 0, 0, 0, 0, 0, 1, 0]),
    ("mol", true, "1", [0, 0, 0, 0, 0, 0, 0, 1]),
    ("L", true, "0.001", dimension(3, 0, 0)),
    ("l", true, "0.001", dimension(3, 0, 0)),
    ("t", true, "1000000", dimension(0, 1, 0)),
    ("min", false, "60", dimension(0, 0, 1)),
    ("h", false, "3600", dimension(0, 0, 1)),
    ("d", false, "86400", dimension(0, 0, 1)),
    ("wk", false, "604800", dimension(0, 0, 1)),
    ("mo", false, "2629800", dimension(0, 0, 1)),
    ("a", false, "31557600", dimension(0, 0, 1)),
    ("Hz", true, "1", dimension(0, 0, -1)),
    ("N", true, "1000", dimension(1, 1, -2)),
    ("Pa", true, "1000", dimension(-1, 1, -2)),
    ("bar", true, "100000000", dimension(-1, 1, -2)),
    ("m[Hg]", true, "133322000", dimension(-1, 1, -2)),
    ("J", true, "1000", dimension(2, 1, -2)),
    ("W", true, "1000", dimension(2, 1, -3)),
    ("cal", true, "4184", dimension(2, 1, -2)),
    ("[in_i]", false, "0.0254", dimension(1, 0, 0)),
    ("[ft_i]", false, "0.3048", dimension(1, 0, 0)),
    ("[mi_i]", false, "1609.344", dimension(1, 0, 0)),
    ("[lb_av]", false, "453.59237", dimension(0, 1, 0)),
    ("[oz_av]", false, "28.349523125", dimension(0, 1, 0)),
    ("%", false, "0.01", dimension(0, 0, 0)),
];

const PREFIXES: [(&str, &str); 13] = [
    ("da", "10"),
    ("T", "1000000000000"),
    ("G", "1000000000"),
    ("M", "1000000"),
    ("k", "1000"),
    ("h", "100"),
    ("d", "0.1"),
    ("c", "0.01"),
    ("m", "0.001"),
    ("u", "0.000001"),
    ("n", "0.000000001"),
    ("p", "0.000000000001"),
    ("f", "0.000000000000001"),
];

/// Parentheses inside each other at most.
const NESTED_MAX: usize = 16;

impl Units for TableOfUnits {
    fn canonical(&self, unit: &str) -> Option<Canonical> {
        let (found, rest) = product(unit, 0)?;
        rest.is_empty().then_some(found)
    }
}

/// `a.b/c`, up to the end or a closing parenthesis.
fn product(text: &str, depth: usize) -> Option<(Canonical, &str)> {
    let (mut sum, mut rest) = match text.strip_prefix('/') {
        Some(_) => (Canonical { factor: Decimal::ONE, dimension: [0; 8] }, text),
        None => term(text, depth)?,
    };
    while let Some(sign) = rest.chars().next().filter(|sign| matches!(sign, '.' | '/')) {
        let (next, after) = term(&rest[1..], depth)?;
        sum = combine(&sum, &next, if sign == '.' { 1 } else { -1 })?;
        rest = after;
    }
    Some((sum, rest))
}

fn combine(left: &Canonical, right: &Canonical, power: i8) -> Option<Canonical> {
    let mut to = left.clone();
    for _ in 0..power.unsigned_abs() {
        to.factor = if power > 0 {
            to.factor.checked_mul(right.factor)?
        } else {
            to.factor.checked_div(right.factor)?
        };
    }
    for (a, b) in to.dimension.iter_mut().zip(right.dimension) {
        *a = a.checked_add(b.checked_mul(power)?)?;
    }
    Some(to)
}

fn term(text: &str, depth: usize) -> Option<(Canonical, &str)> {
    if let Some(inside) = text.strip_prefix('(') {
        if depth >= NESTED_MAX {
            return None;
        }
        let (found, rest) = product(inside, depth + 1)?;
        return Some((found, rest.strip_prefix(')')?));
    }
    let mut in_brackets = false;
    let end = text
        .char_indices()
        .find(|(_, c)| {
            in_brackets = (in_brackets || *c == '[') && *c != ']';
            !in_brackets && matches!(c, '.' | '/' | '(' | ')')
        })
        .map_or(text.len(), |(at, _)| at);
    let (word, rest) = text.split_at(end);
    // Words between braces say what was counted, and mean nothing here.
    let word = match word.find('{') {
        Some(at) => word[..at].strip_suffix('.').unwrap_or(&word[..at]),
        None => word,
    };
    let one = Canonical { factor: Decimal::ONE, dimension: [0; 8] };
    if word.is_empty() {
        return (end > 0).then_some((one, rest));
    }
    if word.bytes().all(|b| b.is_ascii_digit()) {
        return Some((Canonical { factor: word.parse().ok()?, ..one }, rest));
    }
    let digits = word.trim_end_matches(|c: char| c.is_ascii_digit());
    let code = digits.trim_end_matches(['+', '-']);
    let power = match &word[code.len()..] {
        "" => 1,
        power => power.parse::<i8>().ok()?,
    };
    if power.unsigned_abs() > 9 {
        return None;
    }
    Some((combine(&one, &atom(code)?, power)?, rest))
}

fn atom(code: &str) -> Option<Canonical> {
    let plain = ATOMS.iter().find(|atom| atom.0 == code);
    let (prefix, found) = match plain {
        Some(found) => ("1", found),
        None => PREFIXES.iter().find_map(|(sign, prefix)| {
            let rest = code.strip_prefix(sign)?;
            Some((*prefix, ATOMS.iter().find(|atom| atom.1 && atom.0 == rest)?))
        })?,
    };
    let factor = found.2.parse::<Decimal>().ok()?.checked_mul(prefix.parse().ok()?)?;
    Some(Canonical { factor, dimension: found.3 })
}
