//! What people arrange for themselves, over HTTP: conversations that are muted, pinned or put aside; what others see.

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::support::backend::{BOTH, Backend, on_each};
use crate::support::server::{Answer, Client, World};
use crate::support::socket::Socket;

pub fn trials() -> Vec<Trial> {
    let mut trials =
        on_each(&BOTH, "arranging::a_conversation_is_kept_as_one_likes", a_conversation_is_kept_as_one_likes);
    trials.extend(on_each(&BOTH, "arranging::wrong_settings_change_nothing", wrong_settings_change_nothing));
    trials.extend(on_each(&BOTH, "arranging::what_is_shared_is_ones_own_choice", what_is_shared_is_ones_own_choice));
    trials.extend(on_each(&BOTH, "arranging::how_far_one_has_read_is_hidden", how_far_one_has_read_is_hidden));
    trials
}

async fn patch(client: &Client, path: &str, body: &Value) -> Answer {
    let kind = [("Content-Type", "application/json")];
    client.send("PATCH", path, &kind, Some(body.to_string().into_bytes())).await
}

const WITH_BOB: &str = "/api/v1/conversation/bob/";

async fn a_conversation_is_kept_as_one_likes(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    assert_eq!(patch(&ann, WITH_BOB, &json!({"pinned": true})).await.status, 404);
    bob.say("ann", "hi").await;
    let mut socket = Socket::events(&ann, None).await;
    let until = "2099-01-02T03:04:05Z";
    let change = json!({"muted_until": until, "pinned": true, "archived": true});
    let kept = patch(&ann, WITH_BOB, &change).await.expect(200);
    let conversation = &kept["conversation"];
    let expected = json!({"conversation": conversation, "peer": "bob", "muted_until": until, "pinned": true, "archived": true, "request": false});
    assert_eq!(kept, expected);
    let mut event = socket.event().await["event"].clone();
    assert_eq!(event["type"], "conversation");
    event.as_object_mut().unwrap().retain(|name, _| name != "type" && name != "cursor");
    assert_eq!(event, expected);
    let shown = ann.get(WITH_BOB).await.expect(200);
    for name in ["muted_until", "pinned", "archived"] {
        assert_eq!(shown[name], expected[name], "{name}");
    }
    let pinned = ann.get("/api/v1/conversation/?pinned=true").await.expect(200);
    assert_eq!(pinned["results"].as_array().map(Vec::len), Some(1));
    let theirs = bob.get("/api/v1/conversation/ann/").await.expect(200);
    assert_eq!(
        (&theirs["muted_until"], &theirs["pinned"], &theirs["archived"]),
        (&json!(null), &json!(false), &json!(false))
    );
    assert_eq!(bob.get("/api/v1/conversation/?pinned=true").await.expect(200)["results"], json!([]));
    // A message brings it back from aside, and leaves the rest.
    bob.say("ann", "are you there?").await;
    let shown = ann.get(WITH_BOB).await.expect(200);
    assert_eq!(
        (&shown["archived"], &shown["pinned"], &shown["muted_until"]),
        (&json!(false), &json!(true), &json!(until))
    );
    // One by one, and in the words of a form.
    assert_eq!(patch(&ann, WITH_BOB, &json!({"muted_until": null})).await.expect(200)["muted_until"], Value::Null);
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let kept = ann.send("PATCH", WITH_BOB, &form, Some(b"pinned=false&archived=1".to_vec())).await.expect(200);
    assert_eq!((&kept["pinned"], &kept["archived"]), (&json!(false), &json!(true)));
}

async fn wrong_settings_change_nothing(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    bob.say("ann", "hi").await;
    let before = ann.get(WITH_BOB).await.expect(200);
    let no_flag = "Must be a valid boolean.";
    let no_time =
        "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm:ss[.uuuuuu]{+HH:MM|-HH:MM|Z}.";
    for (name, value, error) in [
        ("pinned", json!("maybe"), no_flag),
        ("pinned", json!(2), no_flag),
        ("archived", json!([true]), no_flag),
        ("archived", json!(null), "This field may not be null."),
        ("muted_until", json!("tomorrow"), no_time),
        ("muted_until", json!(""), no_time),
        ("muted_until", json!(true), no_time),
        ("muted_until", json!(5), no_time),
    ] {
        let refused = patch(&ann, WITH_BOB, &json!({"pinned": true, name: value})).await.expect(400);
        assert_eq!(refused, json!({name: [error]}), "{name} {value}");
    }
    ann.get("/api/v1/conversation/?pinned=maybe").await.expect(400);
    assert_eq!(ann.get(WITH_BOB).await.expect(200), before);
    assert_eq!(patch(&ann, WITH_BOB, &json!({})).await.expect(200)["pinned"], false);
    Client::new(&world.server.url).send("PATCH", WITH_BOB, &[], None).await.expect(403);
}

