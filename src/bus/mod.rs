//! The bus says "user U has reached position P" and nothing else. It is a hint: losing, doubling or delaying every
//! word of it changes latency and nothing else, because whoever is woken asks the database.
//!
//! To add a bus: implement [`Bus`] over a [`Registry`], and add it to `tests/it/conformance/bus.rs`.

mod local;
mod redis;

use async_trait::async_trait;

#[cfg(feature = "fuzzing")]
pub(crate) use self::redis::fuzzing;
pub use self::redis::{InvalidBusUrl, RedisBus, check_url};
pub use local::{LocalBus, Polled, Registry, Stir, Subscription};

use crate::domain::UserId;

/// Something that passes: told to whoever listens at this moment, and to nobody later. Nothing depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// This user types to the listener.
    Typing(UserId),
    /// This user, whom the listener watches, appears in another way; how is asked of this process, which alone says so.
    Presence(UserId),
}

/// Tells connected users' sockets that their log has grown.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Tells everybody who listens. Never fails and never waits for the network: the message is stored already.
    async fn publish(&self, reached: &[(UserId, i64)]);
    /// Tells everybody who listens for `user` at this moment, in any process. Never fails and never waits.
    async fn signal(&self, user: UserId, signal: Signal);
    /// Waits until what was published has been handed on, or a moment: for a process that is about to end.
    async fn flush(&self) {}
    /// Listens for a user until the subscription is dropped. Returns once the bus has confirmed it; if the bus does
    /// not answer, after a short while without it.
    async fn subscribe(&self, user: UserId) -> Subscription;
    /// The sockets' registry of this process, for the poll of heads.
    fn registry(&self) -> &Registry;
    /// Whether other processes are heard and reached at the moment.
    fn is_healthy(&self) -> bool;
}
