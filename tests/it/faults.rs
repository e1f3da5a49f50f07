//! What must hold when a process, a disk or a bus fails.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::support::backend::{BOTH, Backend, Database, on_each, service, tool};
use crate::support::device::Device;
use crate::support::proxy::{Lose, Proxy};
use crate::support::server::{Client, LOOSE, Server, World, add_user, command};
use crate::support::socket::Socket;
use crate::support::{trial, until};

pub fn trials() -> Vec<Trial> {
    let mut trials = on_each(&BOTH, "faults::killed_under_load", killed_under_load);
    let both = Backend::MariaDb.is_here() && tool("redis-server");
    trials.push(trial("faults::two_processes_with_and_without_redis", two_processes).with_ignored_flag(!both));
    let maria = Backend::MariaDb.is_here();
    trials.push(trial("faults::database_away", database_away).with_ignored_flag(!maria));
    trials.push(trial("faults::database_silent", database_silent).with_ignored_flag(!maria));
    trials.push(
        trial("faults::client_vanished_in_transaction", client_vanished_in_transaction).with_ignored_flag(!maria),
    );
    trials.push(trial("faults::connection_lost_in_commit", connection_lost_in_commit).with_ignored_flag(!maria));
    let trace = trial("faults::every_201_follows_an_fsync", every_201_follows_an_fsync);
    trials.push(trace.with_ignored_flag(!tool("strace")));
    trials
}

const KILLS: usize = 20;
const SENDERS: usize = 16;

/// What the senders know: acknowledged messages by key.
#[derive(Default)]
struct Ledger {
    acknowledged: Mutex<HashMap<(String, String), Value>>,
    unknown: AtomicUsize,
    sent: AtomicUsize,
    stop: AtomicBool,
}

