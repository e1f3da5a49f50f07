//! What people do to messages that are stored, over HTTP and as sockets tell it: edits, deletions, replies, ticks.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::support::backend::{BOTH, Backend, on_each};
use crate::support::server::{Answer, Client, World};
use crate::support::socket::Socket;

pub fn trials() -> Vec<Trial> {
    macro_rules! each {
        ($($test:ident),* $(,)?) => {{
            let mut trials = Vec::new();
            $(trials.extend(on_each(&BOTH, concat!("changing::", stringify!($test)), $test));)*
            trials
        }};
    }
    each![
        an_edit_says_so_on_every_device,
        a_deletion_leaves_a_trace,
        only_ones_own_messages_are_changed,
        wrong_edits_change_nothing,
        a_reply_names_a_message_of_the_conversation,
        a_sender_sees_what_was_delivered,
        the_predecessors_socket_hears_of_new_messages_alone,
    ]
}

const JSON: [(&str, &str); 1] = [("Content-Type", "application/json")];

fn path(message: &Value) -> String {
    format!("/api/v1/message/{}/", message["id"])
}

async fn edit(client: &Client, message: &Value, body: &Value) -> Answer {
    let body = json!({"body": body}).to_string().into_bytes();
    client.send("PATCH", &path(message), &JSON, Some(body)).await
}

async fn delete(client: &Client, message: &Value) -> Answer {
    client.send("DELETE", &path(message), &[], None).await
}

async fn an_edit_says_so_on_every_device(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    let sent = ann.say("bob", "helo").await;
    assert_eq!((&sent["version"], &sent["edited_at"], &sent["deleted_at"]), (&json!(1), &Value::Null, &Value::Null));
    let mut sockets = Vec::new();
    for client in [&ann, &ann, &bob] {
        sockets.push(Socket::events(client, None).await);
    }
    let edited = edit(&ann, &sent, &json!(" hello ")).await.expect(200);
    assert_eq!((&edited["body"], &edited["version"]), (&json!("hello"), &json!(2)));
    assert!(edited["edited_at"].as_str() > sent["timestamp"].as_str(), "{edited}");
    for name in ["id", "seq", "conversation", "timestamp", "client_id", "user", "recipient"] {
        assert_eq!(edited[name], sent[name], "{name}");
    }
    for socket in &mut sockets {
        let event = socket.event().await["event"].clone();
        assert_eq!((&event["type"], &event["message"]), (&json!("message_edited"), &edited));
    }
    assert_eq!(bob.get(&path(&sent)).await.expect(200), edited);
    let listed = bob.get("/api/v1/conversation/ann/").await.expect(200);
    assert_eq!((&listed["last_message"], &listed["unread"]), (&edited, &json!(1)));
    // The same once more is no change.
    assert_eq!(edit(&ann, &sent, &json!("hello")).await.expect(200), edited);
    assert_eq!(ann.say("bob", "next").await["seq"], 2);
    for socket in &mut sockets {
        assert_eq!(
            socket.event().await["event"]["type"],
            "message_created",
            "nothing was told of the edit that was none"
        );
    }
}

async fn a_deletion_leaves_a_trace(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    let key = json!({"recipient": "bob", "body": "regret", "client_id": "k"});
    let sent = ann.post("/api/v1/message/", &key).await.expect(201);
    let mut socket = Socket::events(&bob, None).await;
    let answer = delete(&ann, &sent).await;
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    let event = socket.event().await["event"].clone();
    let gone = &event["message"];
    assert_eq!((&event["type"], &gone["body"], &gone["version"]), (&json!("message_deleted"), &json!(""), &json!(2)));
    assert!(gone["deleted_at"].is_string(), "{gone}");
    assert_eq!(&bob.get(&path(&sent)).await.expect(200), gone);
    let listed = bob.get("/api/v1/message/?target=ann").await.expect(200);
    assert_eq!((&listed["count"], &listed["results"][0]), (&json!(1), gone));
    assert_eq!(bob.get("/api/v1/conversation/ann/").await.expect(200)["unread"], 1);
    // Again is the same, it cannot be brought back, and its key still stands for it.
    delete(&ann, &sent).await.expect(204);
    let refused = edit(&ann, &sent, &json!("back")).await.expect(409);
    assert_eq!(refused, json!({"detail": "This message was deleted."}));
    assert_eq!(&ann.post("/api/v1/message/", &key).await.expect(200), gone);
}

async fn only_ones_own_messages_are_changed(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    let carol = world.person("carol").await;
    let sent = ann.say("bob", "mine").await;
    let forbidden = json!({"detail": "You do not have permission to perform this action."});
    assert_eq!(edit(&bob, &sent, &json!("yours")).await.expect(403), forbidden);
    assert_eq!(delete(&bob, &sent).await.expect(403), forbidden);
    let absent = json!({"id": 1_000_000});
    for message in [&sent, &absent] {
        assert_eq!(edit(&carol, message, &json!("x")).await.expect(404), json!({"detail": "Not found."}));
        assert_eq!(delete(&carol, message).await.expect(404), json!({"detail": "Not found."}));
    }
    for (method, body) in [("PATCH", Some(b"{\"body\":\"x\"}".to_vec())), ("DELETE", None)] {
        let stranger = Client::new(&world.server.url);
        stranger.send(method, &path(&sent), &JSON, body.clone()).await.expect(403);
        let elsewhere = [JSON[0], ("Sec-Fetch-Site", "cross-site")];
        ann.send(method, &path(&sent), &elsewhere, body).await.expect(403);
    }
    assert_eq!(bob.get(&path(&sent)).await.expect(200), sent);
}

