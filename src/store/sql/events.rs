//! Users' logs: reading on from a place, exactly, and pruning what is old.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;

use super::conversations::{settings, settings_columns, state, state_columns};
use super::profiles::{profile, profile_columns};
use super::{Connection, Fault, Repeat, Row, SqlStore, StoreError, lock_heads, message, message_columns, plan};
use crate::domain::{Change, ConversationId, Event, LogPage, Position, Seq, Sharing, Timestamp, UserId, WhoMayWrite};
use crate::store::Logs;
use crate::store::db::{Db, Value};
use crate::store::lookup::Found;
use crate::store::retry::{Attempt, retrying, retrying_at_leisure};

const HEAD: &str = "SELECT pos, tag FROM user_heads WHERE user_id = ?";
const HEADS: Repeat =
    Repeat { head: "SELECT user_id, pos, tag FROM user_heads WHERE user_id IN (", row: "?", between: ", ", tail: ")" };
/// From the place asked for on, itself included: its tag shows whether it is the row that the cursor saw.
/// What the rows refer to is read as it is now, in the same statement.
const FROM: &str = concat!(
    "SELECT e.pos, e.tag, e.kind, p.id IS NOT NULL, m.id IS NOT NULL, me.share_typing, me.share_presence, me.share_read, \
     me.who_may_write, ",
    profile_columns!(),
    ", ",
    state_columns!(),
    ", ",
    settings_columns!(),
    ", ",
    message_columns!(),
    " \
     FROM (SELECT user_id, pos, tag, kind, conversation_id, seq FROM events \
        WHERE user_id = ? AND pos >= ? ORDER BY pos LIMIT ?) e \
     LEFT JOIN user_conversations mine ON mine.user_id = e.user_id AND mine.conversation_id = e.conversation_id \
     LEFT JOIN user_conversations theirs ON theirs.user_id = mine.peer_id \
        AND theirs.conversation_id = mine.conversation_id \
     LEFT JOIN users p ON p.id = mine.peer_id \
     LEFT JOIN users v ON v.id = mine.user_id \
     LEFT JOIN messages m ON e.kind IN (1, 3, 4) AND m.conversation_id = e.conversation_id AND m.seq = e.seq \
     LEFT JOIN users s ON s.id = m.sender_id \
     LEFT JOIN users r ON r.id = m.recipient_id \
     LEFT JOIN users me ON e.kind = 6 AND me.id = e.user_id \
     LEFT JOIN profiles o ON e.kind = 7 AND o.user_id = e.user_id \
     ORDER BY e.pos"
);
/// Whose log has rows that are too old, the newest one of each aside: that one stays.
const OLD: &str = "SELECT e.user_id, MAX(e.pos) FROM events e JOIN user_heads h ON h.user_id = e.user_id \
    WHERE e.created_at < ? AND e.pos < h.pos GROUP BY e.user_id";
/// Whose log has rows beyond the newest so many.
const LONG: &str = "SELECT h.user_id, h.pos - ? FROM user_heads h WHERE h.pos > ? AND EXISTS \
    (SELECT 1 FROM events e WHERE e.user_id = h.user_id AND e.pos <= h.pos - ?)";
const FIRST: &str = "SELECT MIN(pos) FROM events WHERE user_id = ?";
const PRUNE: &str = "DELETE FROM events WHERE user_id = ? AND pos <= ?";
/// The most rows of one pruning transaction: a send of their user waits for it.
const PIECE: i64 = 1000;
/// How an InnoDB Cluster is told to read only after what has been committed anywhere, and to stop doing so. On Galera
/// every read does (`connect`).
const CAUSAL: (&str, &str) =
    ("SET SESSION group_replication_consistency = 'BEFORE'", "SET SESSION group_replication_consistency = DEFAULT");

pub(super) const ALL: &[&str] = &[HEAD, FROM, OLD, LONG, FIRST, PRUNE];
pub(super) const REPEATS: &[&Repeat] = &[&HEADS];

