//! What is read: messages, lists and logs; and the pruning of logs.

use async_trait::async_trait;
use chatd::domain::{
    Change, Changed, Conversation, ConversationId, ConversationPage, ConversationSettings, Edit, Event, Face, LogPage,
    Mark, Message, MessageId, NewMessage, Position, ReadState, Sent, Seq, Slice, Timestamp, UserId,
};
use chatd::store::{Logs, Messages, StoreError, Which};

use super::tables::{LogRow, Tables};
use super::transaction::Fault;
use super::{MemoryStore, unmodelled};
use crate::simulation::bugs::Bug;
use crate::simulation::scheduler::lock;

/// How far both have read, as one of them sees it.
pub fn read_state(tables: &Tables, user: UserId, conversation: ConversationId) -> Option<ReadState> {
    let mine = tables.lists.get(&(user, conversation))?;
    let theirs = tables.lists.get(&(mine.peer, conversation))?;
    Some(ReadState {
        conversation,
        peer: tables.username(mine.peer),
        read_seq: mine.read_seq,
        peer_read_seq: theirs.read_seq,
        peer_delivered_seq: theirs.delivered_seq.max(theirs.read_seq),
        unread: mine.peer_sent - mine.peer_sent_read,
    })
}

fn conversation(tables: &Tables, user: UserId, id: ConversationId) -> Option<Conversation> {
    let (state, row) = (read_state(tables, user, id)?, tables.lists.get(&(user, id))?);
    let peer = state.peer.clone();
    Some(Conversation {
        face: Face::default(),
        id,
        peer: state.peer.clone(),
        last_message: tables.messages.get(&(id, row.last_seq)).map(|stored| stored.message.clone()),
        last_seq: row.last_seq,
        read_seq: state.read_seq,
        peer_read_seq: state.peer_read_seq,
        peer_delivered_seq: state.peer_delivered_seq,
        unread: state.unread,
        last_activity: row.last_activity,
        settings: ConversationSettings {
            conversation: id,
            peer,
            muted_until: None,
            pinned: false,
            archived: false,
            request: false,
        },
    })
}

/// The change that a row of the log stands for, as it reads now.
fn change(tables: &Tables, user: UserId, row: &LogRow) -> Change {
    let stored = tables.messages.get(&(row.conversation, row.seq));
    let state = read_state(tables, user, row.conversation);
    match (row.kind, stored, state) {
        (1, Some(stored), state) => {
            let message = stored.message.clone();
            let unread = state.filter(|_| message.recipient == user).map(|state| state.unread);
            Change::MessageCreated { message, unread, request: false }
        }
        (2, _, Some(state)) => Change::Read(state),
        (3, Some(stored), _) => Change::MessageEdited(stored.message.clone()),
        (4, Some(stored), _) => Change::MessageDeleted(stored.message.clone()),
        _ => Change::Unknown,
    }
}

fn page(tables: &Tables, user: UserId, after: Position, limit: usize, bug: Option<Bug>) -> Option<LogPage> {
    let rows: Vec<_> = tables.log.range((user, after.pos)..=(user, i64::MAX)).take(limit.saturating_add(2)).collect();
    let ((_, first_pos), first) = rows.first()?;
    let place_is_there = *first_pos == after.pos || bug == Some(Bug::HoleNotChecked);
    let tag_is_right = first.tag == after.tag || matches!(bug, Some(Bug::TagNotChecked | Bug::HoleNotChecked));
    let whole = rows.windows(2).all(|pair| pair[1].0.1 == pair[0].0.1 + 1) || bug == Some(Bug::HoleNotChecked);
    if !(place_is_there && tag_is_right && whole) {
        return None;
    }
    let followers = rows.iter().filter(|((_, pos), _)| *pos > after.pos);
    let mut events: Vec<_> = followers
        .map(|((_, pos), row)| Event { at: Position { pos: *pos, tag: row.tag }, change: change(tables, user, row) })
        .collect();
    let more = events.len() > limit;
    events.truncate(limit);
    let end = events.last().map_or(after, |last| last.at);
    Some(LogPage { events, end, more })
}

