//! Nobody learns anything of a conversation that is not theirs, not even that it exists.

use std::collections::BTreeSet;

use chatd::domain::Cursor;
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::support::backend::{BOTH, Backend, on_each};
use crate::support::server::{Answer, Client, LOOSE, World};
use crate::support::socket::Socket;

pub fn trials() -> Vec<Trial> {
    let mut trials = on_each(&BOTH, "security::s16_foreign_is_absent", s16_foreign_is_absent);
    trials.extend(on_each(&BOTH, "security::s16_keys_and_lists_are_ones_own", s16_keys_and_lists_are_ones_own));
    trials.extend(on_each(&BOTH, "security::s16_cursors_are_ones_own", s16_cursors_are_ones_own));
    trials.extend(on_each(&BOTH, "security::s05_the_list_of_everybody_has_a_switch", s05_the_list_of_everybody));
    trials
}

async fn s05_the_list_of_everybody(backend: Backend) {
    let world = World::with(backend, &[LOOSE, ("USER_LIST_MAX", "3")]).await;
    let (ann, bob) = world.two().await;
    world.add("carl").await;
    assert_eq!(ann.get("/api/v1/user/").await.expect(200).as_array().map(Vec::len), Some(2));
    world.add("dora").await;
    for _ in 0..2 {
        let refused = ann.get("/api/v1/user/").await.expect(403);
        assert!(refused["detail"].as_str().is_some_and(|detail| detail.contains("user/?search=")), "{refused}");
    }
    assert_eq!(ann.get("/api/v1/user/?search=").await.expect(200)["results"].as_array().map(Vec::len), Some(3));
    bob.get("/api/v1/user/1/").await.expect(200);
    let world = world.restarted(&[LOOSE, ("USER_LIST_MAX", "4")]).await;
    let ann = ann.at(&world.server.url);
    ann.get("/api/v1/user/").await.expect(200);
    let world = world.restarted(&[LOOSE, ("USER_LIST_MAX", "0")]).await;
    ann.at(&world.server.url).get("/api/v1/user/").await.expect(403);
}

pub const SECRET: &str = "a secret between ann and bob";

/// Ann and Bob have talked; Carol has talked with Bob, so that she has messages, cursors and conversations too.
pub async fn three(backend: Backend) -> (World, [Client; 3]) {
    let world = World::with(backend, &[LOOSE]).await;
    let people = [world.person("ann").await, world.person("bob").await, world.person("carol").await];
    for i in 0..3 {
        people[0].say("bob", &format!("{SECRET} {i}")).await;
        people[1].say("ann", &format!("{SECRET} too {i}")).await;
    }
    people[2].say("bob", "carol to bob").await;
    (world, people)
}

