//! The headers that every answer carries.

use libtest_mimic::Trial;
use serde_json::json;

use super::{head, once, raw, status};
use crate::support::backend::Backend;
use crate::support::server::{Answer, Client, LOOSE, World};
use crate::support::socket::Socket;

pub fn trials() -> Vec<Trial> {
    once![
        s19_the_policy_allows_nothing_inline,
        s19_the_worker_answers_for_the_client_alone,
        s20_headers_on_every_answer,
        s20_headers_on_requests_that_cannot_be_read,
    ]
}

/// One answer of every kind, by name.
async fn every_kind(world: &World, ann: &Client) -> Vec<(&'static str, Answer)> {
    let nobody = Client::new(&world.server.url);
    let json_kind = ("Content-Type", "application/json");
    let big = Some(vec![b'x'; 200_000]);
    let script = ann
        .get("/")
        .await
        .body
        .split("/static/")
        .find(|part| part.starts_with("assets/"))
        .and_then(|rest| rest.split('"').next())
        .expect("a script")
        .to_owned();
    vec![
        ("the page", ann.get("/").await),
        ("the way to sign in", nobody.get("/").await),
        ("the form", nobody.get("/login/").await),
        ("a refused form", nobody.form("/login/", "a=b").await),
        ("a list", ann.get("/api/v1/message/").await),
        ("a readable list", ann.send("GET", "/api/v1/message/", &[("Accept", "text/html")], None).await),
        ("something new", ann.post("/api/v1/message/", &json!({"recipient": "ann", "body": "x"})).await),
        ("a bad field", ann.post("/api/v1/message/", &json!({})).await),
        ("bad JSON", ann.send("POST", "/api/v1/message/", &[json_kind], Some(b"{".to_vec())).await),
        ("too large", ann.send("POST", "/api/v1/message/", &[json_kind], big).await),
        (
            "packed",
            ann.send("POST", "/api/v1/message/", &[json_kind, ("Content-Encoding", "gzip")], Some(vec![31])).await,
        ),
        (
            "another site",
            ann.send("POST", "/api/v1/message/", &[json_kind, ("Sec-Fetch-Site", "cross-site")], None).await,
        ),
        ("another host", nobody.send("GET", "/", &[("Host", "evil.example")], None).await),
        ("not signed in", nobody.get("/api/v1/message/").await),
        ("no such message", ann.get("/api/v1/message/9999/").await),
        ("no such method", ann.send("DELETE", "/api/v1/message/", &[], None).await),
        ("not acceptable", ann.send("GET", "/api/v1/message/", &[("Accept", "image/png")], None).await),
        ("a cursor of nobody", ann.get("/api/v1/event/?after=x").await),
        ("options", ann.send("OPTIONS", "/api/v1/message/", &[], None).await),
        ("a head", ann.send("HEAD", "/api/v1/message/", &[], None).await),
        ("a slash", ann.get("/api/v1/message").await),
        ("no such page", nobody.get("/nope/").await),
        ("no such page of the API", nobody.get("/api/v1/nope/").await),
        ("no such file", nobody.get("/static/nope.js").await),
        ("a file", nobody.get("/static/theme.js").await),
        ("a file with a hash", nobody.get(&format!("/static/{script}")).await),
        ("a file that is the service worker", nobody.get("/static/sw.js").await),
        ("robots", nobody.get("/robots.txt").await),
        ("health", nobody.get("/healthz").await),
        ("readiness", nobody.get("/readyz").await),
        ("no upgrade", ann.get("/ws").await),
        ("a method of nobody", ann.send("TRACE", "/", &[], None).await),
        ("the way out", ann.send("GET", "/logout/", &[("Referer", "http://evil.example/")], None).await),
    ]
}

async fn s19_the_policy_allows_nothing_inline() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    let ann = world.person("ann").await;
    for (what, answer) in every_kind(&world, &ann).await {
        let policy = answer.header("content-security-policy").unwrap_or_else(|| panic!("{what}: {answer:?}"));
        let rules: Vec<_> = policy.split(';').map(str::trim).collect();
        for rule in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "object-src 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types chatd-worker",
            "worker-src 'self'",
            "manifest-src 'self'",
        ] {
            assert!(rules.contains(&rule), "{what}: {rule} in {policy}");
        }
        for loose in ["unsafe-", "*", "http:", "https:", "strict-dynamic", "nonce-"] {
            assert!(!policy.contains(loose), "{what}: {loose} in {policy}");
        }
        // And the pages need no more than that.
        if answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
            for tag in answer.body.split("<script").skip(1) {
                assert!(tag.starts_with(" src=\"/static/") || tag.contains(" src=\"/static/"), "{what}: {tag}");
            }
            for inline in ["<style", " style=", " onclick=", " onload=", "javascript:", "http://", "https://"] {
                assert!(!answer.body.contains(inline), "{what}: {inline} in {}", answer.body);
            }
        }
    }
}

