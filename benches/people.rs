//! Finding people among 1,000,000 beside finding them among 1,000, in turn in the same run: pages of a search and of
//! everybody, the first one and one near the end. Prints ratios and gates nothing; that as many rows are read is a test
//! of the store.
//!
//! `scripts/bench` runs this; `CHATD_BENCH_PEOPLE` sets the larger number.

#![allow(
    clippy::disallowed_methods,
    clippy::cast_possible_wrap,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    clippy::disallowed_types,
    reason = "a benchmark reads its own environment, its figures are times, and its people are made in bulk"
)]

mod support;

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chatd::domain::{NamePrefix, Place, UserKey, places};
use chatd::store::{Options, SqlStore};
use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection, SqliteConnection};
use support::{Server, ask, people};

const FEW: usize = 1000;
const PAIRS: usize = 300;
const FIRST: [&str; 12] =
    ["Anna", "Andre", "Bo", "Carla", "Dmitri", "Eva", "Farid", "Greta", "Hana", "Ivo", "Ольга", "太郎"];
const LAST: [&str; 10] =
    ["Andersen", "Berg", "Costa", "Dahl", "Novak", "Okafor", "Петрова", "Schmidt", "Tanaka", "山田"];

#[tokio::main]
async fn main() {
    let dir = tempfile::tempdir().expect("a directory");
    let many = std::env::var("CHATD_BENCH_PEOPLE").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    // `scripts/bench mariadb` leaves SQLite out.
    if std::env::args().all(|arg| arg != "mariadb") {
        let url = |n: usize| format!("sqlite:{}", dir.path().join(format!("{n}.sqlite3")).display());
        run("SQLite", &url(FEW), &url(many), many, dir.path()).await;
    }
    if let Ok(server) = std::env::var("CHATD_TEST_MARIADB_URL") {
        let mut c = MySqlConnection::connect(&server).await.expect("MariaDB");
        c.execute("CREATE DATABASE chatd_few; CREATE DATABASE chatd_many").await.expect("databases");
        let url = |name: &str| format!("{server}/{name}");
        run("MariaDB", &url("chatd_few"), &url("chatd_many"), many, dir.path()).await;
        c.execute("DROP DATABASE chatd_few; DROP DATABASE chatd_many").await.expect("dropped");
    }
}

