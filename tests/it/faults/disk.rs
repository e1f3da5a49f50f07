//! What reaches the disk, and a disk that takes no more.

use std::collections::HashMap;
use std::process::Command;
use std::time::Duration;

use libtest_mimic::Trial;

use crate::support::backend::{Backend, Database, tool};
use crate::support::server::{Client, LOOSE, Server, World, add_user, command};
use crate::support::{trial, until};

pub fn trials() -> Vec<Trial> {
    let trace = trial("faults::every_201_follows_an_fsync", every_201_follows_an_fsync);
    vec![trace.with_ignored_flag(!tool("strace"))]
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
