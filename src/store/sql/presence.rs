//! Who is here.

use async_trait::async_trait;

use super::{Repeat, SqlStore, StoreError};
use crate::domain::{Attendance, Timestamp, UserId, UserKey};
use crate::store::Presences;
use crate::store::db::Value;
use crate::store::retry::retrying;

/// Who hides is left out; who was never here is here with nothing.
const SHOWN: Repeat = Repeat {
    head: "SELECT u.id, p.here_until, p.active_until, p.last_seen FROM users u LEFT JOIN presence p ON p.user_id = u.id \
        WHERE u.share_presence = 1 AND u.is_active = 1 AND u.id IN (",
    row: "?",
    between: ", ",
    tail: ")",
};
const NOTE: Repeat = Repeat {
    head: "INSERT INTO presence (user_id, here_until, active_until, last_seen) VALUES ",
    row: "(?, ?, ?, ?)",
    between: ", ",
    tail: " ON CONFLICT (user_id) DO UPDATE SET here_until = excluded.here_until, \
        active_until = excluded.active_until, last_seen = excluded.last_seen",
};
const PEERS: Repeat = Repeat {
    head: "SELECT p.id, p.username FROM user_conversations mine JOIN users p ON p.id = mine.peer_id \
        JOIN user_conversations theirs ON theirs.user_id = mine.peer_id \
            AND theirs.conversation_id = mine.conversation_id AND theirs.request = 0 \
        WHERE NOT EXISTS (SELECT 1 FROM blocks b WHERE b.user_id = p.id AND b.blocked_id = mine.user_id) AND (",
    row: "(mine.user_id = ? AND p.username_key = ? AND p.id <> mine.user_id)",
    between: " OR ",
    tail: ")",
};
const HIDDEN: Repeat =
    Repeat { head: "SELECT user_id, blocked_id FROM blocks WHERE user_id IN (", row: "?", between: ", ", tail: ")" };

pub(super) const REPEATS: &[&Repeat] = &[&SHOWN, &NOTE, &PEERS, &HIDDEN];

#[async_trait]
impl Presences for SqlStore {
    async fn attendances(&self, users: &[UserId]) -> Result<Vec<Attendance>, StoreError> {
        let keys: Vec<_> = users.iter().copied().map(Value::Int).collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let keys = &keys;
        retrying(|attempt| async move {
            let rows = self.db.reader(attempt).await?.rows_many(&SHOWN, 1, keys).await?;
            let read = rows.into_iter().map(|mut row| {
                let user = row.int()?;
                let [here_until, active_until, last_seen] =
                    [row.maybe_int()?, row.maybe_int()?, row.maybe_int()?].map(|time| Timestamp(time.unwrap_or(0)));
                Ok(Attendance { user, here_until, active_until, last_seen })
            });
            read.collect()
        })
        .await
    }

    async fn note_attendances(&self, notes: &[Attendance]) -> Result<(), StoreError> {
        if notes.is_empty() {
            return Ok(());
        }
        // In one order: two processes may note the same people at once.
        let mut notes: Vec<_> = notes.to_vec();
        notes.sort_unstable_by_key(|note| note.user);
        notes.dedup_by_key(|note| note.user);
        let rows = notes.iter().flat_map(|note| [note.user, note.here_until.0, note.active_until.0, note.last_seen.0]);
        let rows: &Vec<_> = &rows.map(Value::Int).collect();
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            c.upsert_many(&NOTE, 4, rows).await?;
            c.commit().await
        })
        .await
    }

    async fn peers_among(&self, user: UserId, names: &[UserKey]) -> Result<Vec<(UserId, String)>, StoreError> {
        let keys: Vec<Value<'_>> = names.iter().flat_map(|name| [user.into(), name.as_str().into()]).collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let keys = &keys;
        retrying(|attempt| async move {
            let rows = self.db.reader(attempt).await?.rows_many(&PEERS, 2, keys).await?;
            rows.into_iter().map(|mut row| Ok((row.int()?, row.text()?))).collect()
        })
        .await
    }

    async fn hidden_from(&self, users: &[UserId]) -> Result<Vec<(UserId, UserId)>, StoreError> {
        let keys: Vec<_> = users.iter().copied().map(Value::Int).collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let keys = &keys;
        retrying(|attempt| async move {
            let rows = self.db.reader(attempt).await?.rows_many(&HIDDEN, 1, keys).await?;
            rows.into_iter().map(|mut row| Ok((row.int()?, row.int()?))).collect()
        })
        .await
    }
}
