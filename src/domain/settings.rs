//! What a user has arranged for themself: how a conversation stands in the list, and what others may see.

use super::{ConversationId, Timestamp, WhoMayWrite};

/// How one of its two people keeps a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationSettings {
    pub conversation: ConversationId,
    pub peer: String,
    /// Until then nothing of it makes a noise.
    pub muted_until: Option<Timestamp>,
    /// It stands before all that are not pinned.
    pub pinned: bool,
    /// It stands aside, until the next message.
    pub archived: bool,
    /// Somebody whom the user does not know has written, and waits until the user accepts it.
    pub request: bool,
}

/// A change of what makes a noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Muting {
    Off,
    Until(Timestamp),
}

/// What is to be changed of [`ConversationSettings`]; none leaves it as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConversationSettingsChange {
    pub muting: Option<Muting>,
    pub pinned: Option<bool>,
    pub archived: Option<bool>,
}

/// What others may see of a user. Who does not share it does not see it of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sharing {
    pub typing: bool,
    pub presence: bool,
    /// How far they have read. That something has reached them is no secret.
    pub read: bool,
    /// Not seen by others, and set beside what is.
    pub who_may_write: WhoMayWrite,
}

impl Default for Sharing {
    fn default() -> Self {
        Self { typing: true, presence: true, read: true, who_may_write: WhoMayWrite::default() }
    }
}

/// What is to be changed of [`Sharing`]; none leaves it as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SharingChange {
    pub typing: Option<bool>,
    pub presence: Option<bool>,
    pub read: Option<bool>,
    pub who_may_write: Option<WhoMayWrite>,
}

impl Sharing {
    /// What it is after a change.
    #[must_use]
    pub fn with(self, change: SharingChange) -> Self {
        Self {
            typing: change.typing.unwrap_or(self.typing),
            presence: change.presence.unwrap_or(self.presence),
            read: change.read.unwrap_or(self.read),
            who_may_write: change.who_may_write.unwrap_or(self.who_may_write),
        }
    }
}
