//! Whether the session of a socket stands: whoever was signed out is told nothing.

use std::time::{Duration, Instant};

use super::Socket;
use super::ending::{End, goodbye};
use crate::chat::{Goodbye, OpenSocket};

/// A socket that tells of the log knows that its session stood this recently.
pub(super) const OF_THE_LOG: Duration = Duration::from_millis(800);
/// And one that tells something that passes, this recently. A poll of sessions in time knows it anew before that is over;
/// while the database cannot be asked, nothing is told.
pub(super) const OF_PASSING: Duration = Duration::from_secs(6);

/// What one socket knows of its session.
pub(super) struct Standing<'a> {
    socket: &'a Socket,
    /// When it was last seen to stand.
    seen: Instant,
    /// Whether to look at it with the next tick.
    due: bool,
}

impl<'a> Standing<'a> {
    pub(super) fn new(socket: &'a Socket) -> Self {
        Self { socket, seen: Instant::now(), due: false }
    }

    /// Whether the session is known to have stood so long ago at most. Not while the database cannot be asked: whoever was
    /// signed out meanwhile is told nothing.
    pub(super) async fn stood(&mut self, open: &OpenSocket, ago: Duration) -> Result<bool, End> {
        let seen = open.seen().map_or(self.seen, |polled| polled.max(self.seen));
        if seen.elapsed() <= ago { Ok(true) } else { self.look().await }
    }

    /// Looks at the session, and ends with it. False if it cannot be looked at now: then at the next tick.
    pub(super) async fn look(&mut self) -> Result<bool, End> {
        let chat = &self.socket.app.chat;
        let asked = Instant::now();
        // One look for all who ask at this moment.
        match chat.store.session(&self.socket.token_hash, chat.clock.now()).await {
            Ok(None) => Err(goodbye(Goodbye::Revoked)),
            Ok(Some(_)) => {
                (self.seen, self.due) = (asked, false);
                Ok(true)
            }
            Err(e) => {
                tracing::debug!(error = %e, "a socket cannot look at its session; it tries again");
                self.due = true;
                Ok(false)
            }
        }
    }

    /// What happened then may have meant the session: if it was not seen since, it has to be looked at.
    pub(super) fn doubt(&mut self, since: Instant) {
        self.due |= self.seen < since;
    }

    pub(super) async fn look_if_due(&mut self) -> Result<(), End> {
        if self.due {
            self.look().await?;
        }
        Ok(())
    }
}
