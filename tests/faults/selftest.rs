//! The checker proves itself: servers with a bug planted in them, each flagged by the invariant that it breaks; and the
//! same load on a server without one, flagged by nothing.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use sqlx::Connection as _;

use crate::cell::{Cell, Mode};
use crate::durable::Log;
use crate::finale::finish;
use crate::load::{Load, Scale};
use crate::rows::power::losses;
use crate::rows::sync::send_traced;
use crate::site::{Plan, Site};
use crate::support::backend::Backend;

/// What is planted (`src/cli/bugs.rs`), and what must flag it.
const BUGS: &[(&str, &str)] = &[
    ("ack-before-commit", "I1"),
    ("forgets", "I1"),
    ("ghosts", "I2"),
    ("goes-astray", "I2"),
    ("no-unique-key", "I3"),
    ("gap-in-numbers", "I4"),
    ("hole-in-a-page", "I4"),
    ("pairs-swapped", "I5"),
    ("pairs-swapped", "I6"),
    ("long-bodies-cut", "I7"),
    ("position-changes", "I8"),
    ("overtaken-position", "I9"),
    ("resumes-from-the-head", "I9"),
    ("notify-before-commit", "I10"),
    // And with it I19: what devices end with depends on words.
    ("no-head-poll", "I10"),
    ("told-twice", "I11"),
    ("stale-list", "I12"),
    ("list-goes-back", "I13"),
    ("head-goes-back", "I13"),
    ("anybody-may-read", "I14"),
    ("key-for-anything", "I15"),
    ("read-mark-falls", "I16"),
    ("empty-success", "I17"),
    ("starts-over-for-nothing", "I17"),
    ("failed-and-stored", "I18"),
    ("late-to-return", "I20"),
    ("wedged", "I20"),
    ("signed-out-and-heard", "I21"),
    ("row-left-behind", "I22"),
];
/// No bugs: no bug at all, and a bus that says nothing, which the poll of heads makes good.
const CONTROLS: &[&str] = &["none", "lost-words"];

/// Runs every bug once; fails unless each is flagged.
pub async fn all(faulty: Option<PathBuf>, seed: u64) -> ExitCode {
    let Some(program) = faulty else {
        println!("self-test: CHATD_FAULTY_BIN names no program; scripts/faults builds it");
        return ExitCode::FAILURE;
    };
    let started = std::time::Instant::now();
    let mut missed = Vec::new();
    for control in CONTROLS {
        let broken = planted(&program, control, seed).await;
        println!("{control:<24} {}", if broken.is_empty() { "flagged by nothing, as it must" } else { "FLAGGED" });
        if !broken.is_empty() {
            missed.push(format!("{control}: {broken:?}"));
        }
    }
    let mut names: Vec<_> = BUGS.iter().map(|(name, _)| *name).collect();
    names.dedup();
    for name in &names {
        let broken = planted(&program, name, seed).await;
        let expected: Vec<_> = BUGS.iter().filter(|(bug, _)| bug == name).map(|(_, invariant)| *invariant).collect();
        let flagged = expected.iter().all(|invariant| broken.contains(*invariant));
        let all: Vec<_> = broken.iter().map(String::as_str).collect();
        let word = if flagged { "flagged by" } else { "MISSED by" };
        println!("{name:<24} {word} {} (all that broke: {})", expected.join(" and "), all.join(" "));
        if !flagged {
            missed.push((*name).to_owned());
        }
    }
    names.push(UNSYNCED);
    let (early, lost) = (unsynced(&program, seed).await, losses(&program, UNSYNCED, CUTS, seed).await);
    let healthy = losses(&program, "none", CUTS, seed).await;
    let flagged = early > 0 && lost > 0 && healthy == 0;
    println!(
        "{UNSYNCED:<24} {} rows 19 and 20 ({lost} of {CUTS} power failures lost something, {healthy} without it; {early} \
        acknowledged before a sync)",
        if flagged { "flagged by" } else { "MISSED by" }
    );
    if !flagged {
        missed.push(UNSYNCED.to_owned());
    }
    let flagged = names.len() - missed.len().min(names.len());
    println!("self-test: {flagged} of {} bugs flagged, {:.0} s", names.len(), started.elapsed().as_secs_f64());
    if missed.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("missed: {}, seed {seed}", missed.join("; "));
    ExitCode::FAILURE
}

/// The invariants that a server with this bug breaks under a common load.
async fn planted(program: &std::path::Path, bug: &str, seed: u64) -> BTreeSet<String> {
    let mut plan = Plan { people: 12, program: Some(program.to_owned()), ..Plan::on(Backend::Sqlite) };
    plan.environment.push(("CHATD_FAULT_BUG".to_owned(), bug.to_owned()));
    if bug == "notify-before-commit" {
        // The poll of heads would make it good.
        plan = plan.with("HEAD_POLL_SECONDS", &60);
    }
    let site = Site::new(plan).await;
    let mut load = Load::start(&site, Scale::default(), seed).await;
    load.more(500, Duration::from_mins(1)).await;
    if bug == "signed-out-and-heard" {
        // Long enough after the end of the session.
        tokio::time::sleep(Duration::from_secs(8)).await;
        load.more(50, Duration::from_mins(1)).await;
    }
    if bug == "wedged" {
        tokio::time::sleep(Duration::from_secs(15)).await;
    }
    if bug == "late-to-return" {
        site.kill(0);
        site.start(0);
        load.history.heal();
        load.more(50, Duration::from_mins(1)).await;
    }
    if bug == "row-left-behind" {
        // A later send would make it good.
        load.quiet().await;
        leave_a_row_behind(&site.database.url).await;
    }
    let keep = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("faults").join(format!("bug-{bug}-{seed}"));
    let cell = Cell::new(Mode::Quick, seed, Backend::Sqlite, None, keep);
    let ended = finish(&site, load).await;
    if CONTROLS.contains(&bug) {
        cell.settle(&ended);
        cell.broken().iter().for_each(|line| println!("     {line}"));
    }
    ended.violations.iter().map(|violation| violation.invariant.to_owned()).collect()
}

/// A list that lacks the newest message of a conversation; not of the two who send once more in the end. No server needs to be wrong for it: the tables are changed.
async fn leave_a_row_behind(url: &str) {
    let mut c = sqlx::SqliteConnection::connect(url).await.expect("it opens");
    let sql = "UPDATE user_conversations SET last_seq = last_seq - 1 WHERE (user_id, conversation_id) = \
        (SELECT user_id, conversation_id FROM user_conversations WHERE user_id = 3 LIMIT 1)";
    let changed = sqlx::query(sql).execute(&mut c).await.expect("it writes").rows_affected();
    assert_eq!(changed, 1, "a row is behind");
}

/// Acknowledges what is not on the disk. Nothing but the power can show it, or the system calls.
const UNSYNCED: &str = "synchronous-off";
const CUTS: u64 = 200;

/// How many acknowledgments of such a server left before a sync.
async fn unsynced(program: &std::path::Path, seed: u64) -> usize {
    let mut plan = Plan { people: 8, program: Some(program.to_owned()), ..Plan::on(Backend::Sqlite) };
    plan.environment.push(("CHATD_FAULT_BUG".to_owned(), UNSYNCED.to_owned()));
    let site = Site::new(plan).await;
    let load = Load::start(&site, Scale { lanes: 0, sends_only: true, ..Scale::default() }, seed).await;
    let (_, ledger) = send_traced(&site, &load, None, 200, site.dir.path(), Log::Sqlite).await;
    ledger.early.len()
}
