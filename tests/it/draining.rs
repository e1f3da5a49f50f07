//! What a server that is asked to end still does for those who are connected.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::backend::Backend;
use crate::support::server::World;
use crate::support::trial;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("draining::an_idle_connection_keeps_nobody_waiting", an_idle_connection_keeps_nobody_waiting),
        trial("draining::a_request_that_has_begun_is_answered", a_request_that_has_begun_is_answered),
        trial("draining::whoever_can_connect_is_answered", whoever_can_connect_is_answered),
    ]
}

/// Browsers open connections that they may never use.
async fn an_idle_connection_keeps_nobody_waiting() {
    let world = World::with(Backend::Sqlite, &[("DRAIN_SECONDS", "0")]).await;
    let mut unused = TcpStream::connect(("127.0.0.1", world.server.port)).await.expect("it connects");
    let mut used = TcpStream::connect(("127.0.0.1", world.server.port)).await.expect("it connects");
    used.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("it is sent");
    assert_ne!(used.read(&mut [0; 1024]).await.expect("an answer"), 0);
    let started = Instant::now();
    world.server.signal("TERM");
    assert_eq!(world.server.ended().await, 0);
    let took = started.elapsed();
    assert!(took < Duration::from_millis(1500), "it took {took:?} to end");
    assert_eq!(unused.read(&mut [0; 1]).await.expect("an end in order"), 0);
}

/// Also when it is slow, and the server has long stopped to listen.
async fn a_request_that_has_begun_is_answered() {
    let world = World::with(Backend::Sqlite, &[("DRAIN_SECONDS", "0")]).await;
    let (ann, _) = world.two().await;
    let mut stream = TcpStream::connect(("127.0.0.1", world.server.port)).await.expect("it connects");
    let body = r#"{"recipient": "bob", "body": "slow"}"#;
    let head = format!(
        "POST /api/v1/message/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nCookie: {}\r\n\
         Expect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        ann.cookies(),
        body.len()
    );
    let (first, rest) = body.split_at(10);
    stream.write_all(head.as_bytes()).await.expect("it is sent");
    // It says so when it wants the body.
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).await.expect("an answer");
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(first.as_bytes()).await.expect("it is sent");
    world.server.signal("TERM");
    crate::support::until("the door to close", Duration::from_secs(5), || async {
        TcpStream::connect(("127.0.0.1", world.server.port)).await.is_err().then_some(())
    })
    .await;
    stream.write_all(rest.as_bytes()).await.expect("the rest is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    assert_eq!(world.server.ended().await, 0);
}

/// Also who is let in between the signal and the end: the server is held while they connect.
async fn whoever_can_connect_is_answered() {
    let world = World::with(Backend::Sqlite, &[("DRAIN_SECONDS", "0")]).await;
    world.server.signal("STOP");
    let mut waiting = Vec::new();
    for _ in 0..900 {
        let mut stream =
            TcpStream::connect(("127.0.0.1", world.server.port)).await.expect("there is room behind the door");
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("it is sent");
        waiting.push(stream);
    }
    world.server.signal("TERM");
    world.server.signal("CONT");
    for mut stream in waiting {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer:?}");
    }
    assert_eq!(world.server.ended().await, 0);
}
