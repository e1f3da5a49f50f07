//! All integration tests, in one binary. A test is a `Trial`; what needs a database comes once for each backend.
//!
//! SQLite needs nothing. MariaDB, MySQL and Redis are used where `CHATD_TEST_MARIADB_URL`, `CHATD_TEST_MYSQL_URL` and
//! `CHATD_TEST_REDIS_URL` are set; elsewhere their tests are listed as ignored. `CHATD_TEST_REQUIRE` names services
//! (`mariadb,redis`) whose absence is a failure.

#![allow(
    clippy::unwrap_used,
    clippy::too_many_lines,
    clippy::disallowed_methods,
    clippy::cast_possible_truncation,
    reason = "a test fails by a panic, reads its own environment, and may tell a long story"
)]

mod architecture;
mod arranging;
mod changing;
mod commands;
mod conformance;
mod contacts;
mod contract;
mod draining;
mod faults;
mod finding;
mod mail;
mod my_data;
mod pages;
mod presence;
mod profiles;
mod security;
mod sending;
mod signing_up;
mod simulation;
mod sockets;
#[allow(dead_code, reason = "shared with tests/faults, which use the rest of it")]
mod support;

use libtest_mimic::{Arguments, Trial};

fn main() {
    let mut words = std::env::args().skip_while(|word| word != "--seed").skip(1);
    if let Some(seed) = words.next() {
        return simulation::repeat(seed.parse().expect("a seed is a number"), words.next().as_deref());
    }
    let args = Arguments::from_args();
    let mut trials: Vec<Trial> = Vec::new();
    trials.extend(architecture::trials());
    trials.extend(arranging::trials());
    trials.extend(changing::trials());
    trials.extend(commands::trials());
    trials.extend(conformance::trials());
    trials.extend(draining::trials());
    trials.extend(faults::trials());
    trials.extend(finding::trials());
    trials.extend(contacts::trials());
    trials.extend(contract::trials());
    trials.extend(mail::trials());
    trials.extend(my_data::trials());
    trials.extend(pages::trials());
    trials.extend(presence::trials());
    trials.extend(profiles::trials());
    trials.extend(security::trials());
    trials.extend(sending::trials());
    trials.extend(signing_up::trials());
    trials.extend(simulation::trials());
    trials.extend(sockets::trials());
    let left_out = support::backend::left_out();
    let conclusion = libtest_mimic::run(&args, trials);
    if !args.list && !left_out.is_empty() {
        println!("left out (no address given, or not installed): {}", left_out.join(", "));
    }
    conclusion.exit();
}
