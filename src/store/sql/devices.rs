//! The sessions of a user, as their owner sees them.

use async_trait::async_trait;

use super::sessions::{read_session, session_columns};
use super::users::END_SESSIONS;
use super::{Repeat, SqlStore, StoreError, lock_heads};
use crate::domain::{Timestamp, UserId};
use crate::store::db::Value;
use crate::store::retry::retrying;
use crate::store::{Devices, Session};

const OF: &str = concat!(
    "SELECT ",
    session_columns!(),
    " FROM sessions x WHERE x.user_id = ? AND x.expires_at > ? \
     ORDER BY x.last_used_at DESC, x.created_at DESC, x.token_hash LIMIT 200"
);
const USED: Repeat = Repeat {
    head: "UPDATE sessions SET last_used_at = ? WHERE last_used_at < ? AND token_hash IN (",
    row: "?",
    between: ", ",
    tail: ")",
};

pub(super) const ALL: &[&str] = &[OF];
pub(super) const REPEATS: &[&Repeat] = &[&USED];

#[async_trait]
impl Devices for SqlStore {
    async fn sessions_of(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        retrying(|attempt| async move {
            let rows = self.db.reader(attempt).await?.rows(OF, &[user.into(), now.0.into()]).await?;
            rows.into_iter().map(|mut row| read_session(&mut row)).collect()
        })
        .await
    }

    async fn end_sessions_but(&self, user: UserId, keep: &str) -> Result<(), StoreError> {
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            // Signing in takes it too: no session is made beside this.
            lock_heads(&mut c, &[user]).await?;
            c.execute(END_SESSIONS, &[user.into(), keep.into()]).await?;
            c.commit().await
        })
        .await
    }

    async fn note_use(&self, token_hashes: &[String], before: Timestamp, now: Timestamp) -> Result<(), StoreError> {
        let mut keys: Vec<Value<'_>> = token_hashes.iter().map(|hash| hash.as_str().into()).collect();
        // One order for all processes: none waits for a row of the other's that waits for one of its own.
        keys.sort_unstable_by_key(|key| if let Value::Text(text) = key { *text } else { "" });
        let keys = &keys;
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            c.execute_keys(&USED, &[now.0.into(), before.0.into()], keys).await?;
            c.commit().await
        })
        .await
    }
}
