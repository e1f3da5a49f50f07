//! Transactions that change what is there: marks, edits and deletions.

use std::sync::Arc;

use chatd::domain::{Changed, Edit, Mark, MessageId, ReadState, Seq, Timestamp, UserId};

use super::MemoryStore;
use super::reading::read_state;
use super::tables::{Changes, ListRow, LogRow, Stored};
use super::transaction::Fault;
use crate::simulation::bugs::Bug;

const READ: i64 = 2;
const MESSAGE_EDITED: i64 = 3;
const MESSAGE_DELETED: i64 = 4;

impl MemoryStore {
    pub(super) async fn mark_once(
        &self,
        [user, peer]: [UserId; 2],
        (mark, seq): (Mark, Seq),
        now: Timestamp,
    ) -> Result<Option<(ReadState, Vec<(UserId, i64)>)>, Fault> {
        let transaction = self.database.begin().await?;
        let mut heads = transaction.lock_heads(&[user, peer]).await?;
        self.database.sim.pause().await;
        let found = transaction.look(|tables| {
            let conversation = tables.pairs.get(&(user.min(peer), user.max(peer)))?.id;
            Some((read_state(tables, user, conversation)?, tables.lists.get(&(user, conversation))?.clone()))
        })?;
        let Some((state, row)) = found else { return Ok(None) };
        let seq = seq.min(row.last_seq);
        let stands = if mark == Mark::Read { row.read_seq } else { row.delivered_seq.max(row.read_seq) };
        let falls = mark == Mark::Read && seq < stands && self.has(Bug::ReadMarkFalls);
        if user == peer || (seq <= stands && !falls) {
            return Ok(Some((state, Vec::new())));
        }
        let conversation = state.conversation;
        let (state, row) = if mark == Mark::Read {
            let read = transaction.look(|tables| tables.peer_sent_up_to(user, peer, conversation, seq))?;
            let state = ReadState { read_seq: seq, unread: row.peer_sent - read, ..state };
            (state, ListRow { read_seq: seq, peer_sent_read: read, ..row })
        } else {
            heads.retain(|whose, _| *whose == peer);
            (state, ListRow { delivered_seq: seq, ..row })
        };
        let mut changes = Changes::default();
        changes.lists.push(((user, conversation), row));
        self.log_to(&mut changes, &heads, |tag| LogRow { tag, kind: READ, conversation, seq, created_at: now });
        let reached = changes.heads.iter().map(|(user, at)| (*user, at.pos)).collect();
        transaction.commit(changes).await?;
        Ok(Some((state, reached)))
    }

    pub(super) async fn change_once(
        &self,
        sender: UserId,
        id: MessageId,
        edit: &Edit,
        now: Timestamp,
    ) -> Result<Option<Changed>, Fault> {
        let transaction = self.database.begin().await?;
        let find = || {
            transaction.look(|tables| {
                let of = tables.messages.values().find(|stored| stored.message.id == id)?;
                Some(of.clone()).filter(|stored| stored.message.sender == sender)
            })
        };
        let Some(early) = find()? else { return Ok(None) };
        let heads = transaction.lock_heads(&[sender, early.message.recipient]).await?;
        self.database.sim.pause().await;
        let Some(stored) = find()? else { return Ok(None) };
        let stored = if self.has(Bug::EditBeforeLock) { early } else { stored };
        let mut message = stored.message.clone();
        let kind = match edit {
            _ if message.deleted_at.is_some() => return Ok(Some(Changed { message, reached: Vec::new() })),
            Edit::Body(body) if message.body == body.as_str() => {
                return Ok(Some(Changed { message, reached: Vec::new() }));
            }
            Edit::Body(body) => {
                body.as_str().clone_into(&mut message.body);
                message.edited_at = Some(now);
                MESSAGE_EDITED
            }
            Edit::Delete => {
                message.body.clear();
                message.deleted_at = Some(now);
                MESSAGE_DELETED
            }
        };
        message.version += 1;
        let (conversation, seq) = (message.conversation, message.seq);
        let mut changes = Changes::default();
        let (key, fingerprint, low_sent) = (stored.key.clone(), stored.fingerprint, stored.low_sent);
        changes.edited.push(Arc::new(Stored { message: message.clone(), key, fingerprint, low_sent }));
        self.log_to(&mut changes, &heads, |tag| LogRow { tag, kind, conversation, seq, created_at: now });
        let reached = changes.heads.iter().map(|(user, at)| (*user, at.pos)).collect();
        transaction.commit(changes).await?;
        Ok(Some(Changed { message, reached }))
    }
}
