//! Generated input for request bodies: whatever the form in which fields come, they are the same fields.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use rocket::http::ContentType;
use serde_json::{Map, Value};

use crate::domain::fuzzing::cut;
use crate::domain::{Body, ClientId, Seq};
use crate::http::error::ApiError;
use crate::http::fields::{Fields, Given};
use crate::http::messages::{body, client_id, recipient, reply_to};
use crate::http::query::Query;

const MOST: usize = 100;

/// What is in a body of `message/`.
type Read = (
    Result<String, Vec<String>>,
    Result<Body, Vec<String>>,
    Result<Option<ClientId>, Vec<String>>,
    Result<Option<Seq>, Vec<String>>,
);

/// The whole body is there, so nothing is waited for.
fn parse(kind: &str, bytes: &[u8]) -> Result<Fields, ApiError> {
    let parsed = ContentType::parse_flexible(kind);
    let mut parsing = pin!(Fields::parse(Some((kind, parsed.as_ref())), bytes));
    for _ in 0..1000 {
        if let Poll::Ready(fields) = parsing.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return fields;
        }
    }
    panic!("a body that is there is waited for");
}

fn read(fields: &Fields) -> Read {
    (recipient(fields), body(fields, MOST), client_id(fields, None), reply_to(fields))
}

/// What was read is within its rules, and is read the same from every form in which it can be sent.
fn check(fields: &Fields) {
    let first = read(fields);
    if let Ok(recipient) = &first.0 {
        assert!(!recipient.is_empty() && !recipient.contains('\0') && recipient.trim() == recipient);
    }
    if let Ok(body) = &first.1 {
        assert_eq!(Body::new(body.as_str(), MOST).as_ref(), Ok(body));
    }
    let mut texts = Vec::new();
    for name in ["recipient", "body", "client_id", "reply_to"] {
        match fields.get(name) {
            Some(Given::Text(text) | Given::Number(text)) => texts.push((name, text.clone())),
            None => {}
            // Only JSON can say these.
            Some(Given::Null | Given::Bool(_) | Given::Other) => return,
        }
    }
    let json: Map<_, _> = texts.iter().map(|(name, text)| ((*name).to_owned(), Value::from(text.as_str()))).collect();
    let mut query = Query::default();
    let mut multipart = Vec::new();
    let boundary = "chatd-boundary-of-a-body";
    for (name, text) in &texts {
        query.push((*name).to_owned(), text.clone());
        let head = format!("Content-Disposition: form-data; name=\"{name}\"");
        multipart.push(format!("--{boundary}\r\n{head}\r\n\r\n{text}\r\n"));
    }
    multipart.push(format!("--{boundary}--\r\n"));
    let form = query.to_suffix();
    let form = form.trim_start_matches('?');
    for (kind, bytes) in [
        ("application/json", Value::Object(json).to_string()),
        ("application/x-www-form-urlencoded", form.to_owned()),
        (&format!("multipart/form-data; boundary={boundary}"), multipart.concat()),
    ] {
        // A text may hold the boundary itself.
        if !texts.iter().any(|(_, text)| text.contains(boundary)) {
            let again = parse(kind, bytes.as_bytes()).unwrap_or_else(|e| panic!("{kind}: {e:?}: {bytes}"));
            assert_eq!(read(&again), first, "{kind}: {bytes}");
        }
    }
}

fn refused(error: &ApiError) {
    assert!([400, 415].contains(&error.status().code), "{error:?}");
}

/// A JSON body is fields, or an error that says so.
pub fn json_body(data: &[u8]) {
    match parse("application/json", data) {
        Ok(fields) => check(&fields),
        Err(e) => refused(&e),
    }
}

/// Every text is a form.
pub fn form_body(data: &[u8]) {
    check(&parse("application/x-www-form-urlencoded", data).expect("bytes of any kind are a form"));
}

/// The input: the content type's parameters, a new line, the body.
pub fn multipart_body(data: &[u8]) {
    let at = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (parameters, bytes) = (String::from_utf8_lossy(&data[..at]), data.get(at + 1..).unwrap_or_default());
    match parse(&format!("multipart/form-data; {parameters}"), bytes) {
        Ok(fields) => check(&fields),
        Err(e) => refused(&e),
    }
}

/// A key that was taken is in its alphabet; given twice it is the same one. The input, by lines: the field, the header.
pub fn idempotency_key(data: &[u8]) {
    let (field, header) = cut(data, b'\n');
    let header = String::from_utf8_lossy(header);
    let json = serde_json::json!({"client_id": field}).to_string();
    let fields = parse("application/json", json.as_bytes()).expect("it is JSON");
    let (by_field, by_header) = (client_id(&fields, None), client_id(&Fields::default(), Some(&header)));
    for key in [&by_field, &by_header].into_iter().flatten().flatten() {
        assert!((1..=64).contains(&key.as_str().len()), "{key:?}");
        assert!(key.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)), "{key:?}");
        let quoted = format!("\"{}\"", key.as_str());
        assert_eq!(client_id(&Fields::default(), Some(&quoted)).as_ref(), Ok(&Some(key.clone())));
    }
    match client_id(&fields, Some(&header)) {
        Ok(key) => assert!(by_field == Ok(key.clone()) && by_header == Ok(key)),
        Err(why) => assert!(!why.is_empty() && (by_field != by_header || by_field.is_err())),
    }
}
