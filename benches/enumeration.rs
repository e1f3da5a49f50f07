//! Whether the time of an answer tells if there is such an account (S5): a wrong password, a forgotten password and a
//! wish for an account, for names that are there and names that are not, in random turn in the same run. Prints the
//! probability that one of each is told apart by its time (AUC: 0.5 is chance, the goal is 0.55 at most), beside a
//! control of names that are all there. Gates nothing.
//!
//! `scripts/bench` runs this; `CHATD_BENCH_TRIES` sets the number of tries (2000).

#![allow(
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a benchmark reads its own environment, and its figures are times"
)]

mod support;

use std::path::Path;
use std::time::Instant;

use chatd::store::{Options, SqlStore};
use sqlx::{Connection, Executor, MySqlConnection};
use support::{PEOPLE, Server, ask, people};
use tokio::net::TcpStream;

/// A question: its name, its path, its body for a name, the status of the right answer and something that it says.
type Question = (&'static str, &'static str, fn(&str) -> String, [&'static str; 2]);

const QUESTIONS: [Question; 3] = [
    (
        "wrong password",
        "/api/v1/session/",
        |name| format!(r#"{{"username":"{name}","password":"a wrong one"}}"#),
        ["400", "correct username and password"],
    ),
    (
        "forgotten password",
        "/api/v1/password/forgot/",
        |name| format!(r#"{{"user":"{}"}}"#, address(name)),
        ["202", "on its way"],
    ),
    (
        "wish for an account",
        "/api/v1/signup/",
        |name| {
            let email = address(name);
            format!(r#"{{"username":"wish-{name}","email":"{email}","password":"a sentence of some length"}}"#)
        },
        ["202", "on its way"],
    ),
];

fn address(name: &str) -> String {
    format!("{name}@chat.example")
}

#[tokio::main]
async fn main() {
    let dir = tempfile::tempdir().expect("a directory");
    // `scripts/bench mariadb` leaves SQLite out.
    if std::env::args().all(|arg| arg != "mariadb") {
        run("SQLite", &format!("sqlite:{}", dir.path().join("chat.sqlite3").display()), dir.path()).await;
    }
    if let Ok(server) = std::env::var("CHATD_TEST_MARIADB_URL") {
        let mut c = MySqlConnection::connect(&server).await.expect("MariaDB");
        c.execute("CREATE DATABASE chatd_enumeration").await.expect("a database");
        run("MariaDB", &format!("{server}/chatd_enumeration"), dir.path()).await;
        c.execute("DROP DATABASE chatd_enumeration").await.expect("dropped");
    }
}

async fn run(name: &str, url: &str, dir: &Path) {
    let tries = std::env::var("CHATD_BENCH_TRIES").ok().and_then(|n| n.parse().ok()).unwrap_or(2000);
    SqlStore::migrate(url).await.expect("migrations");
    let store = SqlStore::open(url, &Options::default()).await.expect("a store");
    people(&store).await;
    store.close().await;
    let dir = dir.join(name);
    let mail = format!("dir:{}", dir.join("mail").display());
    let server = Server::start_with(
        url,
        &dir,
        &[
            ("CHATD_EMAIL_URL", mail.as_str()),
            ("CHATD_EMAIL_FROM", "chatd@chat.example"),
            ("CHATD_PUBLIC_URL", "http://chat.example"),
            ("CHATD_ALLOWED_HOSTS", "127.0.0.1"),
            ("CHATD_SECRET_KEY", "a key of the benchmark, thirty-two bytes or more"),
            ("CHATD_SIGNUP", "open"),
            ("CHATD_SIGNUPS_PER_HOUR", "100000"),
            ("CHATD_PASSWORD_RESETS_PER_HOUR", "100000"),
            ("CHATD_MAILS_PER_HOUR", "100000"),
        ],
    );
    println!("\n{name}: whether {tries} answers tell by their time who has an account");
    let mut stream = server.connect().await;
    for question in QUESTIONS {
        let (there, other) = (|n: usize| format!("person{}", n % PEOPLE), |n: usize| format!("nobody{}", n % PEOPLE));
        let found = compare(&server, &mut stream, &question, tries, there, other).await;
        let control = compare(&server, &mut stream, &question, tries, there, |n| there(n + PEOPLE / 2)).await;
        println!("  {:<20} AUC {found:.3}   control {control:.3}", question.0);
    }
}

/// How well the times tell those that `one` names from those that `other` names: 0.5 is not at all.
async fn compare(
    server: &Server,
    stream: &mut TcpStream,
    (_, path, body, [status, said]): &Question,
    tries: usize,
    one: impl Fn(usize) -> String,
    other: impl Fn(usize) -> String,
) -> f64 {
    let (mut ones, mut others) = (Vec::new(), Vec::new());
    for n in 0..tries / 2 + 10 {
        // What is done after an answer must not always fall on the same side.
        let one_first = rand::random::<bool>();
        for is_one in [one_first, !one_first] {
            let name = if is_one { one(n) } else { other(n) };
            let request = server.post(path, "", &body(&name));
            let started = Instant::now();
            let answer = ask(stream, &request).await;
            let took = started.elapsed().as_secs_f64();
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(said), "{answer}");
            // The first ones warm up both.
            if n >= 10 {
                if is_one { &mut ones } else { &mut others }.push(took);
            }
        }
    }
    let area = area(&ones, &others);
    area.max(1.0 - area)
}

/// The part of all pairs in which the one took longer.
fn area(ones: &[f64], others: &[f64]) -> f64 {
    let pairs = ones.iter().flat_map(|one| others.iter().map(move |other| (one, other)));
    pairs.filter(|(one, other)| one > other).count() as f64 / (ones.len() * others.len()) as f64
}
