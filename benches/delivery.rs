//! Benchmarks with their controls in the same run. They print ratios and gate nothing: absolute figures move with
//! the machine.
//!
//! 1. Sends acknowledged a second over HTTP, at 1, 16 and 64 in flight, beside a bare client that commits the same
//!    rows in batches of as many, as well as it can.
//! 2. Opening a conversation of 1,000,000 messages beside one of 1,000.
//!
//! `scripts/bench` runs it; `CHATD_BENCH_LONG` sets the length of the long conversation.

#![allow(
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    reason = "a benchmark reads its own environment, and its figures are rates"
)]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chatd::domain::{Body, ClientId, NewMessage, SendKey, Timestamp, User};
use chatd::store::{Messages, Options, SqlStore};
use sqlx::{Connection, Executor, MySqlConnection, SqliteConnection};
use support::{PEOPLE, Server, TEXT, ask, people};

const ROUNDS: usize = 3;
const SPAN: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() {
    let dir = tempfile::tempdir().expect("a directory");
    // `scripts/bench mariadb` leaves SQLite out.
    if std::env::args().all(|arg| arg != "mariadb") {
        run("SQLite", &format!("sqlite:{}", dir.path().join("chat.sqlite3").display()), dir.path()).await;
    }
    if let Ok(server) = std::env::var("CHATD_TEST_MARIADB_URL") {
        let mut c = MySqlConnection::connect(&server).await.expect("MariaDB");
        c.execute("CREATE DATABASE chatd_bench").await.expect("a database");
        run("MariaDB", &format!("{server}/chatd_bench"), dir.path()).await;
        c.execute("DROP DATABASE chatd_bench").await.expect("dropped");
    }
}

async fn run(name: &str, url: &str, dir: &Path) {
    SqlStore::migrate(url).await.expect("migrations");
    let store = SqlStore::open(url, &Options::default()).await.expect("a store");
    let people = people(&store).await;
    let server = Server::start(url, &dir.join(name));
    println!("\n{name}: sends acknowledged durable, a second (median of {ROUNDS} rounds, chatd and control in turn)");
    let mut control = Bare::new(url).await;
    for in_flight in [1, 16, 64].into_iter().filter(|n| wanted(*n)) {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            ours.push(server.sends(&people, in_flight).await);
            theirs.push(control.sends(&people, in_flight).await);
        }
        let mut ratios: Vec<_> = ours.iter().zip(&theirs).map(|(a, b)| a / b).collect();
        println!(
            "  {in_flight:>2} in flight: chatd {:>7.0}   bare client {:>7.0}   ratio {:.2}",
            median(&mut ours),
            median(&mut theirs),
            median(&mut ratios)
        );
    }
    open_conversations(&store, &server, &people).await;
    store.close().await;
}

/// `scripts/bench 64` leaves the other numbers out.
fn wanted(in_flight: usize) -> bool {
    let mut numbers = std::env::args().filter_map(|arg| arg.parse().ok()).peekable();
    numbers.peek().is_none() || numbers.any(|number: usize| number == in_flight)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

impl Server {
    fn get(&self, path: &str, cookie: &str) -> String {
        format!("GET {path} HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\n\r\n", self.at)
    }

    /// Sends a second with this many connections, each waiting for its 201.
    async fn sends(&self, people: &[User], in_flight: usize) -> f64 {
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut tasks = Vec::new();
        for n in 0..in_flight {
            let cookie = self.sign_in(&people[n].username).await;
            let body = format!(r#"{{"recipient":"{}","body":"{TEXT}"}}"#, people[(n + 1) % PEOPLE].username);
            let request = self.post("/api/v1/message/", &cookie, &body);
            let mut stream = self.connect().await;
            let (stop, sent) = (stop.clone(), sent.clone());
            tasks.push(tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let answer = ask(&mut stream, &request).await;
                    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            }));
        }
        let (started, before) = (Instant::now(), sent.load(Ordering::Relaxed));
        tokio::time::sleep(SPAN).await;
        let rate = (sent.load(Ordering::Relaxed) - before) as f64 / started.elapsed().as_secs_f64();
        stop.store(true, Ordering::Relaxed);
        for task in tasks {
            task.await.expect("a sender");
        }
        rate
    }
}

/// A client of the database alone, that commits the same rows in batches.
enum Bare {
    Sqlite(SqliteConnection, u64),
    MySql(MySqlConnection, u64),
}

