//! The list of a user's conversations, and how far each has been read.

use super::profiles::{face, face_columns};
use super::{Fault, Row, events, lock_heads, message, message_columns, plan};
use crate::domain::{
    Conversation, ConversationId, ConversationPage, ConversationSettings, Mark, Position, ReadState, Seq, Timestamp,
    UserId,
};
use crate::store::Which;
use crate::store::db::{Db, Value};
use crate::store::retry::Attempt;

/// What [`state`] reads, of `mine` and `theirs` (rows of `user_conversations`), `p` (the peer) and `v` (whose view it is).
/// What one has read has reached one. Who hides how far they have read does not see it of others: here, at each look, so
/// that nothing that was written before tells it.
macro_rules! state_columns {
    () => {
        "mine.conversation_id, p.username, mine.read_seq, \
         CASE WHEN p.id = v.id OR (p.share_read = 1 AND v.share_read = 1) THEN theirs.read_seq ELSE 0 END, \
         CASE WHEN theirs.delivered_seq > theirs.read_seq THEN theirs.delivered_seq ELSE theirs.read_seq END, \
         mine.peer_sent - mine.peer_sent_read"
    };
}
pub(super) use state_columns;

/// What [`settings`] reads behind [`state_columns`]. One is archived until its next message, which is newer.
macro_rules! settings_columns {
    () => {
        "mine.muted_until, mine.pinned_at IS NOT NULL, \
         CASE WHEN mine.archived_at >= mine.last_activity THEN 1 ELSE 0 END, mine.request"
    };
}
pub(super) use settings_columns;

/// The row of one user's conversation with another as `mine`, with `p` and `theirs`: the user, and the pair in order.
macro_rules! from_pair {
    () => {
        "FROM user_conversations mine \
         LEFT JOIN users p ON p.id = mine.peer_id \
         LEFT JOIN users v ON v.id = mine.user_id \
         LEFT JOIN user_conversations theirs ON theirs.user_id = mine.peer_id \
            AND theirs.conversation_id = mine.conversation_id \
         WHERE mine.user_id = ? AND mine.conversation_id = \
            (SELECT c.id FROM conversations c WHERE c.low_user = ? AND c.high_user = ?)"
    };
}
pub(super) use from_pair;

/// How the user keeps the conversation of this state, in the order of [`settings_columns`].
pub(super) fn settings(row: &mut Row, of: &ReadState) -> Result<ConversationSettings, Fault> {
    Ok(ConversationSettings {
        conversation: of.conversation,
        peer: of.peer.clone(),
        muted_until: row.maybe_int()?.map(Timestamp),
        pinned: row.flag()?,
        archived: row.flag()?,
        request: row.flag()?,
    })
}

/// How far both have come, in the order of [`state_columns`].
pub(super) fn state(row: &mut Row) -> Result<ReadState, Fault> {
    Ok(ReadState {
        conversation: row.int()?,
        peer: row.text()?,
        read_seq: row.int()?,
        peer_read_seq: row.int()?,
        peer_delivered_seq: row.int()?,
        unread: row.int()?,
    })
}

/// Rows of one user's list: `$mine` says which, before anything is joined to them. `theirs` is the peer's row.
macro_rules! from_list {
    ($mine:literal) => {
        concat!(
            "SELECT ",
            state_columns!(),
            ", ",
            settings_columns!(),
            ", mine.last_seq, mine.last_activity, ",
            message_columns!(),
            ", ",
            face_columns!(),
            " \
             FROM (SELECT * FROM user_conversations ",
            $mine,
            ") mine \
             LEFT JOIN users p ON p.id = mine.peer_id \
             LEFT JOIN users v ON v.id = mine.user_id \
             LEFT JOIN user_conversations theirs ON theirs.user_id = mine.peer_id \
                AND theirs.conversation_id = mine.conversation_id \
             LEFT JOIN messages m ON m.conversation_id = mine.conversation_id AND m.seq = mine.last_seq \
             LEFT JOIN users s ON s.id = m.sender_id \
             LEFT JOIN users r ON r.id = m.recipient_id \
             LEFT JOIN profiles f ON f.user_id = p.id AND p.is_active = 1 \
             ORDER BY mine.last_activity DESC, mine.conversation_id DESC"
        )
    };
}

const PAGE: &str = from_list!(
    "WHERE user_id = ? AND (last_activity < ? OR (last_activity = ? AND conversation_id < ?)) \
     ORDER BY last_activity DESC, conversation_id DESC LIMIT ?"
);
/// Those that are pinned: few, and each user's own.
const PINNED: &str = from_list!(
    "WHERE user_id = ? AND pinned_at IS NOT NULL AND (last_activity < ? OR (last_activity = ? AND conversation_id < ?)) \
     ORDER BY last_activity DESC, conversation_id DESC LIMIT ?"
);
const ONE: &str = from_list!(
    "WHERE user_id = ? AND conversation_id = (SELECT c.id FROM conversations c WHERE c.low_user = ? AND c.high_user = ?)"
);
const STATE: &str = concat!(
    "SELECT ",
    state_columns!(),
    ", mine.last_seq, mine.peer_sent, mine.delivered_seq, \
       CASE WHEN p.share_read = 1 AND v.share_read = 1 THEN 1 ELSE 0 END ",
    from_pair!()
);
const SENT_BY_LOW: &str = "SELECT low_sent FROM messages WHERE conversation_id = ? AND seq = ?";
const SET_READ: &str = "UPDATE user_conversations SET read_seq = ?, peer_sent_read = ? \
    WHERE user_id = ? AND conversation_id = ?";
