//! What `docs/security.md` promises, held against a real server. The number in a test's name is the number of the
//! promise there.
//!
//! To add a test: a function in the file of its subject, named in that file's `trials`, and its row in the document
//! (a test compares the two).

mod access;
mod accounts;
mod bodies;
mod cross_site;
mod devices;
mod generated;
mod headers;
mod hosts;
mod in_a_row;
mod limits;
mod links;
mod nonsense;
mod pages;
mod passkeys;
mod passwords;
mod pictures;
mod revocation;
mod roles;
mod second_factor;
mod sessions;
mod sockets;
mod source;
mod throttle;

use std::io::Write as _;
use std::process::{Output, Stdio};
use std::time::Duration;

use libtest_mimic::Trial;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::backend::Database;
use crate::support::server::{Settings, World, command};

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    trials.extend(accounts::trials());
    trials.extend(passwords::trials());
    trials.extend(throttle::trials());
    trials.extend(limits::trials());
    trials.extend(in_a_row::trials());
    trials.extend(links::trials());
    trials.extend(sessions::trials());
    trials.extend(revocation::trials());
    trials.extend(cross_site::trials());
    trials.extend(devices::trials());
    trials.extend(hosts::trials());
    trials.extend(sockets::trials());
    trials.extend(access::trials());
    trials.extend(roles::trials());
    trials.extend(second_factor::trials());
    trials.extend(pages::trials());
    trials.extend(pictures::trials());
    trials.extend(passkeys::trials());
    trials.extend(headers::trials());
    trials.extend(bodies::trials());
    trials.extend(source::trials());
    trials.extend(nonsense::trials());
    trials.extend(generated::trials());
    let names: Vec<_> = trials.iter().map(|trial| trial.name().to_owned()).collect();
    trials.push(source::documented(names));
    trials
}

/// A trial for each function, named `security::FUNCTION`.
macro_rules! once {
    ($($test:ident),* $(,)?) => {
        vec![$($crate::support::trial(concat!("security::", stringify!($test)), $test)),*]
    };
}
use once;

/// The first column of a query, as text.
async fn column(database: &Database, sql: &'static str) -> Vec<String> {
    use sqlx::{Connection as _, Row as _};
    if database.url.starts_with("sqlite:") {
        let mut c = sqlx::SqliteConnection::connect(&database.url).await.expect("connects");
        let rows = sqlx::query(sql).fetch_all(&mut c).await.expect("the query runs");
        rows.iter().map(|row| row.get::<String, _>(0)).collect()
    } else {
        let mut c = sqlx::MySqlConnection::connect(&database.url).await.expect("connects");
        let rows = sqlx::query(sql).fetch_all(&mut c).await.expect("the query runs");
        rows.iter().map(|row| row.get::<String, _>(0)).collect()
    }
}

/// Runs `chatd ARGS` beside the server, with this on its standard input.
fn chatd(world: &World, settings: Settings<'_>, args: &[&str], input: &str) -> Output {
    let mut command = command(&world.database, world.dir.path(), settings);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("chatd starts");
    // A command that does not read its input may have closed it.
    let _ = child.stdin.take().expect("stdin is piped").write_all(input.as_bytes());
    child.wait_with_output().expect("chatd ends")
}

/// [`chatd`], which must succeed.
fn chatd_ok(world: &World, settings: Settings<'_>, args: &[&str], input: &str) {
    let done = chatd(world, settings, args, input);
    assert!(done.status.success(), "{args:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// Bytes as they are, and everything that is answered to them.
async fn raw(world: &World, bytes: &[u8]) -> String {
    exchange(world.server.port, bytes, Duration::from_secs(5)).await
}

/// Sends bytes as they are and reads until the server closes. If it says nothing for so long it may be waiting for
/// more: it is told that there is none.
async fn exchange(port: u16, bytes: &[u8], waits: Duration) -> String {
    const STUCK: Duration = Duration::from_secs(20);
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("the server takes connections");
    // The server may have answered and closed before it has read everything.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let mut patience = waits;
    loop {
        match tokio::time::timeout(patience, stream.read_buf(&mut answer)).await {
            // The end, or a reset behind the answer.
            Ok(Ok(0) | Err(_)) => return String::from_utf8_lossy(&answer).into_owned(),
            Ok(Ok(_)) => {}
            Err(_) => {
                assert!(
                    patience == waits,
                    "the server neither answers nor closes: {:?}",
                    String::from_utf8_lossy(bytes)
                );
                let _ = stream.shutdown().await;
                patience = STUCK;
            }
        }
    }
}

/// A request line and headers for [`raw`]; the connection ends after it.
fn head(world: &World, line: &str, headers: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n{headers}\r\n", world.server.port)
}

/// The status in a raw answer; 0 if it is none.
fn status(answer: &str) -> u16 {
    answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).and_then(|code| code.parse().ok()).unwrap_or(0)
}
