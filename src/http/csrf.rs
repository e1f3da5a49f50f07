//! The recorded token: a cookie that a page repeats in a form field or a header. It guards what the predecessor
//! guarded with it; the rule about other sites (`guards`) guards everything.

use rocket::Request;
use subtle::ConstantTimeEq as _;

use super::cookies;

/// Letters and digits, so that it needs no quoting anywhere.
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const LENGTH: usize = 64;

/// A new token: 64 characters of 62.
pub fn new_token() -> String {
    (0..LENGTH).map(|_| char::from(ALPHABET[rand::random_range(0..ALPHABET.len())])).collect()
}

/// The token of the request's cookie, if it looks like one.
pub fn cookie_token(req: &Request<'_>) -> Option<String> {
    cookies::value(req, "csrftoken").filter(|token| is_token(token))
}

/// Whether a text can be a token: it goes into pages and headers as it is.
pub(super) fn is_token(text: &str) -> bool {
    (32..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Whether the request repeats its cookie, in the header or (`form`) in the field.
pub fn is_repeated(req: &Request<'_>, form: Option<&str>) -> bool {
    let Some(expected) = cookie_token(req) else { return false };
    let given = form.or_else(|| req.headers().get_one("X-CSRFToken"));
    given.is_some_and(|given| given.as_bytes().ct_eq(expected.as_bytes()).into())
}
