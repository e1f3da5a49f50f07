//! What belongs to somebody: taken along, and erased.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::support::backend::{BOTH, Backend, on_each, run};
use crate::support::factors::{forget_steps, turn_on};
use crate::support::server::{Client, LOOSE, Server, World, add_user, chatd, password};
use crate::support::socket::Socket;
use crate::support::until;

pub fn trials() -> Vec<Trial> {
    let mut trials = on_each(&BOTH, "my_data::an_account_is_deleted_by_its_owner", an_account_is_deleted_by_its_owner);
    trials.extend(on_each(&BOTH, "my_data::a_second_step_is_asked_for", a_second_step_is_asked_for));
    trials.extend(on_each(&BOTH, "my_data::everything_is_taken_along", everything_is_taken_along));
    trials.extend(on_each(&BOTH, "my_data::an_export_that_was_cut_off_is_made", an_export_that_was_cut_off_is_made));
    trials.extend(on_each(&[Backend::Sqlite], "my_data::the_operator_takes_along", the_operator_takes_along));
    trials.extend(on_each(&[Backend::Sqlite], "my_data::the_operator_erases", the_operator_erases));
    trials
}

const EXPORT: &str = "/api/v1/account/export/";
const DELETE: &str = "/api/v1/account/delete/";

async fn an_account_is_deleted_by_its_owner(backend: Backend) {
    let world = World::with(backend, &[LOOSE]).await;
    let (ann, bob) = world.two().await;
    ann.say("bob", "remember me").await;
    let phone = Client::signed_in(&world.server.url, "ann").await;
    // SQLite belongs to one process.
    let other = (backend != Backend::Sqlite).then(|| Server::start(&world.database, world.dir.path(), &[LOOSE]));
    let there = other.as_ref().map_or(&world.server, |other| other).url.clone();
    let (mut here, mut there) = (Socket::events(&ann, None).await, Socket::events(&phone.at(&there), None).await);
    let wrong = ann.post(DELETE, &json!({"current_password": "not hers"})).await.expect(400);
    assert_eq!(wrong, json!({"current_password": ["This is not your password."]}));
    ann.post(DELETE, &json!({})).await.expect(400);
    ann.get("/api/v1/account/").await.expect(200);

    let since = Instant::now();
    let answer = ann.post(DELETE, &json!({"current_password": password("ann")})).await;
    answer.expect(204);
    assert!(answer.all("set-cookie").any(|cookie| cookie.starts_with("sessionid=")), "{answer:?}");
    assert_eq!(here.close_code().await, Some(1008));
    assert!(since.elapsed() <= Duration::from_secs(1), "{:?}", since.elapsed());
    assert_eq!(there.close_code().await, Some(1008), "on every process");
    phone.get("/api/v1/session/").await.expect(403);
    let again = json!({"username": "ann", "password": password("ann")});
    Client::new(&world.server.url).post("/api/v1/session/", &again).await.expect(400);

    let list = bob.get("/api/v1/conversation/").await.expect(200);
    let peer = list["results"][0]["peer"].as_str().expect("a name").to_owned();
    assert!(peer.starts_with("deleted-"), "{list}");
    let said = bob.get(&format!("/api/v1/message/?target={peer}")).await.expect(200);
    assert_eq!((&said["results"][0]["user"], &said["results"][0]["body"]), (&json!(peer), &json!("remember me")));
    let absent = json!({"recipient": "ann", "body": "x"});
    assert_ne!(bob.post("/api/v1/message/", &absent).await.status, 201, "nobody is called ann any more");
    assert_eq!(bob.get("/api/v1/user/").await.expect(200), json!([]));
    assert_eq!(bob.get("/api/v1/user/?search=del").await.expect(200)["results"], json!([]));
}

