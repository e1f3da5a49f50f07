//! Messages: what is sent, and what is stored.

use sha2::{Digest, Sha256};

use super::{Body, ConversationId, Seq, Timestamp, UserId};

/// A message's number in the database: identity only, says nothing about order.
pub type MessageId = i64;

/// The sender's own name for one send: 1 to 64 of `A-Z a-z 0-9 _ -`. The same one again is the same message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientId(String);

/// The key is empty, too long, or has a character outside of its alphabet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Enter a valid value: 1 to 64 letters, digits, hyphens or underscores.")]
pub struct InvalidClientId;

impl ClientId {
    /// Checks `text`; nothing is trimmed or folded.
    pub fn new(text: &str) -> Result<Self, InvalidClientId> {
        let fits =
            (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidClientId) }
    }

    /// The key's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What makes a send repeatable: the sender's key, or one made for this request so that the server's own retries
/// never double it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SendKey {
    Own(ClientId),
    Made(ClientId),
}

impl SendKey {
    /// The key as stored.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Own(key) | Self::Made(key) => key.as_str(),
        }
    }
}

/// A message to be stored.
#[derive(Clone, Debug)]
pub struct NewMessage {
    pub sender: UserId,
    pub recipient: UserId,
    pub body: Body,
    pub key: SendKey,
    /// The number of the message that it answers: one that the conversation has.
    pub reply_to: Option<Seq>,
    /// The sender's moment; the store moves it past the conversation's newest message.
    pub now: Timestamp,
}

impl NewMessage {
    /// What the send said, as 32 bytes: equal keys with different fingerprints are a conflict.
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.recipient.to_be_bytes());
        hash.update(self.body.as_str().as_bytes());
        if let Some(seq) = self.reply_to {
            // No text has this byte in it.
            hash.update([0xff]);
            hash.update(seq.to_be_bytes());
        }
        hash.finalize().into()
    }

    /// The pair of people, lower number first.
    pub fn pair(&self) -> (UserId, UserId) {
        (self.sender.min(self.recipient), self.sender.max(self.recipient))
    }
}

/// A stored message. The same for both people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub id: MessageId,
    pub conversation: ConversationId,
    pub seq: Seq,
    pub sender: UserId,
    pub sender_name: String,
    pub recipient: UserId,
    pub recipient_name: String,
    pub timestamp: Timestamp,
    pub body: String,
    /// None when the sender gave none.
    pub client_id: Option<String>,
    /// 1, and one more with each change.
    pub version: i64,
    /// When its sender changed the body last.
    pub edited_at: Option<Timestamp>,
    /// When its sender took it back: its body is empty, all else stays.
    pub deleted_at: Option<Timestamp>,
    /// The number of the message that it answers.
    pub reply_to: Option<Seq>,
}

/// What somebody makes of a message of theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    Body(Body),
    /// The body is emptied, for ever.
    Delete,
}

/// What an edit came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The message as it is now. An edit of one that is deleted leaves it deleted.
    pub message: Message,
    /// Where the logs of its people stand now; empty if nothing changed.
    pub reached: Vec<(UserId, i64)>,
}

/// The answer to a send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub message: Message,
    /// False if an earlier send with the same key stored it.
    pub created: bool,
    /// Where the logs of the people stand now: what the bus is told.
    pub reached: Vec<(UserId, i64)>,
}

/// Which part of a conversation is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slice {
    /// The newest with a smaller number.
    Before(Seq),
    /// The oldest with a greater number.
    After(Seq),
    /// Some on both sides, and the message itself.
    Around(Seq),
}
