//! What people take along. Pieces belong to an attempt at an export: one that was given up leaves some behind, which nobody
//! reads, and which are swept away.

use async_trait::async_trait;

use super::{Fault, Row, SqlStore, StoreError, erase, lock_heads};
use crate::domain::{ConversationId, Export, ExportJob, ExportPart, ExportState, KeptConversation, Timestamp, UserId};
use crate::store::Exports;
use crate::store::db::{Connection, Value};
use crate::store::retry::{retrying, retrying_at_leisure};

const OF_USER: &str =
    "SELECT id, state, created_at, expires_at, done, total FROM exports WHERE user_id = ? AND expires_at > ?";
const ADD: &str = "INSERT INTO exports (user_id, state, attempt, claimed_until, created_at, expires_at, done, total) \
    VALUES (?, 0, 0, 0, ?, ?, 0, 0)";
const REMOVE: &str = "DELETE FROM exports WHERE user_id = ?";
const CLAIMABLE: &str = "SELECT id, user_id, attempt FROM exports WHERE state < 2 AND claimed_until <= ? \
    ORDER BY id LIMIT 1";
/// One winner: the attempt moves on with it.
const CLAIM: &str = "UPDATE exports SET state = ?, attempt = attempt + 1, claimed_until = ?, done = 0 \
    WHERE id = ? AND attempt = ? AND state < 2 AND claimed_until <= ?";
const NOTE: &str =
    "UPDATE exports SET done = ?, total = ?, claimed_until = ? WHERE id = ? AND attempt = ? AND state = 1";
const MINE: &str = "SELECT id FROM exports WHERE id = ? AND attempt = ? AND state = 1 FOR UPDATE";
const ADD_CHUNK: &str = "INSERT INTO export_chunks (export_id, attempt, part, no, content) VALUES (?, ?, ?, ?, ?)";
const FINISH: &str =
    "UPDATE exports SET state = 2, done = ?, expires_at = ? WHERE id = ? AND attempt = ? AND state = 1";
const CHUNK: &str = "SELECT c.content FROM exports e JOIN export_chunks c ON c.export_id = e.id AND c.attempt = e.attempt \
    WHERE e.id = ? AND e.user_id = ? AND e.state = 2 AND e.expires_at > ? AND c.part = ? AND c.no = ?";
const EXPIRED: &str = "DELETE FROM exports WHERE expires_at <= ?";
const LEFT: &str = "SELECT c.export_id, c.attempt, MAX(c.no) FROM export_chunks c \
    LEFT JOIN exports e ON e.id = c.export_id AND e.attempt = c.attempt WHERE e.id IS NULL \
    GROUP BY c.export_id, c.attempt LIMIT 20";
const SWEEP: &str = "DELETE FROM export_chunks WHERE export_id = ? AND attempt = ? AND no >= ? AND no < ?";
const CONVERSATIONS: &str = "SELECT c.conversation_id, p.username, c.last_seq, c.read_seq, c.delivered_seq, \
    c.muted_until, c.pinned_at, c.archived_at FROM user_conversations c LEFT JOIN users p ON p.id = c.peer_id \
    WHERE c.user_id = ? AND c.conversation_id > ? ORDER BY c.conversation_id LIMIT ?";

pub(super) const ALL: &[&str] = &[
    OF_USER,
    ADD,
    REMOVE,
    CLAIMABLE,
    CLAIM,
    NOTE,
    MINE,
    ADD_CHUNK,
    FINISH,
    CHUNK,
    EXPIRED,
    LEFT,
    SWEEP,
    CONVERSATIONS,
];

/// How often it is tried to make one.
const ATTEMPTS: i64 = 3;
/// How many pieces are removed at once.
const SWEPT: i64 = 16;

const RUNNING: i64 = 1;
const FAILED: i64 = 3;

fn export(mut row: Row) -> Result<Export, Fault> {
    Ok(Export {
        id: row.int()?,
        state: match row.int()? {
            0 => ExportState::Waiting,
            RUNNING => ExportState::Running,
            2 => ExportState::Ready,
            _ => ExportState::Failed,
        },
        created_at: Timestamp(row.int()?),
        expires_at: Timestamp(row.int()?),
        done: row.int()?,
        total: row.int()?,
    })
}

fn number(part: ExportPart) -> i64 {
    match part {
        ExportPart::Lines => 0,
        ExportPart::Page => 1,
    }
}

async fn current(c: &mut Connection<'_>, user: UserId, now: Timestamp) -> Result<Option<Export>, Fault> {
    c.row(OF_USER, &[user.into(), now.0.into()]).await?.map(export).transpose()
}