const SET_DELIVERED: &str = "UPDATE user_conversations SET delivered_seq = ? WHERE user_id = ? AND conversation_id = ?";

pub(super) const ALL: &[&str] = &[PAGE, PINNED, ONE, STATE, SENT_BY_LOW, SET_READ, SET_DELIVERED];

fn conversation(row: &mut Row) -> Result<Conversation, Fault> {
    let state = state(row)?;
    Ok(Conversation {
        settings: settings(row, &state)?,
        id: state.conversation,
        peer: state.peer,
        read_seq: state.read_seq,
        peer_read_seq: state.peer_read_seq,
        peer_delivered_seq: state.peer_delivered_seq,
        unread: state.unread,
        last_seq: row.int()?,
        last_activity: Timestamp(row.int()?),
        last_message: Some(message(row)?),
        face: face(row)?,
    })
}

pub(super) async fn page(
    db: &Db,
    attempt: Attempt,
    user: UserId,
    which: Which,
    after: Option<(Timestamp, ConversationId)>,
    limit: i64,
) -> Result<ConversationPage, Fault> {
    let mut c = db.reader(attempt).await?;
    // Read before the page, on the same connection: what the page has beyond it is told once more, never missed.
    let head = events::head(&mut c, user).await?;
    let (time, id) = after.map_or((i64::MAX, i64::MAX), |(time, id)| (time.0, id));
    let args = [user, time, time, id, limit.saturating_add(1)].map(Value::Int);
    let statement = match which {
        Which::All => PAGE,
        Which::Pinned => PINNED,
    };
    let rows = c.rows(statement, &args).await?;
    let mut found = rows.into_iter().map(|mut row| conversation(&mut row)).collect::<Result<Vec<_>, _>>()?;
    let limit = usize::try_from(limit).unwrap_or(0);
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| (last.last_activity, last.id));
    Ok(ConversationPage { conversations: found, next, head })
}

pub(super) async fn one(
    db: &Db,
    attempt: Attempt,
    user: UserId,
    peer: UserId,
) -> Result<Option<(Conversation, Position)>, Fault> {
    let mut c = db.reader(attempt).await?;
    let head = events::head(&mut c, user).await?;
    let args = [user, user.min(peer), user.max(peer)].map(Value::Int);
    let row = c.row(ONE, &args).await?;
    row.map(|mut row| Ok((conversation(&mut row)?, head))).transpose()
}

/// Moves a mark of the first under the locks of both heads. Both logs are told of what was read; of what was delivered
/// that of the second alone, since no device of the first shows it. Where the two do not share how far they have read, the
/// second is told no more than that it was delivered, and only if that is news.
pub(super) async fn mark(
    db: &Db,
    attempt: Attempt,
    [user, peer]: [UserId; 2],
    (mark, seq): (Mark, Seq),
    now: Timestamp,
) -> Result<Option<(ReadState, Vec<(UserId, i64)>)>, Fault> {
    let mut c = db.writer(attempt).await?;
    let heads = lock_heads(&mut c, &[user, peer]).await?;
    let (low, high) = (user.min(peer), user.max(peer));
    let Some(mut row) = c.row(STATE, &[user, low, high].map(Value::Int)).await? else { return Ok(None) };
    let mut state = state(&mut row)?;
    let (last_seq, peer_sent, delivered_seq) = (row.int()?, row.int()?, row.int()?);
    let shared = row.flag()?;
    let seq = seq.min(last_seq);
    let reached = state.read_seq.max(delivered_seq);
    let stands = match mark {
        Mark::Read => state.read_seq,
        Mark::Delivered => reached,
    };
    if user == peer || seq <= stands {
        return Ok(Some((state, Vec::new())));
    }
    let told = match mark {
        Mark::Read => {
            let row = c.row(SENT_BY_LOW, &[state.conversation, seq].map(Value::Int)).await?;
            let sent_by_low = row.map_or(Ok(0), |mut row| row.int())?;
            let read = if user == low { seq - sent_by_low } else { sent_by_low };
            c.execute(SET_READ, &[seq, read, user, state.conversation].map(Value::Int)).await?;
            (state.read_seq, state.unread) = (seq, peer_sent - read);
            heads.into_iter().filter(|(whose, _)| *whose == user || shared || seq > reached).collect()
        }
        Mark::Delivered => {
            c.execute(SET_DELIVERED, &[seq, user, state.conversation].map(Value::Int)).await?;
            heads.into_iter().filter(|(whose, _)| *whose == peer).collect()
        }
    };
    let reached = events::append(&mut c, told, plan::READ, Some((state.conversation, seq)), now).await?;
    c.commit().await?;
    Ok(Some((state, reached)))
}
