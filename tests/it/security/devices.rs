//! Where somebody is signed in: seen, ended one by one or all at once, and ended by a new password.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::{chatd_ok, column, once};
use crate::support::backend::{BOTH, Backend, on_each, run};
use crate::support::server::{Answer, Client, LOOSE, World, password};
use crate::support::socket::Socket;
use crate::support::until;

pub fn trials() -> Vec<Trial> {
    let mut trials = once![
        s09_nobody_sees_or_ends_the_sessions_of_others,
        s09_an_idle_session_ends,
        s09_the_use_of_a_session_is_noted,
        s09_a_new_password_has_to_be_a_good_one,
        s09_wrong_current_passwords_are_throttled,
        s09_the_command_line_lists_and_ends_sessions,
    ];
    trials.extend(on_each(&BOTH, "security::s09_sessions_are_listed_and_ended", s09_sessions_are_listed_and_ended));
    trials.extend(on_each(&BOTH, "security::s09_a_new_password_ends_the_others", s09_a_new_password_ends_the_others));
    trials
}

const DEVICES: &str = "/api/v1/device/";
const PASSWORD: &str = "/api/v1/account/password/";
const NEW: &str = "a quite new password";

async fn signed_in_as(world: &World, name: &str, user_agent: &str) -> Client {
    let client = Client::new(&world.server.url);
    let headers = [("Content-Type", "application/json"), ("User-Agent", user_agent)];
    let body = json!({"username": name, "password": password(name)}).to_string();
    client.send("POST", "/api/v1/session/", &headers, Some(body.into_bytes())).await.expect(200);
    client
}

async fn devices(client: &Client) -> Vec<Value> {
    client.get(DEVICES).await.expect(200)["results"].as_array().expect("a list").clone()
}

async fn is_signed_in(client: &Client) -> bool {
    client.get("/api/v1/session/").await.status == 200
}

async fn delete(client: &Client, path: &str) -> Answer {
    client.send("DELETE", path, &[], None).await
}

/// Within a second, also sockets.
async fn closed(mut socket: Socket, since: Instant) {
    assert_eq!(socket.close_code().await, Some(1008));
    assert!(since.elapsed() <= Duration::from_secs(1), "{:?}", since.elapsed());
}

async fn s09_sessions_are_listed_and_ended(backend: Backend) {
    let world = World::with(backend, &[LOOSE]).await;
    world.add("ann").await;
    let phone = signed_in_as(&world, "ann", "a phone").await;
    let laptop = signed_in_as(&world, "ann", "a laptop").await;
    let desk = signed_in_as(&world, "ann", "a desk").await;
    let listed = devices(&desk).await;
    let names: Vec<_> = listed.iter().map(|device| device["user_agent"].as_str().unwrap_or_default()).collect();
    assert_eq!(names, ["a desk", "a laptop", "a phone"]);
    let current: Vec<_> = listed.iter().filter(|device| device["current"] == true).collect();
    assert_eq!(current, [&listed[0]]);
    let keys: Vec<_> = listed[0].as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["id", "user_agent", "created_at", "last_used_at", "current"]);
    let socket = Socket::events(&laptop, None).await;
    let (since, id) = (Instant::now(), listed[1]["id"].as_str().expect("an id"));
    delete(&desk, &format!("{DEVICES}{id}/")).await.expect(204);
    closed(socket, since).await;
    assert_eq!(
        (is_signed_in(&desk).await, is_signed_in(&laptop).await, is_signed_in(&phone).await),
        (true, false, true)
    );
    assert_eq!(delete(&desk, &format!("{DEVICES}{id}/")).await.status, 404, "it has ended");
    let (socket, mut own) = (Socket::events(&phone, None).await, Socket::events(&desk, None).await);
    let since = Instant::now();
    delete(&desk, DEVICES).await.expect(204);
    closed(socket, since).await;
    assert_eq!((is_signed_in(&desk).await, is_signed_in(&phone).await), (true, false));
    assert_eq!(devices(&desk).await.len(), 1);
    let said = desk.say("ann", "to myself").await;
    assert_eq!(own.event().await["event"]["message"], said, "one's own socket goes on");
    // The one that asks may be ended too.
    let id = devices(&desk).await[0]["id"].as_str().expect("an id").to_owned();
    delete(&desk, &format!("{DEVICES}{id}/")).await.expect(204);
    assert!(!is_signed_in(&desk).await);
}

async fn s09_nobody_sees_or_ends_the_sessions_of_others() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    let (ann, bob) = world.two().await;
    let id = devices(&ann).await[0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(devices(&bob).await.len(), 1);
    for wrong in [id.as_str(), "0000000000000000", "%00", "x"] {
        let answer = delete(&bob, &format!("{DEVICES}{wrong}/")).await;
        assert_eq!((answer.status, answer.body.as_str()), (404, "{\"detail\":\"Not found.\"}"), "{wrong}");
    }
    delete(&bob, DEVICES).await.expect(204);
    assert!(is_signed_in(&ann).await);
    // What is listed is no way in.
    let stranger = Client::new(&world.server.url);
    stranger.set_cookie("sessionid", Some(&id));
    assert!(!is_signed_in(&stranger).await);
    for (method, path) in
        [("GET", DEVICES), ("DELETE", DEVICES), ("DELETE", &format!("{DEVICES}{id}/")), ("POST", PASSWORD)]
    {
        stranger.send(method, path, &[], None).await.expect(403);
    }
}

