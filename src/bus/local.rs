//! The bus inside of one process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use tokio::sync::{Notify, broadcast, watch};

use super::{Bus, Signal};
use crate::domain::{Position, UserId};

/// Who listens in this process. Wakes are counted, not carried: one that sleeps through ten is woken once, and holds
/// no memory meanwhile.
#[derive(Clone, Default)]
pub struct Registry {
    users: Arc<Mutex<HashMap<UserId, Listeners>>>,
    missed: Arc<Notify>,
}

struct Listeners {
    wake: watch::Sender<u64>,
    signals: broadcast::Sender<Signal>,
    count: usize,
    polled: Option<Polled>,
}

/// What a listener is woken by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stir {
    /// Something may have happened.
    Woken,
    Signal(Signal),
}

/// So many signals wait for a listener; older ones are forgotten.
const SIGNALS: usize = 8;

/// What the poll of heads has seen last of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Polled {
    /// Another one for each poll.
    pub number: u64,
    pub head: Position,
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, HashMap<UserId, Listeners>> {
        self.users.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Listens for a user.
    pub fn join(&self, user: UserId) -> Subscription {
        let mut users = self.lock();
        let listeners = users.entry(user).or_insert_with(|| Listeners {
            wake: watch::channel(0).0,
            signals: broadcast::channel(SIGNALS).0,
            count: 0,
            polled: None,
        });
        listeners.count += 1;
        let (woken, signals) = (listeners.wake.subscribe(), listeners.signals.subscribe());
        Subscription { user, woken, signals, registry: self.clone(), left: None }
    }

    /// Wakes whoever listens for this user.
    pub fn wake(&self, user: UserId) {
        if let Some(listeners) = self.lock().get(&user) {
            listeners.wake.send_modify(|n| *n = n.wrapping_add(1));
        }
    }

    /// Tells whoever listens for this user.
    pub fn signal(&self, user: UserId, signal: Signal) {
        if let Some(listeners) = self.lock().get(&user) {
            // Nobody may listen any more.
            let _ = listeners.signals.send(signal);
        }
    }

    /// Notes that words may have been missed: the poll of heads finds out whose, in a query for a thousand, where
    /// waking everybody would make each ask for itself.
    pub(super) fn words_were_missed(&self) {
        self.missed.notify_one();
    }

    /// Waits until words may have been missed.
    pub async fn missed_words(&self) {
        self.missed.notified().await;
    }

    /// Wakes whoever listens for this user if the head is another than at the last poll: by its tag too, because a
    /// database that was put back may have come as far again.
    pub fn polled(&self, user: UserId, head: Position) {
        if let Some(listeners) = self.lock().get_mut(&user) {
            let before = listeners.polled;
            let number = before.map_or(0, |polled| polled.number).wrapping_add(1);
            listeners.polled = Some(Polled { number, head });
            if before.is_none_or(|before| before.head != head) {
                listeners.wake.send_modify(|n| *n = n.wrapping_add(1));
            }
        }
    }

    /// Everybody who is listened for.
    pub fn users(&self) -> Vec<UserId> {
        self.lock().keys().copied().collect()
    }

    /// Whether anybody listens for this user.
    pub fn has(&self, user: UserId) -> bool {
        self.lock().contains_key(&user)
    }

    fn leave(&self, user: UserId) -> bool {
        let mut users = self.lock();
        let Some(listeners) = users.get_mut(&user) else { return false };
        listeners.count -= 1;
        let last = listeners.count == 0;
        if last {
            users.remove(&user);
        }
        last
    }
}

/// Listening for one user; ends when dropped.
pub struct Subscription {
    user: UserId,
    woken: watch::Receiver<u64>,
    signals: broadcast::Receiver<Signal>,
    registry: Registry,
    left: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl Subscription {
    /// What the poll has seen last, if there has been one.
    pub fn polled(&self) -> Option<Polled> {
        self.registry.lock().get(&self.user).and_then(|listeners| listeners.polled)
    }

    /// Waits until something may have happened since the last time. May be dropped and asked again.
    pub async fn woken(&mut self) {
        if self.woken.changed().await.is_err() {
            // The sender lives in the registry as long as this subscription.
            std::future::pending::<()>().await;
        }
    }

    /// The same, or until a signal comes. May be dropped and asked again.
    pub async fn stirred(&mut self) -> Stir {
        loop {
            tokio::select! {
                changed = self.woken.changed() => match changed {
                    Ok(()) => return Stir::Woken,
                    // The sender lives in the registry as long as this subscription.
                    Err(_) => std::future::pending().await,
                },
                signal = self.signals.recv() => match signal {
                    Ok(signal) => return Stir::Signal(signal),
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
                },
            }
        }
    }

    /// Runs `then` when the last listener of this user has gone.
    pub(super) fn on_last_leave(&mut self, then: impl FnOnce() + Send + Sync + 'static) {
        self.left = Some(Box::new(then));
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let last = self.registry.leave(self.user);
        if let Some(then) = self.left.take().filter(|_| last) {
            then();
        }
    }
}

/// The bus of one process.
#[derive(Default)]
pub struct LocalBus {
    registry: Registry,
}

#[async_trait]
impl Bus for LocalBus {
    async fn publish(&self, reached: &[(UserId, i64)]) {
        for (user, _) in reached {
            self.registry.wake(*user);
        }
    }

    async fn signal(&self, user: UserId, signal: Signal) {
        self.registry.signal(user, signal);
    }

    async fn subscribe(&self, user: UserId) -> Subscription {
        self.registry.join(user)
    }

    fn registry(&self) -> &Registry {
        &self.registry
    }

    fn is_healthy(&self) -> bool {
        true
    }
}
