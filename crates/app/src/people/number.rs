//! Provisional numbers: six digits of the facility, five that count, one that checks.
//!
//! The six digits derive from the facility's id, so that no one has to hand them out; two
//! facilities of a nation may share them by chance. A number is therefore never an identity by
//! itself: whoever finds two people by one number sees both, with their names.

use ondol_kernel::check_digit;
use ondol_store::{Filter, Order, Query, Space, Test, View, WriteTx};

use crate::{App, AppError, coding};

/// In [`Space::Number`]: incarnation (u32) and the next count (u64), little endian.
const NEXT: &[u8] = b"next";

/// A restored backup may have forgotten the newest cards. It goes on so far behind what it knows.
const SKIP_AFTER_RESTORE: u64 = 500;

/// A number without what people put between its digits and letters.
pub fn plain(typed: &str) -> String {
    let typed = typed.trim();
    let typed = typed.strip_prefix("ondol:p:").unwrap_or(typed);
    typed
        .chars()
        .map(|c| match c {
            '０'..='９' => char::from_digit(u32::from(c) - u32::from('０'), 10).unwrap_or(c),
            other => other,
        })
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_uppercase)
        .collect()
}

/// A number as it is read aloud, in groups of four.
pub fn grouped(number: &str) -> String {
    if !number.bytes().all(|b| b.is_ascii_digit()) {
        return number.to_owned();
    }
    let digits: Vec<char> = number.chars().collect();
    let groups: Vec<String> = digits.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join("-")
}

/// Whether digits have the form of a provisional number but not its check digit.
pub(crate) fn is_mistyped(plain: &str) -> bool {
    plain.len() == 12 && plain.bytes().all(|b| b.is_ascii_digit()) && !check_digit::is_valid(plain)
}

/// Whether nobody has this provisional number.
pub(crate) fn is_free(view: &dyn View, number: &str) -> Result<bool, AppError> {
    Ok(view.count(&by_number(number))? == 0)
}

/// The Patients with a provisional number.
pub(crate) fn by_number(number: &str) -> Query {
    let test =
        Test::Token { system: Some(coding::PROVISIONAL_NUMBER.into()), code: Some(number.into()) };
    Query {
        resource_type: "Patient".into(),
        chart: None,
        filters: vec![Filter { parameter: "identifier".into(), any: vec![test] }],
        order: Order::Arrival,
        limit: 5,
        after: None,
    }
}

/// The next number that nobody has.
pub(crate) fn next(app: &App, tx: &mut dyn WriteTx) -> Result<String, AppError> {
    let damaged = AppError::Unexpected("the counter of provisional numbers");
    let identity = tx.identity()?.ok_or(AppError::Unexpected("a node without identity"))?;
    let mut count = match tx.value(Space::Number, NEXT)? {
        None => 1,
        Some(value) => {
            let (incarnation, count) = value.split_at_checked(4).ok_or(damaged)?;
            let count = u64::from_le_bytes(
                count.try_into().map_err(|_| AppError::Unexpected("a counter"))?,
            );
            let same = incarnation == identity.incarnation.to_le_bytes();
            if same { count } else { count + SKIP_AFTER_RESTORE }
        }
    };
    loop {
        let digits = format!("{:06}{count:05}", prefix(app));
        let check = check_digit::check_digit(&digits)
            .ok_or(AppError::Unexpected("a number that is not digits"))?;
        let number = format!("{digits}{check}");
        count += 1;
        if is_free(&*tx, &number)? {
            let value = [&identity.incarnation.to_le_bytes()[..], &count.to_le_bytes()].concat();
            tx.set_value(Space::Number, NEXT, Some(&value))?;
            return Ok(number);
        }
    }
}

fn prefix(app: &App) -> u64 {
    let hash =
        blake3::derive_key("ondol 1 provisional number", app.place.facility.as_str().as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    u64::from_le_bytes(first) % 1_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_however_they_are_typed() {
        assert_eq!(plain(" 4127-3056 0128 "), "412730560128");
        assert_eq!(plain("ondol:p:412730560128"), "412730560128");
        assert_eq!(plain("４１２7"), "4127");
        assert_eq!(plain("ab-12"), "AB12");
        assert_eq!(grouped("412730560128"), "4127-3056-0128");
        assert_eq!(grouped("AB12345"), "AB12345");
    }

    #[test]
    fn a_slip_in_a_provisional_number_is_noticed() {
        let digits = "41273056012";
        let right = format!("{digits}{}", check_digit::check_digit(digits).unwrap());
        assert!(!is_mistyped(&right));
        assert!(is_mistyped(&right.replacen('4', "5", 1)));
        assert!(!is_mistyped("12345"));
    }
}
