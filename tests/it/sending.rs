//! Sending and reading over HTTP: idempotency, pages, conversations, events, and everything that is wrong input.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::support::backend::{BOTH, Backend, on_each};
use crate::support::server::{Client, World};
use crate::support::trial;

pub fn trials() -> Vec<Trial> {
    macro_rules! each {
        ($($test:ident),* $(,)?) => {{
            let mut trials = Vec::new();
            $(trials.extend(on_each(&BOTH, concat!("sending::", stringify!($test)), $test));)*
            trials
        }};
    }
    let mut trials = each![
        a_repeated_send_is_one_message,
        both_keys_must_agree,
        wrong_input_stores_nothing,
        a_conversation_in_slices,
        the_list_of_conversations,
        reading_moves_one_way,
        events_after_a_cursor,
        a_cursor_that_cannot_be_served,
        people_by_prefix,
        session_by_json,
    ];
    trials.push(trial("sending::openapi_names_what_is_served", openapi_names_what_is_served));
    trials
}

fn new(to: &str, body: &str, key: &str) -> Value {
    json!({"recipient": to, "body": body, "client_id": key})
}

async fn a_repeated_send_is_one_message(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    let first = ann.post("/api/v1/message/", &new("bob", " hi ", "k-1")).await.expect(201);
    assert_eq!(first["client_id"], "k-1");
    assert_eq!(first["seq"], 1);
    let again = ann.post("/api/v1/message/", &new("BOB", "hi", "k-1")).await.expect(200);
    assert_eq!(again, first);
    let header = [("Content-Type", "application/json"), ("Idempotency-Key", "\"k-1\"")];
    let body = json!({"recipient": "bob", "body": "hi"}).to_string();
    assert_eq!(ann.send("POST", "/api/v1/message/", &header, Some(body.into_bytes())).await.expect(200), first);
    ann.post("/api/v1/message/", &new("bob", "other", "k-1")).await.expect(409);
    // The same key of somebody else is somebody else's.
    bob.post("/api/v1/message/", &new("ann", "hi", "k-1")).await.expect(201);
    // Without a key, twice is two messages, and the server's own key is not shown.
    assert_eq!(ann.say("bob", "twice").await["client_id"], Value::Null);
    assert_eq!(ann.say("bob", "twice").await["seq"], 4);
    let listed = bob.get("/api/v1/message/?target=ann").await.expect(200);
    assert_eq!(listed["count"], 4);
    assert_eq!(listed["results"][3], first, "byte for byte the same for both");
}

async fn both_keys_must_agree(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, _bob) = world.two().await;
    let header = |key| [("Content-Type", "application/json"), ("Idempotency-Key", key)];
    let body = || Some(new("bob", "hi", "one").to_string().into_bytes());
    let refused = ann.send("POST", "/api/v1/message/", &header("two"), body()).await.expect(400);
    assert!(refused["client_id"].is_array(), "{refused}");
    ann.send("POST", "/api/v1/message/", &header("one"), body()).await.expect(201);
}

