//! Comma-separated values (RFC 4180): quoted fields may hold commas, quotes and lines.

use anyhow::{Result, bail};

/// The rows of a text; spaces around fields are no part of them. Empty lines are left out.
pub fn rows(text: &str) -> Result<Vec<Vec<String>>> {
    let mut rows = vec![];
    let (mut row, mut field) = (vec![], String::new());
    let (mut quoted, mut was_quoted) = (false, false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if field.trim().is_empty() && !was_quoted => {
                (quoted, was_quoted) = (true, true);
                field.clear();
            }
            ',' | '\n' if !quoted => {
                row.push(field.trim().to_owned());
                (field, was_quoted) = (String::new(), false);
                if letter == '\n' {
                    rows.push(std::mem::take(&mut row));
                }
            }
            other => field.push(other),
        }
    }
    if quoted {
        bail!("a quoted field does not end");
    }
    if !field.trim().is_empty() || !row.is_empty() {
        row.push(field.trim().to_owned());
        rows.push(row);
    }
    rows.retain(|row| row.iter().any(|field| !field.is_empty()));
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::rows;

    #[test]
    fn fields_are_told_apart_by_commas_that_are_not_quoted() {
        let read = rows("id, name\r\n1,\"Kim, \"\"Yong\"\"\"\n\n2,\n").unwrap();
        assert_eq!(read, [["id", "name"], ["1", "Kim, \"Yong\""], ["2", ""]]);
        assert!(rows("\"a").is_err());
        assert_eq!(rows("a\nb").unwrap(), [["a"], ["b"]]);
    }
}
