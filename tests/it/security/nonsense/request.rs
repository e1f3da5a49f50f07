//! Bad requests, put together from words that a server might stumble over.

use std::fmt::Write as _;

use rand::Rng as _;
use rand::rngs::StdRng;

#[rustfmt::skip]
const METHODS: &[&str] = &[
    "GET", "GET", "GET", "GET", "GET", "POST", "POST", "POST", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "G\0T", "",
    "POST POST", "M-SEARCH",
];
#[rustfmt::skip]
const PATHS: &[&str] = &[
    "/", "/login/", "/logout/", "/ws", "/ws?events=1&after=", "/static/", "/static/theme.js", "/c/", "/c/ann/1/",
    "/settings/x/", "/setup/x/", "/-refused", "/healthz", "/readyz", "/robots.txt", "/api/v1", "/api/v1/",
    "/api/v1/message/", "/api/v1/message/1/", "/api/v1/message/1.json", "/api/v1/message/?page=",
    "/api/v1/message/?target=ann&before_seq=", "/api/v1/message/?target=ann&around_seq=1&limit=", "/api/v1/user/",
    "/api/v1/user/?search=", "/api/v1/user/?cursor=", "/api/v1/conversation/", "/api/v1/conversation/?cursor=",
    "/api/v1/conversation/ann/read/", "/api/v1/event/?after=", "/api/v1/event/?limit=", "/api/v1/session/",
    "/api/v1/schema/", "/api/v1/.json", "*", "http://127.0.0.1/", "//", "/api/v1/message/?format=",
];
#[rustfmt::skip]
const BITS: &[&str] = &[
    "", "0", "1", "-1", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "1e400", "NaN", "\u{0}",
    "%00", "%", "%zz", "%ff%fe", "..", "%2e%2e%2f", "/", "//", "?", "&", "=", "#", ";", "'", "\"", "<x>", "\\", "{",
    "}", "[", "]", "null", "true", "\u{feff}", "é", "🎉", "\u{202e}", " ", "\t", "\u{7f}",
    "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "MS4x", "LTEuLTE", "a.b.c.json", "ann", "_method=delete",
    "{{username}}",
];
#[rustfmt::skip]
const HEADERS: &[&str] = &[
    "Content-Type", "Accept", "Cookie", "Authorization", "Origin", "Sec-Fetch-Site", "Referer", "X-CSRFToken",
    "X-Forwarded-For", "Idempotency-Key", "Range", "If-None-Match", "Accept-Encoding", "Content-Encoding", "Expect",
    "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Transfer-Encoding", "Content-Length",
    "Host", "User-Agent", "TE", "X-HTTP-Method-Override", "X-Real-IP", "Forwarded",
];
#[rustfmt::skip]
const VALUES: &[&str] = &[
    "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "multipart/form-data",
    "text/html", "application/json; indent=99999999999", "*/*;q=x", "sessionid=x; sessionid=y", "sessionid=\"",
    "csrftoken=", "=; ;=;", "Basic", "Basic !!!!", "Basic YW5u", "Basic YW5uOnB3", "Basic /////w==", "Bearer x",
    "null", "http://127.0.0.1", "cross-site", "same-origin", "websocket", "upgrade, keep-alive", "13",
    "dGhlIHNhbXBsZSBub25jZQ==", "chunked", "chunked, chunked", "gzip", "identity", "0", "1", "-1",
    "99999999999999999999", "bytes=0-0,-1", "100-continue", "127.0.0.1", "999.999.999.999, ::1,,", "\"", "\"a\"",
    "[::1]:99999", "evil.example", "",
];
#[rustfmt::skip]
const BODIES: &[&str] = &[
    "", "{", "{}", "[]", "null", "1", "\"", "{\"body\":", "{\"recipient\":\"ann\",\"body\":null}",
    "{\"recipient\":[],\"body\":{}}", "{\"recipient\":1e999,\"body\":-0.0}", "{\"seq\":1e3}", "{\"seq\":\"x\"}",
    "{\"username\":\"ann\",\"password\":{}}", "{\"client_id\":\"\\u0000\",\"recipient\":\"ann\",\"body\":\"x\"}",
    "recipient=ann&body=", "recipient=%&body=%zz", "=&=&=", "_method=get", "&_method=delete",
    "csrfmiddlewaretoken=x&username=%00&password=%ff", "--x\r\n",
    "--x\r\nContent-Disposition: form-data\r\n\r\nx\r\n--x--",
    "--x\r\nContent-Disposition: form-data; name=\"body\"; filename=\"\r\n\r\n\r\n--x--\r\n", "\u{feff}{}",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
];

/// Headers that say where a request ends, or what comes after it.
const FRAMING: [&str; 5] = ["Transfer-Encoding", "Content-Length", "Connection", "Upgrade", "Expect"];

/// How a request ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Where it says: the connection may be kept behind it.
    Whole,
    /// Too early: the server waits for more.
    Short,
    /// Nobody knows: a server may take it for two, or for half of one.
    Odd,
}

/// One bad request, or now and then a good one with something bad in it.
pub fn request(random: &mut StdRng, host: &str, cookies: &str) -> (Vec<u8>, End) {
    let mut pick = |from: &[&'static str]| from[random.random_range(0..from.len())];
    let (method, path) = (pick(METHODS), pick(PATHS));
    let (mut tail, body) = (pick(BITS), format!("{}{}", pick(BODIES), pick(BITS)));
    let odd: Vec<_> = (0..4).map(|_| (pick(HEADERS), pick(VALUES), pick(BITS))).collect();
    let mut end = End::Whole;
    if random.random() {
        tail = "";
    }
    let mut text = format!("{method} {path}{tail} HTTP/1.1\r\n");
    if random.random_ratio(19, 20) {
        let _ = write!(text, "Host: {host}\r\n");
    }
    if random.random_ratio(2, 3) {
        let _ = write!(text, "Cookie: {cookies}\r\n");
    }
    for (name, value, bit) in odd.iter().take(random.random_range(0..=3)) {
        let bit = if random.random_ratio(1, 4) { bit } else { "" };
        let _ = write!(text, "{name}: {value}{bit}\r\n");
        if FRAMING.contains(name) {
            end = End::Odd;
        }
    }
    let wrong = if random.random_ratio(1, 10) { random.random_range(-3_i32..=3) } else { 0 };
    let length = body.len().saturating_add_signed(wrong as isize);
    if length > body.len() {
        end = End::Short;
    } else if length < body.len() || method == "CONNECT" {
        end = End::Odd;
    }
    if end != End::Whole {
        text.push_str("Connection: close\r\n");
    }
    let _ = write!(text, "Content-Length: {length}\r\n\r\n{body}");
    let mut bytes = text.into_bytes();
    // One in five is damaged anywhere: a byte changed, or the end cut off.
    if random.random_ratio(1, 5) {
        let at = random.random_range(0..bytes.len());
        if random.random_ratio(1, 3) {
            bytes.truncate(at);
            end = End::Short;
        } else {
            bytes[at] = random.random();
            end = End::Odd;
        }
    }
    (bytes, end)
}
