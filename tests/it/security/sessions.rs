//! Sessions: made anew at each sign-in, known to the client alone, ended for good.

use std::collections::BTreeSet;

use libtest_mimic::Trial;
use serde_json::json;

use super::{column, once};
use crate::support::backend::Backend;
use crate::support::server::{Answer, Client, LOOSE, World, password};

pub fn trials() -> Vec<Trial> {
    once![
        s06_a_sign_in_makes_a_new_session,
        s06_the_session_before_is_dead,
        s06_an_old_cookie_does_not_take_a_new_session_with_it,
        s07_tokens_are_long_and_stored_as_hashes,
        s07_the_token_is_told_to_nobody_else,
        s08_cookie_attributes,
    ]
}

const SESSION: &str = "/api/v1/session/";

async fn by_form(client: &Client, name: &str) -> Answer {
    client.get("/login/").await;
    let token = client.cookie("csrftoken").expect("a token");
    client.form("/login/", &format!("csrfmiddlewaretoken={token}&username={name}&password={}", password(name))).await
}

async fn by_json(client: &Client, name: &str) -> Answer {
    client.post(SESSION, &json!({"username": name, "password": password(name)})).await
}

async fn is_alive(world: &World, token: &str) -> bool {
    let client = Client::new(&world.server.url);
    client.set_cookie("sessionid", Some(token));
    client.get(SESSION).await.status == 200
}

/// Fixation: a token that somebody put into the browser does not become a session.
async fn s06_a_sign_in_makes_a_new_session() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    world.add("ann").await;
    let planted = "A".repeat(43);
    let mut seen = BTreeSet::from([planted.clone()]);
    for round in 0..6 {
        let client = Client::new(&world.server.url);
        client.set_cookie("sessionid", Some(&planted));
        let answer = if round % 2 == 0 { by_form(&client, "ann").await } else { by_json(&client, "ann").await };
        assert!([200, 302].contains(&answer.status), "{answer:?}");
        let token = client.cookie("sessionid").expect("a session");
        assert!(is_alive(&world, &token).await);
        assert!(seen.insert(token), "each sign-in has its own");
    }
    assert!(!is_alive(&world, &planted).await);
}

async fn s06_the_session_before_is_dead() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    world.add("ann").await;
    world.add("bob").await;
    let client = Client::new(&world.server.url);
    by_json(&client, "ann").await.expect(200);
    for (round, name) in ["ann", "bob", "ann"].into_iter().enumerate() {
        let before = client.cookie("sessionid").expect("a session");
        let forgery = client.cookie("csrftoken").expect("a token");
        assert!(is_alive(&world, &before).await);
        let answer = if round % 2 == 0 { by_form(&client, name).await } else { by_json(&client, name).await };
        assert!([200, 302].contains(&answer.status), "{answer:?}");
        assert!(!is_alive(&world, &before).await, "a session ends where another begins");
        assert_ne!(client.cookie("csrftoken"), Some(forgery), "the token against forged forms is new too");
        assert_eq!(client.get(SESSION).await.expect(200)["user"], name);
    }
}

/// A page asks with the old cookie while somebody signs in beside it: its answer must not end what has just begun.
async fn s06_an_old_cookie_does_not_take_a_new_session_with_it() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    world.add("ann").await;
    let old = Client::new(&world.server.url);
    by_json(&old, "ann").await.expect(200);
    old.send("DELETE", SESSION, &[], None).await.expect(204);
    let stale = "A".repeat(43);
    let script = [("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Site", "same-origin")];
    for path in [SESSION, "/api/v1/conversation/", "/api/v1/message/", "/api/v1/user/"] {
        old.set_cookie("sessionid", Some(&stale));
        let answer = old.send("GET", path, &script, None).await;
        assert_eq!((answer.status, answer.header("set-cookie")), (403, None), "{path}");
    }
    // Programs are told as recorded, where the predecessor did so.
    for (path, told) in [("/api/v1/message/", true), ("/api/v1/user/", true), (SESSION, false)] {
        old.set_cookie("sessionid", Some(&stale));
        let answer = old.get(path).await;
        assert_eq!((answer.status, answer.header("set-cookie").is_some()), (403, told), "{path}");
    }
}

