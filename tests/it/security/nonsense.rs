//! Thousands of bad requests, the same ones in every run: no server error, no panic (the harness looks for one when
//! the server ends), and the process serves on.

use std::fmt::Write as _;
use std::time::Duration;

use chatd::domain::{Clock as _, SystemClock};
use chatd::store::{Session, Sessions as _};
use libtest_mimic::Trial;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::{exchange, once, status};
use crate::support::backend::Backend;
use crate::support::server::{LOOSE, World};

pub fn trials() -> Vec<Trial> {
    once![s39_five_thousand_bad_requests]
}

const SEED: u64 = 0x5EED_C0DE;
const REQUESTS: usize = 5_000;
/// After so long a silence the server is told that nothing more comes.
const WAITS: Duration = Duration::from_millis(500);
/// Connections at once.
const LANES: u64 = 8;

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

/// One bad request, or now and then a good one with something bad in it.
fn request(random: &mut StdRng, host: &str, cookies: &str) -> Vec<u8> {
    let mut pick = |from: &[&'static str]| from[random.random_range(0..from.len())];
    let (method, path) = (pick(METHODS), pick(PATHS));
    let (mut tail, body) = (pick(BITS), format!("{}{}", pick(BODIES), pick(BITS)));
    let odd: Vec<_> = (0..4).map(|_| (pick(HEADERS), pick(VALUES), pick(BITS))).collect();
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
    }
    let length = body.len().saturating_add_signed(if random.random_ratio(1, 10) {
        random.random_range(-3_i32..3) as isize
    } else {
        0
    });
    let _ = write!(text, "Content-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    let mut bytes = text.into_bytes();
    // One in five is damaged anywhere: a byte changed, or the end cut off.
    if random.random_ratio(1, 5) {
        let at = random.random_range(0..bytes.len());
        if random.random_ratio(1, 3) { bytes.truncate(at) } else { bytes[at] = random.random() }
    }
    bytes
}

/// The cookies of many sessions of one person: some requests end theirs.
async fn sessions(world: &World) -> Vec<String> {
    let ann = world.add("ann").await;
    let store = world.database.store().await;
    let now = SystemClock.now();
    let mut cookies = Vec::new();
    for i in 0..100 {
        let token = format!("{i:043}");
        let session = Session {
            token_hash: chatd::auth::hash_token(&token),
            user: ann.id,
            created_at: now,
            expires_at: now.plus(Duration::from_hours(1)),
            user_agent: String::new(),
        };
        store.add_session(&session).await.expect("a session");
        cookies.push(format!("sessionid={token}; csrftoken={}", "c".repeat(64)));
    }
    cookies
}

async fn s39_five_thousand_bad_requests() {
    let world = World::with(Backend::Sqlite, &[LOOSE, ("LOG", "warn")]).await;
    let cookies = std::sync::Arc::new(sessions(&world).await);
    let (port, pid) = (world.server.port, world.server.pid());
    let lanes = (0..LANES).map(|lane| {
        let (cookies, host) = (cookies.clone(), format!("127.0.0.1:{port}"));
        tokio::spawn(async move {
            let mut random = StdRng::seed_from_u64(SEED + lane);
            let mut statuses = std::collections::BTreeMap::<u16, usize>::new();
            for _ in 0..REQUESTS / usize::try_from(LANES).expect("few") {
                let cookie = &cookies[random.random_range(0..cookies.len())];
                let bytes = request(&mut random, &host, cookie);
                let answer = exchange(port, &bytes, WAITS).await;
                let status = status(&answer);
                let shown = String::from_utf8_lossy(&bytes);
                assert!(status < 500, "{status} to {shown:?}: {answer}");
                for detail in ["panicked", "src/", "SqliteError", "stack backtrace", "sqlx"] {
                    assert!(
                        !answer.contains(detail) || answer.contains("openapi"),
                        "{detail} in the answer to {shown:?}: {answer}"
                    );
                }
                *statuses.entry(status).or_default() += 1;
            }
            statuses
        })
    });
    let mut statuses = std::collections::BTreeMap::<u16, usize>::new();
    for lane in futures_util::future::join_all(lanes).await {
        for (status, times) in lane.expect("a lane without an error") {
            *statuses.entry(status).or_default() += times;
        }
    }
    // They reached the handlers, not the parser alone.
    for status in [200, 301, 400, 403, 404, 405] {
        assert!(statuses.get(&status).is_some_and(|times| *times >= 20), "{status} in {statuses:?}");
    }
    assert!(statuses[&0] < REQUESTS / 4, "most are answered: {statuses:?}");
    assert_eq!(world.server.pid(), pid);
    let bob = world.person("bob").await;
    assert_eq!(bob.say("ann", "still served").await["body"], "still served");
}