/// The newest places of many logs, by the numbers of their users.
pub(super) fn find(db: Arc<Db>, users: Vec<String>) -> BoxFuture<'static, Found<Position>> {
    Box::pin(async move {
        let users: Vec<_> = users.iter().filter_map(|user| user.parse().ok().map(Value::Int)).collect();
        let (db, users) = (&db, &users);
        retrying(|attempt| async move {
            let rows = db.reader(attempt).await?.rows_many(&HEADS, 1, users).await?;
            let place = |mut row: Row| Ok((row.int()?.to_string(), Position { pos: row.int()?, tag: row.int()? }));
            rows.into_iter().map(place).collect()
        })
        .await
    })
}

/// The newest place of a user's log.
pub(super) async fn head(c: &mut Connection<'_>, user: UserId) -> Result<Position, Fault> {
    let mut row = c.row(HEAD, &[user.into()]).await?.ok_or(StoreError::NotFound)?;
    Ok(Position { pos: row.int()?, tag: row.int()? })
}

/// Adds a row to each of these logs, whose heads are locked: of this kind, about this message if any. Returns where they stand.
pub(super) async fn append(
    c: &mut Connection<'_>,
    heads: Vec<(UserId, i64)>,
    kind: i64,
    about: Option<(ConversationId, Seq)>,
    now: Timestamp,
) -> Result<Vec<(UserId, i64)>, Fault> {
    let reached: Vec<_> = heads.into_iter().map(|(user, pos)| (user, pos + 1)).collect();
    let (conversation, seq) = about.unzip();
    let (mut rows, mut new_heads) = (Vec::new(), Vec::new());
    for (user, pos) in &reached {
        let tag = rand::random::<i64>();
        rows.extend([*user, *pos, tag, kind].map(Value::Int));
        rows.extend([Value::from(conversation), seq.into(), now.0.into()]);
        new_heads.extend([*user, *pos, tag].map(Value::Int));
    }
    c.execute_many(&plan::ADD_EVENTS, plan::EVENT_WIDTH, &rows).await?;
    c.execute_many(&plan::SET_HEADS, 3, &new_heads).await?;
    Ok(reached)
}

fn event(row: &mut Row, user: UserId) -> Result<Event, Fault> {
    let at = Position { pos: row.int()?, tag: row.int()? };
    let kind = row.int()?;
    let (has_state, has_message) = (row.flag()?, row.flag()?);
    let sharing = [row.maybe_int()?, row.maybe_int()?, row.maybe_int()?, row.maybe_int()?];
    let profile = profile(row)?;
    // Of what is not there the columns are NULL, and nobody asks for them.
    let change = match kind {
        plan::SHARING => match sharing {
            [Some(typing), Some(presence), Some(read), Some(who)] => Change::Sharing(Sharing {
                typing: typing != 0,
                presence: presence != 0,
                read: read != 0,
                who_may_write: WhoMayWrite::stored(who),
            }),
            _ => Change::Unknown,
        },
        plan::PROFILE => Change::Profile(profile),
        plan::BLOCKS => Change::Blocks,
        plan::READ if has_state => Change::Read(state(row)?),
        plan::CONVERSATION if has_state => {
            let state = state(row)?;
            Change::Conversation(settings(row, &state)?)
        }
        plan::MESSAGE_CREATED | plan::MESSAGE_EDITED | plan::MESSAGE_DELETED if has_state && has_message => {
            let state = state(row)?;
            let request = settings(row, &state)?.request;
            let message = message(row)?;
            match kind {
                plan::MESSAGE_EDITED => Change::MessageEdited(message),
                plan::MESSAGE_DELETED => Change::MessageDeleted(message),
                _ => {
                    let unread = (message.recipient == user).then_some(state.unread);
                    let request = request && message.recipient == user;
                    Change::MessageCreated { message, unread, request }
                }
            }
        }
        _ => Change::Unknown,
    };
    Ok(Event { at, change })
}