async fn s07_tokens_are_long_and_stored_as_hashes() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    world.add("ann").await;
    let mut tokens = BTreeSet::new();
    for _ in 0..20 {
        let client = Client::new(&world.server.url);
        by_json(&client, "ann").await.expect(200);
        let token = client.cookie("sessionid").expect("a session");
        let letters = token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        assert!(token.len() == 43 && letters, "256 bits in base64url: {token}");
        tokens.insert(token);
    }
    assert_eq!(tokens.len(), 20);
    let stored: BTreeSet<_> = column(&world.database, "SELECT token_hash FROM sessions").await.into_iter().collect();
    let hashes: BTreeSet<_> = tokens.iter().map(|token| chatd::auth::hash_token(token)).collect();
    assert_eq!(stored, hashes);
    assert!(hashes.iter().all(|hash| hash.len() == 64), "SHA-256");
    // Everything that the database has written, its write-ahead log too.
    let path = world.database.url.strip_prefix("sqlite:").expect("a file").to_owned();
    let files = [path.clone(), format!("{path}-wal")];
    let bytes: Vec<u8> = files.iter().flat_map(|file| std::fs::read(file).unwrap_or_default()).collect();
    let holds = |text: &String| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(hashes.iter().all(holds), "the hashes were not found where they are");
    assert!(!tokens.iter().any(holds));
    // The hash is no way in.
    assert!(!is_alive(&world, hashes.first().expect("twenty")).await);
}

async fn s07_the_token_is_told_to_nobody_else() {
    let world = World::with(Backend::Sqlite, &[("LOG", "debug")]).await;
    let (ann, bob) = world.two().await;
    ann.say("bob", "hello").await;
    let token = ann.cookie("sessionid").expect("a session");
    let html = [("Accept", "text/html")];
    for path in ["/", "/c/bob/", "/settings/", "/login/", SESSION, "/api/v1/", "/api/v1/user/", "/api/v1/message/"] {
        let answer = ann.send("GET", path, &html, None).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(!answer.body.contains(&token), "{path}");
        assert!(!answer.headers.iter().any(|(_, value)| value.contains(&token)), "{path}");
        assert!(!ann.get(path).await.body.contains(&token), "{path}");
    }
    for (sender, path) in [(&ann, "/api/v1/message/1/"), (&bob, "/api/v1/message/1/"), (&bob, "/api/v1/event/")] {
        assert!(!sender.get(path).await.body.contains(&token));
    }
    let asked = world.server.log();
    assert!(asked.contains("/api/v1/event/"), "the log was not found: {asked}");
    assert!(!asked.contains(&token) && !asked.contains(&chatd::auth::hash_token(&token)));
    // In an address it is worth nothing, and an address is logged without its query.
    let stranger = Client::new(&world.server.url);
    stranger.get(&format!("{SESSION}?sessionid={token}")).await.expect(403);
    assert!(!world.server.log().contains(&token));
}

fn attributes(answer: &Answer, name: &str) -> BTreeSet<String> {
    let cookie = answer.all("set-cookie").find(|cookie| cookie.starts_with(&format!("{name}="))).expect("the cookie");
    let parts = cookie.split("; ").skip(1).filter(|part| !part.starts_with("expires="));
    parts.map(str::to_owned).collect()
}

async fn s08_cookie_attributes() {
    for (url, secure) in [(None, false), (Some("http://chat.example"), false), (Some("https://chat.example"), true)] {
        let settings: Vec<_> = url.map(|url| ("PUBLIC_URL", url)).into_iter().collect();
        let world = World::with(Backend::Sqlite, &settings).await;
        world.add("ann").await;
        let client = Client::new(&world.server.url);
        let host = if url.is_some() { "chat.example" } else { "127.0.0.1" };
        let headers = [("Content-Type", "application/json"), ("Host", host)];
        let body = json!({"username": "ann", "password": password("ann")}).to_string().into_bytes();
        let signed_in = client.send("POST", SESSION, &headers, Some(body)).await;
        signed_in.expect(200);
        let of = |extra: &[&str]| -> BTreeSet<String> {
            let all = ["Path=/", "SameSite=Lax"].iter().chain(extra).chain(secure.then_some(&"Secure"));
            all.map(|part| (*part).to_owned()).collect()
        };
        assert_eq!(attributes(&signed_in, "sessionid"), of(&["HttpOnly", "Max-Age=1209600"]), "{url:?}");
        assert_eq!(attributes(&signed_in, "csrftoken"), of(&["Max-Age=31449600"]), "{url:?}");
        let signed_out = client.send("DELETE", SESSION, &[("Host", host)], None).await;
        assert_eq!(attributes(&signed_out, "sessionid"), of(&["Max-Age=0"]), "{url:?}");
        let hsts = signed_in.header("strict-transport-security");
        assert_eq!(hsts.is_some(), secure, "{url:?}: {hsts:?}");
    }
}