/// One sender: the same key until it is acknowledged, then the next one.
async fn send_on(client: Client, from: String, to: String, number: usize, ledger: Arc<Ledger>) {
    let mut n = 0;
    while !ledger.stop.load(Ordering::Relaxed) {
        n += 1;
        let key = format!("{number}-{n}");
        let body = json!({"recipient": to, "body": format!("{from} {key}"), "client_id": key}).to_string();
        loop {
            let headers = [("Content-Type", "application/json")];
            match client.attempt("POST", "/api/v1/message/", &headers, Some(body.clone().into_bytes())).await {
                Ok(answer) if answer.status == 201 || answer.status == 200 => {
                    ledger.acknowledged.lock().unwrap().insert((from.clone(), key), answer.json());
                    ledger.sent.fetch_add(1, Ordering::Relaxed);
                    break;
                }
                Ok(answer) if answer.status == 503 => {}
                Ok(answer) => panic!("{} {}", answer.status, answer.body),
                Err(e) if e.is_connect() => {}
                // The request was on its way: nobody knows.
                Err(_) => drop(ledger.unknown.fetch_add(1, Ordering::Relaxed)),
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn killed_under_load(backend: Backend) {
    let database = Database::new(backend).await;
    let dir = tempfile::tempdir().expect("a directory");
    let store = database.store().await;
    let names = ["ann", "bob", "carol", "dave"];
    for name in names {
        add_user(&store, name, false).await;
    }
    let mut server = Server::start(&database, dir.path(), &[LOOSE]);
    let mut clients = BTreeMap::new();
    let mut devices = Vec::new();
    for name in names {
        let client = Client::signed_in(&server.url, name).await;
        let start = client.get("/api/v1/event/").await.expect(200)["cursor"].as_str().expect("a cursor").to_owned();
        devices.push((name, Device::start(&client, start.clone())));
        devices.push((name, Device::start(&client, start)));
        clients.insert(name, client);
    }
    let ledger = Arc::new(Ledger::default());
    let mut senders = Vec::new();
    for i in 0..SENDERS {
        let (from, to) = (names[i % 4], names[(i / 4 + i + 1) % 4]);
        let client = clients[from].at(&server.url);
        senders.push(tokio::spawn(send_on(client, from.to_owned(), to.to_owned(), i, ledger.clone())));
    }
    let (mut kills, mut idle_kills, mut longest) = (0, 0, Duration::ZERO);
    while kills < KILLS {
        let before = ledger.sent.load(Ordering::Relaxed);
        until("sends between two kills", Duration::from_secs(30), || async {
            (ledger.sent.load(Ordering::Relaxed) >= before + 40).then_some(())
        })
        .await;
        let unknown = ledger.unknown.load(Ordering::Relaxed);
        server.kill();
        let port = server.port;
        let started = Instant::now();
        server = Server::start_at(&database, dir.path(), port, &[LOOSE]);
        longest = longest.max(started.elapsed());
        let in_flight = ledger.unknown.load(Ordering::Relaxed) - unknown;
        if in_flight > 0 {
            kills += 1;
        } else {
            idle_kills += 1;
        }
        assert!(idle_kills < KILLS, "the kills hit nothing in flight");
    }
    ledger.stop.store(true, Ordering::Relaxed);
    for sender in senders {
        sender.await.expect("a sender ends well");
    }
    println!(
        "{backend:?}: {kills} kills with sends in flight ({idle_kills} without), {} acknowledged, {} of unknown outcome, \
         ready again after at most {longest:?}",
        ledger.sent.load(Ordering::Relaxed),
        ledger.unknown.load(Ordering::Relaxed)
    );
    check(&clients, &devices, &ledger).await;
}

/// Every acknowledged message once, unchanged, numbered without a gap; every device told everything, in order.
async fn check(clients: &BTreeMap<&str, Client>, devices: &[(&str, Device)], ledger: &Ledger) {
    let acknowledged = ledger.acknowledged.lock().unwrap().clone();
    assert!(ledger.unknown.load(Ordering::Relaxed) >= KILLS);
    let mut found: HashMap<(String, String), Value> = HashMap::new();
    let mut lengths: BTreeMap<(&str, i64), i64> = BTreeMap::new();
    for (name, client) in clients {
        let list = client.get("/api/v1/conversation/?limit=100").await.expect(200);
        for conversation in list["results"].as_array().expect("results") {
            let peer = conversation["peer"].as_str().expect("a peer");
            let last = conversation["last_seq"].as_i64().expect("a number");
            let all = whole(client, peer).await;
            let seqs: Vec<_> = all.iter().map(|m| m["seq"].as_i64().expect("a number")).collect();
            assert_eq!(seqs, (1..=last).collect::<Vec<_>>(), "{name} with {peer}");
            lengths.insert((name, conversation["id"].as_i64().expect("a number")), last);
            for message in all {
                let key =
                    (message["user"].as_str().unwrap().to_owned(), message["client_id"].as_str().unwrap().to_owned());
                let twice = found.insert(key.clone(), message.clone());
                assert!(twice.is_none_or(|other| other == message), "{key:?} is there twice");
            }
        }
    }
    assert_eq!(
        found.len(),
        acknowledged.len(),
        "everything was retried until acknowledged: nothing more, nothing less"
    );
    for (key, message) in &acknowledged {
        assert_eq!(found.get(key), Some(message), "{key:?} was acknowledged");
    }
    for (name, device) in devices {
        let mine = lengths.iter().filter(|((user, _), _)| user == name);
        let total: i64 = mine.clone().map(|(_, last)| *last).sum();
        until("a device to be told everything", Duration::from_secs(15), || async {
            (i64::try_from(device.count()).unwrap() >= total).then_some(())
        })
        .await;
        assert!(device.connections() > 1, "the device was never cut off");
        for ((_, conversation), last) in mine {
            assert_eq!(device.seqs(*conversation), (1..=*last).collect::<Vec<_>>(), "a device of {name}");
        }
    }
}

/// A whole conversation, oldest first, in pages.
async fn whole(client: &Client, peer: &str) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let path = format!("/api/v1/message/?target={peer}&after_seq={after}&limit=100");
        let page = client.get(&path).await.expect(200);
        let mut messages = page["results"].as_array().expect("results").clone();
        messages.reverse();
        let Some(last) = messages.last() else { return all };
        after = last["seq"].as_i64().expect("a number");
        all.extend(messages);
    }
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

pub fn free_port() -> u16 {
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

/// A MariaDB behind a proxy, a server that knows only the proxy, and two people.
async fn behind_a_proxy() -> (World, Proxy, Client, Client) {
    let database = Database::new(Backend::MariaDb).await;
    let server = service("mariadb").expect("MariaDB is here");
    let target = server.split_once('@').expect("an address").1.to_owned();
    let proxy = Proxy::to(target.clone()).await;
    let dir = tempfile::tempdir().expect("a directory");
    let url = database.url.replace(&target, &format!("127.0.0.1:{}", proxy.port));
    let server = Server::start(&database, dir.path(), &[LOOSE, ("DATABASE_URL", &url)]);
    let world = World { server, database, dir };
    let (ann, bob) = world.two().await;
    (world, proxy, ann, bob)
}

/// Without its database the server says 503 soon, keeps its sockets, and heals by itself.
async fn database_away() {
    let (_world, proxy, ann, bob) = behind_a_proxy().await;
    let mut socket = Socket::events(&bob, None).await;
    ann.say("bob", "before").await;
    assert_eq!(socket.event().await["event"]["message"]["body"], "before");
    proxy.close();
    let body = json!({"recipient": "bob", "body": "while away", "client_id": "away"});
    for path in ["send", "/api/v1/message/", "/api/v1/event/", "/api/v1/conversation/", "/api/v1/user/"] {
        let started = Instant::now();
        let answer = if path == "send" { ann.post("/api/v1/message/", &body).await } else { ann.get(path).await };
        assert_eq!(answer.status, 503, "{path}: {}", answer.body);
        assert!(started.elapsed() < Duration::from_millis(3500), "{path} took {:?}", started.elapsed());
        assert!(answer.header("retry-after").is_some());
        assert_eq!(answer.header("outcome"), Some("not-applied"), "{path}");
    }
    assert_eq!(ann.get("/readyz").await.status, 503);
    assert_eq!(ann.get("/healthz").await.status, 200);
    proxy.open();
    let started = Instant::now();
    until("the first send after the database is back", Duration::from_secs(5), || async {
        let answer = ann.post("/api/v1/message/", &body).await;
        (answer.status == 201).then_some(())
    })
    .await;
    println!("a send worked {:?} after the database was back", started.elapsed());
    // The same socket, without a reconnect.
    assert_eq!(socket.event().await["event"]["message"]["body"], "while away");
}

/// A database that neither answers nor ends a connection: packets vanish. Nobody waits longer than for one that is
/// gone, no connection that fell silent is used again, and it heals by itself.
async fn database_silent() {
    let (_world, proxy, ann, bob) = behind_a_proxy().await;
    let mut socket = Socket::events(&bob, None).await;
    ann.say("bob", "before").await;
    assert_eq!(socket.event().await["event"]["message"]["body"], "before");
    proxy.fall_silent();
    let body = json!({"recipient": "bob", "body": "while silent", "client_id": "silent"});
    let path = "/api/v1/message/";
    let asked: Vec<_> = (0..40)
        .map(|n| {
            let (client, body) = (ann.at(&ann.base), body.clone());
            tokio::spawn(async move {
                let started = Instant::now();
                let answer = if n % 2 == 0 { client.get(path).await } else { client.post(path, &body).await };
                (answer, started.elapsed())
            })
        })
        .collect();
    for answer in asked {
        let (answer, took) = answer.await.expect("an answer");
        assert_eq!(answer.status, 503, "{}", answer.body);
        assert!(took < Duration::from_millis(3500), "it took {took:?}");
        assert!(answer.header("retry-after").is_some());
    }
    assert!(proxy.swallowed() > 0, "the fault must bite");
    proxy.speak();
    let started = Instant::now();
    until("the first send after the database speaks again", Duration::from_secs(5), || async {
        let answer = ann.post(path, &body).await;
        (answer.status == 201 || answer.status == 200).then_some(())
    })
    .await;
    println!("a send worked {:?} after the database spoke again", started.elapsed());
    assert_eq!(socket.event().await["event"]["message"]["body"], "while silent");
    let listed = bob.get("/api/v1/message/?target=ann").await.expect(200);
    assert_eq!(listed["count"], 2, "once");
}

/// A process vanishes in a transaction, and the database is not told: what it holds is given back within a minute, not
/// within eight hours.
async fn client_vanished_in_transaction() {
    let (_world, proxy, ann, bob) = behind_a_proxy().await;
    ann.say("bob", "before").await;
    proxy.lose(Lose::Client);
    let body = json!({"recipient": "bob", "body": "held up", "client_id": "vanished"});
    let answer = ann.post("/api/v1/message/", &body).await;
    assert_eq!(
        (answer.status, answer.header("outcome")),
        (503, Some("unknown")),
        "the locks are held: {}",
        answer.body
    );
    assert_eq!(proxy.bitten(), 1, "the fault must bite");
    let started = Instant::now();
    until("the locks to be given back", Duration::from_secs(30), || async {
        let answer = ann.post("/api/v1/message/", &body).await;
        assert!([200, 201, 503].contains(&answer.status), "{}", answer.body);
        (answer.status != 503).then_some(())
    })
    .await;
    println!("the locks were given back after {:?}", started.elapsed());
    assert_eq!(bob.get("/api/v1/message/?target=ann").await.expect(200)["count"], 2, "once");
}

/// A COMMIT, or the answer to one, is lost, again and again: each message is stored once, with and without a key.
async fn connection_lost_in_commit() {
    let (_world, proxy, ann, bob) = behind_a_proxy().await;
    ann.say("bob", "first").await;
    for round in 0..40 {
        let mut body = json!({"recipient": "bob", "body": format!("round {round}")});
        if round % 2 == 0 {
            body["client_id"] = format!("lost-{round}").into();
        }
        proxy.lose(if round % 4 < 2 { Lose::Answer } else { Lose::Commit });
        // The server finds out by itself what became of it.
        let sent = ann.post("/api/v1/message/", &body).await.expect(201);
        assert_eq!(sent["seq"], round + 2);
        assert_eq!(proxy.bitten(), usize::try_from(round).unwrap() + 1, "the fault must bite");
        let listed = bob.get("/api/v1/message/?target=ann").await.expect(200);
        assert_eq!(listed["count"], round + 2, "round {round}");
        assert_eq!(listed["results"][0], sent);
    }
}

/// The system calls of a server, each of 200 sequential 201s behind a completed sync of the log that holds it.
async fn every_201_follows_an_fsync() {
    let database = Database::new(Backend::Sqlite).await;
    let dir = tempfile::tempdir().expect("a directory");
    let trace = dir.path().join("trace");
    let plain = command(&database, dir.path(), &[LOOSE]);
    let mut traced = Command::new("strace");
    // With -D the server is our own child, and the tracer ends with it.
    traced
        .args(["-D", "-f", "-y", "-s", "32", "-e", "trace=fsync,fdatasync,write,writev,sendto,sendmsg", "-o"])
        .arg(&trace);
    traced.arg(plain.get_program()).args(["serve", "--port", "0"]).current_dir(dir.path()).env_clear();
    traced.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let server = Server::run(traced, dir.path());
    let store = database.store().await;
    add_user(&store, "ann", false).await;
    add_user(&store, "bob", false).await;
    let ann = Client::signed_in(&server.url, "ann").await;
    for i in 0..200 {
        ann.say("bob", &i.to_string()).await;
    }
    server.kill();
    let trace = until("the trace to end with the server", Duration::from_secs(10), || async {
        let text = std::fs::read_to_string(&trace).expect("a trace");
        text.trim_end().ends_with("+++ killed by SIGKILL +++").then_some(text)
    })
    .await;
    let (answers, unsynced) = read_trace(&trace);
    assert_eq!(answers, 200, "the trace shows every 201");
    assert_eq!(unsynced, [] as [usize; 0], "these 201s follow no fsync of the WAL");
    drop(World { server, database, dir });
}

/// How many 201s there are, and which of them had no completed sync of the WAL since the one before.
fn read_trace(trace: &str) -> (usize, Vec<usize>) {
    let (mut answers, mut unsynced) = (0, Vec::new());
    let mut synced = false;
    let mut under_way: HashMap<&str, bool> = HashMap::new();
    for line in trace.lines() {
        let (pid, call) = line.split_once(' ').unwrap_or((line, ""));
        let call = call.trim_start();
        let is_sync = call.starts_with("fsync(") || call.starts_with("fdatasync(");
        let is_wal = call.contains("-wal>");
        if is_sync && call.contains("<unfinished") {
            under_way.insert(pid, is_wal);
        } else if (is_sync && is_wal && call.ends_with("= 0"))
            || (call.contains("sync resumed>") && call.ends_with("= 0") && under_way.remove(pid) == Some(true))
        {
            synced = true;
        } else if call.contains("HTTP/1.1 201") {
            answers += 1;
            if !synced {
                unsynced.push(answers);
            }
            synced = false;
        }
    }
    (answers, unsynced)
}
