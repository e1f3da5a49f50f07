//! Reading messages: one, a user's, and parts of a conversation.

use async_trait::async_trait;

use super::{SqlStore, StoreError, conversations, edits, message, message_columns, messages_from, repair, send};
use crate::domain::{
    Changed, Conversation, ConversationId, ConversationPage, Edit, Mark, Message, MessageId, NewMessage, Position,
    ReadState, Sent, Seq, Slice, Timestamp, UserId,
};
use crate::store::db::{Row, Value};
use crate::store::retry::{retrying, retrying_at_leisure};
use crate::store::{Messages, Which};

const ONE: &str = messages_from!("messages m", "WHERE m.id = ? AND (m.sender_id = ? OR m.recipient_id = ?)");
/// The page is found before any name is joined: joined first, MariaDB sorts the whole conversation.
const BEFORE: &str = messages_from!(
    "(SELECT conversation_id, seq FROM messages WHERE conversation_id = ? AND seq < ? ORDER BY seq DESC LIMIT ?) page \
     LEFT JOIN messages m ON m.conversation_id = page.conversation_id AND m.seq = page.seq",
    "ORDER BY page.seq DESC"
);
const AFTER: &str = messages_from!(
    "(SELECT conversation_id, seq FROM messages WHERE conversation_id = ? AND seq > ? ORDER BY seq LIMIT ?) page \
     LEFT JOIN messages m ON m.conversation_id = page.conversation_id AND m.seq = page.seq",
    "ORDER BY page.seq"
);
const COUNT: &str = "SELECT CAST(COALESCE(SUM(last_seq), 0) AS SIGNED) FROM user_conversations WHERE user_id = ?";
/// Two indexed scans; one scan with OR would read everything there is.
const OF_USER: &str = messages_from!(
    "(SELECT id FROM ( \
        SELECT * FROM (SELECT id, sent_at FROM messages WHERE sender_id = ? \
            ORDER BY sent_at DESC, id DESC LIMIT ?) sent \
        UNION ALL \
        SELECT * FROM (SELECT id, sent_at FROM messages WHERE recipient_id = ? AND sender_id <> ? \
            ORDER BY sent_at DESC, id DESC LIMIT ?) received \
     ) both_sides ORDER BY sent_at DESC, id DESC LIMIT ? OFFSET ?) page LEFT JOIN messages m ON m.id = page.id",
    "ORDER BY m.sent_at DESC, m.id DESC"
);
const CONVERSATION_OF: &str = "SELECT id, last_seq FROM conversations WHERE low_user = ? AND high_user = ?";

pub(super) const ALL: &[&str] = &[ONE, BEFORE, AFTER, COUNT, OF_USER, CONVERSATION_OF];

/// How many messages of the past go into one transaction.
const HISTORY: usize = 1024;

impl SqlStore {
    async fn messages(&self, sql: &'static str, args: &[Value<'_>]) -> Result<Vec<Message>, StoreError> {
        retrying(|attempt| async move {
            let rows = self.db.reader(attempt).await?.rows(sql, args).await?;
            rows.into_iter().map(|mut row: Row| message(&mut row)).collect()
        })
        .await
    }
}

#[async_trait]
impl Messages for SqlStore {
    async fn send(&self, new: NewMessage) -> Result<Sent, StoreError> {
        self.sends.send(new).await
    }

    async fn message(&self, reader: UserId, id: MessageId) -> Result<Option<Message>, StoreError> {
        Ok(self.messages(ONE, &[id.into(), reader.into(), reader.into()]).await?.pop())
    }

    async fn count_messages(&self, user: UserId) -> Result<i64, StoreError> {
        retrying(|attempt| async move {
            let row = self.db.reader(attempt).await?.row(COUNT, &[user.into()]).await?;
            row.map_or(Ok(0), |mut row| row.int())
        })
        .await
    }

    async fn messages_of(&self, user: UserId, offset: i64, limit: i64) -> Result<Vec<Message>, StoreError> {
        let reach = offset.saturating_add(limit);
        let args = [user, reach, user, user, reach, limit, offset].map(Value::Int);
        self.messages(OF_USER, &args).await
    }

    async fn conversation_of(&self, a: UserId, b: UserId) -> Result<Option<(ConversationId, Seq)>, StoreError> {
        retrying(|attempt| async move {
            let row = self.db.reader(attempt).await?.row(CONVERSATION_OF, &[a.min(b).into(), a.max(b).into()]).await?;
            row.map(|mut row| Ok((row.int()?, row.int()?))).transpose()
        })
        .await
    }

    async fn slice(&self, id: ConversationId, part: Slice, limit: i64) -> Result<Vec<Message>, StoreError> {
        let newer = |seq: Seq, limit: i64| async move {
            let mut found = self.messages(AFTER, &[id.into(), seq.into(), limit.into()]).await?;
            found.reverse();
            Ok::<_, StoreError>(found)
        };
        let older =
            |seq: Seq, limit: i64| async move { self.messages(BEFORE, &[id.into(), seq.into(), limit.into()]).await };
        match part {
            Slice::Before(seq) => older(seq, limit).await,
            Slice::After(seq) => newer(seq, limit).await,
            Slice::Around(seq) => {
                let mut found = newer(seq, limit / 2).await?;
                let rest = limit - i64::try_from(found.len()).unwrap_or(limit);
                found.extend(older(seq.saturating_add(1), rest).await?);
                Ok(found)
            }
        }
    }

    async fn conversations(
        &self,
        user: UserId,
        which: Which,
        after: Option<(Timestamp, ConversationId)>,
        limit: i64,
    ) -> Result<ConversationPage, StoreError> {
        retrying(|attempt| conversations::page(&self.db, attempt, user, which, after, limit)).await
    }

    async fn conversation(&self, user: UserId, peer: UserId) -> Result<Option<(Conversation, Position)>, StoreError> {
        retrying(|attempt| conversations::one(&self.db, attempt, user, peer)).await
    }

    async fn mark(
        &self,
        user: UserId,
        peer: UserId,
        (mark, seq): (Mark, Seq),
        now: Timestamp,
    ) -> Result<Option<(ReadState, Vec<(UserId, i64)>)>, StoreError> {
        retrying(|attempt| conversations::mark(&self.db, attempt, [user, peer], (mark, seq), now)).await
    }

    async fn change(
        &self,
        sender: UserId,
        id: MessageId,
        edit: &Edit,
        now: Timestamp,
    ) -> Result<Option<Changed>, StoreError> {
        retrying(|attempt| edits::change(&self.db, attempt, sender, id, edit, now)).await
    }

    async fn repair_conversations(&self, user: UserId) -> Result<u64, StoreError> {
        retrying_at_leisure(|attempt| repair::conversations(&self.db, attempt, user)).await
    }

    async fn add_history(&self, history: &[NewMessage]) -> Result<(), StoreError> {
        for part in history.chunks(HISTORY) {
            let part: Vec<_> = part.iter().collect();
            retrying_at_leisure(|attempt| send::store_history(&self.db, attempt, &part)).await?;
        }
        Ok(())
    }
}
