//! A session that has ended has no socket: within a second, by whatever way it ended, on every process.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::{chatd_ok, once};
use crate::support::backend::{Backend, service, tool};
use crate::support::proxy::Proxy;
use crate::support::server::{Client, LOOSE, Server, Settings, World};
use crate::support::services::{OwnRedis, free_port};
use crate::support::socket::Socket;
use crate::support::stuck::{Stuck, fill};
use crate::support::{trial, until};

pub fn trials() -> Vec<Trial> {
    let mut trials = once![
        s10_signing_out_closes_sockets,
        s10_commands_close_sockets,
        s10_a_client_that_does_not_read_is_closed_too
    ];
    let without = trial("security::s10_without_redis_sockets_still_close", s10_without_redis_sockets_still_close);
    trials.push(without.with_ignored_flag(!Backend::MariaDb.is_here() || !tool("redis-server")));
    let here = Backend::MariaDb.is_here() && service("redis").is_some();
    let name = "security::s10_other_processes_close_sockets";
    trials.push(trial(name, s10_other_processes_close_sockets).with_ignored_flag(!here));
    let name = "security::s10_a_process_without_its_database_tells_nothing";
    trials.push(trial(name, s10_a_process_without_its_database_tells_nothing).with_ignored_flag(!here));
    trials
}

const IN_TIME: Duration = Duration::from_secs(1);
/// So long a session may be told what passes without anybody knowing whether it stands.
const WITHOUT_KNOWING: Duration = Duration::from_secs(6);

/// The sockets of one session: one of each kind.
async fn both_kinds(client: &Client) -> [Socket; 2] {
    [Socket::open(client, "/ws").await, Socket::events(client, None).await]
}

async fn expect_closed(sockets: [Socket; 2], since: Instant, how: &str) {
    for mut socket in sockets {
        let code = socket.close_code().await;
        let took = since.elapsed();
        assert_eq!(code, Some(1008), "{how}");
        assert!(took <= IN_TIME, "{how}: {took:?}");
    }
}

/// The socket still hears.
async fn expect_open(socket: &mut Socket, peer: &Client, name: &str) {
    let sent = peer.say(name, "still there?").await;
    assert_eq!(socket.event().await["event"]["message"], sent);
}

async fn s10_signing_out_closes_sockets() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    let (_, bob) = world.two().await;
    let mut elsewhere = Socket::events(&Client::signed_in(&world.server.url, "ann").await, None).await;
    for (method, path) in [("DELETE", "/api/v1/session/"), ("GET", "/logout/"), ("POST", "/logout/")] {
        let ann = Client::signed_in(&world.server.url, "ann").await;
        let sockets = both_kinds(&ann).await;
        let token = ann.cookie("csrftoken").expect("a token");
        let started = Instant::now();
        let answer = ann.send(method, path, &[("X-CSRFToken", &token)], None).await;
        assert!([204, 302].contains(&answer.status), "{method} {path}: {answer:?}");
        expect_closed(sockets, started, &format!("{method} {path}")).await;
    }
    // Another session of the same person lives on.
    expect_open(&mut elsewhere, &bob, "ann").await;
    // So does the next one of this device, and the sign-in that replaces it ends it.
    let ann = Client::signed_in(&world.server.url, "ann").await;
    let sockets = both_kinds(&ann).await;
    let started = Instant::now();
    ann.sign_in("ann").await;
    // The password is hashed first: what counts is from the answer on.
    let started = started.max(Instant::now());
    expect_closed(sockets, started, "signing in again").await;
    expect_open(&mut elsewhere, &bob, "ann").await;
}

/// Not only a socket that takes its close frame: one that reads nothing would go on for as long as its buffers last.
async fn s10_a_client_that_does_not_read_is_closed_too() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    let (_, bob) = world.two().await;
    for _ in 0..5 {
        let ann = Client::signed_in(&world.server.url, "ann").await;
        let started = Instant::now();
        let (events, old) = (Stuck::open(&ann, "/ws?events=1").await, Stuck::open(&ann, "/ws").await);
        fill(&bob, "ann").await;
        if started.elapsed() > Duration::from_secs(7) {
            // A client that does not read is closed after ten seconds anyway: nothing could be told from it.
            continue;
        }
        ann.send("DELETE", "/api/v1/session/", &[], None).await.expect(204);
        events.given_up(IN_TIME).await;
        assert!(started.elapsed() < Duration::from_secs(10), "it was not for its silence");
        // Its few bytes went into the buffers: it ends with a close frame that nobody answers.
        old.given_up(Duration::from_secs(5)).await;
        return;
    }
    panic!("this machine is too slow to fill the buffers within seven seconds");
}

