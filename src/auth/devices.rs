//! Where somebody is signed in: the list, ending one of them or all others, and when each was used last.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::Auth;
use crate::domain::{Timestamp, User};
use crate::store::{Session, StoreError};

/// What was noted of a session's use may be this old: within it nothing is written.
pub const NOTED_EVERY: Duration = Duration::from_mins(10);

/// The sessions that were used since it was noted last, by the hashes of their tokens. They are written together: a
/// write with a request would stand before somebody's message.
#[derive(Default)]
pub(super) struct Uses(Mutex<HashSet<String>>);

impl Uses {
    pub(super) fn add(&self, token_hash: &str) {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !used.contains(token_hash) {
            used.insert(token_hash.to_owned());
        }
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_iter().collect()
    }
}

/// A session's public name: the start of what is stored of its token, from which nobody gets to the token.
pub fn device_id(session: &Session) -> &str {
    session.token_hash.get(..16).unwrap_or(&session.token_hash)
}

impl Auth {
    /// Whether a session may still be used: neither too long ago nor made while the clock was ahead.
    pub(super) fn is_current(&self, session: &Session, now: Timestamp) -> bool {
        // A session of a day to come would live until that day and longer. A clock that is put back by less than the
        // life of a session signs nobody out.
        session.created_at <= now.plus(self.session_length) && now < session.last_used_at.plus(self.session_idle)
    }

    /// A session is being used by something that asks for nothing: a socket.
    pub fn used(&self, token_hash: &str) {
        self.uses.add(token_hash);
    }

    /// Writes which sessions were used, for the list and for the limit on idle ones. What cannot be written is kept.
    pub async fn note_uses(&self) {
        let used = self.uses.take();
        if used.is_empty() {
            return;
        }
        let now = self.clock.now();
        if let Err(e) = self.accounts.note_use(&used, now.minus(NOTED_EVERY), now).await {
            tracing::warn!(error = %e, "the use of sessions cannot be noted");
            used.iter().for_each(|hash| self.uses.add(hash));
        }
    }

    /// Where a user is signed in, used last first; at most 200.
    pub async fn devices(&self, user: &User) -> Result<Vec<Session>, StoreError> {
        let now = self.clock.now();
        let mut sessions = self.accounts.sessions_of(user.id, now).await?;
        sessions.retain(|session| self.is_current(session, now));
        Ok(sessions)
    }

    /// Ends the user's session of this public name, and its sockets everywhere; false if there is none.
    pub async fn end_device(&self, user: &User, id: &str) -> Result<bool, StoreError> {
        let sessions = self.accounts.sessions_of(user.id, self.clock.now()).await?;
        let Some(session) = sessions.iter().find(|session| device_id(session) == id) else { return Ok(false) };
        self.store.end_session(&session.token_hash).await?;
        self.nudge(user.id).await;
        Ok(true)
    }

    /// Ends all of the user's sessions but the one that is kept, and their sockets everywhere.
    pub async fn end_other_devices(&self, user: &User, keep: Option<&Session>) -> Result<(), StoreError> {
        self.accounts.end_sessions_but(user.id, keep.map_or("", |session| &session.token_hash)).await?;
        self.nudge(user.id).await;
        Ok(())
    }
}
