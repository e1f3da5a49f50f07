//! `/ws`: what is told, in which order, to whom, and how it ends.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::support::backend::{BOTH, Backend, on_each, run};
use crate::support::server::{Client, LOOSE, World};
use crate::support::socket::Socket;
use crate::support::stuck::{Stuck, fill};
use crate::support::trial;

pub fn trials() -> Vec<Trial> {
    macro_rules! each {
        ($($test:ident),* $(,)?) => {{
            let mut trials = Vec::new();
            $(trials.extend(on_each(&BOTH, concat!("sockets::", stringify!($test)), $test));)*
            trials
        }};
    }
    let mut trials = each![
        both_people_hear_every_device,
        strangers_hear_nothing,
        a_socket_resumes_behind_its_cursor,
        a_page_and_a_socket_tell_the_same,
        a_restored_database_is_noticed,
        a_cursor_of_somebody_else_is_reset,
        a_malformed_cursor_is_refused_before_the_handshake,
        events_sent_while_connecting_are_told_once,
    ];
    trials.push(trial("sockets::one_that_does_not_keep_up_is_closed", one_that_does_not_keep_up_is_closed));
    trials.push(trial("sockets::one_that_is_gone_is_closed_in_time", one_that_is_gone_is_closed_in_time));
    trials.push(trial("sockets::a_crowd_may_connect_at_once", a_crowd_may_connect_at_once));
    trials.push(trial("sockets::ping_is_answered", ping_is_answered));
    trials.push(trial("sockets::the_oldest_of_too_many_is_closed", the_oldest_of_too_many_is_closed));
    trials.push(trial("sockets::drain_says_goodbye", drain_says_goodbye));
    trials.push(trial("sockets::heads_come_by_themselves", heads_come_by_themselves));
    trials.push(trial("sockets::the_log_has_the_handshake", the_log_has_the_handshake));
    trials
}

async fn both_people_hear_every_device(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    let bobs_phone = Client::signed_in(&world.server.url, "bob").await;
    let mut sockets = vec![
        Socket::events(&ann, None).await,
        Socket::events(&bob, None).await,
        Socket::events(&bobs_phone, None).await,
    ];
    let mut old = Socket::open(&bob, "/ws").await;
    for i in 0..20 {
        let message = ann.say("bob", &i.to_string()).await;
        for (n, socket) in sockets.iter_mut().enumerate() {
            let frame = socket.event().await;
            assert_eq!(frame["event"]["message"], message);
            assert_eq!(frame["cursor"], frame["event"]["cursor"]);
            assert_eq!(frame["event"].get("unread").is_some(), n > 0, "unread is for the recipient");
        }
        assert_eq!(old.text().await, format!("{{\"message\": \"{}\"}}", message["id"]));
    }
    bob.post("/api/v1/conversation/ann/read/", &json!({"seq": 20})).await.expect(200);
    for socket in &mut sockets {
        assert_eq!(socket.event().await["event"]["type"], "read");
    }
    // A client of the predecessor hears of messages alone.
    let marker = ann.say("bob", "marker").await;
    assert_eq!(old.text().await, format!("{{\"message\": \"{}\"}}", marker["id"]));
}

async fn strangers_hear_nothing(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    let carol = world.person("carol").await;
    let (mut bobs, mut carols) = (Socket::events(&bob, None).await, Socket::events(&carol, None).await);
    ann.say("bob", "secret").await;
    assert_eq!(bobs.event().await["event"]["message"]["body"], "secret", "need one who hears");
    ann.say("carol", "marker").await;
    assert_eq!(carols.event().await["event"]["message"]["body"], "marker");
}

async fn a_socket_resumes_behind_its_cursor(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    let mut socket = Socket::events(&bob, None).await;
    ann.say("bob", "before").await;
    let cursor = socket.event().await["cursor"].as_str().expect("a cursor").to_owned();
    drop(socket);
    for i in 0..250 {
        ann.say("bob", &format!("away {i}")).await;
    }
    let mut socket = Socket::events(&bob, Some(&cursor)).await;
    for i in 0..250 {
        assert_eq!(socket.event().await["event"]["message"]["body"], format!("away {i}"));
    }
    ann.say("bob", "live").await;
    assert_eq!(socket.event().await["event"]["message"]["body"], "live");
}

async fn a_page_and_a_socket_tell_the_same(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    let start = bob.get("/api/v1/event/").await.expect(200)["cursor"].as_str().expect("a cursor").to_owned();
    for i in 0..5 {
        ann.say("bob", &i.to_string()).await;
        bob.say("bob", "note").await;
    }
    let page = bob.get(&format!("/api/v1/event/?after={start}")).await.expect(200);
    let mut socket = Socket::events(&bob, Some(&start)).await;
    for event in page["events"].as_array().expect("events") {
        assert_eq!(socket.event().await["event"], *event);
    }
    let marker = ann.say("bob", "marker").await;
    assert_eq!(socket.event().await["event"]["message"], marker);
}

