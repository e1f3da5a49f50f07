//! Request bodies: JSON, forms and multipart, read into named values with the answers of the recorded API for
//! everything that is wrong with them.

use std::collections::HashMap;

use rocket::http::ContentType;
use serde::Deserialize as _;
use serde_json::value::RawValue;

use super::error::ApiError;
use super::query::Query;
use crate::domain::{TextError, Timestamp, is_space};

/// What is said of a moment that is none.
const WRONG_TIME: &str =
    "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm:ss[.uuuuuu]{+HH:MM|-HH:MM|Z}.";
/// A flag in the words of a form.
pub const YES: [&str; 4] = ["true", "True", "1", "on"];
pub const NO: [&str; 4] = ["false", "False", "0", "off"];
/// Values deeper than this are refused unread.
const MAX_DEPTH: usize = 32;

/// What was given for a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    Text(String),
    /// A JSON number, in the words of Python's `str`.
    Number(String),
    Null,
    Bool(bool),
    /// A list or an object.
    Other,
}

/// A value that may be given as null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nullable<T> {
    Null,
    Value(T),
}

/// The named values of a body.
#[derive(Debug, Default)]
pub struct Fields {
    values: HashMap<String, Given>,
    /// Whether they came in a form, which knows texts alone.
    form: bool,
}

impl Fields {
    /// Reads `body`; `kind` is its content type, as text and parsed.
    pub async fn parse(kind: Option<(&str, Option<&ContentType>)>, body: &[u8]) -> Result<Self, ApiError> {
        let (text, parsed) = kind.unwrap_or(("", None));
        match parsed {
            Some(kind) if kind.is_json() => parse_json(body),
            Some(kind) if kind.is_form() => Ok(Self::from_query(Query::parse_bytes(body))),
            Some(kind) if kind.is_form_data() => parse_multipart(kind, body).await,
            _ if body.is_empty() => Ok(Self::default()),
            _ => Err(ApiError::UnsupportedMediaType(text.to_owned())),
        }
    }

    fn from_query(query: Query) -> Self {
        let values = query.into_pairs().map(|(name, value)| (name, Given::Text(value))).collect();
        Self { values, form: true }
    }

    /// What was given under this name.
    pub fn get(&self, name: &str) -> Option<&Given> {
        self.values.get(name)
    }

    /// A required text field: what was given, or the errors.
    pub fn text(&self, name: &str) -> Result<&str, Vec<String>> {
        match self.get(name) {
            Some(Given::Text(text) | Given::Number(text)) => Ok(text),
            Some(Given::Null) => Err(vec!["This field may not be null.".to_owned()]),
            Some(Given::Bool(_) | Given::Other) => Err(vec!["Not a valid string.".to_owned()]),
            None => Err(vec!["This field is required.".to_owned()]),
        }
    }

    /// A required text field that says something: neither blank nor with a NUL.
    pub fn filled(&self, name: &str) -> Result<&str, Vec<String>> {
        let text = self.text(name)?;
        if text.trim_matches(is_space).is_empty() {
            return Err(vec![TextError::Blank.to_string()]);
        }
        if text.contains('\0') { Err(vec![TextError::Nul.to_string()]) } else { Ok(text) }
    }

    /// An optional flag; none if nothing was given. A form says it in words.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Vec<String>> {
        let text = match self.get(name) {
            None => return Ok(None),
            Some(Given::Bool(flag)) => return Ok(Some(*flag)),
            Some(Given::Null) => return Err(vec!["This field may not be null.".to_owned()]),
            Some(Given::Text(text) | Given::Number(text)) => text.as_str(),
            Some(Given::Other) => "",
        };
        match (YES.contains(&text), NO.contains(&text)) {
            (true, _) => Ok(Some(true)),
            (_, true) => Ok(Some(false)),
            _ => Err(vec!["Must be a valid boolean.".to_owned()]),
        }
    }

    /// An optional moment in RFC 3339, or null, which is an empty text in a form; none if nothing was given.
    pub fn time(&self, name: &str) -> Result<Option<Nullable<Timestamp>>, Vec<String>> {
        match self.get(name) {
            None => Ok(None),
            Some(Given::Null) => Ok(Some(Nullable::Null)),
            Some(Given::Text(text)) if self.form && text.is_empty() => Ok(Some(Nullable::Null)),
            Some(Given::Text(text)) if let Some(time) = Timestamp::parse(text) => Ok(Some(Nullable::Value(time))),
            Some(_) => Err(vec![WRONG_TIME.to_owned()]),
        }
    }
}

