//! Who types and who is here: told to those whom it concerns, shared by choice, across processes, and never stored.

use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::support::backend::{BOTH, Backend, on_each, service};
use crate::support::server::{Client, Server, World};
use crate::support::socket::Socket;

pub fn trials() -> Vec<Trial> {
    macro_rules! each {
        ($on:expr; $($test:ident),* $(,)?) => {{
            let mut trials = Vec::new();
            $(trials.extend(on_each($on, concat!("presence::", stringify!($test)), $test));)*
            trials
        }};
    }
    let mut trials = each![&BOTH;
        typing_is_told_to_the_other_person,
        typing_is_told_only_where_there_is_a_conversation,
        typing_that_is_not_shared_is_not_seen,
        who_is_here_is_seen_by_those_who_watch,
        presence_that_is_not_shared_is_not_seen,
        who_is_blocked_sees_nothing_any_more,
        nonsense_is_passed_over,
    ];
    let shared = [Backend::MariaDb];
    trials.extend(each![&shared; presence_is_seen_from_another_process]);
    if service("redis").is_some() {
        trials.extend(each![&shared; typing_is_told_in_another_process]);
    }
    trials
}

async fn listening(client: &Client) -> Socket {
    Socket::events(client, None).await
}

async fn types(socket: &mut Socket, to: &str) {
    socket.send_text(&json!({"type": "typing", "peer": to}).to_string()).await;
}

async fn watches(socket: &mut Socket, peers: &[&str]) {
    socket.send_text(&json!({"type": "presence", "peers": peers}).to_string()).await;
}

/// What the socket is told next that is no event: it may have to be waited for as long as somebody who left is seen.
async fn told(socket: &mut Socket) -> Value {
    loop {
        let frame = socket.patient_json().await;
        if frame["type"] != "event" && frame["type"] != "head" {
            return frame;
        }
    }
}

async fn share(client: &Client, name: &str, shares: bool) {
    let kind = [("Content-Type", "application/json")];
    let body = json!({name: shares}).to_string().into_bytes();
    client.send("PATCH", "/api/v1/settings/", &kind, Some(body)).await.expect(200);
}