/// A plain copy of the database is put back under a live client: positions collide, tags do not.
async fn a_restored_database_is_noticed(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    ann.say("bob", "kept").await;
    let mut socket = Socket::events(&bob, None).await;
    ann.say("bob", "lost by the restore").await;
    let cursor = socket.event().await["cursor"].as_str().expect("a cursor").to_owned();
    drop(socket);
    assert_eq!(bob.get(&format!("/api/v1/event/?after={cursor}")).await.status, 200);
    for sql in [
        "DELETE FROM events WHERE pos = 2",
        "UPDATE user_heads SET pos = 1, tag = (SELECT tag FROM events e WHERE e.user_id = user_heads.user_id AND e.pos = 1)",
        "DELETE FROM messages WHERE seq = 2",
        "UPDATE user_conversations SET last_seq = 1, peer_sent = CASE WHEN peer_sent > 1 THEN 1 ELSE peer_sent END",
        "UPDATE conversations SET last_seq = 1, low_sent = 1",
    ] {
        run(&world.database.url, sql).await;
    }
    bob.get(&format!("/api/v1/event/?after={cursor}")).await.expect(410);
    ann.say("bob", "another second message").await;
    // The position is there again, with another tag.
    bob.get(&format!("/api/v1/event/?after={cursor}")).await.expect(410);
    let mut socket = Socket::events(&bob, Some(&cursor)).await;
    assert_eq!(socket.json().await, json!({"type": "reset"}));
    assert_eq!(socket.close_code().await, Some(1000));
}

async fn a_cursor_of_somebody_else_is_reset(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    let anns = ann.get("/api/v1/event/").await.expect(200)["cursor"].as_str().expect("a cursor").to_owned();
    let mut socket = Socket::events(&bob, Some(&anns)).await;
    assert_eq!(socket.json().await, json!({"type": "reset"}));
}

async fn a_malformed_cursor_is_refused_before_the_handshake(backend: Backend) {
    let world = World::new(backend).await;
    let ann = world.person("ann").await;
    let refused = Socket::try_open(&ann, "/ws?events=1&after=nonsense", &[]).await.err().expect("refused");
    assert_eq!(refused.status, 400);
}

/// Sends go on while sockets come and go: every socket tells each event from its cursor on once, in order.
async fn events_sent_while_connecting_are_told_once(backend: Backend) {
    let world = World::new(backend).await;
    let (ann, bob) = world.two().await;
    let start = bob.get("/api/v1/event/").await.expect(200)["cursor"].as_str().expect("a cursor").to_owned();
    let sender = tokio::spawn(async move {
        for i in 0..120 {
            ann.say("bob", &i.to_string()).await;
        }
    });
    let mut heard = Vec::new();
    let mut cursor = start;
    while heard.len() < 120 {
        let mut socket = Socket::events(&bob, Some(&cursor)).await;
        for _ in 0..(120 - heard.len()).min(13) {
            let frame = socket.event().await;
            cursor = frame["cursor"].as_str().expect("a cursor").to_owned();
            heard.push(frame["event"]["message"]["seq"].as_i64().expect("a number"));
        }
    }
    sender.await.expect("every send is a 201");
    assert_eq!(heard, (1..=120).collect::<Vec<_>>());
}

/// A client that does not read delays nobody else, is closed, and misses nothing when it comes back.
async fn one_that_does_not_keep_up_is_closed() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    let (ann, bob) = world.two().await;
    let start = bob.get("/api/v1/event/").await.expect(200)["cursor"].as_str().expect("a cursor").to_owned();
    let mut keeps_up = Socket::events(&bob, None).await;
    let stuck = Stuck::open(&bob, &format!("/ws?events=1&after={start}")).await;
    tokio::join!(fill(&ann, "bob"), async {
        for seq in 1..=200 {
            assert_eq!(keeps_up.event().await["event"]["message"]["seq"], seq);
        }
    });
    stuck.given_up(Duration::from_secs(20)).await;
    ann.say("bob", "after its end").await;
    assert_eq!(keeps_up.event().await["event"]["message"]["seq"], 201, "the other one was not closed");
    let mut back = Socket::events(&bob, Some(&start)).await;
    for seq in 1..=201 {
        assert_eq!(back.event().await["event"]["message"]["seq"], seq);
    }
}

