//! The open sockets of this process: how many a user has, and how each is told to end.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::timeout;

use crate::domain::UserId;

/// Why the server ends a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goodbye {
    /// The process is about to end: come back at once, elsewhere.
    Restart,
    /// The session has ended.
    Revoked,
    /// The user opened one socket too many; this was the oldest.
    Replaced,
}

struct Entry {
    user: UserId,
    token_hash: String,
    end: watch::Sender<Option<Goodbye>>,
}

/// So many sockets read their logs at the same time. All of them may want to at once; requests and the look-ups of
/// those who connect share the database's connections, and must not stand in line behind thousands.
const READING: usize = 8;
/// How long a socket waits for its turn; then it tries again, and hears meanwhile what its client says.
const TURN: Duration = Duration::from_secs(10);

/// The open sockets of this process.
#[derive(Clone)]
pub struct Sockets {
    open: Arc<Mutex<HashMap<u64, Entry>>>,
    next: Arc<AtomicU64>,
    turns: Arc<Semaphore>,
    seen: Arc<Mutex<Option<Instant>>>,
}

impl Default for Sockets {
    fn default() -> Self {
        let turns = Arc::new(Semaphore::new(READING));
        Self { open: Arc::default(), next: Arc::default(), turns, seen: Arc::default() }
    }
}

impl Sockets {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Entry>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a new socket; beyond `most` of one user the oldest is told to end.
    pub fn open(&self, user: UserId, token_hash: &str, most: usize) -> OpenSocket {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (end, ending) = watch::channel(None);
        let mut open = self.lock();
        let mut older: Vec<_> = open
            .iter()
            .filter(|(_, entry)| entry.user == user && entry.end.borrow().is_none())
            .map(|(number, _)| *number)
            .collect();
        older.sort_unstable();
        let too_many = (older.len() + 1).saturating_sub(most);
        for number in older.into_iter().take(too_many) {
            if let Some(entry) = open.get(&number) {
                entry.end.send_replace(Some(Goodbye::Replaced));
            }
        }
        open.insert(number, Entry { user, token_hash: token_hash.to_owned(), end });
        OpenSocket { number, ending, sockets: self.clone() }
    }

    /// Waits for a turn to read a log; none if it does not come soon.
    pub async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        timeout(TURN, self.turns.acquire()).await.ok()?.ok()
    }

    /// How many are open.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// The sessions that have sockets, each once.
    pub fn sessions(&self) -> Vec<String> {
        let mut sessions: Vec<_> = self.lock().values().map(|entry| entry.token_hash.clone()).collect();
        sessions.sort_unstable();
        sessions.dedup();
        sessions
    }

    /// Ends the sockets of a session.
    pub fn revoke(&self, token_hash: &str) {
        for entry in self.lock().values().filter(|entry| entry.token_hash == token_hash) {
            entry.end.send_replace(Some(Goodbye::Revoked));
        }
    }

    /// Notes when all of [`Self::sessions`] were asked for, once those that had ended were revoked.
    pub fn note_seen(&self, when: Instant) {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(when);
    }

    /// Tells one more share of the sockets that the process is about to end: `1/shares` of those that are left.
    pub fn restart_some(&self, shares: usize) {
        let open = self.lock();
        let waiting: Vec<_> = open.values().filter(|entry| entry.end.borrow().is_none()).collect();
        for entry in waiting.iter().take(waiting.len().div_ceil(shares.max(1))) {
            entry.end.send_replace(Some(Goodbye::Restart));
        }
    }
}

/// One open socket; forgotten when dropped.
pub struct OpenSocket {
    number: u64,
    ending: watch::Receiver<Option<Goodbye>>,
    sockets: Sockets,
}

impl OpenSocket {
    /// Whether the server already wants this socket to end.
    pub fn pending_goodbye(&self) -> Option<Goodbye> {
        *self.ending.borrow()
    }

    /// When the sessions of all sockets were last looked at together; what had ended by then was told to end.
    pub fn seen(&self) -> Option<Instant> {
        *self.sockets.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the server wants this socket to end.
    pub async fn goodbye(&mut self) -> Goodbye {
        match self.ending.wait_for(Option::is_some).await {
            Ok(why) => why.unwrap_or(Goodbye::Restart),
            Err(_) => Goodbye::Restart,
        }
    }
}

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.sockets.lock().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_oldest_of_one_user_goes_first() {
        let sockets = Sockets::default();
        let mut first = sockets.open(1, "a", 2);
        let _other = sockets.open(2, "b", 2);
        let mut second = sockets.open(1, "a", 2);
        let _third = sockets.open(1, "a", 2);
        assert_eq!(first.goodbye().await, Goodbye::Replaced);
        assert_eq!(sockets.count(), 4);
        drop(first);
        assert_eq!(sockets.count(), 3);
        sockets.revoke("a");
        assert_eq!(second.goodbye().await, Goodbye::Revoked);
    }

    #[tokio::test]
    async fn a_restart_is_spread() {
        let sockets = Sockets::default();
        let open: Vec<_> = (0..10).map(|user| sockets.open(user, "s", 9)).collect();
        let told = || open.iter().filter(|o| o.ending.borrow().is_some()).count();
        sockets.restart_some(5);
        assert_eq!(told(), 2);
        sockets.restart_some(1);
        assert_eq!(told(), 10);
    }
}