/// Each kind of wrong input: its answer, and nothing stored.
async fn wrong_input_stores_nothing(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    let json_kind = "application/json";
    let field = |name: &str, error: &str| json!({name: [error]});
    let long = "x".repeat(10_001);
    let too_long = "Ensure this field has no more than 10000 characters.";
    let nul = "Null characters are not allowed.";
    let key = "Enter a valid value: 1 to 64 letters, digits, hyphens or underscores.";
    let cases: Vec<(&str, Vec<u8>, u16, Value)> = vec![
        (
            "wrong type",
            json!({"recipient": "bob", "body": {}}).to_string().into(),
            400,
            field("body", "Not a valid string."),
        ),
        (
            "wrong type",
            json!({"recipient": true, "body": "x"}).to_string().into(),
            400,
            field("recipient", "Not a valid string."),
        ),
        ("missing", json!({"recipient": "bob"}).to_string().into(), 400, field("body", "This field is required.")),
        ("blank", new("bob", " \n\u{a0}", "k").to_string().into(), 400, field("body", "This field may not be blank.")),
        ("oversized", new("bob", &long, "k").to_string().into(), 400, field("body", too_long)),
        ("NUL", new("bob", "a\0b", "k").to_string().into(), 400, field("body", nul)),
        ("NUL", new("b\0b", "x", "k").to_string().into(), 400, field("recipient", nul)),
        ("unknown recipient", new("nobody", "x", "k").to_string().into(), 404, json!({"detail": "Not found."})),
        ("unknown recipient", new(&"n".repeat(500), "x", "k").to_string().into(), 404, json!({"detail": "Not found."})),
        ("bad key", new("bob", "x", "a b").to_string().into(), 400, field("client_id", key)),
        ("bad key", new("bob", "x", "").to_string().into(), 400, field("client_id", key)),
        ("bad key", new("bob", "x", &"k".repeat(65)).to_string().into(), 400, field("client_id", key)),
        (
            "all fields at once",
            json!({"recipient": null, "body": "", "client_id": []}).to_string().into(),
            400,
            json!({
                "recipient": ["This field may not be null."],
                "body": ["This field may not be blank."],
                "client_id": ["Not a valid string."],
            }),
        ),
    ];
    for (what, body, status, expected) in cases {
        let answer = ann.send("POST", "/api/v1/message/", &[("Content-Type", json_kind)], Some(body)).await;
        assert_eq!(answer.expect(status), expected, "{what}");
    }
    for broken in [&b"{"[..], b"{\"body\": \"\xff\"}", b"{\"recipient\":\"bob\",\"body\":\"\\ud83d\"}", b"nonsense"] {
        let answer = ann.send("POST", "/api/v1/message/", &[("Content-Type", json_kind)], Some(broken.to_vec())).await;
        let detail = answer.expect(400)["detail"].as_str().map(str::to_owned).unwrap_or_default();
        assert!(detail.starts_with("JSON parse error - "), "{detail}");
    }
    let huge = new("bob", &"x".repeat(200_000), "k").to_string().into_bytes();
    ann.send("POST", "/api/v1/message/", &[("Content-Type", json_kind)], Some(huge)).await.expect(413);
    assert_eq!(bob.get("/api/v1/message/").await.expect(200)["count"], 0);
    assert_eq!(ann.get("/api/v1/conversation/").await.expect(200)["results"], json!([]));
    // The limit counts characters, not bytes.
    ann.post("/api/v1/message/", &new("bob", &"🎉".repeat(10_000), "k")).await.expect(201);
}

async fn seqs(client: &Client, path: &str) -> (Vec<i64>, Value) {
    let page = client.get(path).await.expect(200);
    let seqs = page["results"].as_array().expect("results").iter().map(|m| m["seq"].as_i64().expect("a number"));
    (seqs.collect(), page)
}

async fn a_conversation_in_slices(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    for i in 1..=12 {
        ann.say("bob", &i.to_string()).await;
    }
    let (found, page) = seqs(&bob, "/api/v1/message/?target=ann&before_seq=9007199254740991&limit=5").await;
    assert_eq!(found, [12, 11, 10, 9, 8]);
    assert!(page.get("count").is_none());
    assert_eq!(page["previous"], Value::Null);
    let mut walked = found;
    let mut next = page["next"].clone();
    while let Some(link) = next.as_str() {
        let (found, page) = seqs(&bob, link.trim_start_matches(&world.server.url)).await;
        walked.extend(found);
        next = page["next"].clone();
    }
    assert_eq!(walked, (1..=12).rev().collect::<Vec<_>>());
    let (found, page) = seqs(&bob, "/api/v1/message/?target=ann&after_seq=3&limit=4").await;
    assert_eq!(found, [7, 6, 5, 4]);
    assert!(page["previous"].as_str().is_some_and(|link| link.contains("after_seq=7")), "{page}");
    assert_eq!(seqs(&bob, "/api/v1/message/?target=ann&around_seq=6&limit=4").await.0, [8, 7, 6, 5]);
    assert_eq!(seqs(&bob, "/api/v1/message/?target=nobody&after_seq=0").await.0, [] as [i64; 0]);
    // `limit` alone stays ignored.
    assert_eq!(seqs(&bob, "/api/v1/message/?target=ann&limit=3").await.0.len(), 12);
    for (query, field) in [
        ("target=ann&before_seq=x", "before_seq"),
        ("target=ann&after_seq=1&limit=0", "limit"),
        ("target=ann&after_seq=1&limit=101", "limit"),
        ("after_seq=1", "target"),
        ("target=ann&after_seq=1&before_seq=2", "after_seq"),
    ] {
        let refused = bob.get(&format!("/api/v1/message/?{query}")).await.expect(400);
        assert!(refused[field].is_array(), "{query}: {refused}");
    }
}

