//! The limits of signing in: so many wrong passwords a minute for an account from one network, for an account from
//! anywhere, and for an address; and so many in a row for an account.
//!
//! The account's own limit a minute is ten times wider than the one of the pair, so that a stranger who guesses from
//! one place is stopped there and the owner elsewhere is not locked out; and it fills again by itself, so no lock-out
//! lasts. The limit in a row is counted apart for each network from which the account has signed in, and once for all
//! other networks together: strangers, however many, use up only what strangers have.

use std::net::IpAddr;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::hex;
use crate::domain::{Timestamp, UserId};
use crate::store::{Allowance, Try};

const MINUTE: i64 = 60_000_000;
/// How much wider the limit of an account from anywhere is.
const ANYWHERE: i64 = 10;
/// Wrong passwords in a row, and how long it takes until there may be one more.
const IN_A_ROW: i64 = 100;
const ONE_MORE: i64 = 15 * MINUTE;
/// How much longer than a session a network is known. People sign in where their last session ended: a network
/// forgotten by then would be a stranger's exactly when it is needed. A month more is for those who were away.
const ABSENCE: Duration = Duration::from_hours(30 * 24);

/// Makes the allowances of a try.
#[derive(Clone, Copy, Debug)]
pub struct Throttle {
    per_minute: i64,
    known_for: Duration,
}

/// An account, by the key of its name, and the network from which it is tried.
pub struct Place<'a> {
    key: &'a str,
    network: String,
}

impl<'a> Place<'a> {
    pub fn new(key: &'a str, address: IpAddr) -> Self {
        Self { key, network: network(address) }
    }

    /// Its name among the known networks.
    pub fn name(&self) -> String {
        name(&["known", self.key, &self.network])
    }
}

impl Throttle {
    pub fn new(per_minute: u32, session_length: Duration) -> Self {
        Self { per_minute: i64::from(per_minute), known_for: session_length + ABSENCE }
    }

    /// What one try is charged to; `known` is whether the account has signed in from there.
    pub fn attempt(self, place: &Place<'_>, known: bool) -> Try {
        let Place { key, network } = place;
        let a_minute = |name: String, width: i64| Allowance {
            name,
            cost_micros: (MINUTE / (self.per_minute * width)).max(1),
            burst_micros: MINUTE,
        };
        let in_a_row = if known { name(&["in a row from", key, network]) } else { strangers(key) };
        Try {
            a_minute: vec![
                a_minute(name(&["account from", key, network]), 1),
                a_minute(name(&["account", key]), ANYWHERE),
                a_minute(name(&["address", network]), 1),
            ],
            in_a_row: Allowance { name: in_a_row, cost_micros: ONE_MORE, burst_micros: IN_A_ROW * ONE_MORE },
            network: place.name(),
        }
    }

    /// Until when a network is known from which somebody signs in now.
    pub fn known_until(self, now: Timestamp) -> Timestamp {
        now.plus(self.known_for)
    }
}

/// The name of the allowance that all networks share from which the account never signed in.
pub fn strangers(key: &str) -> String {
    name(&["in a row", key])
}

/// What one account that is made from an address is charged to: so many an hour, as many at once.
pub fn sign_ups(address: IpAddr, per_hour: u32) -> Allowance {
    an_hour(&["sign-up from", &network(address)], per_hour)
}

/// What somebody at an address is charged who has forgotten a password.
pub fn forgotten(address: IpAddr, per_hour: u32) -> Allowance {
    an_hour(&["forgotten from", &network(address)], per_hour)
}

/// What a report to the staff is charged to.
pub fn reports(user: UserId, per_hour: u32) -> Allowance {
    an_hour(&["reports by", &user.to_string()], per_hour)
}

/// What a letter is charged to that anybody can cause.
pub fn mails_to(address: &str, per_hour: u32) -> Allowance {
    an_hour(&["mail to", &address.to_lowercase()], per_hour)
}

fn an_hour(parts: &[&str], per_hour: u32) -> Allowance {
    let hour = 60 * MINUTE;
    Allowance { name: name(parts), cost_micros: (hour / i64::from(per_hour)).max(1), burst_micros: hour }
}

/// Names are kept as hashes only. No part has a NUL: whatever somebody writes for a name, two lists of parts are never
/// one text.
fn name(parts: &[&str]) -> String {
    hex(&Sha256::digest(format!("sign-in\0{}", parts.join("\0")).as_bytes()))
}

/// An IPv6 host has its whole /64 to try from: that is one address here.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("{:x?}/64", &v6.segments()[..4]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_made_up_of_another_charges_nothing_of_it() {
        let throttle = Throttle::new(10, Duration::ZERO);
        let of = |key: &str, known| -> Vec<String> {
            let attempt = throttle.attempt(&Place::new(key, [203, 0, 113, 1].into()), known);
            attempt.charges().into_iter().map(|allowance| allowance.name).collect()
        };
        let (ann, same) = (of("ann", true), of("ann", true));
        assert_eq!(ann, same);
        for key in ["ann from 203.0.113.1", "ann 203.0.113.1", "from ann", "ann\u{1}203.0.113.1"] {
            // The address is the same one.
            assert!(of(key, false)[..2].iter().chain(&of(key, true)[3..]).all(|name| !ann.contains(name)), "{key}");
        }
    }
}
