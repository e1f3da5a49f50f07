//! Generated input for what is read of a request, except its body.

mod bodies;

use std::net::IpAddr;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rocket::http::Cookie;

pub use self::bodies::{form_body, idempotency_key, json_body, multipart_body};
use super::api::basic_credentials;
use super::cookies::Baker;
use super::negotiate::{Form, negotiate};
use super::query::{Query, integer};
use super::resolve::resolve;
pub use super::socket::fuzzing::frame;
use super::{conversations, csrf, hosts as known, messages, people};
use crate::chat::PageNumber;
use crate::config::Settings;
use crate::domain::Timestamp;
use crate::domain::fuzzing::cut;

/// A query says the same when it is written anew, for a link; numbers stay within their bounds; the cursors of pages
/// are those that were written.
pub fn query(data: &[u8]) {
    let query = Query::parse_bytes(data);
    let suffix = query.to_suffix();
    assert!(suffix.bytes().all(|b| b.is_ascii_graphic()) && !suffix.contains(['<', '"', '#']), "{suffix}");
    let again = Query::parse(suffix.strip_prefix('?').unwrap_or_default());
    assert!(again.clone().into_pairs().eq(query.clone().into_pairs()), "{suffix}");
    let (without, with) = (query.with("page", None), query.with("page", Some("a&b=c")));
    assert!(!without.has("page") && with.get("page") == Some("a&b=c"));
    if let Ok(Some(limit)) = query.integer("limit", 1, 100) {
        assert!((1..=100).contains(&limit));
    }
    if let Ok(page) = messages::page(&query) {
        for pages in [1, 7, i64::MAX] {
            assert!(page.within(pages).is_none_or(|n| (1..=pages).contains(&n)), "{page:?}");
        }
        assert!(page != PageNumber::Last || query.get("page") == Some("last"));
    }
    for (_, value) in query.clone().into_pairs() {
        if let Some(number) = integer(&value) {
            assert_eq!(integer(&number.to_string()), Some(number));
        }
    }
    let text = query.get("cursor").unwrap_or_default();
    if let Ok(place) = conversations::decode(text) {
        assert_eq!(conversations::decode(&conversations::encode(place)).ok(), Some(place));
    }
    if let Ok(place) = people::decode(text) {
        assert_eq!(people::encode(&place), text, "one place, one text");
    }
}

/// A path is that of one endpoint and its argument, or of none; and the form of the answer is one that there is.
/// The input: a path, a new line, `Accept`, a new line, `format`.
pub fn address(data: &[u8]) {
    let (path, rest) = cut(data, b'\n');
    let (accept, format) = cut(rest, b'\n');
    if let Some(found) = resolve(&path) {
        let wanted = found.endpoint.path.iter().filter(|part| **part == "<>").count();
        assert_eq!(found.args.len(), wanted, "{path}");
        let format = found.format.as_deref().unwrap_or("json");
        assert!(!format.is_empty() && format.bytes().all(|b| b.is_ascii_alphanumeric()), "{format}");
        assert!(found.slash == path.ends_with('/') || found.format.is_some(), "{path}");
    }
    let format = String::from_utf8_lossy(format);
    for format in [None, Some("json"), Some("api"), Some(&*format)] {
        match negotiate(Some(&accept), format) {
            Ok(Form::Json { indent }) => assert!(indent <= 8 && format != Some("api")),
            Ok(Form::Html) => assert!(format != Some("json")),
            Err(e) => assert!([404, 406].contains(&e.status().code)),
        }
    }
}

/// What was set as a cookie is read back, whatever other cookies stand before it; and nothing that is no token goes
/// into a page. The header is taken apart as Rocket does it.
pub fn cookies(data: &[u8]) {
    const TOKEN: &str = "AbC-_9xyz0123456789012345678901234567890123";
    static SET: LazyLock<String> = LazyLock::new(|| {
        let baker = Baker { secure: true, path: "/".to_owned() };
        baker.session(TOKEN, Timestamp(1_706_933_106_000_000), 60)
    });
    let ours = SET.split(';').next().expect("it begins with name and value");
    let others = String::from_utf8_lossy(data).into_owned();
    let read = |header: &str, name: &str| {
        let cookies = header.split(';').map(str::trim).filter_map(|one| Cookie::parse_encoded(one.to_owned()).ok());
        cookies.rev().find(|cookie| cookie.name() == name).map(|cookie| cookie.value().to_owned())
    };
    assert_eq!(read(&format!("{others}; {ours}"), "sessionid").as_deref(), Some(TOKEN));
    if let Some(token) = read(&others, "csrftoken").filter(|token| csrf::is_token(token)) {
        assert!(token.len() >= 32 && token.bytes().all(|b| b.is_ascii_alphanumeric()));
    }
}

