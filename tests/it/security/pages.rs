//! What is served to a browser: text as text, files as files.

use libtest_mimic::Trial;
use serde_json::json;

use super::{head, once, raw, status};
use crate::support::backend::Backend;
use crate::support::server::{Client, LOOSE, World, add_user};

pub fn trials() -> Vec<Trial> {
    once![s18_text_stays_text, s26_http2_is_not_spoken, s29_static_files_and_nothing_else,]
}

/// What would be executed, or end a text or an attribute, if it reached a page as it is.
const PAYLOADS: &[&str] = &[
    "<script>alert(1)</script>",
    "</pre><script src=//evil.example></script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "<svg/onload=alert(1)>",
    "</title></script><svg onload=alert(1)>",
    "<!--<script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "{{username}}{{error}}{{csrf}}{{main}}",
    "\u{202e}<b>\u{2028}\u{0c}",
    "javascript:alert(1)",
];

/// What of it must not stand in a page. Pieces: half of an escape is none.
const LIVE: &[&str] = &[
    "<script>",
    "<script&gt;",
    "<script src=//",
    "<img",
    "<svg/",
    "<svg onload",
    "<!--<",
    "<b>",
    "<b&gt;",
    "\"&gt;",
    "' onmouse",
];

fn live(page: &str) -> Option<&'static str> {
    LIVE.iter().copied().find(|piece| page.contains(piece))
}

async fn s18_text_stays_text() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    let (ann, bob) = world.two().await;
    // The alphabet of names has nothing that a page could trip over.
    for name in ["<b>", "a\"b", "a'b", "a&b", "a b", "a/b", "a\u{202e}b", "a\u{0}b"] {
        assert!(chatd::domain::Username::new(name).is_err(), "{name:?}");
    }
    add_user(&*world.database.store().await, "@.+-_", false).await;
    let html = [("Accept", "text/html")];
    let kind = "application/x-www-form-urlencoded";
    for payload in PAYLOADS {
        let quoted: String = form_urlencoded::byte_serialize(payload.as_bytes()).collect();
        let sent = ann.say("bob", payload).await;
        let id = sent["id"].as_i64().expect("an id");
        let stored = sent["body"].as_str().expect("a text").to_owned();
        let answer = ann.get(&format!("/api/v1/message/{id}/")).await;
        assert_eq!(answer.header("content-type"), Some("application/json"), "never HTML unasked");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        // The readable pages, with the text in a message, in an error, in the address.
        let mut pages = vec![ann.send("GET", &format!("/api/v1/message/{id}/"), &html, None).await];
        assert!(
            unescaped(&pages[0].body).contains(
                &stored
                    .replace('\\', "\\\\")
                    .replace('"', "\\\"")
                    .replace('\u{c}', "\\f")
                    .replace('\u{2028}', "\\u2028")
            ),
            "shown: {}",
            pages[0].body
        );
        // What cannot be seen is refused; all else stands in the profile.
        let said = json!({"display_name": payload, "about": payload}).to_string().into_bytes();
        let headers = [html[0], ("Content-Type", "application/json")];
        pages.push(ann.send("PATCH", "/api/v1/account/profile/", &headers, Some(said)).await);
        assert_eq!(pages[1].status, if payload.contains('\u{202e}') { 400 } else { 200 }, "{payload}");
        for path in ["account/profile/", "profile/ann/", "profile/Q/", "avatar/Q/"] {
            let path = path.replace('Q', &quoted.replace('+', "%20"));
            pages.push(ann.send("GET", &format!("/api/v1/{path}"), &html, None).await);
        }
        pages.push(bob.send("GET", "/api/v1/conversation/ann/", &html, None).await);
        for path in ["message/", "conversation/", "conversation/bob/", "event/?limit=5"] {
            pages.push(ann.send("GET", &format!("/api/v1/{path}"), &html, None).await);
        }
        for path in [
            "message/?target=Q",
            "message/?page=Q",
            "message/?Q=Q",
            "user/?search=Q",
            "event/?after=Q",
            "conversation/Q/",
            "message/Q/",
            "message/?format=Q",
            "Q/",
        ] {
            let path = path.replace('Q', &quoted.replace('+', "%20"));
            pages.push(ann.send("GET", &format!("/api/v1/{path}"), &html, None).await);
        }
        for (path, body) in
            [("/api/v1/message/", format!("recipient={quoted}&body=x")), ("/api/v1/message/", "{".to_owned())]
        {
            let headers = [html[0], ("Content-Type", if body == "{" { "application/json" } else { kind })];
            pages.push(ann.send("POST", path, &headers, Some(body.into_bytes())).await);
        }
        let odd = [html[0], ("Content-Type", "<script>alert(1)</script>")];
        pages.push(ann.send("POST", "/api/v1/message/", &odd, Some(payload.as_bytes().to_vec())).await);
        // The form that repeats what was typed.
        let nobody = Client::new(&world.server.url);
        nobody.get("/login/").await;
        let token = nobody.cookie("csrftoken").expect("a token");
        let again = nobody.form("/login/", &format!("csrfmiddlewaretoken={token}&username={quoted}&password=x")).await;
        assert_eq!(again.status, 200);
        let name = payload.trim_matches(|c: char| c.is_whitespace());
        assert!(unescaped(&again.body).contains(name), "the form repeats the name: {}", again.body);
        assert_eq!(again.body.matches("name=\"csrfmiddlewaretoken\"").count(), 1, "a name is no placeholder");
        pages.extend([
            again,
            nobody.get(&format!("/login/?next={quoted}")).await,
            nobody.get(&format!("/{quoted}")).await,
        ]);
        nobody.set_cookie("csrftoken", Some("\"><script>alert(1)</script>"));
        pages.push(nobody.get("/login/").await);
        for page in &pages {
            assert!(page.status < 500, "{payload}: {page:?}");
            let is_page = page.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
            let found = live(&page.body).filter(|_| is_page);
            assert_eq!(found, None, "{payload}: {}", page.body);
        }
        let html_pages = pages.iter().filter(|p| p.header("content-type").is_some_and(|k| k.starts_with("text/html")));
        assert!(html_pages.count() >= 15, "need pages for this test to mean anything");
    }
}

