//! A power failure at any moment, replayed from the writes and syncs of a real server.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rand::SeedableRng as _;
use rand::rngs::SmallRng;
use rand::seq::index::sample;
use serde_json::Value;
use sqlx::Connection as _;

use super::SQLITE;
use crate::cell::{Cell, Mode, Row};
use crate::finale::audit;
use crate::history::{History, Op, Phase};
use crate::load::Load;
use crate::power::{CALLS, Disk, Event, Fate, events};
use crate::site::{Plan, Site, program};
use crate::support::backend::{Backend, Database};
use crate::support::until;

pub const ROWS: &[Row] = &[Row {
    number: 19,
    name: "power loss at every write and sync",
    on: SQLITE,
    faulty: false,
    quick: SQLITE,
    run: |cell| Box::pin(power_loss(cell)),
}];

async fn power_loss(cell: &Cell) {
    let dir = tempfile::tempdir().expect("a directory");
    let files = dir.path().join("database");
    std::fs::create_dir(&files).expect("a directory");
    let database = Arc::new(Database::in_directory(&files).await);
    let site = Site::over(cell.plan().with("DRAIN_SECONDS", &0), database).await;
    let (disk, trace, told) = record(cell, (site, &program()), dir.path(), &files).await;
    let events = events(&trace, &files);
    let last = events.iter().rposition(|event| matches!(event, Event::Acknowledged(_))).unwrap_or(0);
    let to_file = |event: &&Event| matches!(event, Event::Write { file, .. } if file == "chat.sqlite3");
    let pages = events[..last].iter().filter(to_file).count();
    let acknowledged = events.iter().filter(|event| matches!(event, Event::Acknowledged(_))).count();
    cell.figure("writes, syncs and 201s", events.len());
    cell.figure("201s", acknowledged);
    cell.figure("pages checkpointed meanwhile", pages);
    let short = cell.mode == Mode::Quick;
    cell.must(pages > 0 || short, || "no checkpoint came between".to_owned());
    cell.must(acknowledged as u64 == told, || format!("clients were told of {told} 201s"));
    let wanted = cell.times(40, 600, 2400);
    let seen = replay(disk, &events, dir.path(), wanted, cell.seed).await;
    // Where everything is certain a power failure changes nothing.
    cell.bit(seen.uncertain);
    cell.figure("power failures", seen.failures);
    cell.figure("with something uncertain", seen.uncertain);
    cell.must(seen.uncertain > 0, || "nothing was ever uncertain".to_owned());
    cell.must(seen.failures >= wanted, || format!("only {} power failures of {wanted}", seen.failures));
    let wrong = &seen.wrong;
    cell.must(wrong.is_empty(), || format!("wrong in {}, such as {:#?}", wrong.len(), &wrong[..wrong.len().min(5)]));
}

/// How many of about so many power failures took an acknowledged message from a program with this bug: for the
/// self-test.
pub async fn losses(program: &Path, bug: &str, failures: u64, seed: u64) -> u64 {
    let dir = tempfile::tempdir().expect("a directory");
    let files = dir.path().join("database");
    std::fs::create_dir(&files).expect("a directory");
    let database = Arc::new(Database::in_directory(&files).await);
    let cell = Cell::new(Mode::Quick, seed, Backend::Sqlite, None, dir.path().join("kept"));
    let mut plan = Plan { program: Some(program.to_owned()), ..cell.plan().with("DRAIN_SECONDS", &0) };
    plan.environment.push(("CHATD_FAULT_BUG".to_owned(), bug.to_owned()));
    let site = Site::over(plan, database).await;
    let (disk, trace, _) = record(&cell, (site, program), dir.path(), &files).await;
    replay(disk, &events(&trace, &files), dir.path(), failures, seed).await.lost
}

/// Runs a program under load with its system calls written down, from its start to its end; what the disk held before,
/// the trace, and how many 201s clients have seen.
async fn record(cell: &Cell, (mut site, program): (Site, &Path), dir: &Path, files: &Path) -> (Disk, String, u64) {
    let trace = dir.join("trace");
    // Whoever made the people may still be writing.
    until("this process to leave the database", Duration::from_secs(10), || async {
        let open = std::fs::read_dir("/proc/self/fd").expect("descriptors").flatten();
        let mut open = open.filter_map(|fd| std::fs::read_link(fd.path()).ok());
        (!open.any(|file| file.starts_with(files))).then_some(())
    })
    .await;
    end(&site).await;
    let disk = Disk::of(files);
    // The server stays the child of whoever starts it; the tracer ends with it.
    let strace = format!("strace -D -f -y -s 400000 --seccomp-bpf -e {CALLS} -o '{}'", trace.display());
    let script = dir.join("traced");
    std::fs::write(&script, format!("#!/bin/sh\nexec {strace} '{}' \"$@\"\n", program.display())).expect("a script");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).expect("it may be run");
    site.plan.program = Some(script);
    site.start(0);
    let load = Load::start(&site, cell.scale(), cell.seed).await;
    load.more(cell.times(150, 1500, 3000), Duration::from_mins(10)).await;
    let history = load.history.clone();
    cell.check(&site, load).await;
    end(&site).await;
    let trace = until("the trace to end with the server", Duration::from_secs(30), || async {
        let bytes = std::fs::read(&trace).expect("a trace");
        bytes.ends_with(b"+++ exited with 0 +++\n").then(|| String::from_utf8_lossy(&bytes).into_owned())
    });
    let told = history.count(0, |step| step.op == Op::Send && step.status == Some(201));
    (disk, trace.await, told)
}