/// Who knows the password alone deletes nothing.
async fn a_second_step_is_asked_for(backend: Backend) {
    let world = World::with(backend, &[LOOSE]).await;
    let ann = world.person("ann").await;
    let (app, _) = turn_on(&ann, "ann").await;
    forget_steps(&world).await;
    let delete = async |code: Option<String>| {
        ann.post(DELETE, &json!({"current_password": password("ann"), "code": code})).await
    };
    assert_eq!(delete(None).await.expect(400), json!({"code": ["This field is required."]}));
    let bad = json!({"code": ["This code is not right, or it has been used."]});
    assert_eq!(delete(Some(app.wrong())).await.expect(400), bad);
    ann.get("/api/v1/account/").await.expect(200);
    delete(Some(app.code(0))).await.expect(204);
    ann.get("/api/v1/account/").await.expect(403);
}

async fn the_operator_erases(backend: Backend) {
    let world = World::with(backend, &[LOOSE]).await;
    let ann = world.person("ann").await;
    add_user(&*world.database.store().await, "root", true).await;
    let said = |args: &[&str]| {
        let done = chatd(&world, &[], args);
        (done.status.success(), String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned())
    };
    let (done, text) = said(&["user", "erase", "ann"]);
    assert!(!done && text.contains("--yes"), "{text}");
    ann.get("/api/v1/session/").await.expect(200);
    let (done, text) = said(&["user", "erase", "Ann", "--yes"]);
    assert!(done && text.contains("ann is erased"), "{text}");
    ann.get("/api/v1/session/").await.expect(403);
    let (done, text) = said(&["user", "erase", "root", "--yes"]);
    assert!(!done && text.contains("Make another superuser first"), "{text}");
    let root = Client::signed_in(&world.server.url, "root").await;
    let refused = root.post(DELETE, &json!({"current_password": password("root")})).await.expect(400);
    assert!(refused["non_field_errors"][0].as_str().is_some_and(|text| text.contains("administer")), "{refused}");
}

async fn ready(client: &Client) -> Value {
    let look = || async { Some(client.get(EXPORT).await.expect(200)).filter(|export| export["state"] == "ready") };
    until("the export", Duration::from_secs(20), look).await
}