/// The page, or none if the log is not whole from `after` on.
fn page(rows: Vec<Row>, user: UserId, after: Position, limit: usize) -> Result<Option<LogPage>, Fault> {
    let mut events = rows.into_iter().map(|mut row| event(&mut row, user)).collect::<Result<Vec<_>, _>>()?;
    let whole = events.first().is_some_and(|first| first.at == after)
        && events.windows(2).all(|pair| pair[1].at.pos == pair[0].at.pos + 1);
    if !whole {
        return Ok(None);
    }
    events.remove(0);
    let more = events.len() > limit;
    events.truncate(limit);
    let end = events.last().map_or(after, |last| last.at);
    Ok(Some(LogPage { events, end, more }))
}

/// Removes the first rows of a log, up to `pos` and never its newest one; none if there are none.
async fn prune_some(db: &Db, attempt: Attempt, user: UserId, pos: i64) -> Result<u64, Fault> {
    let mut c = db.writer(attempt).await?;
    let Some(&(_, head)) = lock_heads(&mut c, &[user]).await?.first() else { return Ok(0) };
    let first = c.row(FIRST, &[user.into()]).await?.map_or(Ok(None), |mut row| row.maybe_int())?;
    let Some(first) = first else { return Ok(0) };
    let last = pos.min(head - 1).min(first.saturating_add(PIECE - 1));
    let rows = c.execute(PRUNE, &[user, last].map(Value::Int)).await?.rows;
    c.commit().await?;
    Ok(rows)
}

#[async_trait]
impl Logs for SqlStore {
    async fn head(&self, user: UserId) -> Result<Position, StoreError> {
        self.head_by_user.find(&user.to_string()).await?.ok_or(StoreError::NotFound)
    }

    async fn heads(&self, users: &[UserId]) -> Result<Vec<(UserId, Position)>, StoreError> {
        let keys: Vec<_> = users.iter().copied().map(Value::Int).collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let keys = &keys;
        retrying(|attempt| async move {
            let rows = self.db.reader(attempt).await?.rows_many(&HEADS, 1, keys).await?;
            rows.into_iter().map(|mut row| Ok((row.int()?, Position { pos: row.int()?, tag: row.int()? }))).collect()
        })
        .await
    }

    async fn events(&self, user: UserId, after: Position, limit: i64) -> Result<Option<LogPage>, StoreError> {
        let size = usize::try_from(limit).unwrap_or(0);
        let args = [user, after.pos, limit.saturating_add(2)].map(Value::Int);
        retrying(|attempt| async move {
            let mut c = self.db.reader(attempt).await?;
            let rows = c.rows(FROM, &args).await?;
            let beyond_head = rows.is_empty();
            let found = page(rows, user, after, size)?;
            if found.is_some() || !beyond_head || self.db.is_sqlite() {
                return Ok(found);
            }
            // Another node may have it already: wait for what the cluster has committed, and look once more.
            // Servers that do not know the setting are single, or apply before they answer.
            let (on, off) = CAUSAL;
            if c.execute(on, &[]).await.is_err() {
                return Ok(None);
            }
            let rows = c.rows(FROM, &args).await;
            c.execute(off, &[]).await?;
            page(rows?, user, after, size)
        })
        .await
    }

    async fn prune_events(&self, before: Timestamp, keep: i64) -> Result<u64, StoreError> {
        let found = retrying_at_leisure(|attempt| async move {
            let mut c = self.db.reader(attempt).await?;
            let mut rows = c.rows(OLD, &[before.0.into()]).await?;
            rows.extend(c.rows(LONG, &[keep, keep, keep].map(Value::Int)).await?);
            rows.into_iter().map(|mut row| Ok((row.int()?, row.int()?))).collect::<Result<Vec<_>, _>>()
        })
        .await?;
        let mut pruned = 0;
        for (user, pos) in found {
            loop {
                let rows = retrying_at_leisure(|attempt| prune_some(&self.db, attempt, user, pos)).await?;
                pruned += rows;
                if rows == 0 {
                    break;
                }
            }
        }
        Ok(pruned)
    }
}
