//! The queue of outgoing mail.

use async_trait::async_trait;

use super::StoreError;
use crate::domain::Timestamp;

/// A mail's number in the queue.
pub type MailId = i64;

/// A mail to be put into the queue.
#[derive(Clone, Debug)]
pub struct QueuedMail {
    /// What it is for, of `a-z` and `-`, at most 32.
    pub purpose: String,
    /// The bare address, at most 254 characters.
    pub recipient: String,
    /// The message, sealed.
    pub content: Vec<u8>,
    /// Due from then on.
    pub created_at: Timestamp,
    /// Worth nothing from then on.
    pub expires_at: Timestamp,
}

/// A mail that one sender has for itself for a while.
#[derive(Clone, Debug)]
pub struct ClaimedMail {
    pub id: MailId,
    pub purpose: String,
    pub recipient: String,
    pub content: Vec<u8>,
    pub expires_at: Timestamp,
    /// From 1, this try included.
    pub tries: i64,
}

/// What waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailQueue {
    pub waiting: i64,
    /// Since when the oldest waits.
    pub oldest: Option<Timestamp>,
    /// The newest try that failed, of mail that still waits: when it began, and why.
    pub last_error: Option<(Timestamp, String)>,
}

/// The longest reason that is kept, in characters.
const REASON: usize = 400;

/// The queue. A mail is sent at least once: whoever dies between sending and noting it leaves it to the next.
#[async_trait]
pub trait Mails: Send + Sync {
    /// Puts a mail into the queue, durably.
    async fn queue_mail(&self, mail: &QueuedMail) -> Result<(), StoreError>;
    /// The mail that is due for longest, for this caller alone until `until`; also one that has expired. It counts as a
    /// try. None if nothing is due. A mail that would be due more than a day ahead is due now.
    async fn claim_mail(&self, now: Timestamp, until: Timestamp) -> Result<Option<ClaimedMail>, StoreError>;
    /// Removes a mail that was sent, or is given up. Removing it again does nothing.
    async fn remove_mail(&self, id: MailId) -> Result<(), StoreError>;
    /// Puts a mail back that could not be sent, due at `due_at`. Nothing happens if somebody else has it by now.
    async fn postpone_mail(&self, mail: &ClaimedMail, due_at: Timestamp, reason: &str) -> Result<(), StoreError>;
    /// What waits.
    async fn mail_queue(&self) -> Result<MailQueue, StoreError>;
}

/// A reason as it is kept.
pub(super) fn kept(reason: &str) -> String {
    reason.chars().take(REASON).collect()
}