/// Without Redis the other process asks the database by itself.
async fn s10_without_redis_sockets_still_close() {
    let dir = tempfile::tempdir().expect("a directory");
    let redis = OwnRedis::start(free_port(), dir.path());
    let url = redis.url();
    let settings: Settings<'_> = &[LOOSE, ("REDIS_URL", &url)];
    let world = World::with(Backend::MariaDb, settings).await;
    let second = Server::start(&world.database, dir.path(), settings);
    let bob = world.person("bob").await;
    let ann = world.person("ann").await;
    for url in [&world.server.url, &second.url] {
        let here = ann.at(url);
        until("the bus to connect", Duration::from_secs(10), || async {
            (here.get("/readyz").await.json()["status"] == "ok").then_some(())
        })
        .await;
    }
    let mut bobs = Socket::events(&bob.at(&second.url), None).await;
    let sockets = both_kinds(&ann.at(&second.url)).await;
    expect_open(&mut bobs, &ann, "bob").await;
    drop(redis);
    ann.send("DELETE", "/api/v1/session/", &[], None).await.expect(204);
    let started = Instant::now();
    for mut socket in sockets {
        assert_eq!(socket.close_code().await, Some(1008));
    }
    let took = started.elapsed();
    assert!(took <= Duration::from_secs(6), "{took:?}");
    expect_open(&mut bobs, &bob, "bob").await;
}

/// A command on the same machine and the same database, without a bus between the two.
async fn s10_commands_close_sockets() {
    let world = World::with(Backend::Sqlite, &[LOOSE]).await;
    let bob = world.person("bob").await;
    let mut bobs = Socket::events(&bob, None).await;
    let people: Vec<String> = (0..5).map(|i| format!("ann{i}")).collect();
    for (i, name) in people.iter().enumerate() {
        let ann = world.person(name).await;
        let sockets = both_kinds(&ann).await;
        let (flag, input) = if i % 2 == 0 { ("--inactive", "") } else { ("--password-stdin", "another secret 1\n") };
        chatd_ok(&world, &[], &["user", "set", name, flag], input);
        expect_closed(sockets, Instant::now(), flag).await;
        assert_eq!(ann.get("/api/v1/session/").await.status, 403, "{flag}");
    }
    expect_open(&mut bobs, &bob, "bob").await;
}

async fn s10_other_processes_close_sockets() {
    let redis = service("redis").expect("Redis is here");
    let settings: Settings<'_> = &[LOOSE, ("REDIS_URL", &redis)];
    let world = World::with(Backend::MariaDb, settings).await;
    let dir = tempfile::tempdir().expect("a temporary directory");
    let second = Server::start(&world.database, dir.path(), settings);
    let bob = world.person("bob").await;
    let mut bobs = Socket::events(&bob.at(&second.url), None).await;
    for (i, how) in
        ["sign out", "--inactive", "--password-stdin", "--inactive", "--inactive", "--inactive"].into_iter().enumerate()
    {
        let name = format!("ann{i}");
        let ann = world.person(&name).await;
        let sockets = both_kinds(&ann.at(&second.url)).await;
        // The bus is in use between the two.
        expect_open(&mut bobs, &ann, "bob").await;
        if how == "sign out" {
            ann.send("DELETE", "/api/v1/session/", &[], None).await;
        } else {
            chatd_ok(&world, settings, &["user", "set", &name, how], "another secret 1\n");
        }
        expect_closed(sockets, Instant::now(), how).await;
    }
    expect_open(&mut bobs, &bob, "bob").await;
}

/// A process that cannot ask whether a session stands tells it nothing: not what comes over the bus, and nothing when the
/// database is back before it has looked. Row 14 on Galera found it (seed 17040027774002093172): there the head of the log
/// was told, of which a process without any database knows nothing.
async fn s10_a_process_without_its_database_tells_nothing() {
    let redis = service("redis").expect("Redis is here");
    let settings: Settings<'_> = &[LOOSE, ("REDIS_URL", &redis)];
    let world = World::with(Backend::MariaDb, settings).await;
    let (ann, bob) = world.two().await;
    ann.say("bob", "hi").await;
    let target = service("mariadb").expect("MariaDB is here").split_once('@').expect("an address").1.to_owned();
    let proxy = Proxy::to(target.clone()).await;
    let dir = tempfile::tempdir().expect("a temporary directory");
    let url = world.database.url.replace(&target, &format!("127.0.0.1:{}", proxy.port));
    let second = Server::start(&world.database, dir.path(), &[settings, &[("DATABASE_URL", &url)]].concat());

    let mut anns = Socket::events(&ann, None).await;
    let mut bobs = Socket::events(&bob.at(&second.url), None).await;
    let typing = json!({"type": "typing", "peer": "bob"}).to_string();
    anns.send_text(&typing).await;
    assert_eq!(bobs.json().await, json!({"type": "typing", "peer": "ann"}), "it knows her name from now on");

    proxy.close();
    bob.send("DELETE", "/api/v1/session/", &[], None).await.expect(204);
    let told = Instant::now();
    while told.elapsed() < Duration::from_secs(9) {
        // More often than once a second is passed over.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        anns.send_text(&typing).await;
        if told.elapsed() < WITHOUT_KNOWING + IN_TIME {
            while let Ok(Some(Message::Text(_))) = tokio::time::timeout(Duration::from_millis(100), bobs.next()).await {
            }
        }
    }
    bobs.assert_silent().await;
    proxy.open();
    anns.send_text(&typing).await;
    loop {
        match bobs.next().await {
            Some(Message::Close(frame)) => {
                assert_eq!(frame.map(|frame| u16::from(frame.code)), Some(1008));
                break;
            }
            Some(Message::Ping(_) | Message::Pong(_)) => {}
            other => panic!("{other:?}, and bob is signed out"),
        }
    }
}
