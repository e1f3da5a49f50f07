//! Changing a message that is stored: its sender's edits, and taking it back. The row stays, with its number, its
//! fingerprint and its place in every count.

use super::{Fault, StoreError, contacts, events, lock_heads, message, message_columns, messages_from, plan};
use crate::domain::{Changed, Edit, Message, MessageId, Timestamp, UserId};
use crate::store::db::{Connection, Db, Value};
use crate::store::retry::Attempt;

const BY_SENDER: &str = messages_from!("messages m", "WHERE m.id = ? AND m.sender_id = ?");
const PEOPLE: &str = "SELECT recipient_id FROM messages WHERE id = ? AND sender_id = ?";
const SET_BODY: &str = "UPDATE messages SET body = ?, edited_at = ?, version = ? WHERE id = ?";
const EMPTY: &str = "UPDATE messages SET body = '', deleted_at = ?, version = ? WHERE id = ?";

pub(super) const ALL: &[&str] = &[BY_SENDER, PEOPLE, SET_BODY, EMPTY];

/// Changes a message under the locks of both heads, and tells both logs; none if `sender` sent no such message.
pub(super) async fn change(
    db: &Db,
    attempt: Attempt,
    sender: UserId,
    id: MessageId,
    edit: &Edit,
    now: Timestamp,
) -> Result<Option<Changed>, Fault> {
    // A message never changes its people, so they may be read before anything is locked: by itself, because the first
    // read of a transaction may fix what it sees.
    let row = db.reader(attempt).await?.row(PEOPLE, &[id, sender].map(Value::Int)).await?;
    let Some(mut row) = row else { return Ok(None) };
    let recipient = row.int()?;
    let mut c = db.writer(attempt).await?;
    let heads = lock_heads(&mut c, &[sender, recipient]).await?;
    let mut row = c.row(BY_SENDER, &[id, sender].map(Value::Int)).await?.ok_or(StoreError::NotFound)?;
    let mut message = message(&mut row)?;
    let changes = match edit {
        _ if message.deleted_at.is_some() => false,
        Edit::Body(body) => message.body != body.as_str(),
        Edit::Delete => true,
    };
    if !changes {
        return Ok(Some(Changed { message, reached: Vec::new() }));
    }
    // What somebody wrote before is no way to tell something new to who blocks them; taking it back is.
    if matches!(edit, Edit::Body(_)) && sender != recipient && contacts::is_blocked(&mut c, recipient, sender).await? {
        return Err(StoreError::Refused.into());
    }
    let kind = write(&mut c, &mut message, edit, now).await?;
    let reached = events::append(&mut c, heads, kind, Some((message.conversation, message.seq)), now).await?;
    c.commit().await?;
    Ok(Some(Changed { message, reached }))
}

/// Writes the change, in the row and in what is told of it; the kind of its log row.
async fn write(c: &mut Connection<'_>, message: &mut Message, edit: &Edit, now: Timestamp) -> Result<i64, Fault> {
    message.version += 1;
    let (now_arg, version, id) = (Value::Int(now.0), Value::Int(message.version), Value::Int(message.id));
    match edit {
        Edit::Body(body) => {
            c.execute(SET_BODY, &[body.as_str().into(), now_arg, version, id]).await?;
            body.as_str().clone_into(&mut message.body);
            message.edited_at = Some(now);
            Ok(plan::MESSAGE_EDITED)
        }
        Edit::Delete => {
            c.execute(EMPTY, &[now_arg, version, id]).await?;
            message.body.clear();
            message.deleted_at = Some(now);
            Ok(plan::MESSAGE_DELETED)
        }
    }
}
