//! Mail on its way out: made and sealed here, kept in the store's queue, and sent by the chores of `sender`.
//!
//! What is queued is the finished message: however often it is sent, it is one message with one id. It is sealed, and
//! bound to its purpose and its recipient: it may hold a link that lets somebody in.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::domain::{Clock, Timestamp};
use crate::mail::{Letter, Mailbox, message};
use crate::seal::{Seal, Unsealable};
use crate::store::{ClaimedMail, Mails, QueuedMail, StoreError};

/// No mail is tried for longer.
const LONGEST: Duration = Duration::from_hours(72);

/// Where mail is put that is to be sent.
#[derive(Clone)]
pub struct Outbox {
    pub(super) store: Arc<dyn Mails>,
    pub(super) clock: Arc<dyn Clock>,
    from: Mailbox,
    seal: Seal,
    /// Something was queued in this process.
    queued: Arc<Notify>,
}

impl Outbox {
    /// `from` is who sends; `secret` is `SECRET_KEY`, the same for every process on the database.
    pub fn new(store: Arc<dyn Mails>, clock: Arc<dyn Clock>, from: Mailbox, secret: &str) -> Self {
        Self { store, clock, from, seal: Seal::new(secret, "outgoing mail"), queued: Arc::default() }
    }

    /// A mail for the queue, to be stored in a transaction that does more; after its commit call [`Self::wake`].
    /// `purpose` (`a-z` and `-`, at most 32) names it in the log. It is given up when it expires, after three days at
    /// the latest.
    pub fn make(&self, purpose: &'static str, to: &Mailbox, letter: &Letter, expires_at: Timestamp) -> QueuedMail {
        let now = self.clock.now();
        let recipient = to.address.as_str();
        QueuedMail {
            purpose: purpose.to_owned(),
            recipient: recipient.to_owned(),
            content: self.seal.close(&[purpose, recipient], &message(&self.from, to, letter, now)),
            created_at: now,
            expires_at: expires_at.min(now.plus(LONGEST)),
        }
    }

    /// Makes a mail and puts it into the queue, durably. It is sent soon, by this process or another one, and tried again
    /// until it expires.
    pub async fn send(
        &self,
        purpose: &'static str,
        to: &Mailbox,
        letter: &Letter,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        self.store.queue_mail(&self.make(purpose, to, letter, expires_at)).await?;
        self.wake();
        Ok(())
    }

    /// Says that something was queued. Without it, mail waits for some seconds.
    pub fn wake(&self) {
        self.queued.notify_one();
    }

    /// Waits until something is queued in this process.
    pub(super) async fn woken(&self) {
        self.queued.notified().await;
    }

    /// The message of a mail from the queue.
    pub(super) fn open(&self, mail: &ClaimedMail) -> Result<Vec<u8>, Unsealable> {
        self.seal.open(&[&mail.purpose, &mail.recipient], &mail.content)
    }
}