async fn the_list_of_conversations(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    let carol = world.person("carol").await;
    bob.say("ann", "first").await;
    carol.say("ann", "second").await;
    let last = carol.say("ann", "third").await;
    ann.say("ann", "note").await;
    let page = ann.get("/api/v1/conversation/?limit=2").await.expect(200);
    let peers = |page: &Value| {
        page["results"].as_array().expect("results").iter().map(|c| c["peer"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(peers(&page), ["ann", "carol"]);
    let with_carol = &page["results"][1];
    assert_eq!(with_carol["last_message"], last);
    assert_eq!((with_carol["unread"].as_i64(), with_carol["last_seq"].as_i64()), (Some(2), Some(2)));
    assert_eq!(page["results"][0]["unread"], 0);
    let rest = ann.get(page["next"].as_str().expect("more").trim_start_matches(&world.server.url)).await.expect(200);
    assert_eq!(peers(&rest), ["bob"]);
    assert_eq!(rest["next"], Value::Null);
    let one = ann.get("/api/v1/conversation/CAROL/").await.expect(200);
    assert_eq!(one["peer"], "carol");
    bob.get("/api/v1/conversation/carol/").await.expect(404);
    bob.get("/api/v1/conversation/nobody/").await.expect(404);
    ann.get("/api/v1/conversation/?cursor=nonsense").await.expect(400);
}

async fn reading_moves_one_way(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    let read = |client: &'static str, seq: Value| (format!("/api/v1/conversation/{client}/read/"), json!({"seq": seq}));
    let (path, body) = read("bob", json!(1));
    ann.post(&path, &body).await.expect(404);
    for _ in 0..3 {
        bob.say("ann", "x").await;
    }
    for (seq, unread, at) in [(2, 1, 2), (1, 1, 2), (99, 0, 3)] {
        let (path, body) = read("bob", json!(seq));
        let state = ann.post(&path, &body).await.expect(200);
        assert_eq!((state["unread"].as_i64(), state["read_seq"].as_i64()), (Some(unread), Some(at)));
    }
    assert_eq!(bob.get("/api/v1/conversation/ann/").await.expect(200)["peer_read_seq"], 3);
    for bad in [json!("x"), json!(-1), json!(1.5), Value::Null, json!([])] {
        let (path, body) = read("bob", bad.clone());
        let refused = ann.post(&path, &body).await.expect(400);
        assert!(refused["seq"].is_array(), "{bad}: {refused}");
    }
}

async fn events_after_a_cursor(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    let start = bob.get("/api/v1/event/").await.expect(200)["cursor"].as_str().expect("a cursor").to_owned();
    let mut sent = Vec::new();
    for i in 0..5 {
        sent.push(ann.say("bob", &i.to_string()).await);
    }
    bob.post("/api/v1/conversation/ann/read/", &json!({"seq": 2})).await.expect(200);
    let mut told = Vec::new();
    let mut at = start.clone();
    loop {
        let page = bob.get(&format!("/api/v1/event/?after={at}&limit=2")).await.expect(200);
        told.extend(page["events"].as_array().expect("events").clone());
        at = page["cursor"].as_str().expect("a cursor").to_owned();
        if page["more"] == false {
            break;
        }
    }
    assert_eq!(told.len(), 6);
    for (event, message) in told.iter().zip(&sent) {
        assert_eq!(event["type"], "message_created");
        assert_eq!(event["message"], *message);
        assert_eq!(event["unread"], 3, "as it is now");
    }
    assert_eq!(told[5]["type"], "read");
    assert_eq!((told[5]["read_seq"].as_i64(), told[5]["unread"].as_i64()), (Some(2), Some(3)));
    // Each event's own cursor goes on right behind it.
    let third = told[2]["cursor"].as_str().expect("a cursor");
    let rest = bob.get(&format!("/api/v1/event/?after={third}")).await.expect(200);
    assert_eq!(rest["events"].as_array().expect("events")[..], told[3..]);
    // A snapshot's cursor goes on behind the snapshot.
    let snapshot = bob.get("/api/v1/conversation/").await.expect(200);
    assert_eq!(snapshot["cursor"], at.as_str());
}

async fn a_cursor_that_cannot_be_served(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    ann.say("bob", "x").await;
    let anns = ann.get("/api/v1/event/").await.expect(200)["cursor"].as_str().expect("a cursor").to_owned();
    assert_eq!(ann.get(&format!("/api/v1/event/?after={anns}")).await.status, 200, "good for its owner");
    bob.get(&format!("/api/v1/event/?after={anns}")).await.expect(410);
    for malformed in ["", "x", "%00", "AAAA", &anns[..43]] {
        let refused = bob.get(&format!("/api/v1/event/?after={malformed}")).await.expect(400);
        assert!(refused["after"].is_array(), "{malformed}: {refused}");
    }
}

async fn people_by_prefix(backend: Backend) {
    let world = World::new(backend).await;
    let ann = world.person("ann").await;
    for name in ["bob", "Bobby", "bo.b", "carol"] {
        world.add(name).await;
    }
    let names = |page: &Value| {
        page["results"].as_array().expect("results").iter().map(|u| u["username"].clone()).collect::<Vec<_>>()
    };
    let page = ann.get("/api/v1/user/?search=BO&limit=2").await.expect(200);
    assert_eq!(names(&page), ["bo.b", "bob"]);
    let rest = ann.get(page["next"].as_str().expect("more").trim_start_matches(&world.server.url)).await.expect(200);
    assert_eq!(names(&rest), ["Bobby"]);
    assert_eq!(names(&ann.get("/api/v1/user/?search=").await.expect(200)).len(), 4);
    assert!(ann.get("/api/v1/user/").await.expect(200).is_array());
    ann.get("/api/v1/user/?cursor=%21").await.expect(400);
}

async fn session_by_json(backend: Backend) {
    let world = World::new(backend).await;
    world.add("ann").await;
    let client = Client::new(&world.server.url);
    client.get("/api/v1/session/").await.expect(403);
    let wrong = client.post("/api/v1/session/", &json!({"username": "ann", "password": "no"})).await.expect(400);
    assert!(wrong["non_field_errors"].is_array());
    assert_eq!(
        client.post("/api/v1/session/", &json!({})).await.expect(400),
        json!({
            "username": ["This field is required."], "password": ["This field is required."],
        })
    );
    client.sign_in("ann").await;
    let me = client.get("/api/v1/session/").await.expect(200);
    assert_eq!((me["user"].as_str(), me["message_max_length"].as_i64()), (Some("ann"), Some(10_000)));
    client.send("DELETE", "/api/v1/session/", &[], None).await.expect(204);
    client.get("/api/v1/session/").await.expect(403);
}

async fn openapi_names_what_is_served() {
    let world = World::new(Backend::Sqlite).await;
    let ann = world.person("ann").await;
    let served = ann.get("/api/v1/schema/").await.expect(200);
    assert_eq!(served["openapi"], "3.1.0");
    let printed =
        std::process::Command::new(crate::support::server::binary()).arg("openapi").output().expect("it runs");
    let printed: Value = serde_json::from_slice(&printed.stdout).expect("JSON");
    assert_eq!(served, printed);
    for (path, item) in served["paths"].as_object().expect("paths") {
        let path = path.replace("{id}", "1").replace("{name}", "ann");
        for method in item.as_object().expect("methods").keys() {
            let answer = ann.send(&method.to_uppercase(), &path, &[], None).await;
            assert_ne!(answer.status, 405, "{method} {path} is described, and not served");
            let status = answer.status.to_string();
            assert!(item[method]["responses"].get(&status).is_some(), "{method} {path}: {status} is not described");
            if path.ends_with("/session/") && method == "delete" {
                ann.sign_in("ann").await;
            }
        }
        if path.contains("/1/") {
            let method = item.as_object().expect("methods").keys().next().expect("a method");
            let answer = ann.send(&method.to_uppercase(), &path.replace("/1/", "/2.8e-21/"), &[], None).await;
            let kind = answer.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default();
            let described = &item[method]["responses"][answer.status.to_string()]["content"];
            assert!(described.get(kind).is_some(), "{path}: {kind} of {} is not described", answer.status);
        }
        // Not described, and safe, so that no token is asked for before.
        assert_eq!(ann.send("TRACE", &path, &[], None).await.status, 405, "TRACE {path}");
    }
}
