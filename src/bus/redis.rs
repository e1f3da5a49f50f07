//! The bus over Redis: a channel for each connected user, named after this database, so that two installations that
//! share a Redis do not hear each other.
//!
//! Publishing goes through a bounded queue and its own connection: a slow Redis delays nobody's send. What does not
//! fit is dropped; the poll of heads finds it.

#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod listen;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use redis::aio::MultiplexedConnection;
use tokio::sync::{mpsc, oneshot};
use tokio::time::error::Elapsed;
use tokio::time::timeout;

use self::listen::Listener;
use super::local::{Registry, Subscription};
use super::{Bus, Signal};
use crate::domain::UserId;

/// How long a socket waits for Redis to confirm its subscription.
const CONFIRM: Duration = Duration::from_millis(500);
/// How long Redis may take for one answer before the connection is replaced.
const ANSWER: Duration = Duration::from_secs(3);
/// Redis is asked this often for a sign of life: with the time for its answer, a dead line is found out in four seconds.
const ASK: Duration = Duration::from_secs(1);
const QUEUE: usize = 16_384;
/// How the word begins that somebody types.
const TYPING: &str = "typing:";

/// `REDIS_URL` cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot be used: {0}")]
pub struct InvalidBusUrl(String);

enum Wish {
    Subscribe(UserId, Option<oneshot::Sender<()>>),
    Unsubscribe(UserId),
}

enum Word {
    Reached(UserId, i64),
    Typing {
        to: UserId,
        from: UserId,
    },
    /// Confirmed when everything before it has been said.
    Flush(oneshot::Sender<()>),
}

/// The bus between processes.
pub struct RedisBus {
    registry: Registry,
    wishes: mpsc::UnboundedSender<Wish>,
    words: mpsc::Sender<Word>,
    hears: Arc<AtomicBool>,
    speaks: Arc<AtomicBool>,
}

/// Whether a Redis may be reached by this address, as far as can be said without trying.
pub fn check_url(url: &str) -> Result<(), InvalidBusUrl> {
    redis::Client::open(url).map(drop).map_err(|e| InvalidBusUrl(e.to_string()))
}

impl RedisBus {
    /// Starts the connections; a Redis that is away is tried again for ever. `install` names the database.
    pub fn start(url: &str, install: &str) -> Result<Self, InvalidBusUrl> {
        let client = redis::Client::open(url).map_err(|e| InvalidBusUrl(e.to_string()))?;
        let (wishes, wished) = mpsc::unbounded_channel();
        let (words, spoken) = mpsc::channel(QUEUE);
        let (hears, speaks) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let registry = Registry::default();
        let prefix = format!("chatd:{install}:");
        let listener = Listener { client: client.clone(), prefix: prefix.clone(), registry: registry.clone() };
        tokio::spawn(listener.run(wished, hears.clone()));
        tokio::spawn(speak(client, prefix, spoken, speaks.clone()));
        Ok(Self { registry, wishes, words, hears, speaks })
    }
}

#[async_trait]
impl Bus for RedisBus {
    async fn publish(&self, reached: &[(UserId, i64)]) {
        for (user, pos) in reached {
            self.registry.wake(*user);
            if self.words.try_send(Word::Reached(*user, *pos)).is_err() {
                tracing::debug!(user, "the queue to Redis is full; the poll of heads will tell");
            }
        }
    }

    async fn signal(&self, user: UserId, signal: Signal) {
        match signal {
            // What is said there is heard here too.
            Signal::Typing(from) if self.is_healthy() => drop(self.words.try_send(Word::Typing { to: user, from })),
            Signal::Typing(_) | Signal::Presence(_) => self.registry.signal(user, signal),
        }
    }

    async fn flush(&self) {
        let (confirm, confirmed) = oneshot::channel();
        if self.words.try_send(Word::Flush(confirm)).is_ok() {
            let _ = timeout(ANSWER, confirmed).await;
        }
    }