fn unescaped(page: &str) -> String {
    let page = page.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#x27;", "'");
    page.replace("&amp;", "&")
}

async fn s26_http2_is_not_spoken() {
    let world = World::new(Backend::Sqlite).await;
    let hello = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &[0, 0, 0, 4, 0, 0, 0, 0, 0]].concat();
    let answer = raw(&world, &hello).await;
    assert!(answer.is_empty() || status(&answer) == 400, "{answer:?}");
    let offer = "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n";
    let answer =
        raw(&world, head(&world, "GET /healthz", offer).replace("close", "Upgrade, HTTP2-Settings").as_bytes()).await;
    assert_eq!(status(&answer), 200, "the offer is passed over: {answer}");
}

async fn s29_static_files_and_nothing_else() {
    let world = World::new(Backend::Sqlite).await;
    let file = raw(&world, head(&world, "GET /static/theme.js", "").as_bytes()).await;
    assert_eq!(status(&file), 200, "need a file that is there");
    for path in [
        "",
        ".",
        "..",
        "../",
        "../Cargo.toml",
        "../../etc/passwd",
        "..%2fCargo.toml",
        "..%2FCargo.toml",
        "%2e%2e/Cargo.toml",
        "%2e%2e%2fCargo.toml",
        "..%252fCargo.toml",
        "%252e%252e/Cargo.toml",
        "..\\Cargo.toml",
        "..%5cCargo.toml",
        "..%c0%afCargo.toml",
        "assets/../../Cargo.toml",
        "assets/..%2f..%2fCargo.toml",
        "assets//../theme.js",
        "./theme.js",
        "/theme.js",
        "//etc/passwd",
        "%2fetc%2fpasswd",
        "theme.js%00",
        "theme.js%00.css",
        "theme.js/",
        "theme.js/.",
        ".git/config",
        ".env",
        ".htaccess",
        "index.html",
        "manifest.json",
        "assets",
        "assets/",
        "THEME.JS",
        "theme%2ejs",
        "file:///etc/passwd",
        "C:/windows/win.ini",
    ] {
        let answer = raw(&world, head(&world, &format!("GET /static/{path}"), "").as_bytes()).await;
        // Rocket leads some of them to a plainer address first; what is there is not there either.
        assert!([301, 400, 404].contains(&status(&answer)), "{path}: {answer}");
        for leaked in ["[package]", "root:", "chatd-base", "src/login.ts", "repositoryformatversion"] {
            assert!(!answer.contains(leaked), "{path}: {answer}");
        }
    }
}
