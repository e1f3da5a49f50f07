//! The listening half: one connection, subscribed for everybody who is connected here.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures_util::StreamExt as _;
use redis::aio::PubSubSink;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, timeout};

use super::{ANSWER, ASK, Backoff, TYPING, Wish};
use crate::bus::Signal;
use crate::bus::local::Registry;
use crate::domain::UserId;

pub(super) struct Listener {
    pub client: redis::Client,
    pub prefix: String,
    pub registry: Registry,
}

impl Listener {
    /// Listens until the bus is dropped, over one connection after the other.
    pub(super) async fn run(self, mut wishes: mpsc::UnboundedReceiver<Wish>, up: Arc<AtomicBool>) {
        let mut wait = Backoff::default();
        loop {
            let connect = timeout(ANSWER, self.client.get_async_pubsub()).await;
            // Whoever wished is in the registry, which is what will be subscribed for; nobody waits for a Redis that is
            // away, and nothing piles up meanwhile.
            while wishes.try_recv().is_ok() {}
            let Ok(Ok(pubsub)) = connect else {
                wait.pause().await;
                continue;
            };
            let (mut sink, stream) = pubsub.split();
            if self.subscribe_all(&mut sink).await {
                up.store(true, Ordering::Relaxed);
                wait = Backoff::default();
                // What was said while nobody listened is in the logs.
                self.registry.words_were_missed();
                let ended = self.listen(&mut wishes, sink, stream).await;
                up.store(false, Ordering::Relaxed);
                if ended {
                    return;
                }
            }
            wait.pause().await;
        }
    }

    async fn subscribe_all(&self, sink: &mut PubSubSink) -> bool {
        let channels: Vec<_> = self.registry.users().iter().map(|user| self.channel(*user)).collect();
        for part in channels.chunks(1000) {
            if !matches!(timeout(ANSWER, sink.subscribe(part)).await, Ok(Ok(()))) {
                return false;
            }
        }
        // An answer shows that the connection lives, also with nobody to subscribe for.
        is_there(sink).await
    }

    /// Until the connection is lost (false) or the bus is dropped (true).
    async fn listen(
        &self,
        wishes: &mut mpsc::UnboundedReceiver<Wish>,
        mut sink: PubSubSink,
        mut stream: redis::aio::PubSubStream,
    ) -> bool {
        let registry = self.registry.clone();
        let prefix = self.prefix.clone();
        let strange = Arc::new(AtomicU64::new(0));
        let counted = strange.clone();
        let mut hear = tokio::spawn(async move {
            while let Some(word) = stream.next().await {
                match read_word(&prefix, word.get_channel_name(), word.get_payload_bytes()) {
                    Some((user, Heard::Reached(_))) => registry.wake(user),
                    Some((user, Heard::Typing(from))) => registry.signal(user, Signal::Typing(from)),
                    None => drop(counted.fetch_add(1, Ordering::Relaxed)),
                }
            }
        });
        let mut confirmed: HashSet<UserId> = HashSet::new();
        // By the clock: wishes that ask Redis for nothing must not put it off.
        let mut ask = tokio::time::interval(ASK);
        ask.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let ended = loop {
            let lives = tokio::select! {
                _ = &mut hear => false,
                wish = wishes.recv() => match wish {
                    None => break true,
                    Some(wish) => self.grant(wish, &mut sink, &mut confirmed).await,
                },
                _ = ask.tick() => {
                    tell_of_strange(&strange);
                    is_there(&mut sink).await
                }
            };
            if !lives {
                break false;
            }
        };
        hear.abort();
        tell_of_strange(&strange);
        ended
    }

    async fn grant(&self, wish: Wish, sink: &mut PubSubSink, confirmed: &mut HashSet<UserId>) -> bool {
        match wish {
            Wish::Subscribe(user, confirm) => {
                if !confirmed.contains(&user) {
                    if !matches!(timeout(ANSWER, sink.subscribe(self.channel(user))).await, Ok(Ok(()))) {
                        return false;
                    }
                    confirmed.insert(user);
                }
                if let Some(confirm) = confirm {
                    let _ = confirm.send(());
                }
                true
            }
            // Somebody may have come back since.
            Wish::Unsubscribe(user) if self.registry.has(user) => true,
            Wish::Unsubscribe(user) => {
                confirmed.remove(&user);
                matches!(timeout(ANSWER, sink.unsubscribe(self.channel(user))).await, Ok(Ok(())))
            }
        }
    }

    fn channel(&self, user: UserId) -> String {
        format!("{}{user}", self.prefix)
    }
}

async fn is_there(sink: &mut PubSubSink) -> bool {
    matches!(timeout(ANSWER, sink.ping_message::<redis::Value>("chatd")).await, Ok(Ok(_)))
}

/// Says how many words were not ours since the last time. One line for them all: whoever can write to Redis must not
/// be able to fill the log.
fn tell_of_strange(count: &AtomicU64) {
    let words = count.swap(0, Ordering::Relaxed);
    if words > 0 {
        tracing::warn!(words, "words on the bus are not ours; they were passed over");
    }
}

/// A number as it is written here: without a sign, and without zeros before it.
fn number(text: &str) -> Option<i64> {
    let is_plain = text == "0" || text.starts_with(|c: char| ('1'..='9').contains(&c));
    text.parse().ok().filter(|_| is_plain)
}

/// What a word says of the user whose channel it came on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// The log has reached this position.
    Reached(i64),
    /// This other user types to them.
    Typing(UserId),
}

/// Whom a word is for, and what it says; none if it is not one of [`super::say`].
pub(super) fn read_word(prefix: &str, channel: &str, payload: &[u8]) -> Option<(UserId, Heard)> {
    let person = |text: &str| number(text).filter(|user| *user > 0);
    let user = person(channel.strip_prefix(prefix)?)?;
    let text = std::str::from_utf8(payload).ok()?;
    let heard = match text.strip_prefix(TYPING) {
        Some(from) => Heard::Typing(person(from)?),
        None => Heard::Reached(number(text)?),
    };
    Some((user, heard))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_said() {
        let read = |channel: &str, payload: &[u8]| read_word("chatd:a:", channel, payload);
        assert_eq!(read("chatd:a:5", b"17"), Some((5, Heard::Reached(17))));
        assert_eq!(read("chatd:a:5", b"0"), Some((5, Heard::Reached(0))));
        assert_eq!(read("chatd:a:5", b"typing:7"), Some((5, Heard::Typing(7))));
        for channel in ["chatd:b:5", "chatd:a:", "chatd:a:-5", "chatd:a:+5", "chatd:a:05", "chatd:a:0", "5"] {
            assert_eq!(read(channel, b"17"), None, "{channel}");
        }
        for payload in [
            "typing:",
            "typing:0",
            "typing:-1",
            "typing:07",
            "typing:x",
            "Typing:7",
            "",
            "x",
            "-1",
            "+1",
            "01",
            " 1",
            "9223372036854775808",
        ] {
            assert_eq!(read("chatd:a:5", payload.as_bytes()), None, "{payload}");
        }
        assert_eq!(read("chatd:a:5", b"\xff"), None);
    }
}
