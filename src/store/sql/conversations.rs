//! The list of a user's conversations, and how far each has been read.

use super::{Fault, Row, events, lock_heads, message, message_columns, plan};
use crate::domain::{Conversation, ConversationId, ConversationPage, Position, ReadState, Seq, Timestamp, UserId};
use crate::store::db::{Db, Value};
use crate::store::retry::Attempt;

/// Rows of one user's list: `$mine` says which, before anything is joined to them. `theirs` is the peer's row.
macro_rules! from_list {
    ($mine:literal) => {
        concat!(
            "SELECT mine.conversation_id, p.username, mine.last_seq, mine.read_seq, theirs.read_seq, \
             mine.peer_sent - mine.peer_sent_read, mine.last_activity, ",
            message_columns!(),
            " \
             FROM (SELECT * FROM user_conversations ",
            $mine,
            ") mine \
             JOIN users p ON p.id = mine.peer_id \
             JOIN user_conversations theirs ON theirs.user_id = mine.peer_id \
                AND theirs.conversation_id = mine.conversation_id \
             JOIN messages m ON m.conversation_id = mine.conversation_id AND m.seq = mine.last_seq \
             JOIN users s ON s.id = m.sender_id \
             JOIN users r ON r.id = m.recipient_id \
             ORDER BY mine.last_activity DESC, mine.conversation_id DESC"
        )
    };
}

const PAGE: &str = from_list!(
    "WHERE user_id = ? AND (last_activity < ? OR (last_activity = ? AND conversation_id < ?)) \
     ORDER BY last_activity DESC, conversation_id DESC LIMIT ?"
);
const ONE: &str = from_list!(
    "WHERE user_id = ? AND conversation_id = (SELECT c.id FROM conversations c WHERE c.low_user = ? AND c.high_user = ?)"
);
const STATE: &str = "SELECT mine.conversation_id, p.username, mine.last_seq, mine.read_seq, theirs.read_seq, \
    mine.peer_sent, mine.peer_sent_read FROM user_conversations mine \
    JOIN users p ON p.id = mine.peer_id \
    JOIN user_conversations theirs ON theirs.user_id = mine.peer_id \
        AND theirs.conversation_id = mine.conversation_id \
    WHERE mine.user_id = ? AND mine.conversation_id = \
        (SELECT c.id FROM conversations c WHERE c.low_user = ? AND c.high_user = ?)";
const SENT_BY_LOW: &str = "SELECT low_sent FROM messages WHERE conversation_id = ? AND seq = ?";
const SET_READ: &str = "UPDATE user_conversations SET read_seq = ?, peer_sent_read = ? \
    WHERE user_id = ? AND conversation_id = ?";

pub(super) const ALL: &[&str] = &[PAGE, ONE, STATE, SENT_BY_LOW, SET_READ];

fn conversation(row: &mut Row) -> Result<Conversation, Fault> {
    Ok(Conversation {
        id: row.int()?,
        peer: row.text()?,
        last_seq: row.int()?,
        read_seq: row.int()?,
        peer_read_seq: row.int()?,
        unread: row.int()?,
        last_activity: Timestamp(row.int()?),
        last_message: Some(message(row)?),
    })
}

pub(super) async fn page(
    db: &Db,
    attempt: Attempt,
    user: UserId,
    after: Option<(Timestamp, ConversationId)>,
    limit: i64,
) -> Result<ConversationPage, Fault> {
    let mut c = db.reader(attempt).await?;
    // Read before the page, on the same connection: what the page has beyond it is told once more, never missed.
    let head = events::head(&mut c, user).await?;
    let (time, id) = after.map_or((i64::MAX, i64::MAX), |(time, id)| (time.0, id));
    let args = [user, time, time, id, limit.saturating_add(1)].map(Value::Int);
    let rows = c.rows(PAGE, &args).await?;
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

/// Moves the mark under the locks of both heads, and tells both logs.
pub(super) async fn mark_read(
    db: &Db,
    attempt: Attempt,
    user: UserId,
    peer: UserId,
    seq: Seq,
    now: Timestamp,
) -> Result<Option<(ReadState, Vec<(UserId, i64)>)>, Fault> {
    let mut c = db.writer(attempt).await?;
    let heads = lock_heads(&mut c, &[user, peer]).await?;
    let (low, high) = (user.min(peer), user.max(peer));
    let Some(mut row) = c.row(STATE, &[user, low, high].map(Value::Int)).await? else { return Ok(None) };
    let (conversation, peer_name) = (row.int()?, row.text()?);
    let (last_seq, read_seq, peer_read_seq) = (row.int()?, row.int()?, row.int()?);
    let (peer_sent, peer_sent_read) = (row.int()?, row.int()?);
    let state = |read_seq, unread| ReadState { conversation, peer: peer_name.clone(), read_seq, peer_read_seq, unread };

    let seq = seq.min(last_seq);
    if user == peer || seq <= read_seq {
        return Ok(Some((state(read_seq, peer_sent - peer_sent_read), Vec::new())));
    }
    let row = c.row(SENT_BY_LOW, &[conversation.into(), seq.into()]).await?;
    let sent_by_low = row.map_or(Ok(0), |mut row| row.int())?;
    let read = if user == low { seq - sent_by_low } else { sent_by_low };
    c.execute(SET_READ, &[seq, read, user, conversation].map(Value::Int)).await?;
    let reached: Vec<_> = heads.into_iter().map(|(user, pos)| (user, pos + 1)).collect();
    let mut rows = Vec::new();
    let mut new_heads = Vec::new();
    for (user, pos) in &reached {
        let tag = rand::random::<i64>();
        rows.extend([*user, *pos, tag, plan::READ, conversation, seq, now.0].map(Value::Int));
        new_heads.extend([*user, *pos, tag].map(Value::Int));
    }
    c.execute_many(&plan::ADD_EVENTS, plan::EVENT_WIDTH, &rows).await?;
    c.execute_many(&plan::SET_HEADS, 3, &new_heads).await?;
    c.commit().await?;
    Ok(Some((state(seq, peer_sent - read), reached)))
}