#[async_trait]
impl Exports for SqlStore {
    async fn ask_for_export(&self, user: UserId, now: Timestamp, expires_at: Timestamp) -> Result<Export, StoreError> {
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            lock_heads(&mut c, &[user]).await?;
            erase::check_is_here(&mut c, user).await?;
            if let Some(export) = current(&mut c, user, now).await?
                && matches!(export.state, ExportState::Waiting | ExportState::Running)
            {
                return Ok(export);
            }
            c.execute(REMOVE, &[user.into()]).await?;
            c.execute(ADD, &[user, now.0, expires_at.0].map(Value::Int)).await?;
            let made = current(&mut c, user, now).await?.ok_or(StoreError::NotFound)?;
            c.commit().await?;
            Ok(made)
        })
        .await
    }

    async fn export_of(&self, user: UserId, now: Timestamp) -> Result<Option<Export>, StoreError> {
        retrying(|attempt| async move { current(&mut self.db.reader(attempt).await?, user, now).await }).await
    }

    async fn claim_export(&self, now: Timestamp, until: Timestamp) -> Result<Option<ExportJob>, StoreError> {
        retrying(|attempt| async move {
            // Looked for first: as a rule there is none, and the writer is others'.
            let found = self.db.reader(attempt).await?.row(CLAIMABLE, &[now.0.into()]).await?;
            let Some(mut row) = found else { return Ok(None) };
            let job = ExportJob { id: row.int()?, user: row.int()?, attempt: row.int()? };
            let state = if job.attempt < ATTEMPTS { RUNNING } else { FAILED };
            let mut c = self.db.writer(attempt).await?;
            let args = [state, until.0, job.id, job.attempt, now.0].map(Value::Int);
            let won = c.execute(CLAIM, &args).await?.rows == 1;
            c.commit().await?;
            Ok(Some(ExportJob { attempt: job.attempt + 1, ..job }).filter(|_| won && state == RUNNING))
        })
        .await
    }

    async fn note_export(&self, job: ExportJob, done: i64, total: i64, until: Timestamp) -> Result<bool, StoreError> {
        retrying_at_leisure(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            let args = [done, total, until.0, job.id, job.attempt].map(Value::Int);
            let mine = c.execute(NOTE, &args).await?.rows == 1;
            c.commit().await?;
            Ok(mine)
        })
        .await
    }

    async fn add_export_chunk(
        &self,
        job: ExportJob,
        part: ExportPart,
        no: i64,
        content: &[u8],
    ) -> Result<bool, StoreError> {
        retrying_at_leisure(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            if c.row(MINE, &[job.id, job.attempt].map(Value::Int)).await?.is_none() {
                return Ok(false);
            }
            let [id, tries, part, no] = [job.id, job.attempt, number(part), no].map(Value::Int);
            c.execute(ADD_CHUNK, &[id, tries, part, no, Value::Bytes(content)]).await?;
            c.commit().await?;
            Ok(true)
        })
        .await
    }

    async fn finish_export(&self, job: ExportJob, done: i64, expires_at: Timestamp) -> Result<bool, StoreError> {
        retrying_at_leisure(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            let args = [done, expires_at.0, job.id, job.attempt].map(Value::Int);
            let mine = c.execute(FINISH, &args).await?.rows == 1;
            c.commit().await?;
            Ok(mine)
        })
        .await
    }

    async fn export_chunk(
        &self,
        user: UserId,
        id: i64,
        part: ExportPart,
        no: i64,
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let args = [id, user, now.0, number(part), no].map(Value::Int);
        retrying(|attempt| async move {
            let row = self.db.reader(attempt).await?.row(CHUNK, &args).await?;
            row.map(|mut row| row.bytes()).transpose()
        })
        .await
    }

    async fn sweep_exports(&self, now: Timestamp) -> Result<(), StoreError> {
        retrying_at_leisure(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            c.execute(EXPIRED, &[now.0.into()]).await?;
            c.commit().await
        })
        .await?;
        let read = |attempt| async move { self.db.reader(attempt).await?.rows(LEFT, &[]).await };
        for mut row in retrying_at_leisure(read).await? {
            let mut next = || row.int().map_err(Fault::into_error);
            let (id, tries, last) = (next()?, next()?, next()?);
            for from in (0..=last).step_by(usize::try_from(SWEPT).unwrap_or(1)) {
                retrying_at_leisure(|attempt| async move {
                    let mut c = self.db.writer(attempt).await?;
                    c.execute(SWEEP, &[id, tries, from, from + SWEPT].map(Value::Int)).await?;
                    c.commit().await
                })
                .await?;
            }
        }
        Ok(())
    }

    async fn conversations_behind(
        &self,
        user: UserId,
        after: ConversationId,
        limit: i64,
    ) -> Result<Vec<KeptConversation>, StoreError> {
        retrying_at_leisure(|attempt| async move {
            let args = [user, after, limit].map(Value::Int);
            let rows = self.db.reader(attempt).await?.rows(CONVERSATIONS, &args).await?;
            rows.into_iter().map(conversation).collect()
        })
        .await
    }
}

fn conversation(mut row: Row) -> Result<KeptConversation, Fault> {
    Ok(KeptConversation {
        id: row.int()?,
        peer: row.text()?,
        last_seq: row.int()?,
        read_seq: row.int()?,
        delivered_seq: row.int()?,
        muted_until: row.maybe_int()?.map(Timestamp),
        pinned: row.maybe_int()?.is_some(),
        archived: row.maybe_int()?.is_some(),
    })
}