async fn what_is_shared_is_ones_own_choice(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    let path = "/api/v1/settings/";
    let all = json!({"share_typing": true, "share_presence": true, "share_read": true, "who_may_write": "everyone"});
    assert_eq!(ann.get(path).await.expect(200), all);
    let mut socket = Socket::events(&ann, None).await;
    let less = json!({"share_typing": true, "share_presence": false, "share_read": true, "who_may_write": "everyone"});
    assert_eq!(patch(&ann, path, &json!({"share_presence": false})).await.expect(200), less);
    let event = socket.event().await["event"].clone();
    assert_eq!(
        (&event["type"], &event["share_typing"], &event["share_presence"]),
        (&json!("settings"), &json!(true), &json!(false))
    );
    assert_eq!(ann.get(path).await.expect(200), less);
    assert_eq!(bob.get(path).await.expect(200), all);
    let refused = patch(&ann, path, &json!({"share_typing": "x"})).await.expect(400);
    assert_eq!(refused, json!({"share_typing": ["Must be a valid boolean."]}));
    assert_eq!(patch(&ann, path, &json!({})).await.expect(200), less);
    Client::new(&world.server.url).get(path).await.expect(403);
}

/// Every answer and every frame that could tell it.
async fn how_far_one_has_read_is_hidden(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    let settings = "/api/v1/settings/";
    ann.say("bob", "one").await;
    let start = ann.get("/api/v1/event/").await.expect(200)["cursor"].as_str().expect("a cursor").to_owned();
    let (mut anns, mut bobs) = (Socket::events(&ann, None).await, Socket::events(&bob, None).await);
    patch(&bob, settings, &json!({"share_read": false})).await.expect(200);
    assert_eq!(bobs.event().await["event"]["share_read"], false);
    let read = async |client: &Client, peer: &str, mark: &str, seq: i64| {
        client.post(&format!("/api/v1/conversation/{peer}/{mark}/"), &json!({"seq": seq})).await.expect(200)
    };
    read(&bob, "ann", "delivered", 1).await;
    assert_eq!(read(&bob, "ann", "read", 1).await["read_seq"], 1);
    // Bob's other devices follow; ann hears that it has reached him, and then of the next message.
    let own = bobs.event().await["event"].clone();
    assert_eq!((&own["type"], &own["read_seq"], &own["unread"]), (&json!("read"), &json!(1), &json!(0)));
    let told = anns.event().await["event"].clone();
    assert_eq!((&told["peer_delivered_seq"], &told["peer_read_seq"]), (&json!(1), &json!(0)));
    bob.say("ann", "two").await;
    assert_eq!(anns.event().await["event"]["type"], "message_created", "nothing was told of the reading");
    // He does not see hers either.
    assert_eq!(read(&ann, "bob", "read", 2).await["peer_read_seq"], 0);
    bobs.event().await;
    let theirs = bobs.event().await["event"].clone();
    assert_eq!(
        (&theirs["type"], &theirs["peer_read_seq"], &theirs["peer_delivered_seq"]),
        (&json!("read"), &json!(0), &json!(2))
    );
    let marks = async |client: &Client, peer: &str| {
        let one = client.get(&format!("/api/v1/conversation/{peer}/")).await.expect(200);
        let list = client.get("/api/v1/conversation/").await.expect(200)["results"][0].clone();
        assert_eq!(one["peer_read_seq"], list["peer_read_seq"]);
        one["peer_read_seq"].as_i64().expect("a number")
    };
    assert_eq!((marks(&ann, "bob").await, marks(&bob, "ann").await), (0, 0));
    let log = async || {
        let page = ann.get(&format!("/api/v1/event/?after={start}")).await.expect(200);
        let events = page["events"].as_array().expect("a list").clone();
        events
            .into_iter()
            .filter(|event| event["type"] == "read")
            .map(|event| event["peer_read_seq"].clone())
            .collect::<Vec<_>>()
    };
    assert!(log().await.iter().all(|seq| *seq == 0), "{:?}", log().await);
    // Shared again, all of it says how it is.
    patch(&bob, settings, &json!({"share_read": true})).await.expect(200);
    assert_eq!((marks(&ann, "bob").await, marks(&bob, "ann").await), (1, 2));
    assert!(log().await.iter().all(|seq| *seq == 1), "{:?}", log().await);
}
