//! Which names the server answers to, and where its links lead.

use libtest_mimic::Trial;

use super::{head, once, raw, status};
use crate::support::backend::Backend;
use crate::support::server::{Client, LOOSE, World};

pub fn trials() -> Vec<Trial> {
    once![s13_other_hosts_are_refused, s13_links_come_from_the_settings, s13_redirects_stay_here]
}

async fn answer_to(world: &World, host: &str) -> u16 {
    status(&raw(world, format!("GET /login/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes()).await)
}

async fn s13_other_hosts_are_refused() {
    let free = World::with(Backend::Sqlite, &[("ALLOWED_HOSTS", "chat.example,Other.Example:8080")]).await;
    let public = World::with(Backend::Sqlite, &[("PUBLIC_URL", "https://chat.example")]).await;
    for (host, without_url, with_url) in [
        ("chat.example", 200, 200),
        ("CHAT.example:8000", 200, 200),
        ("other.example", 200, 400),
        ("127.0.0.1", 200, 400),
        ("127.0.0.1:1", 200, 400),
        ("[::1]:8000", 200, 400),
        ("localhost", 200, 400),
        ("localhost:8000", 200, 400),
        ("evil.example", 400, 400),
        ("chat.example.evil.example", 400, 400),
        ("evil-chat.example", 400, 400),
        ("127.0.0.1.evil.example", 400, 400),
        ("localhost.evil.example", 400, 400),
        ("chat.example@evil.example", 400, 400),
        ("evil.example@chat.example", 400, 400),
        ("chat.example:80:80", 400, 400),
        ("chat.example/", 400, 400),
        ("", 400, 400),
    ] {
        assert_eq!(answer_to(&free, host).await, without_url, "{host:?}");
        assert_eq!(answer_to(&public, host).await, with_url, "{host:?} with PUBLIC_URL");
    }
    // A check of the process's health knows no name.
    for line in ["GET /healthz", "GET /readyz"] {
        let answer = raw(&public, head(&public, line, "").as_bytes()).await;
        assert_eq!(status(&answer), 200, "{answer}");
    }
    let missing = raw(&free, b"GET /login/ HTTP/1.1\r\nConnection: close\r\n\r\n").await;
    assert_eq!(status(&missing), 400, "{missing}");
    // An address in the request line does not replace the name.
    let absolute = "GET http://evil.example/login/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    assert_eq!(status(&raw(&free, absolute.as_bytes()).await), 400);
}

async fn s13_links_come_from_the_settings() {
    let world =
        World::with(Backend::Sqlite, &[LOOSE, ("PUBLIC_URL", "https://chat.example"), ("MESSAGES_TO_LOAD", "1")]).await;
    world.add("ann").await;
    world.add("bob").await;
    let ann = Client::new(&world.server.url);
    let named = |more: &[(&'static str, &'static str)]| {
        let mut headers = vec![("Host", "chat.example:8443"), ("Content-Type", "application/json")];
        headers.extend_from_slice(more);
        headers
    };
    let body = serde_json::json!({"username": "ann", "password": crate::support::server::password("ann")});
    ann.send("POST", "/api/v1/session/", &named(&[]), Some(body.to_string().into_bytes())).await.expect(200);
    for _ in 0..2 {
        let body = br#"{"recipient": "bob", "body": "hello"}"#.to_vec();
        ann.send("POST", "/api/v1/message/", &named(&[]), Some(body)).await.expect(201);
    }
    let lies = named(&[
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Proto", "gopher"),
        ("Forwarded", "host=evil.example"),
    ]);
    let page = ann.send("GET", "/api/v1/message/", &lies, None).await.expect(200);
    assert_eq!(page["next"], "https://chat.example/api/v1/message/?page=2");
    let root = ann.send("GET", "/api/v1/", &lies, None).await;
    assert!(root.body.contains("https://chat.example/api/v1/user/"), "{}", root.body);
    assert!(!root.body.contains("evil") && !root.body.contains("8443"), "{}", root.body);
}

async fn s13_redirects_stay_here() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    let ann = world.person("ann").await;
    let own = format!("http://127.0.0.1:{}/c/bob/", world.server.port);
    assert_eq!(go(&ann, "/c/bob/").await, "/c/bob/", "a path of this host is followed");
    assert_eq!(go(&ann, &own).await, "/c/bob/");
    for elsewhere in [
        "http://evil.example/",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "http:evil.example",
        "http:///evil.example",
        " //evil.example",
        "\t//evil.example",
        "/\t/evil.example",
        "https://127.0.0.1@evil.example/",
        "data:text/html,x",
        "http://127.0.0.1.evil.example/",
        "/\r\nSet-Cookie: a=b",
        "http://127.0.0.1//evil.example",
    ] {
        assert_eq!(go(&ann, elsewhere).await, "/", "{elsewhere:?}");
    }
    let slash = ann.get("//evil.example/api/v1/message").await;
    assert!(!slash.header("location").unwrap_or_default().starts_with("//"), "{slash:?}");
    let slash = ann.get("/api/v1/message").await;
    assert_eq!((slash.status, slash.header("location")), (301, Some("/api/v1/message/")));
}

/// Where signing out leads with this `next`.
async fn go(client: &Client, next: &str) -> String {
    let query: String = form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
    let answer = client.get(&format!("/logout/?{query}")).await;
    assert_eq!(answer.status, 302, "{answer:?}");
    answer.header("location").expect("a place").to_owned()
}
