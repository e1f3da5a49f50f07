//! Tries to break what chatd promises, with real processes, real databases and real faults, and says row by row what came
//! of it. `scripts/faults` builds and runs it; `docs/reliability.md` has the table.
//!
//! Clients write down everything they do and see ([`history`]); a [`checker`] that knows nothing else reads it and names
//! the invariant that it breaks. A cell whose fault was not seen to bite has shown nothing, and counts as failed.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "it fails by a panic, reads its own environment, and its figures are rates"
)]

mod calls;
mod cell;
mod checker;
mod crowd;
mod delays;
mod device;
mod disks;
mod durable;
mod evidence;
mod finale;
mod galera;
mod haproxy;
mod history;
mod line;
mod link;
mod load;
mod power;
mod quiet;
mod rows;
mod selftest;
mod site;
mod strace;
#[allow(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../it/support/mod.rs"]
mod support;
mod usage;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use cell::{Cell, Mode, Row, run};

/// Faults against the promises.
#[derive(Parser)]
#[command(name = "faults")]
struct Args {
    /// A few of each, within four minutes (this is what no option means too).
    #[arg(long)]
    quick: bool,
    /// Within an hour on two processors.
    #[arg(long, conflicts_with = "quick")]
    nightly: bool,
    /// As often as the table says: many hours.
    #[arg(long, conflicts_with_all = ["quick", "nightly"])]
    release: bool,
    /// Only these rows.
    #[arg(long, value_delimiter = ',')]
    only: Vec<u8>,
    /// Only this backend: sqlite, mariadb or galera.
    #[arg(long)]
    on: Option<String>,
    /// Repeats the choices of an earlier run.
    #[arg(long)]
    seed: Option<u64>,
    /// Shows that the checker flags servers with bugs planted in them.
    #[arg(long)]
    self_test: bool,
    /// Names the rows.
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    if args.list {
        for row in rows::all() {
            let on: Vec<_> = row.on.iter().map(|backend| backend.name()).collect();
            let quick: Vec<_> = row.quick.iter().map(|backend| backend.name()).collect();
            let quick = match (quick.len() == on.len(), quick.is_empty()) {
                (true, _) => String::new(),
                (_, true) => " (not --quick)".to_owned(),
                _ => format!(" (--quick: {})", quick.join(", ")),
            };
            println!("{:>2} {:<46} {}{quick}", row.number, row.name, on.join(", "));
        }
        return ExitCode::SUCCESS;
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(all(&args))
}

async fn all(args: &Args) -> ExitCode {
    let mode = match (args.nightly, args.release) {
        (true, _) => Mode::Nightly,
        (_, true) => Mode::Release,
        _ => Mode::Quick,
    };
    let seed = args.seed.unwrap_or_else(rand::random);
    let faulty = std::env::var_os("CHATD_FAULTY_BIN").map(PathBuf::from);
    if args.self_test {
        return selftest::all(faulty, seed).await;
    }
    let started = std::time::Instant::now();
    println!("faults, {mode:?}, seed {seed}, {}", site::program().display());
    let (mut passed, mut failed) = (0, Vec::new());
    for (row, backend) in cells(args, mode) {
        let name = format!("row{}-{}-{seed}", row.number, backend.name());
        if !backend.is_here() {
            failed.push(format!("{} {}: the backend is not here", row.number, backend.name()));
            continue;
        }
        if row.faulty && faulty.is_none() {
            failed.push(format!("{} {}: CHATD_FAULTY_BIN names no program", row.number, backend.name()));
            continue;
        }
        let keep = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("faults").join(name);
        let verdict = run(row, Cell::new(mode, seed, backend, faulty.clone(), keep)).await;
        println!("{}", verdict.line);
        if verdict.passed {
            passed += 1;
        } else {
            failed.push(format!("{} {}", row.number, backend.name()));
        }
    }
    println!("faults: {passed} cells passed, {} did not, {:.0} s", failed.len(), started.elapsed().as_secs_f64());
    if failed.is_empty() && passed > 0 {
        return ExitCode::SUCCESS;
    }
    println!("did not pass: {}", failed.join("; "));
    ExitCode::FAILURE
}

/// What was asked for. A row that is named is run though it is not part of `--quick`.
fn cells(args: &Args, mode: Mode) -> Vec<(&'static Row, support::backend::Backend)> {
    let named = |row: &Row| args.only.is_empty() || args.only.contains(&row.number);
    let some = mode == Mode::Quick && args.only.is_empty();
    let rows = rows::all().filter(|row| named(row));
    let on = |row: &Row| if some { row.quick } else { row.on };
    let cells = rows.flat_map(|row| on(row).iter().map(move |backend| (row, *backend)));
    cells.filter(|(_, backend)| args.on.as_deref().is_none_or(|on| backend.name() == on)).collect()
}