/// `Authorization` gives the name and the password that were put in, an error, or nothing at all.
pub fn basic(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    assert_eq!(basic_credentials(None), Ok(None));
    if let Ok(Some((name, _))) = basic_credentials(Some(&text)) {
        assert!(!name.contains(':'));
    }
    let (name, password) = cut(data, b':');
    let password = String::from_utf8_lossy(password).into_owned();
    let header = format!("bAsIc {}", STANDARD.encode(format!("{name}:{password}")));
    assert_eq!(basic_credentials(Some(&header)), Ok(Some((name, password))));
}

/// A host that is served has the form of one and is a known one; an origin that is this site's names it whole.
/// The input, by lines: `PUBLIC_URL`, `ALLOWED_HOSTS`, `Host`, `Origin`.
pub fn hosts(data: &[u8]) {
    let (public, rest) = cut(data, b'\n');
    let (allowed, rest) = cut(rest, b'\n');
    let (host, origin) = cut(rest, b'\n');
    let origin = String::from_utf8_lossy(origin);
    let settings = Settings {
        public_url: Some(public).filter(|url| !url.is_empty()),
        allowed_hosts: allowed.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        ..Settings::default()
    };
    let named = |name: &str| {
        let ours = settings.origin().map(|origin| origin.host);
        settings.allowed_hosts.iter().cloned().chain(ours).any(|host| host.to_ascii_lowercase().starts_with(name))
    };
    let host = host.to_ascii_lowercase();
    if known::allows(&settings, &host) && !named(host.split(':').next().unwrap_or_default()) {
        assert!(settings.public_url.is_none(), "{host:?} is not named");
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, port),
            _ => (host.as_str(), ""),
        };
        assert!(port.bytes().all(|b| b.is_ascii_digit()), "{host:?}");
        let address = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
            Some(six) => six.parse().ok().map(IpAddr::V6),
            None => name.parse().ok().map(IpAddr::V4),
        };
        assert!(name == "localhost" || address.is_some(), "{host:?} has not the form of a host");
    }
    if known::is_own_origin(&settings, &origin, &host) {
        let (scheme, rest) = origin.split_once("://").expect("an origin has a scheme");
        assert!(["http", "https"].contains(&scheme));
        let theirs = rest.split('/').next().unwrap_or_default().to_ascii_lowercase();
        assert!(theirs == host || named(&theirs), "{origin:?} is not {host:?}");
        let other = format!("{scheme}://{theirs}.evil.example");
        assert!(allowed.contains("evil") || !known::is_own_origin(&settings, &other, &host), "{other:?}");
    }
    assert!(!known::is_own_origin(&settings, "null", &host));
}

/// An address is the peer's, or one that a trusted proxy has named: what is put before that changes nothing.
/// The input, by lines: trusted proxies, the peer, values of `X-Forwarded-For`.
pub fn forwarded(data: &[u8]) {
    let (trusted, rest) = cut(data, b'\n');
    let (peer, rest) = cut(rest, b'\n');
    let values = String::from_utf8_lossy(rest);
    let trusted = trusted.split(',').map(|net| net.trim().to_owned()).collect();
    let proxies = Settings { trusted_proxies: trusted, ..Settings::default() }.proxies();
    let peer = peer.trim().parse().ok();
    let is_proxy = |address: IpAddr| proxies.iter().any(|net| net.contains(&address.to_canonical()));
    let found = known::client_address(peer, values.lines(), &proxies);
    let first = known::client_address(peer, std::iter::empty(), &proxies);
    if !is_proxy(first) {
        assert_eq!(found, first, "whoever is no proxy is believed nothing");
    }
    if found != first {
        assert!(values.lines().flat_map(|v| v.split(',')).any(|hop| hop.trim().parse() == Ok(found)));
    }
    if !is_proxy(found) {
        let longer = std::iter::once("203.0.113.9, nonsense").chain(values.lines());
        assert_eq!(known::client_address(peer, longer, &proxies), found, "a client names no address of its own");
    }
}