    async fn subscribe(&self, user: UserId) -> Subscription {
        let mut subscription = self.registry.join(user);
        let wishes = self.wishes.clone();
        subscription.on_last_leave(move || drop(wishes.send(Wish::Unsubscribe(user))));
        let (confirm, confirmed) = oneshot::channel();
        // Also for a second socket: the first one's subscription may not be confirmed yet.
        let wished = self.wishes.send(Wish::Subscribe(user, Some(confirm))).is_ok();
        if wished && self.hears.load(Ordering::Relaxed) {
            let _ = timeout(CONFIRM, confirmed).await;
        }
        subscription
    }

    fn registry(&self) -> &Registry {
        &self.registry
    }

    fn is_healthy(&self) -> bool {
        self.hears.load(Ordering::Relaxed) && self.speaks.load(Ordering::Relaxed)
    }
}

/// Publishes what is in the queue, over one connection after the other.
async fn speak(client: redis::Client, prefix: String, mut words: mpsc::Receiver<Word>, up: Arc<AtomicBool>) {
    let mut wait = Backoff::default();
    let mut batch = Vec::new();
    loop {
        let connect = timeout(ANSWER, client.get_multiplexed_async_connection()).await;
        let mut connection = match connect {
            Ok(Ok(connection)) => connection,
            failed => {
                // Said once, not with each try.
                if wait.is_first() {
                    let why = failed.map_or_else(
                        |e| e.to_string(),
                        |failed| failed.err().map_or_else(String::new, |e| e.to_string()),
                    );
                    tracing::warn!(error = why, "Redis cannot be reached; messages are found by polling until it can");
                }
                // Nobody waits for these any more: the poll tells them.
                while words.try_recv().is_ok() {}
                wait.pause().await;
                continue;
            }
        };
        if !wait.is_first() {
            tracing::info!("the bus has reached Redis");
        }
        up.store(true, Ordering::Relaxed);
        wait = Backoff::default();
        loop {
            // A ping while there is nothing to say notices a dead connection.
            let said = match timeout(ASK, words.recv_many(&mut batch, 128)).await {
                Ok(0) => return,
                Ok(_) => say(&mut connection, &prefix, batch.drain(..)).await,
                Err(_) => timeout(ANSWER, redis::cmd("PING").query_async::<()>(&mut connection)).await,
            };
            if !matches!(said, Ok(Ok(()))) {
                break;
            }
        }
        up.store(false, Ordering::Relaxed);
        tracing::warn!("the bus lost its connection to Redis; messages are found by polling meanwhile");
    }
}

/// Publishes these in one go. What waits for a failed one is dropped, and so told.
async fn say(
    connection: &mut MultiplexedConnection,
    prefix: &str,
    words: impl Iterator<Item = Word>,
) -> Result<redis::RedisResult<()>, Elapsed> {
    let mut pipe = redis::pipe();
    let mut waiting = Vec::new();
    for word in words {
        match word {
            Word::Reached(user, pos) => {
                pipe.publish(format!("{prefix}{user}"), pos).ignore();
            }
            Word::Typing { to, from } => {
                pipe.publish(format!("{prefix}{to}"), format!("{TYPING}{from}")).ignore();
            }
            Word::Flush(confirm) => waiting.push(confirm),
        }
    }
    let said = if pipe.is_empty() { Ok(Ok(())) } else { timeout(ANSWER, pipe.query_async(connection)).await };
    if matches!(said, Ok(Ok(()))) {
        for confirm in waiting {
            let _ = confirm.send(());
        }
    }
    said
}

/// Waits longer each time, up to two seconds, with jitter.
#[derive(Default)]
struct Backoff(u32);

impl Backoff {
    /// Whether nothing has failed yet.
    fn is_first(&self) -> bool {
        self.0 == 0
    }

    async fn pause(&mut self) {
        let most = 100u64 << self.0.min(4);
        self.0 += 1;
        tokio::time::sleep(Duration::from_millis(rand::random_range(most / 2..=most))).await;
    }
}
