//! Who may do what: everything is refused but the way in, and no account reads more than its own.

use base64::Engine as _;
use libtest_mimic::Trial;
use serde_json::json;

use super::access::{SECRET, three};
use super::{chatd_ok, once};
use crate::support::backend::Backend;
use crate::support::server::{Client, LOOSE, World, add_user, password};
use crate::support::socket::Socket;

pub fn trials() -> Vec<Trial> {
    once![
        s17_nothing_is_open_but_the_way_in,
        s17_staff_and_superusers_read_no_more,
        s17_inactive_accounts_are_nobody,
        s17_basic_where_it_was_recorded,
    ]
}

/// The ways in, and the links that are sent by mail: those are passwords of their own.
const OPEN: [&str; 9] = [
    "/api/v1/session/",
    "/api/v1/signup/",
    "/api/v1/signup/confirm/",
    "/api/v1/password/forgot/",
    "/api/v1/password/reset/",
    "/api/v1/email/confirm/",
    "/api/v1/session/second-step/",
    "/api/v1/session/passkey/",
    "/api/v1/session/passkey/sign-in/",
];

/// Every path and method of the description, and every page, for somebody who is not signed in.
async fn s17_nothing_is_open_but_the_way_in() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    let ann = world.person("ann").await;
    let nobody = nobody(&world);
    let schema = ann.get("/api/v1/schema/").await.expect(200);
    let (mut refused, mut open) = (0, Vec::new());
    for (path, item) in schema["paths"].as_object().expect("paths") {
        let path = path.replace("{id}", "1").replace("{name}", "ann").replace("{avatar}", "x");
        for method in item.as_object().expect("methods").keys().map(|m| m.to_uppercase()) {
            let answer =
                nobody.send(&method, &path, &[("Content-Type", "application/json")], Some(b"{}".to_vec())).await;
            if answer.status == 403 { refused += 1 } else { open.push((method, path.clone(), answer.status)) }
        }
        for method in ["OPTIONS", "PUT", "PATCH"] {
            let answer = nobody.send(method, &path, &[], None).await;
            let is_open = OPEN.contains(&path.as_str());
            assert!(answer.status == 403 || is_open, "{method} {path}: {answer:?}");
        }
    }
    open.sort_unstable();
    let mut expected: Vec<_> = OPEN[2..].iter().map(|path| ("POST", *path, 400)).collect();
    expected.extend([("POST", OPEN[0], 400), ("DELETE", OPEN[0], 204), ("GET", OPEN[1], 200)]);
    expected.sort_unstable();
    let seen: Vec<_> = open.iter().map(|(method, path, status)| (method.as_str(), path.as_str(), *status)).collect();
    assert_eq!(seen, expected);
    assert!(refused >= 11, "{refused}");
    for path in ["/", "/c/ann/", "/c/ann/1/", "/settings/", "/settings/people/"] {
        let answer = nobody.get(path).await;
        assert!(
            answer.status == 302 && answer.header("location").is_some_and(|to| to.starts_with("/login/?next=")),
            "{answer:?}"
        );
        assert_eq!(ann.get(path).await.status, 200, "{path}");
    }
    for path in ["/setup/", "/setup/x/", "/admin/", "/metrics", "/-refused", "/.env", "/api/v2/", "/c/"] {
        for client in [&nobody, &ann] {
            assert_eq!(client.get(path).await.status, 404, "{path}");
        }
    }
}

async fn s17_staff_and_superusers_read_no_more() {
    let (world, _) = three(Backend::Sqlite).await;
    add_user(&*world.database.store().await, "root", true).await;
    let root = Client::signed_in(&world.server.url, "root").await;
    assert_eq!(root.get("/api/v1/session/").await.expect(200)["is_superuser"], true);
    for path in ["message/1/", "conversation/ann/"] {
        assert_eq!(root.get(&format!("/api/v1/{path}")).await.status, 404, "{path}");
    }
    for path in ["message/", "message/?target=ann", "conversation/", "event/"] {
        assert!(!root.get(&format!("/api/v1/{path}")).await.body.contains(SECRET), "{path}");
    }
    for path in ["user/1/", "message/1/", "conversation/ann/"] {
        let token = root.cookie("csrftoken").expect("a token");
        for method in ["PUT", "PATCH", "DELETE"] {
            let headers = [("X-CSRFToken", token.as_str()), ("Content-Type", "application/json")];
            let body = Some(br#"{"body":"x"}"#.to_vec());
            let answer = root.send(method, &format!("/api/v1/{path}"), &headers, body).await;
            // Where others may, it is not there for this one.
            let theirs = matches!((method, path), ("PATCH" | "DELETE", "message/1/") | ("PATCH", "conversation/ann/"));
            assert_eq!(answer.status, if theirs { 404 } else { 405 }, "{method} {path}");
        }
    }
}

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}")))
}

async fn s17_inactive_accounts_are_nobody() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    let (ann, bob) = world.two().await;
    let authorization = basic("ann", &password("ann"));
    let by_basic =
        async || nobody(&world).send("GET", "/api/v1/user/", &[("Authorization", &authorization)], None).await.status;
    let sign_in = json!({"username": "ann", "password": password("ann")});
    assert_eq!((ann.get("/api/v1/session/").await.status, by_basic().await), (200, 200));
    chatd_ok(&world, &[], &["user", "set", "ann", "--inactive"], "");
    assert_eq!((ann.get("/api/v1/session/").await.status, by_basic().await), (403, 403));
    let refused = nobody(&world).post("/api/v1/session/", &sign_in).await;
    let wrong = nobody(&world).post("/api/v1/session/", &json!({"username": "ann", "password": "wrong"})).await;
    let unknown = nobody(&world).post("/api/v1/session/", &json!({"username": "nobody", "password": "wrong"})).await;
    assert_eq!((refused.status, &refused.body), (400, &wrong.body), "which of the reasons it is stays unsaid");
    assert_eq!(unknown.body, wrong.body);
    bob.get("/api/v1/session/").await.expect(200);
    chatd_ok(&world, &[], &["user", "set", "ann", "--active"], "");
    nobody(&world).post("/api/v1/session/", &sign_in).await.expect(200);
}

/// A client that is nobody yet.
fn nobody(world: &World) -> Client {
    Client::new(&world.server.url)
}

async fn s17_basic_where_it_was_recorded() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    world.two().await;
    let off = World::with(Backend::Sqlite, &[LOOSE, ("BASIC_AUTH", "false")]).await;
    off.two().await;
    let (good, bad) = (basic("ann", &password("ann")), basic("ann", "wrong"));
    let ask = async |world: &World, path: &str, credentials: &str| {
        nobody(world).send("GET", path, &[("Authorization", credentials)], None).await.status
    };
    for path in ["/api/v1/", "/api/v1/user/", "/api/v1/user/1/"] {
        assert_eq!(
            (ask(&world, path, &good).await, ask(&world, path, &bad).await, ask(&off, path, &good).await),
            (200, 403, 403)
        );
    }
    for path in [
        "/api/v1/message/",
        "/api/v1/message/1/",
        "/api/v1/conversation/",
        "/api/v1/event/",
        "/api/v1/session/",
        "/api/v1/schema/",
    ] {
        assert_eq!(ask(&world, path, &good).await, 403, "{path}");
    }
    assert_eq!(
        Socket::try_open(&nobody(&world), "/ws", &[("Authorization", &good)]).await.err().expect("refused").status,
        403
    );
}
