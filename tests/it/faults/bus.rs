//! Two processes, with Redis between them and without.

use std::time::{Duration, Instant};

use chatd::bus::{Bus as _, RedisBus};
use libtest_mimic::Trial;

use crate::support::backend::{Backend, Database, tool};
use crate::support::redis_proxy::RedisProxy;
use crate::support::server::{Client, LOOSE, Server, World, add_user};
use crate::support::services::{OwnRedis, free_port};
use crate::support::socket::Socket;
use crate::support::{trial, until};

pub fn trials() -> Vec<Trial> {
    let both = Backend::MariaDb.is_here() && tool("redis-server");
    vec![
        trial("faults::two_processes_with_and_without_redis", two_processes).with_ignored_flag(!both),
        trial("faults::redis_that_comes_back_wakes_nobody_in_vain", redis_that_comes_back_wakes_nobody_in_vain)
            .with_ignored_flag(!tool("redis-server")),
        trial("faults::redis_that_was_never_there_is_said_once", redis_that_was_never_there_is_said_once),
        trial("faults::a_dead_line_is_found_out_while_sockets_come_and_go", a_dead_line_is_found_out)
            .with_ignored_flag(!tool("redis-server")),
        trial("faults::strange_words_on_the_bus_do_not_fill_the_log", strange_words_do_not_fill_the_log)
            .with_ignored_flag(!tool("redis-server")),
    ]
}

async fn ready(client: &Client, status: &str) {
    until(&format!("/readyz to say {status}"), Duration::from_secs(15), || async {
        (client.get("/readyz").await.json()["status"] == status).then_some(())
    })
    .await;
}

async fn two_processes() {
    let database = Database::new(Backend::MariaDb).await;
    let dir = tempfile::tempdir().expect("a directory");
    let redis = OwnRedis::start(free_port(), dir.path());
    let url = redis.url();
    let settings = [LOOSE, ("REDIS_URL", url.as_str()), ("HEAD_POLL_SECONDS", "60")];
    let (one, two) = (Server::start(&database, dir.path(), &settings), Server::start(&database, dir.path(), &settings));
    let store = database.store().await;
    add_user(&store, "ann", false).await;
    add_user(&store, "bob", false).await;
    let ann = Client::signed_in(&one.url, "ann").await;
    let bob = Client::signed_in(&two.url, "bob").await;
    ready(&ann, "ok").await;
    ready(&bob, "ok").await;
    let mut socket = Socket::events(&bob, None).await;
    let mut old = Socket::open(&bob, "/ws").await;
    let mut deliver = async |text: &str| {
        let sent = Instant::now();
        let id = ann.say("bob", text).await["id"].clone();
        assert_eq!(socket.event().await["event"]["message"]["body"], text);
        assert_eq!(old.json().await["message"], id.to_string());
        sent.elapsed()
    };
    let with = deliver("with Redis").await;
    assert!(with < Duration::from_secs(1), "{with:?}, though the poll is at 60 s");
    let (port, url) = (redis.port, redis.url());
    redis.end("KILL");
    ready(&bob, "degraded: no bus").await;
    for text in ["without Redis", "and again"] {
        let without = deliver(text).await;
        assert!(without < Duration::from_secs(5), "{without:?}");
        println!("without Redis: {without:?}");
    }
    let redis = OwnRedis::start(port, dir.path());
    assert_eq!(redis.url(), url);
    ready(&ann, "ok").await;
    ready(&bob, "ok").await;
    let back = deliver("with Redis again").await;
    assert!(back < Duration::from_secs(1), "{back:?}, though the poll is at 60 s");
    println!("with Redis: {with:?}, with Redis back: {back:?}");
    // A session that ends on one process ends its sockets on the other.
    bob.at(&one.url).send("DELETE", "/api/v1/session/", &[], None).await.expect(204);
    let ended = Instant::now();
    assert_eq!(socket.close_code().await, Some(1008));
    assert!(ended.elapsed() < Duration::from_secs(1), "{:?}", ended.elapsed());
}