/// What was said before has been heard: frames of one client are taken one after the other.
async fn heard(socket: &mut Socket) {
    socket.send_text(r#"{"type":"ping"}"#).await;
    while socket.json().await["type"] != "pong" {}
}

/// Without asking anew: an open page would go on showing what it was told last.
async fn who_is_blocked_sees_nothing_any_more(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    ann.say("bob", "hi").await;
    let (_anns, mut bobs) = (listening(&ann).await, listening(&bob).await);
    watches(&mut bobs, &["ann"]).await;
    assert_eq!(told(&mut bobs).await["state"], "online");
    ann.post("/api/v1/block/", &json!({"user": "bob"})).await.expect(201);
    let hidden = json!({"type": "presence", "peer": "ann", "state": null, "last_seen": null});
    assert_eq!(told(&mut bobs).await, hidden);
    ann.send("DELETE", "/api/v1/block/bob/", &[], None).await.expect(204);
    assert_eq!(told(&mut bobs).await["state"], "online");
}

async fn typing_is_told_to_the_other_person(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    ann.say("bob", "hi").await;
    let (mut anns, mut bobs, mut bobs_other) = (listening(&ann).await, listening(&bob).await, listening(&bob).await);
    let mut old = Socket::open(&bob, "/ws").await;
    types(&mut anns, "BOB").await;
    for socket in [&mut bobs, &mut bobs_other] {
        assert_eq!(socket.json().await, json!({"type": "typing", "peer": "ann"}));
    }
    // The sender's own devices and the predecessor's page hear of messages alone; nothing is stored.
    let head = bob.get("/api/v1/event/").await.expect(200)["cursor"].clone();
    let sent = ann.say("bob", "there").await;
    assert_eq!(anns.event().await["event"]["message"], sent);
    assert_eq!(old.text().await, format!("{{\"message\": \"{}\"}}", sent["id"]));
    let path = format!("/api/v1/event/?after={}", head.as_str().expect("a cursor"));
    assert_eq!(bob.get(&path).await.expect(200)["events"].as_array().map(Vec::len), Some(1));
}

async fn typing_is_told_only_where_there_is_a_conversation(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    let carol = world.person("carol").await;
    ann.say("bob", "hi").await;
    let (mut anns, mut bobs, mut carols) = (listening(&ann).await, listening(&bob).await, listening(&carol).await);
    for name in ["bob", "nobody", "carol", ""] {
        types(&mut carols, name).await;
        heard(&mut carols).await;
    }
    types(&mut anns, "bob").await;
    assert_eq!(told(&mut bobs).await, json!({"type": "typing", "peer": "ann"}), "the first that he is told of");
}

async fn typing_that_is_not_shared_is_not_seen(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    let carol = world.person("carol").await;
    ann.say("bob", "hi").await;
    carol.say("bob", "hi").await;
    let (mut anns, mut bobs, mut carols) = (listening(&ann).await, listening(&bob).await, listening(&carol).await);
    share(&ann, "share_typing", false).await;
    assert_eq!(anns.event().await["event"]["type"], "settings");
    types(&mut anns, "bob").await;
    heard(&mut anns).await;
    types(&mut carols, "bob").await;
    assert_eq!(told(&mut bobs).await["peer"], "carol", "ann hides it");
    types(&mut bobs, "ann").await;
    heard(&mut bobs).await;
    share(&ann, "share_typing", true).await;
    assert_eq!(anns.json().await["event"]["type"], "settings", "and does not see it of others");
    // Whoever shares it again sees it again.
    let next = Box::pin(async {
        loop {
            types(&mut bobs, "ann").await;
            if let Ok(frame) = tokio::time::timeout(Duration::from_secs(1), anns.json()).await {
                return frame;
            }
        }
    });
    assert_eq!(next.await, json!({"type": "typing", "peer": "bob"}));
}

fn presence(peer: &str, state: &str) -> Value {
    json!({"type": "presence", "peer": peer, "state": state, "last_seen": null})
}

async fn who_is_here_is_seen_by_those_who_watch(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    let carol = world.person("carol").await;
    ann.say("bob", "hi").await;
    let (mut anns, mut carols) = (listening(&ann).await, listening(&carol).await);
    watches(&mut anns, &["Bob", "carol", "nobody", "ann"]).await;
    watches(&mut carols, &["bob", "ann"]).await;
    assert_eq!(told(&mut anns).await, presence("bob", "offline"), "he was never here");
    let mut bobs = listening(&bob).await;
    assert_eq!(told(&mut anns).await, presence("bob", "online"));
    bobs.send_text(r#"{"type":"presence","state":"away"}"#).await;
    assert_eq!(told(&mut anns).await, presence("bob", "away"));
    bobs.send_text(r#"{"type":"presence","state":"online"}"#).await;
    assert_eq!(told(&mut anns).await, presence("bob", "online"));
    // A second device that watches is told too, and so is the first, of the same.
    let mut second = listening(&ann).await;
    watches(&mut second, &["bob"]).await;
    assert_eq!(told(&mut second).await, presence("bob", "online"));
    assert_eq!(told(&mut anns).await, presence("bob", "online"));
    drop(bobs);
    let gone = told(&mut second).await;
    assert_eq!((&gone["peer"], &gone["state"]), (&json!("bob"), &json!("offline")));
    assert!(gone["last_seen"].as_str() > Some("2026"), "{gone}");
    // Carol has no conversation with either.
    carol.say("ann", "now she has").await;
    watches(&mut carols, &["bob", "ann"]).await;
    assert_eq!(told(&mut carols).await, presence("ann", "online"), "the first that she is told of");
}

async fn presence_that_is_not_shared_is_not_seen(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    ann.say("bob", "hi").await;
    let (mut anns, mut bobs) = (listening(&ann).await, listening(&bob).await);
    watches(&mut anns, &["bob"]).await;
    assert_eq!(told(&mut anns).await, presence("bob", "online"));
    share(&bob, "share_presence", false).await;
    assert_eq!(told(&mut anns).await, json!({"type": "presence", "peer": "bob", "state": null, "last_seen": null}));
    // Whoever does not share it does not see it of others.
    assert_eq!(bobs.event().await["event"]["type"], "settings");
    watches(&mut bobs, &["ann"]).await;
    heard(&mut bobs).await;
    share(&bob, "share_presence", true).await;
    assert_eq!(bobs.json().await["event"]["type"], "settings", "nothing of ann meanwhile");
    watches(&mut bobs, &["ann"]).await;
    assert_eq!(told(&mut bobs).await, presence("ann", "online"));
    assert_eq!(told(&mut anns).await, presence("bob", "online"));
}

async fn nonsense_is_passed_over(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, _bob) = world.two().await;
    let mut socket = listening(&ann).await;
    for frame in [
        json!({"type": "typing"}),
        json!({"type": "typing", "peer": 5}),
        json!({"type": "typing", "peer": "x".repeat(3000)}),
        json!({"type": "presence"}),
        json!({"type": "presence", "state": "asleep", "peers": "bob"}),
        json!({"type": "presence", "peers": [1, null, "\u{0}", {}]}),
        json!({"type": "presence", "peers": vec!["a"; 900]}),
    ] {
        socket.send_text(&frame.to_string()).await;
    }
    heard(&mut socket).await;
}

/// A second process on the same database.
fn another(world: &World, settings: &[(&str, &str)]) -> (tempfile::TempDir, Server) {
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::start(&world.database, dir.path(), settings);
    // In this order: what is named last is dropped first.
    (dir, server)
}

async fn presence_is_seen_from_another_process(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    ann.say("bob", "hi").await;
    let (_dir, other) = another(&world, &[]);
    let mut anns = listening(&ann).await;
    let mut bobs = listening(&bob.at(&other.url)).await;
    watches(&mut anns, &["bob"]).await;
    let mut first = told(&mut anns).await;
    if first["state"] == "offline" {
        // It was looked at before the other process had said so.
        first = told(&mut anns).await;
    }
    assert_eq!(first, presence("bob", "online"));
    // One device goes away here, while another stays there: nothing is told of that.
    let here = listening(&bob).await;
    drop(here);
    bobs.send_text(r#"{"type":"presence","state":"away"}"#).await;
    assert_eq!(told(&mut anns).await, presence("bob", "away"), "the next that she is told of");
    // A process that is killed says nothing any more.
    other.kill();
    let gone = tokio::time::timeout(Duration::from_mins(2), async {
        loop {
            if let Ok(frame) = tokio::time::timeout(Duration::from_secs(30), told(&mut anns)).await {
                return frame;
            }
        }
    });
    assert_eq!(gone.await.expect("he is gone")["state"], "offline");
}

async fn typing_is_told_in_another_process(backend: Backend) {
    let redis = service("redis").expect("Redis is here");
    let world = World::with(backend, &[("REDIS_URL", &redis)]).await;
    let (ann, bob) = world.two().await;
    ann.say("bob", "hi").await;
    let (_dir, other) = another(&world, &[("REDIS_URL", &redis)]);
    let mut anns = listening(&ann).await;
    let (mut there, mut here) = (listening(&bob.at(&other.url)).await, listening(&bob).await);
    types(&mut anns, "bob").await;
    for socket in [&mut there, &mut here] {
        assert_eq!(told(socket).await, json!({"type": "typing", "peer": "ann"}));
    }
}
