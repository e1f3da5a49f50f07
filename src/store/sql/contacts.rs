//! Whom a user hears from.
//!
//! A send looks at it under the locks of both heads, and each change holds the head of the user whose it is: what was
//! acknowledged as blocked is blocked.

use std::collections::HashSet;

use async_trait::async_trait;

use super::conversations::{from_pair, settings, settings_columns, state, state_columns};
use super::{Connection, Fault, Repeat, SqlStore, StoreError, events, lock_heads, plan};
use crate::domain::{Blocked, ConversationSettings, Timestamp, UserId};
use crate::store::Contacts;
use crate::store::db::{Db, Value};
use crate::store::retry::{Attempt, retrying};

const ADD: &str = "INSERT INTO blocks (user_id, blocked_id, created_at) VALUES (?, ?, ?) \
    ON CONFLICT (user_id, blocked_id) DO UPDATE SET blocked_id = excluded.blocked_id";
const REMOVE: &str = "DELETE FROM blocks WHERE user_id = ? AND blocked_id = ?";
const COUNT: &str = "UPDATE users SET blocks = blocks + ? WHERE id = ?";
const ONE: &str = "SELECT blocked_id FROM blocks WHERE user_id = ? AND blocked_id = ?";
const ALL_OF: &str = "SELECT b.blocked_id, u.username, b.created_at FROM blocks b LEFT JOIN users u ON u.id = b.blocked_id \
    WHERE b.user_id = ? ORDER BY b.created_at DESC, b.blocked_id LIMIT 1000";
const AMONG: Repeat = Repeat {
    head: "SELECT user_id, blocked_id FROM blocks WHERE ",
    row: "(user_id = ? AND blocked_id = ?)",
    between: " OR ",
    tail: "",
};
const REQUEST: &str = concat!("SELECT ", state_columns!(), ", ", settings_columns!(), ", mine.last_seq ", from_pair!());
const ACCEPT: &str = "UPDATE user_conversations SET request = 0 WHERE user_id = ? AND conversation_id = ?";

pub(super) const ALL: &[&str] = &[ADD, REMOVE, COUNT, ONE, ALL_OF, REQUEST, ACCEPT];
pub(super) const REPEATS: &[&Repeat] = &[&AMONG];

/// Which of these block, of pairs of a user and somebody whom the user may block.
pub(super) async fn among(
    c: &mut Connection<'_>,
    pairs: &[(UserId, UserId)],
) -> Result<HashSet<(UserId, UserId)>, Fault> {
    if pairs.is_empty() {
        return Ok(HashSet::new());
    }
    let keys: Vec<_> = pairs.iter().flat_map(|(user, peer)| [*user, *peer]).map(Value::Int).collect();
    let rows = c.rows_many(&AMONG, 2, &keys).await?;
    rows.into_iter().map(|mut row| Ok((row.int()?, row.int()?))).collect()
}

/// Whether `user` blocks `peer`, in a transaction.
pub(super) async fn is_blocked(c: &mut Connection<'_>, user: UserId, peer: UserId) -> Result<bool, Fault> {
    Ok(c.row(ONE, &[user, peer].map(Value::Int)).await?.is_some())
}

async fn block(
    db: &Db,
    attempt: Attempt,
    [user, peer]: [UserId; 2],
    blocked: bool,
    now: Timestamp,
) -> Result<Vec<(UserId, i64)>, Fault> {
    let mut c = db.writer(attempt).await?;
    let heads = lock_heads(&mut c, &[user]).await?;
    if is_blocked(&mut c, user, peer).await? == blocked {
        return Ok(Vec::new());
    }
    if blocked {
        c.execute(ADD, &[user, peer, now.0].map(Value::Int)).await?;
    } else {
        c.execute(REMOVE, &[user, peer].map(Value::Int)).await?;
    }
    c.execute(COUNT, &[if blocked { 1 } else { -1 }, user].map(Value::Int)).await?;
    let reached = events::append(&mut c, heads, plan::BLOCKS, None, now).await?;
    c.commit().await?;
    Ok(reached)
}

async fn accept(
    db: &Db,
    attempt: Attempt,
    [user, peer]: [UserId; 2],
    now: Timestamp,
) -> Result<Option<(ConversationSettings, Vec<(UserId, i64)>)>, Fault> {
    let mut c = db.writer(attempt).await?;
    // A send writes the same row, under both heads.
    let heads = lock_heads(&mut c, &[user, peer]).await?;
    let Some(mut row) = c.row(REQUEST, &[user, user.min(peer), user.max(peer)].map(Value::Int)).await? else {
        return Ok(None);
    };
    let state = state(&mut row)?;
    let mut settings = settings(&mut row, &state)?;
    if !settings.request {
        return Ok(Some((settings, Vec::new())));
    }
    let last_seq = row.int()?;
    c.execute(ACCEPT, &[user, state.conversation].map(Value::Int)).await?;
    settings.request = false;
    let own = heads.into_iter().filter(|(whose, _)| *whose == user).collect();
    let reached = events::append(&mut c, own, plan::CONVERSATION, Some((state.conversation, last_seq)), now).await?;
    c.commit().await?;
    Ok(Some((settings, reached)))
}

#[async_trait]
impl Contacts for SqlStore {
    async fn block(
        &self,
        user: UserId,
        peer: UserId,
        blocked: bool,
        now: Timestamp,
    ) -> Result<Vec<(UserId, i64)>, StoreError> {
        retrying(|attempt| block(&self.db, attempt, [user, peer], blocked, now)).await
    }

    async fn blocked(&self, user: UserId) -> Result<Vec<Blocked>, StoreError> {
        retrying(|attempt| async move {
            let rows = self.db.reader(attempt).await?.rows(ALL_OF, &[user.into()]).await?;
            let read = |mut row: super::Row| {
                Ok(Blocked { user: row.int()?, username: row.text()?, since: Timestamp(row.int()?) })
            };
            rows.into_iter().map(read).collect()
        })
        .await
    }

    async fn blocks(&self, user: UserId, peer: UserId) -> Result<bool, StoreError> {
        retrying(|attempt| async move { is_blocked(&mut self.db.reader(attempt).await?, user, peer).await }).await
    }

    async fn accept(
        &self,
        user: UserId,
        peer: UserId,
        now: Timestamp,
    ) -> Result<Option<(ConversationSettings, Vec<(UserId, i64)>)>, StoreError> {
        retrying(|attempt| accept(&self.db, attempt, [user, peer], now)).await
    }
}