impl Bare {
    async fn new(url: &str) -> Self {
        if url.starts_with("sqlite:") {
            let mut c = SqliteConnection::connect(url).await.expect("SQLite");
            for pragma in ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA busy_timeout = 5000"] {
                c.execute(pragma).await.expect("a pragma");
            }
            Self::Sqlite(c, 0)
        } else {
            Self::MySql(MySqlConnection::connect(url).await.expect("MariaDB"), 0)
        }
    }

    /// Messages a second, this many in each commit. The conversations are those of chatd's round before; the rows are
    /// taken away again, so that both find the same tables.
    async fn sends(&mut self, people: &[User], batch: usize) -> f64 {
        let started = Instant::now();
        let mut sent = 0usize;
        while started.elapsed() < SPAN {
            let statements = self.rows(people, batch);
            match self {
                Self::Sqlite(c, _) => {
                    c.execute("BEGIN IMMEDIATE").await.expect("begun");
                    for sql in statements {
                        c.execute(sqlx::AssertSqlSafe(sql)).await.expect("written");
                    }
                    c.execute("COMMIT").await.expect("committed");
                }
                Self::MySql(c, _) => {
                    c.execute("BEGIN").await.expect("begun");
                    for sql in statements {
                        c.execute(sqlx::AssertSqlSafe(sql)).await.expect("written");
                    }
                    c.execute("COMMIT").await.expect("committed");
                }
            }
            sent += batch;
        }
        let rate = sent as f64 / started.elapsed().as_secs_f64();
        for sql in ["DELETE FROM messages WHERE seq < 0", "DELETE FROM events WHERE pos < 0"] {
            match self {
                Self::Sqlite(c, _) => c.execute(sql).await.map(drop).expect("cleaned"),
                Self::MySql(c, _) => c.execute(sql).await.map(drop).expect("cleaned"),
            }
        }
        rate
    }

    /// One statement a table, of as many rows as the batch has. Numbers below zero are nobody's.
    fn rows(&mut self, people: &[User], batch: usize) -> Vec<String> {
        let (next, mysql) = match self {
            Self::Sqlite(_, next) => (next, false),
            Self::MySql(_, next) => (next, true),
        };
        let (mut messages, mut events, mut heads, mut conversations, mut lists) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for n in 0..batch {
            *next += 1;
            let number = *next;
            let (a, b) = (people[n].id, people[(n + 1) % PEOPLE].id);
            let (low, high) = (a.min(b), a.max(b));
            messages.push(format!(
                "((SELECT id FROM conversations WHERE low_user={low} AND high_user={high}),-{number},{a},{b},1,1,1,'bare-{number}',0,x'{}','{TEXT}')",
                "00".repeat(32)
            ));
            for user in [a, b] {
                events.push(format!("({user},-{},{number},1,1,1,1)", 2 * number + u64::from(user == a)));
                heads.push(user);
                lists.push(user);
            }
            conversations.push(format!("(low_user={low} AND high_user={high})"));
        }
        let list = |users: &[i64]| users.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let _ = mysql;
        vec![
            format!("SELECT user_id, pos FROM user_heads WHERE user_id IN ({})", list(&heads)),
            format!(
                "INSERT INTO messages (conversation_id,seq,sender_id,recipient_id,sent_at,low_sent,version,client_key,own_key,fingerprint,body) VALUES {}",
                messages.join(",")
            ),
            format!(
                "INSERT INTO events (user_id,pos,tag,kind,conversation_id,seq,created_at) VALUES {}",
                events.join(",")
            ),
            format!("UPDATE user_heads SET tag = tag + 1 WHERE user_id IN ({})", list(&heads)),
            format!(
                "UPDATE conversations SET last_timestamp = last_timestamp + 1 WHERE {}",
                conversations.join(" OR ")
            ),
            format!(
                "UPDATE user_conversations SET last_activity = last_activity + 1 WHERE user_id IN ({})",
                list(&lists)
            ),
        ]
    }
}

/// The newest page and the conversation's row, as the client opens it.
async fn open_conversations(store: &SqlStore, server: &Server, people: &[User]) {
    let long: u64 = std::env::var("CHATD_BENCH_LONG").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let (me, short_peer, long_peer) = (&people[40], &people[50], &people[60]);
    for (peer, count) in [(short_peer, 1000), (long_peer, long)] {
        let mut made = 0;
        while made < count {
            let part = (count - made).min(8192);
            let history: Vec<_> = (made..made + part).map(|n| message(me, peer, n)).collect();
            store.add_history(&history).await.expect("stored");
            made += part;
        }
    }
    let cookie = server.sign_in(&me.username).await;
    let mut stream = server.connect().await;
    let mut ratios = Vec::new();
    let (mut short_times, mut long_times) = (Vec::new(), Vec::new());
    for round in 0..220 {
        let mut times = [0.0; 2];
        for (time, peer) in times.iter_mut().zip([long_peer, short_peer]) {
            let name = &peer.username;
            let page =
                server.get(&format!("/api/v1/message/?target={name}&before_seq=9007199254740991&limit=30"), &cookie);
            let row = server.get(&format!("/api/v1/conversation/{name}/"), &cookie);
            let started = Instant::now();
            for request in [&page, &row] {
                assert!(ask(&mut stream, request).await.starts_with("HTTP/1.1 200"));
            }
            *time = started.elapsed().as_secs_f64();
        }
        // The first ones warm up both.
        if round >= 20 {
            ratios.push(times[0] / times[1]);
            long_times.push(times[0]);
            short_times.push(times[1]);
        }
    }
    println!(
        "  opening a conversation of {long} messages {:.2} ms, of 1000 {:.2} ms: ratio {:.2} (medians of 200 pairs)",
        median(&mut long_times) * 1e3,
        median(&mut short_times) * 1e3,
        median(&mut ratios)
    );
}

fn message(me: &User, peer: &User, n: u64) -> NewMessage {
    let (from, to) = if n.is_multiple_of(2) { (me, peer) } else { (peer, me) };
    let key = ClientId::new(&format!("bench-{}-{n}", peer.id)).expect("a key");
    NewMessage {
        sender: from.id,
        recipient: to.id,
        body: Body::new(TEXT, 1000).expect("a text"),
        key: SendKey::Made(key),
        reply_to: None,
        now: Timestamp(n as i64),
    }
}
