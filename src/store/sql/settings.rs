//! What users arrange for themselves: conversations that are muted, pinned or put aside, and what others may see.
//! Each change is told in the log of its own user alone.

use async_trait::async_trait;

use super::conversations::{from_pair, settings, settings_columns, state, state_columns};
use super::{Fault, SqlStore, StoreError, events, lock_heads, plan, users};
use crate::domain::{
    ConversationSettings, ConversationSettingsChange, Muting, Sharing, SharingChange, Timestamp, UserId,
};
use crate::store::Settings;
use crate::store::db::{Db, Value};
use crate::store::retry::{Attempt, retrying};

const ONE: &str = concat!(
    "SELECT ",
    state_columns!(),
    ", ",
    settings_columns!(),
    ", mine.last_seq, mine.last_activity, mine.pinned_at ",
    from_pair!()
);
const ARRANGE: &str = "UPDATE user_conversations SET muted_until = ?, pinned_at = ?, archived_at = ? \
    WHERE user_id = ? AND conversation_id = ?";
const SHARING: &str = "SELECT share_typing, share_presence, share_read, who_may_write FROM users WHERE id = ?";
const SHARE: &str =
    "UPDATE users SET share_typing = ?, share_presence = ?, share_read = ?, who_may_write = ? WHERE id = ?";

pub(super) const ALL: &[&str] = &[ONE, ARRANGE, SHARING, SHARE];

async fn arrange(
    db: &Db,
    attempt: Attempt,
    [user, peer]: [UserId; 2],
    change: &ConversationSettingsChange,
    now: Timestamp,
) -> Result<Option<(ConversationSettings, Vec<(UserId, i64)>)>, Fault> {
    let mut c = db.writer(attempt).await?;
    // A send writes the same row, under both heads.
    let heads = lock_heads(&mut c, &[user, peer]).await?;
    let Some(mut row) = c.row(ONE, &[user, user.min(peer), user.max(peer)].map(Value::Int)).await? else {
        return Ok(None);
    };
    let state = state(&mut row)?;
    let before = settings(&mut row, &state)?;
    let (last_seq, last_activity, pinned_at) = (row.int()?, row.int()?, row.maybe_int()?);
    let after = ConversationSettings {
        muted_until: match change.muting {
            None => before.muted_until,
            Some(Muting::Off) => None,
            Some(Muting::Until(time)) => Some(time),
        },
        pinned: change.pinned.unwrap_or(before.pinned),
        archived: change.archived.unwrap_or(before.archived),
        ..before.clone()
    };
    if after == before {
        return Ok(Some((after, Vec::new())));
    }
    let pinned_at = after.pinned.then(|| pinned_at.unwrap_or(now.0));
    // Not the time: a message of a process whose clock is behind must bring it back all the same.
    let archived_at = after.archived.then_some(last_activity);
    let args = [
        after.muted_until.map(|until| until.0).into(),
        pinned_at.into(),
        archived_at.into(),
        user.into(),
        state.conversation.into(),
    ];
    c.execute(ARRANGE, &args).await?;
    let own = heads.into_iter().filter(|(whose, _)| *whose == user).collect();
    let about = Some((state.conversation, last_seq));
    let reached = events::append(&mut c, own, plan::CONVERSATION, about, now).await?;
    c.commit().await?;
    Ok(Some((after, reached)))
}

async fn share(
    db: &Db,
    attempt: Attempt,
    user: UserId,
    change: SharingChange,
    now: Timestamp,
) -> Result<(Sharing, Vec<(UserId, i64)>), Fault> {
    let mut c = db.writer(attempt).await?;
    let heads = lock_heads(&mut c, &[user]).await?;
    let mut row = c.row(SHARING, &[user.into()]).await?.ok_or(StoreError::NotFound)?;
    let before = users::sharing(&mut row)?;
    let after = before.with(change);
    if after == before {
        return Ok((after, Vec::new()));
    }
    let shared = [after.typing, after.presence, after.read].map(Value::from);
    let args = [shared[0], shared[1], shared[2], after.who_may_write.number().into(), user.into()];
    c.execute(SHARE, &args).await?;
    let reached = events::append(&mut c, heads, plan::SHARING, None, now).await?;
    c.commit().await?;
    Ok((after, reached))
}

#[async_trait]
impl Settings for SqlStore {
    async fn arrange(
        &self,
        user: UserId,
        peer: UserId,
        change: &ConversationSettingsChange,
        now: Timestamp,
    ) -> Result<Option<(ConversationSettings, Vec<(UserId, i64)>)>, StoreError> {
        retrying(|attempt| arrange(&self.db, attempt, [user, peer], change, now)).await
    }

    async fn share(
        &self,
        user: UserId,
        change: SharingChange,
        now: Timestamp,
    ) -> Result<(Sharing, Vec<(UserId, i64)>), StoreError> {
        retrying(|attempt| share(&self.db, attempt, user, change, now)).await
    }
}
