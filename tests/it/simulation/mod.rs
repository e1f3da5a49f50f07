//! The delivery core in a simulated world: the program's own use cases, feed, registry and poll of heads, over a
//! database, a bus and clocks that do what the seed of a schedule wants. `docs/simulation.md` says what is modelled.
//!
//! `cargo test --test it -- --seed N` repeats one schedule and tells its steps.

mod bugs;
mod checks;
mod device;
pub mod memory;
mod network;
mod person;
mod record;
mod schedule;
mod scheduler;
mod socket;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use libtest_mimic::{Failed, Trial};

use bugs::Bug;
use scheduler::lock;

/// How many schedules an ordinary run has; `CHATD_TEST_SCHEDULES` changes it.
const SCHEDULES: u64 = 10_000;
/// Within how many schedules a seeded bug must be found.
const TO_FIND_A_BUG: u64 = 10_000;

/// Seeds, and what each of them found. A change of the simulation makes other schedules of them: find new ones then,
/// with the mistake put back into the program.
const FOUND: &[(u64, &str)] = &[
    (
        115,
        "the poll of heads compared numbers only: a database that was put back and had come as far again left a \
         connected device with a message that was gone, and without the one in its place",
    ),
    (
        1089,
        "a connected device that stood beyond the head of a database that was put back was not told, if the poll of \
         heads had seen that very head before",
    ),
];

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![
        Trial::test("simulation::schedules", || hold(how_many())),
        Trial::test("simulation::a_seed_is_a_schedule", a_seed_is_a_schedule),
        Trial::test("simulation::what_was_found_is_mended", what_was_found_is_mended),
    ];
    trials.extend(
        bugs::ALL.map(|(bug, invariants)| {
            Trial::test(format!("simulation::finds::{bug:?}"), move || finds(bug, invariants))
        }),
    );
    trials
}

fn how_many() -> u64 {
    let wanted = std::env::var("CHATD_TEST_SCHEDULES").ok().filter(|text| !text.is_empty());
    wanted.map_or(SCHEDULES, |text| text.parse().expect("CHATD_TEST_SCHEDULES is a number"))
}

/// Repeats the schedule of a seed, and tells its steps.
pub fn repeat(seed: u64, bug: Option<&str>) {
    let named = |name: &str| bugs::ALL.iter().find(|(bug, _)| format!("{bug:?}") == name).map(|(bug, _)| *bug);
    let bug = bug.map(|name| named(name).expect("the name of a seeded bug"));
    let verdict = schedule::run(seed, bug, true);
    verdict.told.iter().for_each(|line| println!("{line}"));
    println!("seed {seed}, {} steps: {}", verdict.steps, verdict.failure.as_deref().unwrap_or("everything holds"));
}

/// All schedules of the seeds from 0 on, on all processors, until one fails.
fn hold(schedules: u64) -> Result<(), Failed> {
    let (next, failed) = (AtomicU64::new(0), Mutex::new(None::<(u64, String)>));
    let started = Instant::now();
    let run = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= schedules || lock(&failed).is_some() {
                return;
            }
            if let Some(failure) = schedule::run(seed, None, false).failure {
                let mut failed = lock(&failed);
                if failed.as_ref().is_none_or(|(lowest, _)| seed < *lowest) {
                    *failed = Some((seed, failure));
                }
            }
        }
    };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..processors).for_each(|_| drop(scope.spawn(run))));
    println!("{schedules} schedules in {:.1} s", started.elapsed().as_secs_f64());
    match lock(&failed).take() {
        None => Ok(()),
        Some((seed, failure)) => {
            Err(format!("{failure}\nrepeat it with: cargo test --test it -- --seed {seed}").into())
        }
    }
}

fn a_seed_is_a_schedule() -> Result<(), Failed> {
    for seed in 0..20 {
        let [once, again] = [(); 2].map(|()| schedule::run(seed, None, true).told);
        if once != again {
            return Err(format!("the schedule of seed {seed} is not the same twice").into());
        }
    }
    Ok(())
}

/// Runs schedules with a mistake in them until each of these invariants has caught it.
fn finds(bug: Bug, invariants: &[&str]) -> Result<(), Failed> {
    let mut missing = invariants.to_vec();
    for seed in 0..TO_FIND_A_BUG {
        let Some(failure) = schedule::run(seed, Some(bug), false).failure else { continue };
        let before = missing.len();
        missing.retain(|name| !failure.starts_with(&format!("{name} ")));
        if missing.len() < before {
            println!("{bug:?} is found by schedule {seed}: {failure}");
        }
        if missing.is_empty() {
            return Ok(());
        }
    }
    Err(format!("{bug:?} was not caught by {missing:?} in {TO_FIND_A_BUG} schedules").into())
}

/// Schedules that found a mistake in the program.
fn what_was_found_is_mended() -> Result<(), Failed> {
    for (seed, mistake) in FOUND {
        if let Some(failure) = schedule::run(*seed, None, false).failure {
            return Err(format!("schedule {seed}, which once found that {mistake}: {failure}").into());
        }
    }
    Ok(())
}