fn slice(tables: &Tables, id: ConversationId, part: Slice, limit: i64) -> Vec<Message> {
    let size = |limit: i64| usize::try_from(limit).unwrap_or(0);
    let older = |seq: Seq, limit: i64| {
        let range = tables.messages.range((id, i64::MIN)..(id, seq)).rev().take(size(limit));
        range.map(|(_, stored)| stored.message.clone()).collect::<Vec<_>>()
    };
    let newer = |seq: Seq, limit: i64| {
        let range = tables.messages.range((id, seq.saturating_add(1))..=(id, i64::MAX)).take(size(limit));
        let mut found: Vec<_> = range.map(|(_, stored)| stored.message.clone()).collect();
        found.reverse();
        found
    };
    match part {
        Slice::Before(seq) => older(seq, limit),
        Slice::After(seq) => newer(seq, limit),
        Slice::Around(seq) => {
            let mut found = newer(seq, limit / 2);
            let rest = limit - i64::try_from(found.len()).unwrap_or(limit);
            found.extend(older(seq.saturating_add(1), rest));
            found
        }
    }
}

#[async_trait]
impl Messages for MemoryStore {
    async fn send(&self, new: NewMessage) -> Result<Sent, StoreError> {
        self.store(&new).await
    }

    async fn message(&self, reader: UserId, id: MessageId) -> Result<Option<Message>, StoreError> {
        let found = |tables: &Tables| {
            let mut all = tables.messages.values().map(|stored| &stored.message);
            all.find(|m| m.id == id && (m.sender == reader || m.recipient == reader)).cloned()
        };
        self.read(found).await
    }

    async fn count_messages(&self, user: UserId) -> Result<i64, StoreError> {
        self.read(|tables| tables.lists.range((user, 0)..=(user, i64::MAX)).map(|(_, row)| row.last_seq).sum()).await
    }

    async fn messages_of(&self, user: UserId, offset: i64, limit: i64) -> Result<Vec<Message>, StoreError> {
        let found = |tables: &Tables| {
            let all = tables.messages.values().map(|stored| &stored.message);
            let mut all: Vec<_> = all.filter(|m| m.sender == user || m.recipient == user).cloned().collect();
            all.sort_unstable_by_key(|m| (m.timestamp, m.id));
            let (offset, limit) = (usize::try_from(offset).unwrap_or(0), usize::try_from(limit).unwrap_or(0));
            all.into_iter().rev().skip(offset).take(limit).collect()
        };
        self.read(found).await
    }

    async fn conversation_of(&self, a: UserId, b: UserId) -> Result<Option<(ConversationId, Seq)>, StoreError> {
        self.read(|tables| tables.pairs.get(&(a.min(b), a.max(b))).map(|pair| (pair.id, pair.last_seq))).await
    }

    async fn slice(&self, id: ConversationId, part: Slice, limit: i64) -> Result<Vec<Message>, StoreError> {
        self.read(|tables| slice(tables, id, part, limit)).await
    }

