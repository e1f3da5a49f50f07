//! How much each user may ask for: messages, reads, sign-ins. An allowance fills steadily up to its burst; what is taken
//! beyond it is refused, with the time after which there is some again.
//!
//! Nothing of it is in the database: a send writes nothing more because it is counted. Each process counts what it sees.
//! With Redis it asks there too, so that a user has one allowance however many processes there are. While Redis does not
//! answer each process goes on by its own count: limits hold, as often as there are processes, and nobody waits for them.
//!
//! To add a limit: a [`Kind`], its [`Rate`] from a setting in `cli`, and the place that takes from it.

mod local;
mod redis;

use std::collections::HashMap;
use std::time::Duration;

use self::local::Local;
use self::redis::Shared;
use crate::domain::UserId;

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// What is written into conversations: messages, and changes to them and to what is arranged.
    Messages,
    /// Every other request to the API.
    Reads,
    /// Sign-ins with the right password. Wrong ones have limits of their own, in `auth::throttle`.
    Logins,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Reads => "reads",
            Self::Logins => "logins",
        }
    }
}

/// So many in a time, and so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How long it takes until there is one more, in microseconds.
    cost: i64,
    /// How much may be taken ahead of time, in microseconds.
    burst: i64,
}

/// A clock may stand so far behind what it has been, in microseconds, and is believed.
const SKEW: i64 = 60_000_000;

impl Rate {
    /// `number` in each `time`, at most `burst` at once.
    pub fn new(number: u32, time: Duration, burst: u32) -> Self {
        let time = i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        let cost = (time / i64::from(number.max(1))).max(1);
        Self { cost, burst: cost.saturating_mul(i64::from(burst.max(1))) }
    }

    /// `number` a minute, all of them at once if need be.
    pub fn a_minute(number: u32) -> Self {
        Self::new(number, Duration::from_mins(1), number)
    }

    /// Takes one from an allowance that is whole again at `whole_at`: when it is then, or how long to wait. What is
    /// farther ahead than anybody can be was written by a clock that was wrong.
    fn take(self, whole_at: i64, now: i64) -> Result<i64, i64> {
        let owed = if whole_at - now > self.burst + SKEW { 0 } else { (whole_at - now).max(0) };
        let most = self.burst - self.cost;
        if owed > most { Err(owed - most) } else { Ok(now + owed + self.cost) }
    }
}

/// The allowances of all users.
pub struct Limits {
    rates: HashMap<Kind, Rate>,
    local: Local,
    shared: Option<Shared>,
}

impl Limits {
    /// Those of one process. A kind that is not named has no limit.
    pub fn new(rates: impl IntoIterator<Item = (Kind, Rate)>) -> Self {
        Self { rates: rates.into_iter().collect(), local: Local::default(), shared: None }
    }

    /// The same for all processes of an installation (its name: `install`) that name this Redis. It may be away. An
    /// address that cannot be used leaves each process its own count.
    #[must_use]
    pub fn shared(self, redis_url: &str, install: &str) -> Self {
        Self { shared: Shared::start(redis_url, install), ..self }
    }

    /// Takes one. `Err` is how long to wait before there is one.
    pub async fn take(&self, kind: Kind, user: UserId) -> Result<(), Duration> {
        let Some(rate) = self.rates.get(&kind).copied() else { return Ok(()) };
        // Whoever has too much here has too much anywhere: a flood costs Redis nothing.
        let taken = match (self.local.take(kind, user, rate), &self.shared) {
            (Ok(()), Some(shared)) => shared.take(kind, user, rate).await.unwrap_or(Ok(())).inspect_err(|_| {
                self.local.give_back(kind, user, rate);
            }),
            (counted, _) => counted,
        };
        taken.map_err(|wait| Duration::from_micros(wait.unsigned_abs().max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_fills_steadily() {
        let rate = Rate::new(10, Duration::from_secs(1), 30);
        let mut whole_at = 0;
        let mut take = |now| match rate.take(whole_at, now) {
            Ok(then) => {
                whole_at = then;
                Ok(())
            }
            Err(wait) => Err(wait),
        };
        let start = 1_000_000_000;
        for _ in 0..30 {
            assert_eq!(take(start), Ok(()));
        }
        assert_eq!(take(start), Err(100_000), "one more in a tenth of a second");
        assert_eq!(take(start + 99_999), Err(1));
        assert_eq!(take(start + 100_000), Ok(()));
        // No more than the burst is saved up.
        for _ in 0..30 {
            assert_eq!(take(start + 100_000_000), Ok(()));
        }
        assert!(take(start + 100_000_000).is_err());
        // Nor is it whole because somebody looked at the clock a moment before somebody else.
        assert!(take(start + 99_999_990).is_err());
        // A clock that was ahead locks nobody out.
        assert_eq!(take(start), Ok(()));
    }

    #[tokio::test]
    async fn everybody_has_their_own() {
        let limits = Limits::new([(Kind::Logins, Rate::a_minute(2))]);
        for user in [1, 2] {
            assert_eq!(limits.take(Kind::Logins, user).await, Ok(()));
            assert_eq!(limits.take(Kind::Logins, user).await, Ok(()));
            let wait = limits.take(Kind::Logins, user).await.unwrap_err();
            assert!(wait <= Duration::from_secs(30) && wait > Duration::from_secs(25), "{wait:?}");
        }
        assert_eq!(limits.take(Kind::Reads, 1).await, Ok(()), "without a limit");
    }
}
