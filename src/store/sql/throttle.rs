//! Rate limits that hold across processes and without Redis: one row per limited thing, with the time at which its
//! allowance will be whole again. A try moves that time on by its cost; it is refused while the time lies further
//! ahead than the burst allows. Beside them the networks from which accounts have signed in.

use std::collections::HashMap;

use super::{Fault, Repeat};
use crate::domain::Timestamp;
use crate::store::db::{Connection, Db, Value};
use crate::store::retry::Attempt;
use crate::store::{Allowance, Try};

const ADD: &str = "INSERT INTO throttle (name, whole_at) VALUES (?, ?) \
    ON CONFLICT (name) DO UPDATE SET whole_at = throttle.whole_at";
const TAKE: &str = "UPDATE throttle SET whole_at = CASE WHEN whole_at > ? THEN ? WHEN whole_at > ? THEN whole_at \
    ELSE ? END + ? WHERE name = ? AND (whole_at <= ? OR whole_at > ?)";
const LOOK: Repeat =
    Repeat { head: "SELECT name, whole_at FROM throttle WHERE name IN (", row: "?", between: ", ", tail: ")" };
const GIVE_BACK: &str = "UPDATE throttle SET whole_at = whole_at - ? WHERE name = ?";
pub(super) const MAKE_WHOLE: &str = "UPDATE throttle SET whole_at = ? WHERE name = ?";
pub(super) const WHOLE: &str = "DELETE FROM throttle WHERE whole_at < ?";
pub(super) const KNOWN: &str = "SELECT 1 FROM known_networks WHERE name = ? AND known_until > ?";
const KNOW: &str = "INSERT INTO known_networks (name, known_until) VALUES (?, ?) \
    ON CONFLICT (name) DO UPDATE SET known_until = excluded.known_until";
pub(super) const FORGET: &str = "DELETE FROM known_networks WHERE known_until <= ?";

pub(super) const ALL: &[&str] = &[ADD, TAKE, GIVE_BACK, MAKE_WHOLE, WHOLE, KNOWN, KNOW, FORGET];
pub(super) const REPEATS: &[&Repeat] = &[&LOOK];

/// A try may have waited so long for others, in microseconds.
const SLACK: i64 = 1_000_000;
/// The clocks of processes may differ by so much, in microseconds.
const SKEW: i64 = 60_000_000;

/// Rows are locked in the order of their names, so that two tries never wait in a circle.
fn in_order<'a>(allowances: impl IntoIterator<Item = &'a Allowance>) -> Vec<&'a Allowance> {
    let mut sorted: Vec<_> = allowances.into_iter().collect();
    sorted.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    sorted
}

pub(super) async fn take(
    db: &Db,
    attempt: Attempt,
    allowances: &[Allowance],
    now: Timestamp,
) -> Result<Result<(), i64>, Fault> {
    // Whoever is refused takes no lock and not the writer: else guessing would hold up everybody's messages. Only the
    // write grants a try.
    let names: Vec<_> = allowances.iter().map(|allowance| allowance.name.as_str().into()).collect();
    let rows = db.reader(attempt).await?.rows_many(&LOOK, 1, &names).await?;
    let stand = rows.into_iter().map(|mut row| Ok((row.text()?, row.int()?)));
    let stand: HashMap<String, i64> = stand.collect::<Result<_, Fault>>()?;
    let waits = allowances.iter().filter_map(|allowance| allowance.wait(*stand.get(&allowance.name)?, now));
    if let Some(wait) = waits.max() {
        return Ok(Err(wait));
    }
    let mut c = db.writer(attempt).await?;
    for allowance in in_order(allowances) {
        let name = allowance.name.as_str();
        c.execute(ADD, &[name.into(), now.0.into()]).await?;
        let most = now.0.saturating_add(allowance.most_owed());
        let farthest = now.0.saturating_add(allowance.farthest());
        let last = now.0.saturating_add(allowance.burst_micros - allowance.cost_micros);
        let now = now.0;
        let args = [farthest, last, now, now, allowance.cost_micros].map(Value::Int).into_iter();
        let args: Vec<_> = args.chain([name.into(), most.into(), farthest.into()]).collect();
        if c.execute(TAKE, &args).await?.rows == 0 {
            let stands = c.rows_many(&LOOK, 1, &[name.into()]).await?.pop();
            let whole_at = stands.map_or(Ok(most), |mut row| row.text().and_then(|_| row.int()))?;
            return Ok(Err(allowance.wait(whole_at, Timestamp(now)).unwrap_or(1)));
        }
    }
    c.commit().await?;
    Ok(Ok(()))
}

impl Allowance {
    /// What may be owed before a try, in microseconds. Tries at the same moment get their locks in another order than
    /// their times: without some slack one of them would be refused that is among the first.
    fn most_owed(&self) -> i64 {
        self.burst_micros - self.cost_micros + (self.cost_micros / 2).min(SLACK)
    }

    /// More than this nobody can owe, in microseconds: the clock was ahead when it was written, and must not lock
    /// anybody out until it is that late. There is one try then, and the next after the time of one.
    fn farthest(&self) -> i64 {
        self.burst_micros + SKEW
    }

    /// How long to wait, in microseconds, if there is no try left.
    fn wait(&self, whole_at: i64, now: Timestamp) -> Option<i64> {
        let owed = whole_at.saturating_sub(now.0);
        (owed > self.most_owed() && owed <= self.farthest())
            .then(|| (owed - self.burst_micros + self.cost_micros).max(1))
    }
}

/// What a try was charged, and nothing more.
pub(super) async fn give_back(c: &mut Connection<'_>, half: &Try) -> Result<(), Fault> {
    for allowance in in_order(half.a_minute.iter().chain([&half.in_a_row])) {
        c.execute(GIVE_BACK, &[allowance.cost_micros.into(), allowance.name.as_str().into()]).await?;
    }
    Ok(())
}

pub(super) async fn was_right(
    c: &mut Connection<'_>,
    right: &Try,
    now: Timestamp,
    known_until: Timestamp,
) -> Result<(), Fault> {
    for allowance in in_order(right.a_minute.iter().chain([&right.in_a_row])) {
        let name = allowance.name.as_str();
        if name == right.in_a_row.name {
            c.execute(MAKE_WHOLE, &[now.0.into(), name.into()]).await?;
        } else {
            c.execute(GIVE_BACK, &[allowance.cost_micros.into(), name.into()]).await?;
        }
    }
    c.execute(KNOW, &[right.network.as_str().into(), known_until.0.into()]).await?;
    Ok(())
}
