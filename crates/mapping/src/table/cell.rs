//! What stands in a cell.

/// A way of writing dates: `DD.MM.YYYY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DateForm(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Year,
    Month,
    Day,
    Text(String),
}

impl DateForm {
    /// Reads a form; `None` unless year, month and day are in it once each.
    pub(super) fn parse(form: &str) -> Option<Self> {
        let mut parts = vec![];
        let mut rest = form;
        while let Some(first) = rest.chars().next() {
            let known = [("YYYY", Part::Year), ("MM", Part::Month), ("DD", Part::Day)];
            if let Some((word, part)) = known.into_iter().find(|(word, _)| rest.starts_with(word)) {
                parts.push(part);
                rest = &rest[word.len()..];
                continue;
            }
            match parts.last_mut() {
                Some(Part::Text(text)) => text.push(first),
                _ => parts.push(Part::Text(first.to_string())),
            }
            rest = &rest[first.len_utf8()..];
        }
        let once = |part: &Part| parts.iter().filter(|one| *one == part).count() == 1;
        (once(&Part::Year) && once(&Part::Month) && once(&Part::Day)).then_some(Self(parts))
    }

    /// A date that is written so, as ISO 8601. A day or month may have one digit where something
    /// stands after it.
    pub(super) fn read(&self, text: &str) -> Option<String> {
        let (mut year, mut month, mut day) = (0, 0, 0);
        let mut rest = text;
        for (at, part) in self.0.iter().enumerate() {
            let is_text = |at: Option<usize>| {
                at.and_then(|at| self.0.get(at)).is_none_or(|part| matches!(part, Part::Text(_)))
            };
            let least = if is_text(at.checked_sub(1)) && is_text(Some(at + 1)) { 1 } else { 2 };
            match part {
                Part::Text(word) => {
                    let blanks = rest.len() - rest.trim_start().len();
                    if word.trim().is_empty() && blanks == 0 {
                        return None;
                    }
                    rest = rest.trim_start().strip_prefix(word.trim())?.trim_start();
                }
                Part::Year => year = digits(&mut rest, 4, 4)?,
                Part::Month => month = digits(&mut rest, least, 2)?,
                Part::Day => day = digits(&mut rest, least, 2)?,
            }
        }
        (rest.is_empty()).then(|| iso(year, month, day))?
    }
}

fn digits(rest: &mut &str, least: usize, most: usize) -> Option<u32> {
    let count = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if count < least {
        return None;
    }
    let (number, after) = rest.split_at(count);
    *rest = after;
    number.parse().ok()
}

fn iso(year: u32, month: u32, day: u32) -> Option<String> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(leap),
        1..=12 => 31,
        _ => return None,
    };
    (year >= 1 && (1..=days).contains(&day)).then(|| format!("{year:04}-{month:02}-{day:02}"))
}

/// A date as one of the forms, or as ISO 8601: a year, a month, a day.
pub(super) fn date(text: &str, forms: &[DateForm]) -> Option<String> {
    forms.iter().find_map(|form| form.read(text)).or_else(|| iso_date(text))
}

fn iso_date(text: &str) -> Option<String> {
    // A cell of a workbook may have a time of midnight behind its date.
    let text = text.strip_suffix("T00:00:00").unwrap_or(text);
    let parts: Vec<&str> = text.split('-').collect();
    let whole = |part: &str, long: usize| {
        (part.len() == long && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse().ok())?
    };
    let year: u32 = whole(parts.first()?, 4)?;
    match parts[1..] {
        [] => (year >= 1).then(|| text.to_owned()),
        [month] => iso(year, whole(month, 2)?, 1).map(|_| text.to_owned()),
        [month, day] => iso(year, whole(month, 2)?, whole(day, 2)?),
        _ => None,
    }
}

/// A number of JSON, its digits as they are written; a comma may stand for the point. One that could
/// as well part thousands (`7,500`) is not read: a value a thousand times too small is worse than
/// none.
pub(super) fn number(text: &str) -> Option<serde_json::Number> {
    if let Some((whole, part)) = text.trim_start_matches('-').split_once(',')
        && part.len() == 3
        && !whole.starts_with('0')
    {
        return None;
    }
    let text = text.replace(',', ".");
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !plain(whole) || !plain(part) {
        return None;
    }
    // JSON has no leading zeros.
    let start = whole.len() - whole.trim_start_matches('0').len();
    let kept = if start == whole.len() { "0" } else { &whole[start..] };
    let rest = &digits[whole.len()..];
    serde_json::from_str(&[sign, kept, rest].concat()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_the_mapping_says_and_never_guessed() {
        let of = |form: &str, text: &str| DateForm::parse(form).unwrap().read(text);
        assert_eq!(of("DD.MM.YYYY", "7.3.1961").as_deref(), Some("1961-03-07"));
        assert_eq!(of("YYYY년 MM월 DD일", "1961년3월 7일").as_deref(), Some("1961-03-07"));
        assert_eq!(of("YYYYMMDD", "19610307").as_deref(), Some("1961-03-07"));
        for (form, bad) in [
            ("DD.MM.YYYY", "31.2.1961"),
            ("DD.MM.YYYY", "1961-03-07"),
            ("YYYYMMDD", "1961037"),
            ("DD.MM.YYYY", "07.03.61"),
            ("DD.MM.YYYY", "07.03.1961 x"),
            ("DD.MM.YYYY", "07.13.1961"),
            ("YYYY MM DD", "2024112"),
        ] {
            assert_eq!(of(form, bad), None, "{form} {bad}");
        }
        assert_eq!(DateForm::parse("DD.MM"), None);
        assert_eq!(DateForm::parse("DD.MM.YYYY DD"), None);
        for (text, date_is) in [
            ("1961", Some("1961")),
            ("1961-03", Some("1961-03")),
            ("1961-03-07", Some("1961-03-07")),
            ("1961-03-07T00:00:00", Some("1961-03-07")),
            ("1961-2-30", None),
            ("2023-02-29", None),
            ("0000-01-01", None),
            ("03/07/1961", None),
        ] {
            assert_eq!(date(text, &[]).as_deref(), date_is, "{text}");
        }
    }

    #[test]
    fn numbers_keep_their_digits() {
        for (text, is) in [
            ("36.60", Some("36.60")),
            ("36,6", Some("36.6")),
            ("0,125", Some("0.125")),
            ("7,500", None),
            ("-150,000", None),
            ("007", Some("7")),
            ("-0.50", Some("-0.50")),
            ("0", Some("0")),
            ("1e5", None),
            ("1.000,5", None),
            ("12 kg", None),
            (".5", None),
            ("", None),
        ] {
            assert_eq!(number(text).map(|number| number.to_string()).as_deref(), is, "{text}");
        }
    }
}