async fn s09_an_idle_session_ends() {
    let world = World::with(Backend::Sqlite, &[LOOSE, ("SESSION_IDLE_DAYS", "3")]).await;
    let ann = world.person("ann").await;
    let other = Client::signed_in(&world.server.url, "ann").await;
    let unused = async |days: f64| {
        let micros = (days * 86_400e6) as i64;
        let hash = chatd::auth::hash_token(&ann.cookie("sessionid").expect("a session"));
        run(
            &world.database.url,
            &format!(
                "UPDATE sessions SET created_at = expires_at - 1209600000000 - {micros}, \
                 last_used_at = expires_at - 1209600000000 - {micros} WHERE token_hash = '{hash}'"
            ),
        )
        .await;
    };
    unused(2.99).await;
    assert!(is_signed_in(&ann).await);
    assert_eq!(devices(&other).await.len(), 2);
    unused(3.01).await;
    assert!(!is_signed_in(&ann).await);
    assert_eq!(devices(&other).await.len(), 1, "and it is not listed");
}

/// Written once a minute; what is noted is as old as the last time.
async fn s09_the_use_of_a_session_is_noted() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    let ann = world.person("ann").await;
    let before = column(&world.database, "SELECT CAST(created_at AS TEXT) FROM sessions").await.remove(0);
    run(&world.database.url, "UPDATE sessions SET created_at = created_at - 3600000000, last_used_at = 0").await;
    assert!(is_signed_in(&ann).await);
    until("its use to be noted", Duration::from_secs(90), || async {
        let noted = column(&world.database, "SELECT CAST(last_used_at AS TEXT) FROM sessions").await.remove(0);
        (noted > before).then_some(())
    })
    .await;
}

async fn change(client: &Client, current: &str, new: &str) -> Answer {
    client.post(PASSWORD, &json!({"current_password": current, "new_password": new})).await
}

async fn s09_a_new_password_ends_the_others(backend: Backend) {
    let world = World::with(backend, &[LOOSE]).await;
    let ann = world.person("ann").await;
    let other = Client::signed_in(&world.server.url, "ann").await;
    let socket = Socket::events(&other, None).await;
    let before = ann.cookie("sessionid").expect("a session");
    let wrong = change(&ann, "not it", NEW).await;
    assert_eq!((wrong.status, wrong.json()), (400, json!({"current_password": ["This is not your password."]})));
    assert!(is_signed_in(&other).await);
    let answer = change(&ann, &password("ann"), NEW).await;
    let since = Instant::now();
    answer.expect(204);
    closed(socket, since).await;
    assert!(!is_signed_in(&other).await);
    assert!(is_signed_in(&ann).await, "the one that asked goes on");
    assert_ne!(ann.cookie("sessionid"), Some(before.clone()), "with a new token");
    let old = Client::new(&world.server.url);
    old.set_cookie("sessionid", Some(&before));
    assert!(!is_signed_in(&old).await);
    let sign_in = async |password: &str| {
        let body = json!({"username": "ann", "password": password});
        Client::new(&world.server.url).post("/api/v1/session/", &body).await.status
    };
    assert_eq!((sign_in(&password("ann")).await, sign_in(NEW).await), (400, 200));
}

async fn s09_a_new_password_has_to_be_a_good_one() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    let ann = world.person("ann").await;
    for weak in ["short", "password", "annann", &"x".repeat(129)] {
        let answer = change(&ann, &password("ann"), weak).await;
        assert!(answer.status == 400 && answer.json()["new_password"][0].is_string(), "{weak}: {answer:?}");
    }
    let missing = ann.post(PASSWORD, &json!({})).await.expect(400);
    assert_eq!(missing["current_password"], missing["new_password"]);
    assert!(is_signed_in(&ann).await);
    assert_eq!(change(&ann, &password("ann"), NEW).await.status, 204);
}

/// A session that was left open is no place to guess the password.
async fn s09_wrong_current_passwords_are_throttled() {
    let world = World::new(Backend::Sqlite).await;
    let ann = world.person("ann").await;
    let mut throttled = None;
    for _ in 0..14 {
        let answer = change(&ann, "not it", NEW).await;
        if answer.status == 429 {
            throttled = Some(answer);
            break;
        }
        answer.expect(400);
    }
    let throttled = throttled.expect("the limit was reached");
    assert!(throttled.header("retry-after").is_some());
    assert_eq!(change(&ann, &password("ann"), NEW).await.status, 429, "the right one is not looked at either");
}

async fn s09_the_command_line_lists_and_ends_sessions() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    world.add("ann").await;
    let phone = signed_in_as(&world, "ann", "a phone").await;
    let desk = signed_in_as(&world, "ann", "a desk").await;
    let listed = super::chatd(&world, &[], &["user", "sessions", "ann", "--json"], "");
    let listed: Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    let id = listed.as_array().expect("a list").iter().find(|s| s["user_agent"] == "a phone").expect("the phone")["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    chatd_ok(&world, &[], &["user", "sign-out", "ann", "--session", &id], "");
    assert_eq!((is_signed_in(&phone).await, is_signed_in(&desk).await), (false, true));
    chatd_ok(&world, &[], &["user", "sign-out", "ann"], "");
    assert!(!is_signed_in(&desk).await);
    let unknown = super::chatd(&world, &[], &["user", "sign-out", "ann", "--session", &id], "");
    assert_eq!(unknown.status.code(), Some(1));
}
