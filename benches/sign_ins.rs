//! How long sends take while many people sign in, beside the same sends alone in the same run. Prints a ratio and gates
//! nothing.
//!
//! Hashing a password costs some tens of milliseconds of a processor and 46 MiB; it is done one or two at a time, at a low
//! priority. `scripts/bench` runs this.

#![allow(
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a benchmark reads its own environment, and its figures are rates"
)]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chatd::domain::User;
use chatd::store::{Options, SqlStore};
use sqlx::{Connection, Executor, MySqlConnection};
use support::{PEOPLE, Server, TEXT, ask, people};
use tokio::task::JoinHandle;
use tokio::time::Instant;

const ROUNDS: usize = 3;
const SPAN: Duration = Duration::from_secs(5);
/// Connections that send in turn: a hundred messages a second together.
const LANES: u32 = 10;
const EVERY: Duration = Duration::from_millis(100);
const AT_ONCE: usize = 200;

#[tokio::main]
async fn main() {
    let dir = tempfile::tempdir().expect("a directory");
    // `scripts/bench mariadb` leaves SQLite out.
    if std::env::args().all(|arg| arg != "mariadb") {
        run("SQLite", &format!("sqlite:{}", dir.path().join("chat.sqlite3").display()), dir.path()).await;
    }
    if let Ok(server) = std::env::var("CHATD_TEST_MARIADB_URL") {
        let mut c = MySqlConnection::connect(&server).await.expect("MariaDB");
        c.execute("CREATE DATABASE chatd_sign_ins").await.expect("a database");
        run("MariaDB", &format!("{server}/chatd_sign_ins"), dir.path()).await;
        c.execute("DROP DATABASE chatd_sign_ins").await.expect("dropped");
    }
}

async fn run(name: &str, url: &str, dir: &Path) {
    SqlStore::migrate(url).await.expect("migrations");
    let store = SqlStore::open(url, &Options::default()).await.expect("a store");
    let people = Arc::new(people(&store).await);
    store.close().await;
    let server = Arc::new(Server::start(url, &dir.join(name)));
    let mut cookies = Vec::new();
    for person in &people[..LANES as usize] {
        cookies.push(server.sign_in(&person.username).await);
    }
    println!("\n{name}: 100 sends a second, {ROUNDS} rounds of {SPAN:?}, alone and beside {AT_ONCE} sign-ins at once");
    let (mut alone, mut beside, mut done) = (Vec::new(), Vec::new(), 0);
    for round in 0..=ROUNDS {
        let quiet = sends(&server, &people, &cookies).await;
        let (stop, tasks) = sign_ins(&server, &people);
        let busy = sends(&server, &people, &cookies).await;
        stop.store(true, Ordering::Relaxed);
        let mut times = 0;
        for task in tasks {
            times += task.await.expect("somebody who signs in");
        }
        // The first one warms up both.
        if round > 0 {
            alone.extend(quiet);
            beside.extend(busy);
            done += times;
        }
    }
    for (what, part) in [("p50", 0.50), ("p99", 0.99)] {
        let (quiet, busy) = (percentile(&mut alone, part), percentile(&mut beside, part));
        println!("  {what}: alone {:>6.2} ms   beside {:>6.2} ms   ratio {:.2}", quiet * 1e3, busy * 1e3, busy / quiet);
    }
    println!("  {done} sign-ins meanwhile");
}

fn percentile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * part).round() as usize]
}

/// The seconds that each send took, from the moment when it was due: one that has to wait for the one before counts
/// that too.
async fn sends(server: &Arc<Server>, people: &Arc<Vec<User>>, cookies: &[String]) -> Vec<f64> {
    let mut lanes = Vec::new();
    let start = Instant::now() + EVERY;
    for (lane, cookie) in (0..LANES).zip(cookies) {
        let to = &people[PEOPLE - 1 - lane as usize].username;
        let body = format!(r#"{{"recipient":"{to}","body":"{TEXT}"}}"#);
        let request = server.post("/api/v1/message/", cookie, &body);
        let server = server.clone();
        lanes.push(tokio::spawn(async move {
            let mut stream = server.connect().await;
            let mut due = start + EVERY * lane / LANES;
            let mut took = Vec::new();
            while due < start + SPAN {
                tokio::time::sleep_until(due).await;
                let answer = ask(&mut stream, &request).await;
                assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
                took.push(due.elapsed().as_secs_f64());
                due += EVERY;
            }
            took
        }));
    }
    let mut took = Vec::new();
    for lane in lanes {
        took.extend(lane.await.expect("a sender"));
    }
    took
}

/// So many people who sign in again and again until they are told to stop, each telling how often.
fn sign_ins(server: &Arc<Server>, people: &Arc<Vec<User>>) -> (Arc<AtomicBool>, Vec<JoinHandle<u64>>) {
    let stop = Arc::new(AtomicBool::new(false));
    let tasks = (0..AT_ONCE).map(|n| {
        let (server, people, stop) = (server.clone(), people.clone(), stop.clone());
        tokio::spawn(async move {
            let mut done = 0;
            while !stop.load(Ordering::Relaxed) {
                server.sign_in(&people[n % PEOPLE].username).await;
                done += 1;
            }
            done
        })
    });
    let tasks = tasks.collect();
    (stop, tasks)
}