async fn everything_is_taken_along(backend: Backend) {
    let world = World::with(backend, &[LOOSE]).await;
    let (ann, bob) = world.two().await;
    assert_eq!(ann.get(EXPORT).await.expect(200)["state"], "none");
    let about = json!({"about": "I say \"<b>hi</b>\""}).to_string().into_bytes();
    let kind = [("Content-Type", "application/json")];
    ann.send("PATCH", "/api/v1/account/profile/", &kind, Some(about)).await.expect(200);
    let bodies: Vec<_> =
        (0..450).map(|i| format!("<script>alert({i})</script> & \u{2028} line\ntwo {}", "x".repeat(900))).collect();
    for (i, body) in bodies.iter().enumerate() {
        if i % 2 == 0 {
            ann.say("bob", body).await
        } else {
            bob.say("ann", body).await
        };
    }
    ann.say("ann", "a note").await;
    let carol = world.person("carol").await;
    carol.say("bob", "not of ann").await;

    let asked = ann.post(EXPORT, &json!({})).await.expect(202);
    assert!(["waiting", "running", "ready"].map(|state| json!(state)).contains(&asked["state"]), "{asked}");
    let export = ready(&ann).await;
    assert_eq!((&export["progress"], &export["id"]), (&json!(1.0), &asked["id"]));
    let path = |name: &str| export[name].as_str().expect("a path").to_owned();
    let lines = ann.get(&path("lines")).await;
    assert_eq!((lines.status, lines.header("content-type")), (200, Some("application/jsonl")));
    assert!(lines.header("content-disposition").is_some_and(|how| how.starts_with("attachment")));
    let entries: Vec<Value> = lines.body.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((&entries[0]["format"], &entries[0]["version"]), (&json!("chatd-export"), &json!(1)));
    assert_eq!(entries.last().expect("entries"), &json!({"type": "end", "messages": 451}));
    let of = |kind: &str| entries.iter().filter(|entry| entry["type"] == kind).collect::<Vec<_>>();
    assert_eq!(of("account")[0]["username"], "ann");
    assert_eq!(of("profile")[0]["about"], "I say \"<b>hi</b>\"");
    let said: Vec<_> = of("message")
        .iter()
        .filter(|m| m["conversation"] == of("message")[0]["conversation"])
        .map(|m| m["body"].clone())
        .collect();
    assert_eq!(said, bodies, "all of it, in order, as it was written");
    let peers: Vec<_> = of("conversation").iter().map(|c| c["peer"].clone()).collect();
    assert_eq!(peers, ["bob", "ann"]);
    for secret in ["not of ann", "argon2", "token", "carol"] {
        assert!(!lines.body.contains(secret), "{secret}");
    }
    let page = ann.get(&path("page")).await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(page.header("content-security-policy").is_some_and(|policy| policy.contains("default-src 'none'")));
    assert!(!page.body.contains("<script") && !page.body.contains("<b>hi"), "escaped");
    assert!(page.body.contains("&lt;script&gt;alert(449)") && page.body.trim_end().ends_with("</html>"));
    // Nobody else's, and nobody's without a session.
    for name in ["lines", "page"] {
        bob.get(&path(name)).await.expect(404);
        assert_eq!(Client::new(&world.server.url).get(&path(name)).await.status, 403);
    }
    // So many a day.
    for _ in 0..4 {
        ann.post(EXPORT, &json!({})).await.expect(202);
        ready(&ann).await;
    }
    let refused = ann.post(EXPORT, &json!({})).await;
    assert!(refused.status == 429 && refused.header("retry-after").is_some(), "{refused:?}");
    ann.get(&path("lines")).await.expect(404);
    let path = ready(&ann).await["page"].as_str().expect("a path").to_owned();
    run(&world.database.url, "UPDATE exports SET expires_at = 5").await;
    assert_eq!(ann.get(EXPORT).await.expect(200)["state"], "none");
    ann.get(&path).await.expect(404);
}

/// As a process leaves it that was killed: half of it there, and its time run out.
async fn an_export_that_was_cut_off_is_made(backend: Backend) {
    let world = World::with(backend, &[LOOSE]).await;
    let (ann, _bob) = world.two().await;
    ann.say("bob", "hi").await;
    run(
        &world.database.url,
        "INSERT INTO exports (user_id, state, attempt, claimed_until, created_at, expires_at, done, total) \
         SELECT id, 1, 1, 5, 5, 9000000000000000, 0, 1 FROM users WHERE username = 'ann'",
    )
    .await;
    let half = "INSERT INTO export_chunks (export_id, attempt, part, no, content) SELECT id, 1, 0, 0, 'x' FROM exports";
    run(&world.database.url, half).await;
    let export = ready(&ann).await;
    let lines = ann.get(export["lines"].as_str().expect("a path")).await;
    assert!(lines.body.ends_with("{\"type\":\"end\",\"messages\":1}\n"), "{}", lines.body);
}

async fn the_operator_takes_along(backend: Backend) {
    let world = World::with(backend, &[LOOSE]).await;
    let (ann, _bob) = world.two().await;
    ann.say("bob", "hi").await;
    let place = world.dir.path().join("of ann");
    let place = place.to_str().expect("a path");
    let done = chatd(&world, &[], &["user", "export", "ann", place]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let lines = std::fs::read_to_string(format!("{place}/data.jsonl")).expect("the lines");
    assert!(lines.contains("\"body\":\"hi\"") && lines.contains("\"type\":\"end\""), "{lines}");
    assert!(std::fs::read_to_string(format!("{place}/index.html")).expect("the page").contains("hi"));
    let again = chatd(&world, &[], &["user", "export", "ann", place]);
    assert!(!again.status.success(), "nothing is overwritten");
}
