//! Outgoing mail, against a real mail server on loopback.

mod commands;
mod handing_over;
mod queue;
mod serving;

use chatd::mail::{Address, Letter, Mailbox};
use libtest_mimic::Trial;

use crate::support::smtp;

pub fn trials() -> Vec<Trial> {
    let mut trials = handing_over::trials();
    trials.extend(queue::trials());
    trials.extend(serving::trials());
    trials.extend(commands::trials());
    smtp::where_it_is_here(trials)
}

fn address(text: &str) -> Address {
    Address::parse(text).expect("an address")
}

fn from() -> Mailbox {
    Mailbox::parse("chätd <chatd@example.org>").expect("a mailbox")
}

fn letter(subject: &str) -> Letter {
    Letter::new(subject)
        .paragraph("Hello <ann> 🎉, this is for you: نص.\n.\nA line with a dot alone.")
        .link("Open it", "https://chat.example.org/x/?a=1&b=2")
}
