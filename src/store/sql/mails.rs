//! The queue of outgoing mail.
//!
//! A mail is taken by a change of its row that holds only while nobody else has made one: no lock is held while mail is
//! sent, and a row that another process has is passed over.

use std::time::Duration;

use async_trait::async_trait;

use super::{Attempt, Fault, SqlStore, StoreError};
use crate::domain::Timestamp;
use crate::store::db::{Connection, Value};
use crate::store::mails::kept;
use crate::store::retry::retrying;
use crate::store::{ClaimedMail, MailId, MailQueue, Mails, QueuedMail};

const ADD: &str = "INSERT INTO outgoing_mail (purpose, recipient, content, created_at, due_at, expires_at, tries, \
    last_error) VALUES (?, ?, ?, ?, ?, ?, 0, '')";
/// No mail is put off for so long: such a time was written by a clock that was ahead, and is no time to wait for.
const FARTHEST: Duration = Duration::from_hours(24);
/// Some: others may be quicker.
const DUE: &str = "SELECT id, tries FROM outgoing_mail WHERE due_at <= ? OR due_at > ? ORDER BY due_at, id LIMIT 8";
const CLAIM: &str = "UPDATE outgoing_mail SET due_at = ?, tried_at = ?, tries = tries + 1 \
    WHERE id = ? AND tries = ? AND (due_at <= ? OR due_at > ?)";
const CLAIMED: &str = "SELECT purpose, recipient, content, expires_at, tries FROM outgoing_mail WHERE id = ?";
const REMOVE: &str = "DELETE FROM outgoing_mail WHERE id = ?";
const POSTPONE: &str = "UPDATE outgoing_mail SET due_at = ?, last_error = ? WHERE id = ? AND tries = ?";
const WAITING: &str = "SELECT COUNT(*), MIN(created_at) FROM outgoing_mail";
const LAST_ERROR: &str = "SELECT tried_at, last_error FROM outgoing_mail WHERE last_error <> '' \
    ORDER BY tried_at DESC, id DESC LIMIT 1";

pub(super) const ALL: &[&str] = &[ADD, DUE, CLAIM, CLAIMED, REMOVE, POSTPONE, WAITING, LAST_ERROR];

/// Puts a mail into the queue, in a transaction that may do more.
pub(super) async fn add(c: &mut Connection<'_>, mail: &QueuedMail) -> Result<(), Fault> {
    let args = [
        mail.purpose.as_str().into(),
        mail.recipient.as_str().into(),
        Value::Bytes(&mail.content),
        mail.created_at.0.into(),
        mail.created_at.0.into(),
        mail.expires_at.0.into(),
    ];
    c.execute(ADD, &args).await.map(drop)
}

impl SqlStore {
    /// Takes one mail, if nobody else was quicker.
    async fn claim(
        &self,
        attempt: Attempt,
        (id, tries): (MailId, i64),
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<ClaimedMail>, Fault> {
        let mut c = self.db.writer(attempt).await?;
        let far = now.plus(FARTHEST);
        let args = [until.0.into(), now.0.into(), id.into(), tries.into(), now.0.into(), far.0.into()];
        if c.execute(CLAIM, &args).await?.rows == 0 {
            return Ok(None);
        }
        let Some(mut row) = c.row(CLAIMED, &[id.into()]).await? else { return Ok(None) };
        let mail = ClaimedMail {
            id,
            purpose: row.text()?,
            recipient: row.text()?,
            content: row.bytes()?,
            expires_at: Timestamp(row.int()?),
            tries: row.int()?,
        };
        c.commit().await?;
        Ok(Some(mail))
    }
}

#[async_trait]
impl Mails for SqlStore {
    async fn queue_mail(&self, mail: &QueuedMail) -> Result<(), StoreError> {
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            add(&mut c, mail).await?;
            c.commit().await
        })
        .await
    }

    async fn claim_mail(&self, now: Timestamp, until: Timestamp) -> Result<Option<ClaimedMail>, StoreError> {
        let far = now.plus(FARTHEST);
        retrying(|attempt| async move {
            let due = self.db.reader(attempt).await?.rows(DUE, &[now.0.into(), far.0.into()]).await?;
            for mut row in due {
                let mail = self.claim(attempt, (row.int()?, row.int()?), now, until).await?;
                if mail.is_some() {
                    return Ok(mail);
                }
            }
            Ok(None)
        })
        .await
    }

    async fn remove_mail(&self, id: MailId) -> Result<(), StoreError> {
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            c.execute(REMOVE, &[id.into()]).await?;
            c.commit().await
        })
        .await
    }

    async fn postpone_mail(&self, mail: &ClaimedMail, due_at: Timestamp, reason: &str) -> Result<(), StoreError> {
        let reason = kept(reason);
        let args = [due_at.0.into(), reason.as_str().into(), mail.id.into(), mail.tries.into()];
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            c.execute(POSTPONE, &args).await?;
            c.commit().await
        })
        .await
    }

    async fn mail_queue(&self) -> Result<MailQueue, StoreError> {
        retrying(|attempt| async move {
            let mut c = self.db.reader(attempt).await?;
            let Some(mut row) = c.row(WAITING, &[]).await? else { return Ok(MailQueue::default()) };
            let (waiting, oldest) = (row.int()?, row.maybe_int()?.map(Timestamp));
            let last_error = match c.row(LAST_ERROR, &[]).await? {
                Some(mut row) => Some((Timestamp(row.maybe_int()?.unwrap_or(0)), row.text()?)),
                None => None,
            };
            Ok(MailQueue { waiting, oldest, last_error })
        })
        .await
    }
}
