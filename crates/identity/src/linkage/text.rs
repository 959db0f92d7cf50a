//! How alike two texts are.

/// The similarity of Jaro and Winkler, 0 to 1: Winkler, 'String Comparator Metrics and Enhanced
/// Decision Rules', Proceedings of the Section on Survey Research Methods (1990); a common
/// beginning of up to four letters counts 0.1 each.
pub fn jaro_winkler(a: &[char], b: &[char]) -> f64 {
    let jaro = jaro(a, b);
    let common = a.iter().zip(b).take(4).take_while(|(x, y)| x == y).count();
    jaro + super::real(common) * 0.1 * (1.0 - jaro)
}

/// A letter more than this is compared as if the text ended there.
const LETTERS_MAX: usize = 63;

fn jaro(a: &[char], b: &[char]) -> f64 {
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    let (a, b) = (&a[..a.len().min(LETTERS_MAX)], &b[..b.len().min(LETTERS_MAX)]);
    let window = (a.len().max(b.len()) / 2).saturating_sub(1);
    let (mut in_a, mut in_b) = (0_u64, 0_u64);
    for (at, letter) in a.iter().enumerate() {
        let (from, to) = (at.saturating_sub(window), (at + window + 1).min(b.len()));
        for (place, other) in b.iter().enumerate().take(to).skip(from) {
            if in_b & (1 << place) == 0 && other == letter {
                in_a |= 1 << at;
                in_b |= 1 << place;
                break;
            }
        }
    }
    if in_a == 0 {
        return 0.0;
    }
    let of_a = a.iter().enumerate().filter(|(at, _)| in_a & (1 << at) != 0);
    let of_b = b.iter().enumerate().filter(|(at, _)| in_b & (1 << at) != 0);
    let turned = of_a.zip(of_b).filter(|((_, x), (_, y))| x != y).count();
    let matched = f64::from(in_a.count_ones());
    let turned = super::real(turned) / 2.0;
    (matched / super::real(a.len()) + matched / super::real(b.len()) + (matched - turned) / matched)
        / 3.0
}

/// So many letters are put in, left out, changed, or exchanged with their neighbour, at most
/// `most`; `most + 1` if more (optimal string alignment).
pub fn slips(a: &[char], b: &[char], most: usize) -> usize {
    if a.len().abs_diff(b.len()) > most {
        return most + 1;
    }
    let (a, b) = (&a[..a.len().min(LETTERS_MAX)], &b[..b.len().min(LETTERS_MAX)]);
    let mut before = [0; LETTERS_MAX + 1];
    let mut last: [usize; LETTERS_MAX + 1] = std::array::from_fn(|at| at);
    let mut row = [0; LETTERS_MAX + 1];
    for (i, x) in a.iter().enumerate() {
        row[0] = i + 1;
        let mut least_of_row = row[0];
        for (j, y) in b.iter().enumerate() {
            let mut least = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(before[j - 1] + 1);
            }
            row[j + 1] = least;
            least_of_row = least_of_row.min(least);
        }
        if least_of_row > most {
            return most + 1;
        }
        (before, last, row) = (last, row, before);
    }
    last[b.len()].min(most + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(text: &str) -> Vec<char> {
        text.chars().collect()
    }

    /// Winkler's own examples (1990, table 1), to three places.
    #[test]
    fn the_published_examples_come_out() {
        for (a, b, want) in [
            ("SHACKLEFORD", "SHACKELFORD", 0.982),
            ("DUNNINGHAM", "CUNNIGHAM", 0.896),
            ("NICHLESON", "NICHULSON", 0.956),
            ("JONES", "JOHNSON", 0.832),
            ("MASSEY", "MASSIE", 0.933),
            ("ABROMS", "ABRAMS", 0.922),
            ("MARTHA", "MARHTA", 0.961),
            ("JERALDINE", "GERALDINE", 0.926),
        ] {
            let got = jaro_winkler(&letters(a), &letters(b));
            assert!((got - want).abs() < 0.0006, "{a} {b}: {got}");
        }
        assert!(jaro_winkler(&letters("AB"), &letters("CD")).abs() < 1e-9);
    }

    #[test]
    fn slips_are_counted_up_to_a_limit() {
        for (a, b, want) in [
            ("19610302", "19610302", 0),
            ("19610302", "19160302", 1),
            ("19610302", "1961302", 1),
            ("19610302", "19610203", 2),
            ("19610302", "20000229", 3),
            ("", "1", 1),
        ] {
            assert_eq!(slips(&letters(a), &letters(b), 2), want, "{a} {b}");
        }
    }
}
