//! What a process does by itself: reading the heads of its connected users whether or not the bus looks healthy,
//! ending the sockets of ended sessions, and removing what is old.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::presence::{self, Look};
use super::{Attending, Chat, Sockets};
use crate::store::StoreError;

/// With a broken bus heads are read this often.
const BROKEN_BUS: Duration = Duration::from_secs(2);
/// How often it is asked whether it is time.
const LOOK: Duration = Duration::from_millis(200);
/// Sessions are looked at this often: a command on the same machine speaks to no bus, and a socket is to end within a
/// second of its session.
const SESSIONS: Duration = Duration::from_millis(500);
/// With a bus that reaches every process, this often.
const SESSIONS_WITH_BUS: Duration = Duration::from_secs(5);
/// How often old rows are looked for.
const PRUNING: Duration = Duration::from_hours(1);

/// The chores of one process.
#[derive(Clone)]
pub struct Keeper {
    pub chat: Chat,
    pub sockets: Sockets,
    pub attending: Attending,
    pub head_poll: Duration,
    /// Whether other processes may serve the same database.
    pub shared: bool,
    pub keep_events_for: Duration,
    pub keep_events: i64,
}

impl Keeper {
    /// Starts the chores; they end with the runtime.
    pub fn start(self) {
        let [heads, sessions, presence, pruning] = [self.clone(), self.clone(), self.clone(), self];
        tokio::spawn(async move { heads.poll_heads().await });
        tokio::spawn(async move { sessions.poll_sessions().await });
        tokio::spawn(async move { presence.attend().await });
        tokio::spawn(async move { pruning.prune().await });
    }

    async fn poll_heads(&self) {
        let registry = self.chat.bus.registry();
        let mut polled = Instant::now();
        loop {
            let missed = tokio::select! {
                () = registry.missed_words() => true,
                // Asked again and again: a bus that breaks must not be found out a whole interval later.
                () = tokio::time::sleep(LOOK) => false,
            };
            let wait = if self.chat.bus.is_healthy() { self.head_poll } else { self.head_poll.min(BROKEN_BUS) };
            if !missed && polled.elapsed() < wait {
                continue;
            }
            polled = Instant::now();
            poll_heads_once(&self.chat).await;
        }
    }

    async fn poll_sessions(&self) {
        loop {
            tokio::time::sleep(if self.shared { SESSIONS_WITH_BUS } else { SESSIONS }).await;
            let asked = Instant::now();
            match self.revoke_ended().await {
                Ok(()) => self.sockets.note_seen(asked),
                Err(e) => tracing::warn!(error = %e, "the sessions of open sockets cannot be read"),
            }
        }
    }

    /// A part that cannot be read does not keep the others waiting; its error is told in the end.
    async fn revoke_ended(&self) -> Result<(), StoreError> {
        let mut outcome = Ok(());
        for sessions in self.sockets.sessions().chunks(1000) {
            match self.chat.store.live_sessions(sessions, self.chat.clock.now()).await {
                Ok(live) => {
                    let live: HashSet<_> = live.into_iter().collect();
                    let ended = sessions.iter().filter(|session| !live.contains(*session));
                    ended.for_each(|session| self.sockets.revoke(session));
                }
                Err(e) => outcome = outcome.and(Err(e)),
            }
        }
        outcome
    }

    async fn attend(&self) {
        let mut then = Instant::now();
        loop {
            let look = self.attending.due(then).await;
            if look == Look::All {
                then = Instant::now() + presence::POLL;
            }
            if let Err(e) = self.attending.look(&self.chat, look).await {
                tracing::warn!(error = %e, "who is here cannot be noted");
            }
        }
    }

    async fn prune(&self) {
        loop {
            let now = self.chat.clock.now();
            let pruned = self.chat.store.prune_events(now.minus(self.keep_events_for), self.keep_events).await;
            match pruned {
                Ok(0) => {}
                Ok(rows) => tracing::info!(rows, "removed old rows of event logs"),
                Err(e) => tracing::warn!(error = %e, "old rows cannot be removed"),
            }
            if let Err(e) = self.chat.store.remove_expired(now).await {
                tracing::warn!(error = %e, "expired sessions cannot be removed");
            }
            tokio::time::sleep(PRUNING).await;
        }
    }
}

/// Reads the heads of everybody who is listened for in this process, and wakes those whose head has moved. What cannot
/// be read is left for the next time.
pub async fn poll_heads_once(chat: &Chat) {
    let registry = chat.bus.registry();
    for users in registry.users().chunks(1000) {
        match chat.store.heads(users).await {
            Ok(heads) => heads.into_iter().for_each(|(user, head)| registry.polled(user, head)),
            Err(e) => tracing::warn!(error = %e, "the heads of connected users cannot be read"),
        }
    }
}