async fn end(site: &Site) {
    let server = site.take(0).expect("it runs");
    server.signal("TERM");
    assert_eq!(server.ended().await, 0, "it ends well");
}

/// What power failures came to.
#[derive(Default)]
struct Seen {
    failures: u64,
    /// Those in which some writes were not certain.
    uncertain: u64,
    /// Those after which an acknowledged message was missing.
    lost: u64,
    wrong: Vec<String>,
}

/// Lets the power fail after some of the events, half of them acknowledgments, and looks at what a disk may hold then.
async fn replay(mut disk: Disk, events: &[Event], dir: &Path, wanted: u64, seed: u64) -> Seen {
    let mut rng = SmallRng::seed_from_u64(seed);
    let fates = [Fate::Lost, Fate::Kept, Fate::Chance, Fate::Chance];
    let cuts = cuts(events, wanted.div_ceil(fates.len() as u64) as usize, &mut rng);
    let (mut acknowledged, mut seen) = (Vec::new(), Seen::default());
    for (index, event) in events.iter().enumerate() {
        disk.take(event);
        if let Event::Acknowledged(message) = event {
            acknowledged.push(message);
        }
        if !cuts.contains(&index) {
            continue;
        }
        for fate in fates {
            let state = tempfile::tempdir_in(dir).expect("a directory");
            disk.fail(state.path(), fate, &mut rng);
            seen.failures += 1;
            seen.uncertain += u64::from(disk.uncertain() > 0);
            let (missing, wrong) = look(state.path(), &acknowledged).await;
            seen.lost += u64::from(missing > 0);
            if !wrong.is_empty() {
                seen.wrong.push(format!("after {} acknowledgments, {fate:?}: {wrong}", acknowledged.len()));
            }
        }
    }
    seen
}

/// So many places among the events, half of them at acknowledgments.
fn cuts(events: &[Event], count: usize, rng: &mut SmallRng) -> HashSet<usize> {
    let all = 0..events.len();
    let (acks, others): (Vec<_>, Vec<_>) = all.partition(|at| matches!(events[*at], Event::Acknowledged(_)));
    let half = (count / 2).min(acks.len());
    let at_acks = sample(rng, acks.len(), half).into_iter().map(|at| acks[at]);
    let rest = (count - half).min(others.len());
    at_acks.chain(sample(rng, others.len(), rest).into_iter().map(|at| others[at])).collect()
}

/// Opens what was found and looks whether it is sound and has everything that was acknowledged; how many of those are
/// missing, and what is wrong.
async fn look(dir: &Path, acknowledged: &[&Value]) -> (usize, String) {
    let url = format!("sqlite:{}", dir.join("chat.sqlite3").display());
    let mut wrong = String::new();
    let read = async {
        let mut c = sqlx::SqliteConnection::connect(&url).await?;
        let rows = sqlx::query_as("SELECT id, seq, body FROM messages").fetch_all(&mut c).await;
        c.close().await?;
        rows
    };
    let rows: Vec<(i64, i64, String)> = match read.await {
        Ok(rows) => rows,
        Err(e) => return (acknowledged.len(), format!("it cannot be read: {e}")),
    };
    let stored: HashMap<i64, (i64, String)> = rows.into_iter().map(|(id, seq, body)| (id, (seq, body))).collect();
    let is_there = |message: &&&Value| {
        let found = message["id"].as_i64().and_then(|id| stored.get(&id));
        found.is_some_and(|(seq, body)| message["seq"] == *seq && message["body"] == **body)
    };
    let missing = acknowledged.len() - acknowledged.iter().filter(is_there).count();
    if missing > 0 {
        let _ = write!(wrong, "{missing} acknowledged messages are missing; ");
    }
    let history = History::default();
    audit(&url, &history).await;
    for step in history.steps().iter().filter(|step| step.op == Op::Audit && step.phase == Phase::Fail) {
        let _ = write!(wrong, "{}; ", step.note.as_deref().unwrap_or_default());
    }
    (missing, wrong)
}