fn parse_json(body: &[u8]) -> Result<Fields, ApiError> {
    if body.is_empty() {
        return Ok(Fields::default());
    }
    let text = std::str::from_utf8(body).map_err(|e| ApiError::Parse(e.to_string()))?;
    if too_deep(text) {
        return Err(ApiError::Parse(format!("nested deeper than {MAX_DEPTH}")));
    }
    let parse = |e: serde_json::Error| ApiError::Parse(e.to_string());
    // A map, and not a struct, takes the last of several equal keys.
    if text.trim_start().starts_with('{') {
        let raw: HashMap<String, Box<RawValue>> = serde_json::from_str(text).map_err(parse)?;
        let fields = raw.into_iter().map(|(name, value)| Ok((name, given(&value).map_err(parse)?)));
        return Ok(Fields { values: fields.collect::<Result<_, ApiError>>()?, form: false });
    }
    let value: &RawValue = serde_json::from_str(text).map_err(parse)?;
    let kind = match (value.get().as_bytes(), given(value).map_err(parse)?) {
        (_, Given::Null) => return Err(ApiError::NonField("No data provided".to_owned())),
        ([b'[', ..], _) => "list",
        (_, Given::Bool(_) | Given::Other) => "bool",
        (_, Given::Text(_)) => "str",
        (_, Given::Number(n)) if n.contains(['.', 'e', 'n']) => "float",
        (_, Given::Number(_)) => "int",
    };
    Err(ApiError::NonField(format!("Invalid data. Expected a dictionary, but got {kind}.")))
}

fn given(value: &RawValue) -> Result<Given, serde_json::Error> {
    let text = value.get();
    Ok(match text.as_bytes().first() {
        Some(b'"') => Given::Text(String::deserialize(value)?),
        Some(b'n') => Given::Null,
        Some(b'-' | b'0'..=b'9') => Given::Number(python_number(text)),
        Some(b't') => Given::Bool(true),
        Some(b'f') => Given::Bool(false),
        _ => Given::Other,
    })
}

/// A JSON number as Python prints it: integers as they are, others as the shortest text that reads back the same.
fn python_number(text: &str) -> String {
    if !text.contains(['.', 'e', 'E']) {
        return if text == "-0" { "0".to_owned() } else { text.to_owned() };
    }
    let number: f64 = text.parse().unwrap_or(f64::NAN);
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let size = number.abs();
    if number == 0.0 || (1e-4..1e16).contains(&size) {
        return format!("{number:?}");
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |e| ('-', e));
            format!("{digits}e{sign}{exponent:0>2}")
        }
        None => text,
    }
}

fn too_deep(text: &str) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return true;
        }
    }
    false
}

async fn parse_multipart(kind: &ContentType, body: &[u8]) -> Result<Fields, ApiError> {
    let boundary = kind.param("boundary").ok_or(ApiError::BadForm)?;
    let once = futures_util::stream::iter([Ok::<_, std::io::Error>(body.to_vec())]);
    let mut parts = multer::Multipart::new(once, boundary);
    let mut query = Query::default();
    while let Some(part) = parts.next_field().await.map_err(|_| ApiError::BadForm)? {
        let name = part.name().unwrap_or_default().to_owned();
        let is_file = part.file_name().is_some();
        let bytes = part.bytes().await.map_err(|_| ApiError::BadForm)?;
        if !is_file {
            query.push(name, String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    Ok(Fields::from_query(query))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Result<Fields, ApiError> {
        parse_json(text.as_bytes())
    }

    #[test]
    fn the_last_of_equal_keys_counts() {
        assert_eq!(json(r#"{"a": 1, "a": "two"}"#).unwrap().get("a"), Some(&Given::Text("two".to_owned())));
    }

    /// Forms have no null; JSON has, and an empty text is no moment there.
    #[test]
    fn an_empty_moment_is_null_in_a_form_alone() {
        let form = Fields::from_query(Query::parse_bytes(b"until="));
        assert_eq!(form.time("until"), Ok(Some(Nullable::Null)));
        assert_eq!(json(r#"{"until": null}"#).unwrap().time("until"), Ok(Some(Nullable::Null)));
        assert_eq!(json(r#"{"until": ""}"#).unwrap().time("until"), Err(vec![WRONG_TIME.to_owned()]));
    }

    #[test]
    fn numbers_are_texts_of_python() {
        for (text, python) in [
            ("12.50", "12.5"),
            ("1", "1"),
            ("-0", "0"),
            ("1e3", "1000.0"),
            ("1E16", "1e+16"),
            ("1e-5", "1e-05"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            ("1.0", "1.0"),
            ("1e400", "inf"),
        ] {
            assert_eq!(python_number(text), python, "{text}");
        }
    }

    #[test]
    fn what_is_no_object_is_named() {
        for (text, kind) in [("[1]", "list"), ("\"hi\"", "str"), ("1", "int"), ("1.5", "float"), ("true", "bool")] {
            let error = format!("Invalid data. Expected a dictionary, but got {kind}.");
            assert_eq!(json(text).err(), Some(ApiError::NonField(error)), "{text}");
        }
        assert_eq!(json("null").err(), Some(ApiError::NonField("No data provided".to_owned())));
    }

    #[test]
    fn broken_json_is_a_parse_error() {
        for text in ["{", "{\"a\": NaN}", "{\"a\": \"\\ud83d\"}", "x=1", "{\"a\":1}x", " "] {
            assert!(matches!(json(text), Err(ApiError::Parse(_))), "{text}");
        }
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(40), "]".repeat(40));
        assert!(matches!(json(&deep), Err(ApiError::Parse(_))));
        assert!(json("{\"a\": \"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"}").is_ok());
    }
}