/// The service worker may answer for what lies below the base, and for nothing above; no copy of it is used unasked.
async fn s19_the_worker_answers_for_the_client_alone() {
    for (url, base) in [("", "/"), ("http://chat.example/chat", "/chat/")] {
        let world = World::with(Backend::Sqlite, &[("PUBLIC_URL", url)]).await;
        let nobody = Client::new(&world.server.url);
        let host = [("Host", if url.is_empty() { "localhost" } else { "chat.example" })];
        let get = async |name: &str| nobody.send("GET", &format!("{base}static/{name}"), &host, None).await;
        let worker = get("sw.js").await;
        assert_eq!(worker.status, 200, "{worker:?}");
        assert_eq!(worker.header("service-worker-allowed"), Some(base));
        assert_eq!(worker.header("cache-control"), Some("no-cache"));
        assert_eq!(worker.header("content-type"), Some("text/javascript; charset=utf-8"));
        assert!(worker.body.contains("theme.js"), "it knows the files: {}", worker.body);
        assert_eq!(get("theme.js").await.header("service-worker-allowed"), None, "no other script");
        let manifest = get("app.webmanifest").await;
        assert_eq!(manifest.header("content-type"), Some("application/manifest+json"));
        assert!(manifest.body.contains("\"scope\": \"../\""), "{}", manifest.body);
    }
}

fn expect_headers(what: &str, answer: &Answer) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(answer.all(name).collect::<Vec<_>>(), [value], "{what}: {name} of {answer:?}");
    }
    for name in ["permissions-policy", "content-security-policy", "cache-control", "x-request-id"] {
        assert_eq!(answer.all(name).count(), 1, "{what}: {name} of {answer:?}");
    }
    // As recorded, the redirect to the path with its slash has none.
    assert_eq!(answer.header("x-frame-options").is_some(), answer.status != 301, "{what}: {answer:?}");
    let server = answer.header("server").unwrap_or_default().to_lowercase();
    assert!(!server.contains("rocket") && !server.contains("hyper"), "{what}: {server}");
    let cache = answer.header("cache-control").expect("counted");
    let is_file = answer.status == 200 && what.starts_with("a file");
    assert_eq!(cache.contains("no-store"), !is_file, "{what}: {cache}");
}

async fn s20_headers_on_every_answer() {
    for (url, host) in [("", None), ("https://chat.example", Some("chat.example"))] {
        let world = World::with(Backend::Sqlite, &[LOOSE, ("PUBLIC_URL", url)]).await;
        if host.is_some() {
            let answer = Client::new(&world.server.url).send("GET", "/login/", &[("Host", "chat.example")], None).await;
            expect_headers("the form", &answer);
            assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000"));
            let answer = Client::new(&world.server.url).get("/login/").await;
            assert_eq!(answer.status, 400);
            assert!(answer.header("strict-transport-security").is_some());
            continue;
        }
        let ann = world.person("ann").await;
        let mut statuses = std::collections::BTreeSet::new();
        for (what, answer) in every_kind(&world, &ann).await {
            expect_headers(what, &answer);
            assert_eq!(answer.header("strict-transport-security"), None, "plain http has no HSTS");
            assert!(answer.status < 500, "{what}: {answer:?}");
            statuses.insert(answer.status);
        }
        for status in [200, 201, 301, 302, 400, 403, 404, 405, 406, 413, 415] {
            assert!(statuses.contains(&status), "no {status} among {statuses:?}");
        }
        for (headers, expected) in [(vec![("Origin", "null")], 403), (vec![("Host", "evil.example")], 400)] {
            let refused = Socket::try_open(&ann, "/ws", &headers).await.err().expect("refused");
            assert_eq!(refused.status, expected);
            let answer = Answer { status: refused.status, headers: refused.headers, body: String::new() };
            expect_headers("a refused upgrade", &answer);
        }
        let refused = Socket::try_open(&Client::new(&world.server.url), "/ws", &[]).await.err().expect("refused");
        expect_headers("a refused upgrade", &Answer { status: 403, headers: refused.headers, body: String::new() });
    }
}

/// Requests that Rocket cannot read go past every fairing; their answers have the headers all the same.
async fn s20_headers_on_requests_that_cannot_be_read() {
    let world = World::new(Backend::Sqlite).await;
    for line in ["PROPFIND /", "GET /a[b", "GET /api/v1/%", "BREW /api/v1/message/"] {
        let answer = raw(&world, head(&world, line, "").as_bytes()).await;
        assert!([400, 404].contains(&status(&answer)), "{line}: {answer}");
        let answer = answer.to_lowercase();
        for name in [
            "x-content-type-options: nosniff",
            "content-security-policy: default-src 'none'",
            "cache-control: no-store",
        ] {
            assert!(answer.contains(name), "{line}: {name} in {answer}");
        }
        assert!(!answer.contains("rocket"), "{answer}");
    }
}
