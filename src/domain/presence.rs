//! Who is here: shown to others while it is so, and stored only to be shown.

use std::time::Duration;

use super::{Timestamp, UserId};

/// How somebody who shares it appears to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Somebody looks at it, on some device.
    Online,
    /// A device is connected, and nobody looks.
    Away,
    /// When a device was connected last, if ever.
    Offline(Option<Timestamp>),
}

/// What is stored of somebody's presence. Each process of a site moves both ends on while its own sockets say so, and
/// none needs to know of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attendance {
    pub user: UserId,
    /// A device is connected until then, as far as is known.
    pub here_until: Timestamp,
    /// Somebody looks until then.
    pub active_until: Timestamp,
    /// A device was connected then.
    pub last_seen: Timestamp,
}

/// How long a process vouches for its sockets at once. One that was killed takes its word with it after so long.
const VOUCHED: Duration = Duration::from_secs(75);
/// It vouches anew when less than this is left.
const RENEWED: Duration = Duration::from_secs(35);
/// Who leaves is seen for a little longer: a page that is loaded anew is no departure, and another process that has
/// sockets of the same person has time to say so.
const GRACE: Duration = Duration::from_secs(10);

impl Attendance {
    /// Of somebody of whom nothing is known.
    pub fn none(user: UserId) -> Self {
        let never = Timestamp(0);
        Self { user, here_until: never, active_until: never, last_seen: never }
    }

    /// How it looks at this moment.
    pub fn seen(&self, now: Timestamp) -> Presence {
        match (self.here_until > now, self.active_until > now) {
            (true, true) => Presence::Online,
            (true, false) => Presence::Away,
            (false, _) => Presence::Offline(Some(self.last_seen).filter(|seen| seen.0 > 0)),
        }
    }

    /// What is to be stored for somebody who has sockets here, active ones or not; none if what is stored will do.
    #[must_use]
    pub fn renewed(&self, active: bool, now: Timestamp) -> Option<Self> {
        let soon = now.plus(RENEWED);
        let until = now.plus(VOUCHED);
        if self.here_until >= soon && (!active || self.active_until >= soon) {
            return None;
        }
        let active_until = if active { until } else { self.active_until };
        Some(Self { here_until: until, active_until, last_seen: now, ..*self })
    }

    /// What is to be stored when nobody looks any more on the devices of one process.
    #[must_use]
    pub fn away(&self, now: Timestamp) -> Self {
        Self { active_until: self.active_until.min(now.plus(GRACE)), ..*self }
    }

    /// What is to be stored when the last socket of one process has gone.
    #[must_use]
    pub fn left(&self, now: Timestamp) -> Self {
        let until = now.plus(GRACE);
        let (here_until, active_until) = (self.here_until.min(until), self.active_until.min(until));
        Self { here_until, active_until, last_seen: now, ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp(1_000_000_000).plus(Duration::from_secs(seconds))
    }

    #[test]
    fn who_stays_is_online_without_a_gap() {
        let mut stored = Attendance::none(1);
        assert_eq!(stored.seen(at(0)), Presence::Offline(None));
        let mut written = 0;
        for second in (0..600).step_by(5) {
            if let Some(renewed) = stored.renewed(true, at(second)) {
                stored = renewed;
                written += 1;
            }
            assert_eq!(stored.seen(at(second + 4)), Presence::Online, "{second}");
        }
        assert!(written <= 16, "{written} writes in ten minutes");
    }

    #[test]
    fn who_leaves_is_gone_soon_and_a_killed_process_forgets() {
        let here = Attendance::none(1).renewed(true, at(0)).unwrap();
        let left = here.left(at(20));
        assert_eq!(left.seen(at(29)), Presence::Online);
        assert_eq!(left.seen(at(31)), Presence::Offline(Some(at(20))));
        assert_eq!(here.seen(at(74)), Presence::Online);
        assert_eq!(here.seen(at(76)), Presence::Offline(Some(at(0))));
    }

    #[test]
    fn who_does_not_look_is_away() {
        let here = Attendance::none(1).renewed(true, at(0)).unwrap();
        let away = here.away(at(20));
        assert_eq!((away.seen(at(29)), away.seen(at(31))), (Presence::Online, Presence::Away));
        let still = away.renewed(false, at(50)).unwrap();
        assert_eq!(still.seen(at(120)), Presence::Away);
        assert_eq!(still.renewed(true, at(60)).unwrap().seen(at(60)), Presence::Online);
    }

    #[test]
    fn another_process_says_that_somebody_is_still_there() {
        let left = Attendance::none(1).renewed(true, at(0)).unwrap().left(at(20));
        // It looks every five seconds.
        let renewed = left.renewed(true, at(25)).expect("less is left than it vouches for");
        assert_eq!(renewed.seen(at(60)), Presence::Online);
    }
}
