//! The limits of signing in: so many wrong passwords a minute for an account from one network, for an account from
//! anywhere, and for an address.
//!
//! The account's own limit is ten times wider than the one of the pair, so that a stranger who guesses from one place
//! is stopped there and the owner elsewhere is not locked out; and it fills again by itself, so no lock-out lasts.

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use super::hex;
use crate::store::Allowance;

const MINUTE: i64 = 60_000_000;
/// How much wider the limit of an account from anywhere is.
const ANYWHERE: i64 = 10;

/// Makes the allowances of a try.
#[derive(Clone, Copy, Debug)]
pub struct Throttle {
    per_minute: i64,
}

impl Throttle {
    pub fn new(per_minute: u32) -> Self {
        Self { per_minute: i64::from(per_minute) }
    }

    /// What one try with this name from this address is charged to. Names are kept as hashes only.
    pub fn allowances(self, key: &str, address: IpAddr) -> Vec<Allowance> {
        let network = network(address);
        let of = |what: &str, width: i64| Allowance {
            name: hex(&Sha256::digest(format!("sign-in {what}").as_bytes())),
            cost_micros: (MINUTE / (self.per_minute * width)).max(1),
            burst_micros: MINUTE,
        };
        vec![
            of(&format!("account {key} from {network}"), 1),
            of(&format!("account {key}"), ANYWHERE),
            of(&format!("address {network}"), 1),
        ]
    }
}

/// An IPv6 host has its whole /64 to try from: that is one address here.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("{:x?}/64", &v6.segments()[..4]),
    }
}
