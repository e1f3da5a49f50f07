//! One listener's way through its user's log: where it stands, what it is told next, and when it has to start over.
//!
//! It knows no socket and no time, so that the simulation (`tests/it/simulation`) runs the very code that sockets run.
//! Whoever holds a feed asks it for pages whenever it is woken or behind, and tells what they hold.

use super::{Chat, ChatError};
use crate::bus::{Polled, Stir, Subscription};
use crate::domain::{Cursor, LogPage, Position, UserId};

/// What a listener can do about a place that the log does not hold any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    /// It starts over when it is told to.
    Resumes,
    /// A client of the predecessor: it cannot start over, and goes on from the head.
    GoesOn,
}

/// Where one listener stands in its user's log.
pub struct Feed {
    chat: Chat,
    user: UserId,
    listener: Listener,
    subscription: Subscription,
    at: Position,
    /// The poll of heads after which the log was read last.
    looked: u64,
}

impl Feed {
    /// Goes on from `at`. No event falls between if the subscription is older than the first page, whatever `at` is.
    pub fn new(chat: Chat, user: UserId, listener: Listener, subscription: Subscription, at: Position) -> Self {
        Self { chat, user, listener, subscription, at, looked: 0 }
    }

    /// The cursor of the place where this listener stands.
    pub fn cursor(&self) -> String {
        self.chat.cursor(self.user, self.at)
    }

    /// Goes back to where a device says that it stands. [`ChatError::Reset`] if that is not a place of this database
    /// and this user; whether the log still has it is seen when it is read on from there.
    pub fn resume(&mut self, after: &Cursor) -> Result<(), ChatError> {
        if !self.chat.is_own(self.user, after) {
            return Err(ChatError::Reset);
        }
        self.at = after.at;
        Ok(())
    }

    /// What follows, at most `limit` events and about `held` bytes of them; from now on the feed stands behind them, so
    /// whoever does not tell them has to end it. [`ChatError::Reset`] if the listener has to start over. After any
    /// other error the feed stands where it stood: ask again.
    pub async fn next(&mut self, limit: i64, held: usize) -> Result<LogPage, ChatError> {
        let polled = self.subscription.polled();
        let mut page = match self.chat.store.events(self.user, self.at, limit).await? {
            Some(page) => page,
            None if self.listener == Listener::Resumes => return Err(ChatError::Reset),
            None => LogPage { events: Vec::new(), end: self.chat.head(self.user).await?, more: false },
        };
        page.keep(held);
        self.at = page.end;
        self.looked = polled.map_or(0, |polled| polled.number);
        Ok(page)
    }

    /// The same, or until a signal comes that passes. May be dropped and asked again.
    pub async fn stirred(&mut self) -> Stir {
        self.subscription.stirred().await
    }

    /// Waits until something may have happened since the last time. May be dropped and asked again.
    pub async fn woken(&mut self) {
        self.subscription.woken().await;
    }

    /// Whether the poll of heads has seen something else than this listener was told. More of the log; or less of it, or
    /// another row where it stands: then the database may have been put back, and one look at the log tells.
    pub fn is_behind(&self) -> bool {
        let behind =
            |polled: Polled| polled.head.pos > self.at.pos || (polled.head != self.at && polled.number != self.looked);
        self.subscription.polled().is_some_and(behind)
    }
}