    async fn conversations(
        &self,
        user: UserId,
        _: Which,
        after: Option<(Timestamp, ConversationId)>,
        limit: i64,
    ) -> Result<ConversationPage, StoreError> {
        let lineage = self.database.lineage();
        let head = |tables: &Tables| tables.heads.get(&user).copied();
        let before = self.database.read(Some(lineage), head).await.map_err(Fault::into_error)?;
        let list = |tables: &Tables| {
            let rows = tables.lists.range((user, 0)..=(user, i64::MAX));
            let mut ids: Vec<_> = rows.map(|((_, id), row)| (row.last_activity, *id)).collect();
            ids.retain(|place| after.is_none_or(|after| *place < after));
            ids.sort_unstable_by(|a, b| b.cmp(a));
            ids.iter().filter_map(|(_, id)| conversation(tables, user, *id)).collect::<Vec<_>>()
        };
        let mut conversations = self.database.read(Some(lineage), list).await.map_err(Fault::into_error)?;
        let head = if self.has(Bug::HeadAfterList) {
            self.database.read(Some(lineage), head).await.map_err(Fault::into_error)?
        } else {
            before
        };
        let limit = usize::try_from(limit).unwrap_or(0);
        let more = conversations.len() > limit;
        conversations.truncate(limit);
        let next = conversations.last().filter(|_| more).map(|last| (last.last_activity, last.id));
        Ok(ConversationPage { conversations, next, head: head.ok_or(StoreError::NotFound)? })
    }

    async fn conversation(&self, user: UserId, peer: UserId) -> Result<Option<(Conversation, Position)>, StoreError> {
        let lineage = self.database.lineage();
        let head = |tables: &Tables| tables.heads.get(&user).copied();
        let head = self.database.read(Some(lineage), head).await.map_err(Fault::into_error)?;
        let one = |tables: &Tables| conversation(tables, user, tables.pairs.get(&(user.min(peer), user.max(peer)))?.id);
        let one = self.database.read(Some(lineage), one).await.map_err(Fault::into_error)?;
        Ok(one.zip(head))
    }

    async fn mark(
        &self,
        user: UserId,
        peer: UserId,
        mark: (Mark, Seq),
        now: Timestamp,
    ) -> Result<Option<(ReadState, Vec<(UserId, i64)>)>, StoreError> {
        self.mark_once([user, peer], mark, now).await.map_err(Fault::into_error)
    }

    async fn change(
        &self,
        sender: UserId,
        id: MessageId,
        edit: &Edit,
        now: Timestamp,
    ) -> Result<Option<Changed>, StoreError> {
        self.change_once(sender, id, edit, now).await.map_err(Fault::into_error)
    }

    async fn repair_conversations(&self, _: UserId) -> Result<u64, StoreError> {
        unmodelled::answer()
    }

    async fn add_history(&self, _: &[NewMessage]) -> Result<(), StoreError> {
        unmodelled::answer()
    }
}

#[async_trait]
impl Logs for MemoryStore {
    async fn head(&self, user: UserId) -> Result<Position, StoreError> {
        self.read(|tables| tables.heads.get(&user).copied()).await?.ok_or(StoreError::NotFound)
    }

    async fn heads(&self, users: &[UserId]) -> Result<Vec<(UserId, Position)>, StoreError> {
        self.read(|tables| users.iter().filter_map(|user| Some((*user, *tables.heads.get(user)?))).collect()).await
    }

    async fn events(&self, user: UserId, after: Position, limit: i64) -> Result<Option<LogPage>, StoreError> {
        let size = usize::try_from(limit).unwrap_or(0);
        self.read(|tables| page(tables, user, after, size, self.database.bug)).await
    }

    async fn prune_events(&self, before: Timestamp, keep: i64) -> Result<u64, StoreError> {
        self.database.sim.pause().await;
        let tables = &mut lock(&self.database.inner).tables;
        let old: Vec<_> = tables.log.iter().filter(|(_, row)| row.created_at < before).map(|(key, _)| *key).collect();
        let mut pruned = 0;
        for (user, head) in &tables.heads {
            let newest_old = old.iter().filter(|(u, pos)| u == user && *pos < head.pos).map(|(_, pos)| *pos).max();
            let last = newest_old.unwrap_or(i64::MIN).max(head.pos.saturating_sub(keep)).min(head.pos - 1);
            let gone: Vec<_> = tables.log.range((*user, i64::MIN)..=(*user, last)).map(|(key, _)| *key).collect();
            pruned += gone.len() as u64;
            for key in gone {
                tables.log.remove(&key);
            }
        }
        Ok(pruned)
    }
}
