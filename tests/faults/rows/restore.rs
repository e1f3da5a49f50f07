//! A database that is put back to a copy of itself, under clients that have seen more.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection as _;

use super::BOTH;
use crate::calls::{Caller, place};
use crate::cell::{Cell, Row};
use crate::checker::restores::{COPIED, PUT_BACK, Restore};
use crate::device::{Device, Habits};
use crate::history::{History, Op, Phase, Step, conv};
use crate::load::Load;
use crate::site::Site;
use crate::support::backend::{Backend, run};
use crate::support::until;

pub const ROWS: &[Row] = &[Row {
    number: 30,
    name: "a copy is put back under newer cursors",
    on: BOTH,
    faulty: false,
    quick: BOTH,
    run: |cell| Box::pin(put_back(cell)),
}];

/// Every client whose cursor is newer than the copy has started over within so long.
const STARTED_OVER: Duration = Duration::from_secs(10);

/// A cursor that somebody kept while away.
struct Kept {
    caller: Caller,
    cursor: String,
}

/// The copy is a plain one: it has the lineage and the numbers of the original, and only tags tell them apart.
async fn put_back(cell: &Cell) {
    let site = Site::new(cell.plan().pair().with("DRAIN_SECONDS", &0)).await;
    let load = Load::start(&site, cell.scale(), cell.seed).await;
    cell.warm(&site);
    // A session that was signed out after the copy would be there again.
    until("somebody to be signed out", Duration::from_secs(20), || async {
        (load.history.count(0, |step| step.op == Op::SignOut && step.phase == Phase::Ok) > 0).then_some(())
    })
    .await;
    let mut started_over = 0;
    let times = cell.times(1, 4, 20);
    for time in 0..times {
        note(&load.history, COPIED, Vec::new());
        let copy = copy(&site, &site.dir.path().join(format!("copy{time}"))).await;
        load.more(60, Duration::from_mins(1)).await;
        let kept = keep(&site, &load, time).await;
        stop(&site, &load).await;
        restore(&site, &copy).await;
        let heads = heads(&site.database.url).await;
        let newer = |user: &Arc<str>, cursor: &str| place(cursor).1 > heads.get(user).copied();
        note(&load.history, PUT_BACK, lengths(&site.database.url).await);
        let since = load.history.now();
        let devices = load.devices.iter().filter(|device| newer(&device.caller.user, &device.cursor()));
        let devices: Vec<_> = devices.map(|device| device.caller.device.clone()).collect();
        for index in 0..site.processes() {
            site.start(index);
        }
        load.history.heal();
        cell.must(!devices.is_empty(), || "no device had seen more than the copy".to_owned());
        started_over += devices.len();
        for device in devices {
            until(&format!("{device} to start over"), STARTED_OVER, || async {
                (load.history.count(since, |step| step.op == Op::Reset && step.device == device) > 0).then_some(())
            })
            .await;
        }
        for (number, kept) in kept.into_iter().enumerate() {
            if newer(&kept.caller.user, &kept.cursor) {
                come_back(cell, &load, kept, number).await;
            }
        }
    }
    let steps = load.history.steps();
    let restores = Restore::all(&steps);
    let acknowledged = steps.iter().filter(|step| step.op == Op::Send && step.phase == Phase::Ok);
    let lost = acknowledged.filter(|step| restores.iter().any(|restore| restore.takes_back(step))).count();
    cell.must(lost > 0, || "nothing was lost: the copy was not older".to_owned());
    cell.figure("acknowledged and not in the copy", lost);
    cell.figure("devices that started over", started_over);
    cell.check(&site, load).await;
}

fn note(history: &History, what: &str, marks: Vec<(Arc<str>, i64, i64, i64)>) {
    let nobody = Arc::from("");
    let mut step = Step::new(Op::Audit, Phase::Ok, 0, &nobody, &nobody).note(what);
    step.marks = marks;
    history.add(step);
}

/// Takes a copy beside the load, as the manual for operators says.
async fn copy(site: &Site, to: &Path) -> PathBuf {
    let url = &site.database.url;
    if site.plan.backend == Backend::Sqlite {
        run(url, &format!("VACUUM INTO '{}'", to.display())).await;
        return to.to_owned();
    }
    let mut dump = client("mariadb-dump", url);
    dump.arg("--single-transaction").arg(name(url)).stdout(std::fs::File::create(to).expect("a file"));
    let dumped = tokio::task::block_in_place(|| dump.status());
    assert!(dumped.expect("mariadb-dump is installed").success(), "mariadb-dump");
    to.to_owned()
}

/// The cursors of a few people as they are now.
async fn keep(site: &Site, load: &Load, time: u64) -> Vec<Kept> {
    let mut all = Vec::new();
    for (number, person) in site.people.iter().take(8).enumerate() {
        let device = format!("{}/away{time}-{number}", person.name).into();
        let caller = Caller { user: person.name.clone(), device, cookie: person.cookies[0].clone() };
        let (_, cursor, _) = load.calls.sync(0, &caller, None, Some("head")).await.expect("the head of a log");
        all.push(Kept { caller, cursor });
    }
    all
}