/// A client that says nothing any more is closed within a minute, also if it cannot take what it is told in the end of that:
/// that it takes a frame late is no sign of life (row 23, which it passed with a second to spare).
async fn one_that_is_gone_is_closed_in_time() {
    /// Not before, and not much later.
    const BEGINS: Duration = Duration::from_millis(48_500);
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    let (ann, bob) = world.two().await;
    let stuck = Stuck::open(&bob, "/ws?events=1").await;
    let opened = Instant::now();
    tokio::time::sleep(BEGINS).await;
    assert!(stuck.is_held(), "it is closed already");
    fill(&ann, "bob").await;
    stuck.given_up(Duration::from_secs(57).saturating_sub(opened.elapsed())).await;
}

/// Everybody comes back at the same moment after a restart: nobody's first packet is dropped, to be tried again a second
/// later, because the server has not come round to accepting.
async fn a_crowd_may_connect_at_once() {
    let world = World::new(Backend::Sqlite).await;
    world.server.signal("STOP");
    let mut crowd = Vec::new();
    for _ in 0..400 {
        let connect = tokio::net::TcpStream::connect(("127.0.0.1", world.server.port));
        // The kernel tries again after a second.
        let connected = tokio::time::timeout(Duration::from_millis(900), connect).await;
        crowd.push(connected.unwrap_or_else(|_| panic!("number {} was dropped", crowd.len())).expect("it connects"));
    }
    world.server.signal("CONT");
    assert_eq!(Client::new(&world.server.url).get("/healthz").await.status, 200);
}

async fn ping_is_answered() {
    let world = World::new(Backend::Sqlite).await;
    let ann = world.person("ann").await;
    let mut socket = Socket::events(&ann, None).await;
    socket.send_text("{\"type\":\"ping\"}").await;
    assert_eq!(socket.json().await, json!({"type": "pong"}));
    for ignored in ["{\"type\":\"later\"}", "nonsense", ""] {
        socket.send_text(ignored).await;
    }
    socket.send_text("{\"type\":\"ping\"}").await;
    assert_eq!(socket.json().await, json!({"type": "pong"}));
}

async fn the_oldest_of_too_many_is_closed() {
    let world = World::with(Backend::Sqlite, &[("SOCKETS_PER_USER", "2")]).await;
    let (ann, bob) = world.two().await;
    let mut first = Socket::events(&ann, None).await;
    let mut second = Socket::events(&ann, None).await;
    let mut third = Socket::events(&ann, None).await;
    assert_eq!(first.close_code().await, Some(1008));
    bob.say("ann", "hi").await;
    assert_eq!(second.event().await["event"]["type"], "message_created");
    assert_eq!(third.event().await["event"]["type"], "message_created");
}

async fn drain_says_goodbye() {
    let world = World::with(Backend::Sqlite, &[("DRAIN_SECONDS", "2")]).await;
    let (ann, bob) = world.two().await;
    let mut sockets = vec![Socket::events(&ann, None).await, Socket::open(&bob, "/ws").await];
    assert_eq!(ann.get("/readyz").await.status, 200);
    let started = Instant::now();
    world.server.signal("TERM");
    let draining = crate::support::until("/readyz to say 503", Duration::from_secs(2), || async {
        let answer = ann.get("/readyz").await;
        (answer.status == 503).then_some(answer)
    })
    .await;
    assert_eq!(draining.header("connection"), Some("close"));
    // Requests that come are answered until the end.
    let sent = ann.post("/api/v1/message/", &json!({"recipient": "bob", "body": "still served"})).await;
    assert_eq!((sent.status, sent.header("connection")), (201, Some("close")));
    for socket in &mut sockets {
        assert_eq!(socket.close_code().await, Some(1012));
    }
    drop(sockets);
    assert_eq!(world.server.ended().await, 0);
    assert!(started.elapsed() < Duration::from_secs(10));
    let still: Value = sent.json();
    assert_eq!(still["body"], "still served");
}

async fn the_log_has_the_handshake() {
    let world = World::new(Backend::Sqlite).await;
    let ann = world.person("ann").await;
    drop(Socket::events(&ann, None).await);
    let refused = Socket::try_open(&Client::new(&world.server.url), "/ws", &[]).await.err().expect("refused");
    assert_eq!(refused.status, 403);
    let log = world.server.log();
    for status in ["101", "403"] {
        assert!(log.contains(&format!("path=\"/ws\" status={status}")), "{log}");
    }
}

async fn heads_come_by_themselves() {
    let world = World::new(Backend::Sqlite).await;
    let ann = world.person("ann").await;
    let head = ann.get("/api/v1/event/").await.expect(200)["cursor"].clone();
    let mut socket = Socket::events(&ann, None).await;
    let frame =
        tokio::time::timeout(Duration::from_secs(25), socket.patient_json()).await.expect("a head frame in 25 s");
    assert_eq!(frame, json!({"type": "head", "cursor": head}));
}