async fn wrong_edits_change_nothing(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, _bob) = world.two().await;
    let sent = ann.say("bob", "right").await;
    let too_long = "Ensure this field has no more than 10000 characters.";
    for (body, error) in [
        (json!(""), "This field may not be blank."),
        (json!(" \n "), "This field may not be blank."),
        (json!(null), "This field may not be null."),
        (json!(["x"]), "Not a valid string."),
        (json!("a\0b"), "Null characters are not allowed."),
        (json!("x".repeat(10_001)), too_long),
    ] {
        assert_eq!(edit(&ann, &sent, &body).await.expect(400), json!({"body": [error]}), "{body}");
    }
    let missing = ann.send("PATCH", &path(&sent), &JSON, Some(b"{}".to_vec())).await.expect(400);
    assert_eq!(missing, json!({"body": ["This field is required."]}));
    ann.send("PATCH", &path(&sent), &JSON, Some(b"{".to_vec())).await.expect(400);
    ann.send("PATCH", &path(&sent), &[("Content-Type", "text/csv")], Some(b"x".to_vec())).await.expect(415);
    ann.send("PUT", &path(&sent), &JSON, Some(b"{\"body\":\"x\"}".to_vec())).await.expect(405);
    assert_eq!(ann.get(&path(&sent)).await.expect(200), sent);
}

async fn a_reply_names_a_message_of_the_conversation(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    let send = |to: &str, reply_to: Value, key: &str| json!({"recipient": to, "body": "x", "reply_to": reply_to, "client_id": key});
    let none = json!({"reply_to": ["This conversation has no such message."]});
    assert_eq!(bob.post("/api/v1/message/", &send("ann", json!(1), "a")).await.expect(400), none);
    assert_eq!(ann.say("bob", "question").await["reply_to"], Value::Null);
    let reply = bob.post("/api/v1/message/", &send("ann", json!(1), "b")).await.expect(201);
    assert_eq!((&reply["seq"], &reply["reply_to"]), (&json!(2), &json!(1)));
    assert_eq!(ann.get(&path(&reply)).await.expect(200), reply);
    assert_eq!(
        bob.form("/api/v1/message/", "recipient=ann&body=y&reply_to=").await.expect(201)["reply_to"],
        Value::Null
    );
    assert_eq!(bob.form("/api/v1/message/", "recipient=ann&body=y&reply_to=2").await.expect(201)["reply_to"], 2);
    for number in [json!(0), json!(-1), json!(5), json!(i64::MAX)] {
        assert_eq!(bob.post("/api/v1/message/", &send("ann", number, "c")).await.expect(400), none);
    }
    for number in [json!("x"), json!([1]), json!(1.5), json!(true)] {
        let invalid = json!({"reply_to": ["A valid integer is required."]});
        assert_eq!(bob.post("/api/v1/message/", &send("ann", number, "c")).await.expect(400), invalid);
    }
    // With nobody of this name there is nothing to say about their messages.
    bob.post("/api/v1/message/", &send("nobody", json!(1), "c")).await.expect(404);
    bob.post("/api/v1/message/", &send("ann", json!(2), "b")).await.expect(409);
    // What is answered may be deleted later; the number stays.
    let question = ann.get("/api/v1/message/?target=bob&around_seq=1&limit=1").await.expect(200);
    delete(&ann, &question["results"][0]).await.expect(204);
    assert_eq!(ann.get(&path(&reply)).await.expect(200)["reply_to"], 1);
}

async fn a_sender_sees_what_was_delivered(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    bob.post("/api/v1/conversation/ann/delivered/", &json!({"seq": 1})).await.expect(404);
    ann.say("bob", "one").await;
    ann.say("bob", "two").await;
    let mut socket = Socket::events(&ann, None).await;
    let state = bob.post("/api/v1/conversation/ann/delivered/", &json!({"seq": 1})).await.expect(200);
    assert_eq!((&state["read_seq"], &state["unread"], &state["peer_delivered_seq"]), (&json!(0), &json!(2), &json!(0)));
    let event = socket.event().await["event"].clone();
    let expected = json!({"type": "read", "cursor": event["cursor"], "conversation": event["conversation"], "peer": "bob",
        "read_seq": 0, "peer_read_seq": 0, "unread": 0, "peer_delivered_seq": 1});
    assert_eq!(event, expected);
    assert_eq!(ann.get("/api/v1/conversation/bob/").await.expect(200)["peer_delivered_seq"], 1);
    // Back, beyond the end, and what is read has been delivered.
    bob.post("/api/v1/conversation/ann/delivered/", &json!({"seq": 0})).await.expect(200);
    bob.post("/api/v1/conversation/ann/read/", &json!({"seq": 9})).await.expect(200);
    let event = socket.event().await["event"].clone();
    assert_eq!((&event["peer_read_seq"], &event["peer_delivered_seq"]), (&json!(2), &json!(2)));
    for (seq, error) in
        [(json!(-1), "Ensure this value is greater than or equal to 0."), (json!("x"), "A valid integer is required.")]
    {
        let refused = bob.post("/api/v1/conversation/ann/delivered/", &json!({"seq": seq})).await.expect(400);
        assert_eq!(refused, json!({"seq": [error]}));
    }
}

async fn the_predecessors_socket_hears_of_new_messages_alone(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    let mut socket = Socket::open(&bob, "/ws").await;
    let first = ann.say("bob", "one").await;
    assert_eq!(socket.text().await, format!("{{\"message\": \"{}\"}}", first["id"]));
    edit(&ann, &first, &json!("uno")).await.expect(200);
    delete(&ann, &first).await.expect(204);
    bob.post("/api/v1/conversation/ann/delivered/", &json!({"seq": 1})).await.expect(200);
    let second = ann.say("bob", "two").await;
    assert_eq!(socket.text().await, format!("{{\"message\": \"{}\"}}", second["id"]));
}
