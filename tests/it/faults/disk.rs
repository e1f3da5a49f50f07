//! What reaches the disk, and a disk that takes no more.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::json;
use sqlx::Connection as _;
use tempfile::TempDir;

use crate::support::backend::{Backend, Database, may_mount, tool};
use crate::support::server::{Client, LOOSE, Server, World, add_user, command};
use crate::support::services::OwnMariaDb;
use crate::support::{trial, until};

pub fn trials() -> Vec<Trial> {
    let weak = trial("faults::weak_durability_is_reported", weak_durability_is_reported);
    let trace = trial("faults::every_201_follows_an_fsync", every_201_follows_an_fsync);
    vec![
        trace.with_ignored_flag(!tool("strace")),
        weak.with_ignored_flag(!Backend::MariaDb.is_here()),
        trial("faults::disk_full", disk_full).with_ignored_flag(!may_mount()),
    ]
}

/// A server on which acknowledged messages are not safe says so, where the operator looks, and starts all the same.
async fn weak_durability_is_reported() {
    let dir = tempfile::tempdir().expect("a directory");
    let weak = ["--innodb-flush-log-at-trx-commit=2", "--log-bin=binlog", "--sync-binlog=0"];
    let mariadb = OwnMariaDb::start(dir.path(), &weak).await;
    let database = Database::on(&mariadb.url).await;
    let server = Server::start(&database, dir.path(), &[LOOSE]);
    let log = server.log();
    for said in ["warning: acknowledged messages are not safe: innodb_flush_log_at_trx_commit is 2", "sync_binlog is 0"]
    {
        assert!(log.contains(said), "{log}");
    }
    drop((server, database));
    let strong = Database::new(Backend::MariaDb).await;
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::start(&strong, dir.path(), &[LOOSE]);
    assert!(!server.log().contains("not safe"), "{}", server.log());
}

/// A file system of a few megabytes.
struct Tmpfs(TempDir);

impl Tmpfs {
    fn mount(size: &str) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "none"]).arg(dir.path());
        assert!(mount.status().expect("mount runs").success(), "a tmpfs is mounted");
        Self(dir)
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

/// The disk takes no more: sends are refused, reads go on, and with space again so do sends,
/// without a restart; what was acknowledged is there, and nothing else.
async fn disk_full() {
    let disk = Tmpfs::mount("8m");
    let database = Database::in_directory(disk.0.path()).await;
    let dir = tempfile::tempdir().expect("a directory");
    let server = Server::start(&database, dir.path(), &[LOOSE]);
    let world = World { server, database, dir };
    let (ann, bob) = world.two().await;
    // Leaves room for a few messages.
    let ballast = disk.0.path().join("ballast");
    let left = 300 * 1024;
    let mut file = std::fs::File::create(&ballast).expect("a file");
    while free_space(disk.0.path()) > left {
        file.write_all(&[0; 16 * 1024]).expect("there is space");
    }
    let mut acknowledged = Vec::new();
    let body = "x".repeat(8_000);
    let refused = loop {
        let body = json!({"recipient": "bob", "body": body, "client_id": format!("m{}", acknowledged.len())});
        let answer = ann.post("/api/v1/message/", &body).await;
        if answer.status == 503 {
            break answer;
        }
        acknowledged.push(answer.expect(201)["id"].clone());
        assert!(acknowledged.len() < 1000, "the fault must bite");
    };
    assert!(!acknowledged.is_empty(), "some messages went in");
    println!("{} messages, then: {:?} {}", acknowledged.len(), refused.header("outcome"), refused.body);
    assert!(refused.header("retry-after").is_some());
    // Reads go on, and the process stays.
    let listed = bob.get("/api/v1/message/?target=ann").await.expect(200);
    assert_eq!(listed["count"], acknowledged.len());
    assert_eq!(ann.get("/healthz").await.status, 200);
    drop(file);
    std::fs::remove_file(&ballast).expect("it can be removed");
    // The very send that was refused, without a restart: once.
    let again = json!({"recipient": "bob", "body": body, "client_id": format!("m{}", acknowledged.len())});
    let stored = until("a send with space again", Duration::from_secs(10), || async {
        let answer = ann.post("/api/v1/message/", &again).await;
        [200, 201].contains(&answer.status).then(|| answer.json())
    })
    .await;
    assert_eq!(stored["seq"], acknowledged.len() + 1);
    acknowledged.push(stored["id"].clone());
    let listed = bob.get("/api/v1/message/?target=ann&limit=1000").await.expect(200);
    let mut ids: Vec<_> = listed["results"].as_array().expect("a list").iter().map(|m| m["id"].clone()).collect();
    ids.reverse();
    assert_eq!(listed["count"], acknowledged.len());
    assert_eq!(ids, acknowledged[acknowledged.len() - ids.len()..]);
    // Sound, as SQLite itself sees it.
    let mut c = sqlx::SqliteConnection::connect(&world.database.url).await.expect("connects");
    let sound: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut c).await.expect("it is checked");
    assert_eq!(sound, "ok");
}

/// Bytes that a file system can still take.
fn free_space(dir: &Path) -> u64 {
    let shown = Command::new("df").args(["--output=avail", "-B1"]).arg(dir).output().expect("df runs").stdout;
    String::from_utf8_lossy(&shown).lines().nth(1).and_then(|line| line.trim().parse().ok()).expect("a number")
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
