//! Query strings as the recorded API reads and writes them: the last of several values counts, links have their
//! parameters sorted by name and re-encoded.

use std::fmt::Write as _;

use super::error::{ApiError, FieldErrors};

/// The parameters of a request or the fields of a form, in order. Bytes that are not UTF-8 become U+FFFD.
#[derive(Clone, Debug, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    pub fn parse(text: &str) -> Self {
        Self::parse_bytes(text.as_bytes())
    }

    pub fn parse_bytes(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).into_owned().collect())
    }

    pub fn push(&mut self, name: String, value: String) {
        self.0.push((name, value));
    }

    /// The last value of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The pairs, in order.
    pub fn into_pairs(self) -> impl Iterator<Item = (String, String)> {
        self.0.into_iter()
    }

    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// An integer within bounds; absent is none.
    pub fn integer(&self, name: &'static str, least: i64, most: i64) -> Result<Option<i64>, ApiError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let error = match integer(text) {
            None => "A valid integer is required.".to_owned(),
            Some(n) if n < least => format!("Ensure this value is greater than or equal to {least}."),
            Some(n) if n > most => format!("Ensure this value is less than or equal to {most}."),
            Some(n) => return Ok(Some(n)),
        };
        Err(ApiError::Fields(FieldErrors::one(name, error)))
    }

    /// The query with one parameter replaced, or removed, for a link.
    pub fn with(&self, name: &str, value: Option<&str>) -> Self {
        let mut pairs: Vec<_> = self.0.iter().filter(|(n, _)| n != name).cloned().collect();
        pairs.extend(value.map(|value| (name.to_owned(), value.to_owned())));
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        Self(pairs)
    }

    /// The query with its question mark; empty if there are no parameters.
    pub fn to_suffix(&self) -> String {
        let pairs: Vec<_> = self.0.iter().map(|(n, v)| format!("{}={}", quote(n), quote(v))).collect();
        if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
    }
}

/// An integer as Python's `int` reads it, as far as anybody writes it: spaces around, a sign, digits.
pub fn integer(text: &str) -> Option<i64> {
    let text = text.trim_matches(crate::domain::is_space);
    let digits = text.strip_prefix('+').unwrap_or(text);
    if digits.starts_with(['+']) || (digits.starts_with('-') && text.starts_with('+')) {
        return None;
    }
    digits.parse().ok()
}

/// `application/x-www-form-urlencoded`, with the letters that Python leaves alone.
fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_sorted_and_encoded_anew() {
        let query = Query::parse("target=dave&foo=b%20r&page=3&target=a~b*");
        assert_eq!(query.get("target"), Some("a~b*"));
        assert_eq!(query.with("page", Some("2")).to_suffix(), "?foo=b+r&page=2&target=dave&target=a~b%2A");
        assert_eq!(query.with("page", None).to_suffix(), "?foo=b+r&target=dave&target=a~b%2A");
        assert_eq!(Query::default().to_suffix(), "");
    }

    #[test]
    fn integers() {
        for (text, number) in [(" 1 ", Some(1)), ("+1", Some(1)), ("-3", Some(-3)), ("1.0", None), ("", None)] {
            assert_eq!(integer(text), number, "{text:?}");
        }
        assert_eq!((integer("++1"), integer("+-1"), integer("99999999999999999999")), (None, None, None));
    }
}
