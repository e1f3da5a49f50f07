//! What this process has counted.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::{Kind, Rate};
use crate::domain::UserId;

/// What is whole again is forgotten when there is more than this, and each time it has doubled since.
const FEW: usize = 4096;

pub(super) struct Local {
    started: Instant,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    /// When an allowance is whole again, in microseconds since the start.
    whole_at: HashMap<(Kind, UserId), i64>,
    cleared_at: usize,
}

impl Default for Local {
    fn default() -> Self {
        Self { started: Instant::now(), counts: Mutex::default() }
    }
}

impl Local {
    /// Takes one, or says how many microseconds to wait.
    pub(super) fn take(&self, kind: Kind, user: UserId, rate: Rate) -> Result<(), i64> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let now = i64::try_from(self.started.elapsed().as_micros()).unwrap_or(i64::MAX);
        if counts.whole_at.len() >= (2 * counts.cleared_at).max(FEW) {
            counts.whole_at.retain(|_, whole_at| *whole_at > now);
            counts.cleared_at = counts.whole_at.len();
        }
        let whole_at = counts.whole_at.entry((kind, user)).or_insert(now);
        *whole_at = rate.take(*whole_at, now)?;
        Ok(())
    }

    /// What was taken was not used.
    pub(super) fn give_back(&self, kind: Kind, user: UserId, rate: Rate) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(whole_at) = counts.whole_at.get_mut(&(kind, user)) {
            *whole_at -= rate.cost;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_at_once_have_no_more() {
        let local = Local::default();
        let rate = Rate::a_minute(600);
        let passed: usize = std::thread::scope(|scope| {
            let tasks: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| (0..2000).filter(|_| local.take(Kind::Reads, 1, rate).is_ok()).count()))
                .collect();
            tasks.into_iter().map(|task| task.join().unwrap()).sum()
        });
        let came_back = usize::try_from(local.started.elapsed().as_millis()).unwrap() / 100;
        assert!((600..=601 + came_back).contains(&passed), "{passed}");
    }

    #[test]
    fn whoever_did_little_is_forgotten() {
        let local = Local::default();
        let quick = Rate { cost: 1, burst: 1 };
        for user in 0..100_000 {
            assert_eq!(local.take(Kind::Reads, user, quick), Ok(()));
        }
        assert!(local.counts.lock().unwrap().whole_at.len() <= FEW + 1);
        // And whoever is still owing is not.
        let slow = Rate::a_minute(1);
        for user in 0..20_000 {
            assert_eq!(local.take(Kind::Logins, user, slow), Ok(()));
        }
        for user in 0..20_000 {
            assert!(local.take(Kind::Logins, user, slow).is_err(), "{user}");
        }
    }
}