/// Stops every server, and waits until nobody has anything more to hear of it.
async fn stop(site: &Site, load: &Load) {
    for index in 0..site.processes() {
        let server = site.take(index).expect("it runs");
        server.signal("TERM");
        assert_eq!(server.ended().await, 0, "it ends well");
    }
    let stopped = load.history.now();
    let devices: Vec<_> = load.devices.iter().chain(&load.revoked).map(|d| d.caller.device.clone()).collect();
    until("every call and connection to end", Duration::from_secs(20), || async {
        let steps = load.history.steps();
        let mut open: HashMap<u64, u64> = HashMap::new();
        let mut closed: HashMap<&Arc<str>, u64> = HashMap::new();
        for step in &steps {
            match (step.op, step.phase) {
                (Op::Close, _) => drop(closed.insert(&step.device, step.t_mono)),
                (_, Phase::Invoke) => drop(open.insert(step.call, step.t_mono)),
                _ => drop(open.remove(&step.call)),
            }
        }
        // Whatever a device had opened before, its next farewell is the end of.
        let gone = devices.iter().all(|device| closed.get(device).is_some_and(|when| *when > stopped));
        (gone && open.values().all(|begun| *begun > stopped)).then_some(())
    })
    .await;
}

/// Puts the copy where the database was.
async fn restore(site: &Site, copy: &Path) {
    let url = &site.database.url;
    if let Some(file) = url.strip_prefix("sqlite:") {
        // What the old one had not yet written into its file must not be taken for the copy's.
        for beside in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{file}{beside}"));
        }
        std::fs::copy(copy, file).expect("the copy is put back");
        return;
    }
    let name = name(url);
    let server = url.strip_suffix(&format!("/{name}")).expect("a server");
    run(server, &format!("DROP DATABASE {name}")).await;
    run(server, &format!("CREATE DATABASE {name}")).await;
    let dump = std::fs::File::open(copy).expect("a dump");
    let mut load = client("mariadb", url);
    let loaded = tokio::task::block_in_place(|| load.arg(&name).stdin(dump).stdout(Stdio::null()).status());
    assert!(loaded.expect("mariadb is installed").success(), "the dump is loaded");
}

/// A program of MariaDB's for this server.
fn client(program: &str, url: &str) -> Command {
    let port = url.rsplit_once(':').and_then(|(_, rest)| rest.split_once('/')).expect("a port and a name").0;
    let mut command = Command::new(program);
    command.args(["--no-defaults", "--host=127.0.0.1", "--protocol=tcp", "--user=root"]).arg(format!("--port={port}"));
    command
}

fn name(url: &str) -> String {
    url.rsplit_once('/').expect("a name").1.to_owned()
}

/// How far the log of each user goes.
async fn heads(url: &str) -> HashMap<Arc<str>, i64> {
    let sql = "SELECT u.username, h.pos FROM user_heads h JOIN users u ON u.id = h.user_id";
    let rows: Vec<(String, i64)> = if url.starts_with("sqlite:") {
        let mut c = sqlx::SqliteConnection::connect(url).await.expect("it opens");
        sqlx::query_as(sql).fetch_all(&mut c).await.expect("it reads")
    } else {
        let mut c = sqlx::MySqlConnection::connect(url).await.expect("it connects");
        sqlx::query_as(sql).fetch_all(&mut c).await.expect("it reads")
    };
    rows.into_iter().map(|(user, pos)| (user.into(), pos)).collect()
}

/// How far each conversation goes, as marks of a step.
async fn lengths(url: &str) -> Vec<(Arc<str>, i64, i64, i64)> {
    let sql = "SELECT a.username, b.username, c.last_seq FROM conversations c JOIN users a ON a.id = c.low_user \
        JOIN users b ON b.id = c.high_user";
    let rows: Vec<(String, String, i64)> = if url.starts_with("sqlite:") {
        let mut c = sqlx::SqliteConnection::connect(url).await.expect("it opens");
        sqlx::query_as(sql).fetch_all(&mut c).await.expect("it reads")
    } else {
        let mut c = sqlx::MySqlConnection::connect(url).await.expect("it connects");
        sqlx::query_as(sql).fetch_all(&mut c).await.expect("it reads")
    };
    rows.into_iter().map(|(a, b, last_seq)| (conv(&a, &b), 0, last_seq, 0)).collect()
}

/// Somebody comes back with a cursor whose place is taken by something else by now, and is told to start over: by a
/// page of the log and by a socket.
async fn come_back(cell: &Cell, load: &Load, kept: Kept, number: usize) {
    let Kept { caller, cursor } = kept;
    until("the log to reach the place again", Duration::from_mins(1), || async {
        let (_, head, _) = load.calls.sync(0, &caller, None, Some("head")).await.ok()?;
        (place(&head).1 >= place(&cursor).1).then_some(())
    })
    .await;
    // The checker knows that this must be refused.
    let page = load.calls.sync(number % load.calls.processes(), &caller, Some(&cursor), Some("forged put back")).await;
    let stays = Habits { leaves_within: None, pages_first: u32::MAX };
    let since = load.history.now();
    let device = Device::start(load.calls.clone(), caller.clone(), cursor, stays, cell.seed);
    let count = |op: Op| load.history.count(since, |step| step.op == op && step.device == caller.device);
    until("a device that was away to hear something", STARTED_OVER, || async {
        (count(Op::Reset) + count(Op::Recv) > 0).then_some(())
    })
    .await;
    let steps = load.history.steps();
    let mut own = steps.iter().filter(|step| step.t_mono >= since && step.device == caller.device);
    let first = own.find(|step| matches!(step.op, Op::Reset | Op::Recv)).map(|step| step.op);
    let reset = first == Some(Op::Reset);
    cell.must(reset, || format!("{} was told of events behind a place that is gone", caller.device));
    device.stop().await;
    cell.bit_of("pages refused", u64::from(matches!(page, Err(Some(410)))));
    cell.bit_of("sockets refused", u64::from(reset));
}
