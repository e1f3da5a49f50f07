//! What passes between people who look at this moment: who types, and who is here. Nothing of it is stored for the
//! client or has a cursor; what is lost is lost.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bus::Signal;
use crate::chat::{Attendee, Attending, Chat, ChatError};
use crate::domain::{Presence, Sharing, UserId};

/// What is said of typing more often than this is passed over.
const TYPING: Duration = Duration::from_secs(1);
/// A name that was looked up is right for this long.
const KNOWN: Duration = Duration::from_mins(1);

/// One socket's part in it.
pub(super) struct Live {
    chat: Chat,
    attending: Attending,
    user: UserId,
    sharing: Sharing,
    /// None while the user does not share being here.
    attendee: Option<Attendee>,
    said: Option<Instant>,
    /// Who typed last.
    typist: Option<(UserId, String, Instant)>,
}

impl Live {
    pub(super) fn new(chat: &Chat, attending: &Attending, user: UserId, sharing: Sharing) -> Self {
        let (chat, attending) = (chat.clone(), attending.clone());
        let attendee = sharing.presence.then(|| attending.enter(user));
        Self { chat, attending, user, sharing, attendee, said: None, typist: None }
    }

    /// The user shares other things from now on.
    pub(super) fn set_sharing(&mut self, sharing: Sharing) {
        self.sharing = sharing;
        match (sharing.presence, &self.attendee) {
            (true, None) => self.attendee = Some(self.attending.enter(self.user)),
            (false, Some(_)) => self.attendee = None,
            _ => {}
        }
    }

    /// The client types to somebody.
    pub(super) async fn types(&mut self, to: &str) {
        if self.sharing.typing && self.said.is_none_or(|said| said.elapsed() >= TYPING) {
            self.said = Some(Instant::now());
            let told = self.chat.types(self.user, to).await;
            passed_over(told, "that somebody types was not told");
        }
    }

    /// The client says how it is, and whom it wants to see.
    pub(super) async fn attend(&mut self, active: Option<bool>, peers: Option<&[String]>) {
        let Some(attendee) = &self.attendee else { return };
        if let Some(active) = active {
            attendee.set_active(active);
        }
        if let Some(peers) = peers {
            let watched = attendee.watch(&self.chat, peers).await;
            passed_over(watched, "whom somebody watches was not found");
        }
    }

    /// The frame for a signal, if it concerns this client.
    pub(super) async fn frame(&mut self, signal: Signal) -> Option<String> {
        let frame = match signal {
            Signal::Typing(from) if self.sharing.typing => {
                json!({"type": "typing", "peer": self.typist(from).await?})
            }
            Signal::Typing(_) => return None,
            Signal::Presence(peer) => {
                let (name, presence) = self.attendee.as_ref()?.shown(peer)?;
                let (state, last_seen) = words(presence);
                json!({"type": "presence", "peer": name, "state": state, "last_seen": last_seen})
            }
        };
        Some(frame.to_string())
    }

    /// The name of whoever types: nearly always the same again.
    async fn typist(&mut self, from: UserId) -> Option<String> {
        if let Some((user, name, when)) = &self.typist
            && *user == from
            && when.elapsed() < KNOWN
        {
            return Some(name.clone());
        }
        let name = self.chat.user(from).await.ok()?.username;
        self.typist = Some((from, name.clone(), Instant::now()));
        Some(name)
    }
}

/// Nobody waits for it.
fn passed_over(done: Result<(), ChatError>, what: &str) {
    if let Err(e) = done {
        tracing::debug!(error = %e, "{what}");
    }
}

/// How somebody appears, in the words of the wire; null: they do not show it.
fn words(presence: Option<Presence>) -> (Value, Value) {
    match presence {
        None => (Value::Null, Value::Null),
        Some(Presence::Online) => (json!("online"), Value::Null),
        Some(Presence::Away) => (json!("away"), Value::Null),
        Some(Presence::Offline(seen)) => (json!("offline"), json!(seen.map(|seen| seen.to_string()))),
    }
}