/// A thousand sockets that all ask the database at the moment when Redis is back would be a storm of our own.
async fn redis_that_comes_back_wakes_nobody_in_vain() {
    let dir = tempfile::tempdir().expect("a directory");
    let redis = OwnRedis::start(free_port(), dir.path());
    let (port, url) = (redis.port, redis.url());
    let bus = RedisBus::start(&url, "test").expect("a bus");
    until("the bus to connect", Duration::from_secs(10), || async { bus.is_healthy().then_some(()) }).await;
    bus.registry().missed_words().await;
    let mut ann = bus.subscribe(1).await;
    drop(redis);
    until("the bus to notice", Duration::from_secs(10), || async { (!bus.is_healthy()).then_some(()) }).await;
    let _redis = OwnRedis::start(port, dir.path());
    // The poll of heads is told to look, and nobody else.
    tokio::time::timeout(Duration::from_secs(10), bus.registry().missed_words()).await.expect("a word was missed");
    until("the bus to be back", Duration::from_secs(10), || async { bus.is_healthy().then_some(()) }).await;
    assert!(tokio::time::timeout(Duration::from_millis(1), ann.woken()).await.is_err(), "woken in vain");
    bus.publish(&[(1, 5)]).await;
    tokio::time::timeout(Duration::from_secs(5), ann.woken()).await.expect("it listens again");
}

/// A wrong REDIS_URL would go unnoticed: everything works, two seconds late.
async fn redis_that_was_never_there_is_said_once() {
    let url = format!("redis://127.0.0.1:{}/", free_port());
    let world = World::with(Backend::Sqlite, &[LOOSE, ("REDIS_URL", &url)]).await;
    let (ann, bob) = world.two().await;
    let mut socket = Socket::events(&bob, None).await;
    let said = || world.server.log().matches("Redis cannot be reached").count();
    until("a word in the log", Duration::from_secs(10), || async { (said() > 0).then_some(()) }).await;
    ann.say("bob", "all the same").await;
    assert_eq!(socket.event().await["event"]["message"]["body"], "all the same");
    ready(&ann, "degraded: no bus").await;
    assert_eq!(said(), 1, "{}", world.server.log());
}

/// Only the connection that listens is dead: whoever speaks is answered. Sockets that come and go, of people who are
/// listened for already, ask Redis for nothing, and must not keep the bus from asking whether it is there.
async fn a_dead_line_is_found_out() {
    let dir = tempfile::tempdir().expect("a directory");
    let redis = OwnRedis::start(free_port(), dir.path());
    let proxy = RedisProxy::to(redis.port, 0).await;
    let bus = RedisBus::start(&proxy.url(), "test").expect("a bus");
    until("the bus to connect", Duration::from_secs(10), || async { bus.is_healthy().then_some(()) }).await;
    let _stays = bus.subscribe(1).await;
    proxy.fall_deaf();
    let fell = Instant::now();
    until("the bus to notice", Duration::from_secs(5), || async {
        drop(bus.subscribe(1).await);
        tokio::time::sleep(Duration::from_millis(200)).await;
        (!bus.is_healthy()).then_some(())
    })
    .await;
    println!("found out after {:?}", fell.elapsed());
    proxy.hear();
    until("the bus to be back", Duration::from_secs(10), || async { bus.is_healthy().then_some(()) }).await;
}

/// Whoever can write to Redis could fill the disk with a line for each word.
async fn strange_words_do_not_fill_the_log() {
    let dir = tempfile::tempdir().expect("a directory");
    let redis = OwnRedis::start(free_port(), dir.path());
    let world = World::with(Backend::Sqlite, &[LOOSE, ("REDIS_URL", &redis.url())]).await;
    let (ann, bob) = world.two().await;
    ready(&bob, "ok").await;
    let mut socket = Socket::events(&bob, None).await;
    let client = redis::Client::open(redis.url()).expect("an address");
    let mut own = client.get_multiplexed_async_connection().await.expect("a connection");
    let channels: Vec<String> =
        redis::cmd("PUBSUB").arg("CHANNELS").arg("chatd:*").query_async(&mut own).await.expect("a list");
    let mut flood = redis::pipe();
    for _ in 0..1000 {
        flood.publish(&channels[0], "not a place").ignore();
    }
    flood.exec_async(&mut own).await.expect("they are said");
    let said = || {
        let log = world.server.log();
        let lines = log.lines().filter(|line| line.contains("words on the bus are not ours"));
        let counts = lines.filter_map(|line| line.rsplit("words=").next()?.trim().parse::<u64>().ok());
        counts.collect::<Vec<_>>()
    };
    until("all to be counted", Duration::from_secs(10), || async {
        (said().iter().sum::<u64>() >= 1000).then_some(())
    })
    .await;
    assert_eq!(said().iter().sum::<u64>(), 1000);
    assert!(said().len() <= 5, "{:?}", said());
    ann.say("bob", "what is ours").await;
    assert_eq!(socket.event().await["event"]["message"]["body"], "what is ours");
}