/// What is told, without what every answer has of its own.
fn told(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let own = ["date", "x-request-id"];
    let mut headers: Vec<_> = answer.headers.iter().filter(|(n, _)| !own.contains(&n.as_str())).cloned().collect();
    headers.sort();
    (answer.status, headers, answer.body.clone())
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// Every endpoint that takes a name or a number: Carol's answer for what is Ann's and Bob's is the one for what does
/// not exist.
async fn s16_foreign_is_absent(backend: Backend) {
    let (_world, [ann, bob, carol]) = three(backend).await;
    let ids = ann.get("/api/v1/message/?target=bob").await.expect(200);
    let ids: Vec<_> =
        ids["results"].as_array().expect("a list").iter().map(|m| m["id"].as_i64().expect("an id")).collect();
    assert_eq!(ids.len(), 6);
    for id in &ids {
        let path = format!("/api/v1/message/{id}/");
        for owner in [&ann, &bob] {
            assert!(owner.get(&path).await.expect(200)["body"].to_string().contains(SECRET), "need one who may");
        }
        for method in ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] {
            for accept in ["application/json", "text/html"] {
                let headers = [("Content-Type", "application/json"), ("Accept", accept)];
                // The readable page repeats its address; the number of digits is the same.
                let absent = id + 100_000;
                let body = || Some(br#"{"body": "mine now"}"#.to_vec());
                let foreign = carol.send(method, &path, &headers, body()).await;
                let absent = carol.send(method, &format!("/api/v1/message/{absent}/"), &headers, body()).await;
                let (mut foreign, mut absent) = (told(&foreign), told(&absent));
                for (part, id) in [(&mut foreign, *id), (&mut absent, id + 100_000)] {
                    part.2 = part.2.replace(&format!("/message/{id}/"), "/message/ID/");
                    part.1.retain(|(name, _)| !["content-length", "set-cookie"].contains(&name.as_str()));
                    part.2 = without_token(&part.2);
                }
                assert_eq!(foreign, absent, "{method} {id}");
                assert!(!foreign.2.contains(SECRET));
            }
        }
    }
    ann.get("/api/v1/conversation/bob/").await.expect(200);
    for (foreign, absent) in [("ann", "nobody-of-this-name")] {
        for path in [
            "conversation/NAME/",
            "message/?target=NAME",
            "message/?target=NAME&before_seq=9",
            "message/?target=NAME&around_seq=1",
            "message/?target=NAME&page=2",
            "message/?target=NAME&page=last",
        ] {
            let get = async |name: &str| carol.get(&format!("/api/v1/{}", path.replace("NAME", name))).await;
            assert_eq!(told(&get(foreign).await), told(&get(absent).await), "{path}");
        }
        let read =
            async |name: &str| carol.post(&format!("/api/v1/conversation/{name}/read/"), &json!({"seq": 6})).await;
        let foreign = read(foreign).await;
        assert_eq!(told(&foreign), told(&read(absent).await));
        assert_eq!(foreign.status, 404);
    }
    // None of this has moved anything.
    assert_eq!(ann.get("/api/v1/conversation/bob/").await.expect(200)["unread"], 3);
}

fn without_token(page: &str) -> String {
    match page.split_once("csrfmiddlewaretoken\" value=\"") {
        Some((before, after)) => format!("{before}{}", after.split_once('"').map_or("", |(_, rest)| rest)),
        None => page.to_owned(),
    }
}

async fn s16_keys_and_lists_are_ones_own(backend: Backend) {
    let (_world, [ann, bob, carol]) = three(backend).await;
    let send = |to: &str, body: &str| json!({"recipient": to, "body": body, "client_id": "k-1"});
    let anns = ann.post("/api/v1/message/", &send("bob", SECRET)).await.expect(201);
    assert_eq!(
        ann.post("/api/v1/message/", &send("bob", SECRET)).await.expect(200),
        anns,
        "a key is known to its owner"
    );
    // The same key, recipient and text of somebody else is another message; so is other content.
    let carols = carol.post("/api/v1/message/", &send("bob", SECRET)).await.expect(201);
    assert_eq!((&carols["user"], &carols["seq"]), (&json!("carol"), &json!(2)));
    assert_ne!(carols["id"], anns["id"]);
    bob.post("/api/v1/message/", &send("carol", "other content")).await.expect(201);
    let mine = "carol";
    for path in [
        "message/",
        "message/?limit=100",
        "conversation/",
        "event/",
        "message/?user=ann",
        "message/?sender=1",
        "user/?search=bob",
    ] {
        let answer = carol.get(&format!("/api/v1/{path}")).await;
        let list = answer.expect(200);
        for row in list["results"].as_array().into_iter().flatten().filter(|row| row.get("body").is_some()) {
            assert!(row["user"] == mine || row["recipient"] == mine, "{path}: {row}");
        }
        assert!(!answer.body.contains(&format!("{SECRET} ")), "{path}");
    }
    let numbers = |list: &Value| -> BTreeSet<i64> {
        list["results"].as_array().expect("a list").iter().map(|row| row["id"].as_i64().expect("an id")).collect()
    };
    let [anns, carols] =
        [&ann, &carol].map(|who| async { numbers(&who.get("/api/v1/conversation/").await.expect(200)) });
    let (anns, carols) = (anns.await, carols.await);
    assert!(anns.len() == 1 && carols.len() == 1 && anns.is_disjoint(&carols));
}

async fn s16_cursors_are_ones_own(backend: Backend) {
    let (_world, [ann, bob, carol]) = three(backend).await;
    let head = async |who: &Client| text(&who.get("/api/v1/event/").await.expect(200)["cursor"]);
    let after = async |who: &Client, cursor: &str| who.get(&format!("/api/v1/event/?after={cursor}")).await;
    let heads = [head(&ann).await, head(&bob).await, head(&carol).await];
    for (i, who) in [&ann, &bob, &carol].into_iter().enumerate() {
        for (j, cursor) in heads.iter().enumerate() {
            let answer = after(who, cursor).await;
            assert_eq!(answer.status, if i == j { 200 } else { 410 }, "{i} with the cursor of {j}");
        }
    }
    // Made up of parts: somebody's place under one's own name, and the other way round.
    let [anns, carols] = [&heads[0], &heads[2]].map(|text| Cursor::decode(text).expect("a cursor"));
    assert_eq!(Cursor { ..carols }.encode(), heads[2]);
    for forged in [
        Cursor { at: anns.at, ..carols },
        Cursor { user: anns.user, ..carols },
        Cursor { user: 0, ..carols },
        Cursor { user: i64::MIN, ..carols },
        Cursor { epoch: chatd::domain::Epoch(carols.epoch.0 ^ 1), ..carols },
        Cursor { at: chatd::domain::Position { pos: carols.at.pos, tag: carols.at.tag ^ 1 }, ..carols },
        Cursor { at: chatd::domain::Position { pos: carols.at.pos + 1, tag: carols.at.tag }, ..carols },
        Cursor { at: chatd::domain::Position { pos: i64::MAX, tag: 0 }, ..carols },
    ] {
        let answer = after(&carol, &forged.encode()).await;
        assert_eq!(answer.status, 410, "{forged:?}");
        assert!(!answer.body.contains("events"));
        let mut socket = Socket::events(&carol, Some(&forged.encode())).await;
        assert_eq!(socket.json().await, json!({"type": "reset"}), "{forged:?}");
    }
    for malformed in ["x", "AAAA", &heads[2][1..], &format!("{}A", heads[2]), "%00"] {
        after(&carol, malformed).await.expect(400);
    }
    // The place in a list of conversations says nothing about whose list it is: it leads to one's own.
    ann.say("carol", "so that there are two").await;
    let next = text(&ann.get("/api/v1/conversation/?limit=1").await.expect(200)["next"]);
    let next = next.split_once("/api/").map(|(_, path)| format!("/api/{path}")).expect("a link");
    assert!(ann.get(&next).await.body.contains(SECRET));
    assert!(!carol.get(&next).await.body.contains(SECRET));
}
