//! Two processes, with Redis between them and without.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::Trial;

use crate::support::backend::{Backend, Database, tool};
use crate::support::server::{Client, LOOSE, Server, add_user};
use crate::support::socket::Socket;
use crate::support::{trial, until};

pub fn trials() -> Vec<Trial> {
    let both = Backend::MariaDb.is_here() && tool("redis-server");
    vec![trial("faults::two_processes_with_and_without_redis", two_processes).with_ignored_flag(!both)]
}

/// A Redis of the test's own, that it can stop.
struct OwnRedis {
    child: Child,
    port: u16,
}

impl OwnRedis {
    fn start(port: u16, dir: &Path) -> Self {
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .current_dir(dir)
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        Self { child, port }
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port()
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
    drop(redis);
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
