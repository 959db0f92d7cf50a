//! A check digit for numbers that people read aloud and type: ISO/IEC 7064, MOD 11,10.
//!
//! It finds every single wrong digit and most transpositions, and is itself a digit, so that a
//! number stays digits only.

/// The check digit of a string of decimal digits, or `None` if something else stands in it.
pub fn check_digit(digits: &str) -> Option<char> {
    let mut product: u32 = 10;
    for digit in digits.chars() {
        let mut sum = (product + digit.to_digit(10)?) % 10;
        if sum == 0 {
            sum = 10;
        }
        product = (sum * 2) % 11;
    }
    char::from_digit((11 - product) % 10, 10)
}

/// Whether the last digit of `number` is the check digit of the others.
pub fn is_valid(number: &str) -> bool {
    let Some((at, last)) = number.char_indices().next_back() else { return false };
    at > 0 && check_digit(&number[..at]) == Some(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_standards_own_example() {
        // ISO/IEC 7064:2003, 9.3: the check character of 0794 is 5.
        assert_eq!(check_digit("0794"), Some('5'));
        assert!(is_valid("07945"));
    }

    #[test]
    fn not_a_number() {
        assert_eq!(check_digit("12a"), None);
        assert!(!is_valid(""));
        assert!(!is_valid("7"));
    }

    proptest! {
        #[test]
        fn every_single_wrong_digit_is_found(number in "[0-9]{3,12}", at: prop::sample::Index, add in 1u32..10) {
            let full = format!("{number}{}", check_digit(&number).unwrap());
            let mut wrong: Vec<char> = full.chars().collect();
            let at = at.index(wrong.len());
            wrong[at] = char::from_digit((wrong[at].to_digit(10).unwrap() + add) % 10, 10).unwrap();
            prop_assert!(is_valid(&full));
            prop_assert!(!is_valid(&wrong.into_iter().collect::<String>()));
        }
    }
}