/// A server among so many people, and the pages that it is asked for.
struct Site {
    server: Server,
    pages: Vec<(&'static str, String)>,
}

async fn run(name: &str, few: &str, many: &str, count: usize, dir: &Path) {
    let started = Instant::now();
    let few = Site::new(few, FEW, &dir.join(format!("{name} few"))).await;
    let many = Site::new(many, count, &dir.join(format!("{name} many"))).await;
    println!("\n{name}: pages of 20 people, of {count} and of {FEW} (filled in {:.0?})", started.elapsed());
    let mut streams = (few.server.connect().await, many.server.connect().await);
    for ((what, small), (_, large)) in few.pages.iter().zip(&many.pages) {
        let (mut times_small, mut times_large) = (Vec::new(), Vec::new());
        for round in 0..PAIRS + 20 {
            let small = time(&mut streams.0, small).await;
            let large = time(&mut streams.1, large).await;
            // The first ones warm up both.
            if round >= 20 {
                times_small.push(small);
                times_large.push(large);
            }
        }
        let (small, large) = (median(&mut times_small), median(&mut times_large));
        println!("  {what:<28} {:>6.3} ms   {:>6.3} ms   ratio {:.2}", large * 1e3, small * 1e3, large / small);
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

async fn time(stream: &mut tokio::net::TcpStream, request: &str) -> f64 {
    let started = Instant::now();
    let answer = ask(stream, request).await;
    let took = started.elapsed().as_secs_f64();
    let found = answer.matches("{\"username\":").count();
    assert!(answer.starts_with("HTTP/1.1 200") && found == 20, "{found} in {answer}");
    took
}

impl Site {
    async fn new(url: &str, count: usize, dir: &Path) -> Self {
        SqlStore::migrate(url).await.expect("migrations");
        let store = SqlStore::open(url, &Options::default()).await.expect("a store");
        let me = people(&store).await.swap_remove(0);
        let names = fill(url, me.id + 1_000_000_000, count).await;
        store.close().await;
        let server = Server::start(url, dir);
        let cookie = server.sign_in(&me.username).await;
        let mut pages = Vec::new();
        for (typed, first, deep) in [
            ("", "everybody, the first page", "everybody, near the end"),
            ("an", "\"an\", the first page", "\"an\", near the end"),
            ("ольга", "\"ольга\", the first page", "\"ольга\", near the end"),
        ] {
            let prefix = NamePrefix::new(typed);
            let (from, to) = prefix.bounds();
            let fits = |(part, place): &&(i64, Place)| prefix.parts().contains(part) && place.0 > from && place.0 < to;
            let mut fitting: Vec<_> = names.iter().filter(fits).map(|(_, place)| &place.0).collect();
            fitting.sort();
            let cursor = URL_SAFE_NO_PAD.encode(fitting[fitting.len() - 25]);
            let search: String = form_urlencoded::byte_serialize(typed.as_bytes()).collect();
            let get = |query: &str| {
                let at = &server.at;
                format!("GET /api/v1/user/?search={search}{query} HTTP/1.1\r\nHost: {at}\r\nCookie: {cookie}\r\n\r\n")
            };
            pages.push((first, get("")));
            pages.push((deep, get(&format!("&cursor={cursor}"))));
        }
        Self { server, pages }
    }
}

/// So many people, each fourth with a display name; their names as they are stored.
async fn fill(url: &str, from: i64, count: usize) -> Vec<(i64, Place)> {
    let mut users = Vec::with_capacity(count);
    let mut names = Vec::new();
    for i in 0..count {
        let (first, last) = (FIRST[i % FIRST.len()], LAST[i / FIRST.len() % LAST.len()]);
        let (id, key) = (from + i as i64, format!("{}{i}", first.to_lowercase()));
        let display_name = if i % 4 == 0 { format!("{first} {last}") } else { String::new() };
        let key = UserKey::new(&key).expect("a key");
        users.push(format!("({id}, '{0}', '{0}', '!', '', 1, 0, 0, 1)", key.as_str()));
        names.extend(places(id, &key, &display_name).into_iter().map(|(part, place)| (part, place, id)));
    }
    // In the order of the key: each page is written once.
    names.sort();
    let rows = names.iter().map(|(part, place, id)| {
        let hex = place.0.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        format!("({part}, x'{hex}', {id})")
    });
    let columns = "id, username, username_key, password_hash, email, is_active, is_staff, is_superuser, date_joined";
    let mut sql = inserts(&format!("users ({columns})"), users.into_iter()).collect::<Vec<_>>();
    sql.extend(inserts("people_names (part, place, user_id)", rows));
    // All of them are noted.
    sql.push("REPLACE INTO meta (name, value) VALUES ('people_names_up_to', '9000000000')".to_owned());
    sql.push("REPLACE INTO meta (name, value) VALUES ('name_looks_up_to', '9000000000')".to_owned());
    if url.starts_with("sqlite:") {
        let mut c = SqliteConnection::connect(url).await.expect("SQLite");
        c.execute("BEGIN").await.expect("begun");
        for sql in sql {
            c.execute(AssertSqlSafe(sql)).await.expect("filled");
        }
        c.execute("COMMIT; ANALYZE").await.expect("filled");
    } else {
        let mut c = MySqlConnection::connect(url).await.expect("MariaDB");
        for sql in sql {
            c.execute(AssertSqlSafe(sql)).await.expect("filled");
        }
        c.execute("ANALYZE TABLE users, people_names").await.expect("filled");
    }
    names.into_iter().map(|(part, place, _)| (part, place)).collect()
}

fn inserts(table: &str, rows: impl Iterator<Item = String>) -> impl Iterator<Item = String> {
    let (mut rows, table) = (rows.peekable(), table.to_owned());
    std::iter::from_fn(move || {
        rows.peek()?;
        let part: Vec<_> = rows.by_ref().take(5000).collect();
        Some(format!("INSERT INTO {table} VALUES {}", part.join(", ")))
    })
}
