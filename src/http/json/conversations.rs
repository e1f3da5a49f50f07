//! Conversations, and what one chooses for them.

use serde::Serialize;

use super::MessageJson;
use crate::domain;

/// A conversation, as the reader sees it.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Conversation)]
pub struct ConversationJson {
    id: i64,
    /// The other person's name.
    peer: String,
    last_message: Option<MessageJson>,
    last_seq: i64,
    read_seq: i64,
    /// 0 while one of the two does not share it.
    peer_read_seq: i64,
    unread: i64,
    /// How far messages have reached the peer; never below `peer_read_seq`.
    peer_delivered_seq: i64,
    /// Until then nothing of it makes a noise, or null.
    muted_until: Option<String>,
    /// It stands before all that are not pinned.
    pinned: bool,
    /// It stands aside, until its next message.
    archived: bool,
    /// A stranger has written, and waits until one accepts it.
    request: bool,
    /// What the other person wants to be called. Empty: by their name.
    display_name: String,
    /// The name of the other person's picture, which is at `avatar/NAME/`; or null.
    avatar: Option<String>,
}

impl From<domain::Conversation> for ConversationJson {
    fn from(c: domain::Conversation) -> Self {
        Self {
            id: c.id,
            peer: c.peer,
            last_message: c.last_message.map(Into::into),
            last_seq: c.last_seq,
            read_seq: c.read_seq,
            peer_read_seq: c.peer_read_seq,
            unread: c.unread,
            peer_delivered_seq: c.peer_delivered_seq,
            muted_until: c.settings.muted_until.map(|until| until.to_string()),
            pinned: c.settings.pinned,
            archived: c.settings.archived,
            request: c.settings.request,
            display_name: c.face.display_name,
            avatar: c.face.avatar,
        }
    }
}

/// The list of conversations, with the cursor of the moment before it was read.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Conversations)]
pub struct ConversationsJson {
    pub next: Option<String>,
    pub previous: Option<String>,
    pub results: Vec<ConversationJson>,
    pub cursor: String,
}

/// One conversation with its cursor.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = OneConversation)]
pub struct OneConversationJson {
    #[serde(flatten)]
    pub conversation: ConversationJson,
    pub cursor: String,
}

/// How one of its people keeps a conversation.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ConversationSettings)]
pub struct ConversationSettingsJson {
    conversation: i64,
    peer: String,
    /// Until then nothing of it makes a noise, or null.
    muted_until: Option<String>,
    /// It stands before all that are not pinned.
    pinned: bool,
    /// It stands aside, until its next message.
    archived: bool,
    /// A stranger has written, and waits until one accepts it.
    request: bool,
}

impl From<domain::ConversationSettings> for ConversationSettingsJson {
    fn from(s: domain::ConversationSettings) -> Self {
        Self {
            conversation: s.conversation,
            peer: s.peer,
            muted_until: s.muted_until.map(|until| until.to_string()),
            pinned: s.pinned,
            archived: s.archived,
            request: s.request,
        }
    }
}

/// What others may see of the reader. Who does not share it does not see it of others.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Settings)]
pub struct SharingJson {
    /// That one types to them.
    share_typing: bool,
    /// That one is here, and when one was here last.
    share_presence: bool,
    /// How far one has read.
    share_read: bool,
    /// Who may begin to write to one: `everyone`, `requests` (strangers wait until they are accepted), `contacts` (to whom
    /// one has written) or `nobody` (nobody new).
    who_may_write: &'static str,
}

impl From<domain::Sharing> for SharingJson {
    fn from(s: domain::Sharing) -> Self {
        let who_may_write = s.who_may_write.as_str();
        Self { share_typing: s.typing, share_presence: s.presence, share_read: s.read, who_may_write }
    }
}

/// How far both people have come.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = ReadState)]
pub struct ReadJson {
    conversation: i64,
    peer: String,
    read_seq: i64,
    /// 0 while one of the two does not share it.
    peer_read_seq: i64,
    unread: i64,
    /// How far messages have reached the peer; never below `peer_read_seq`.
    peer_delivered_seq: i64,
}

impl From<domain::ReadState> for ReadJson {
    fn from(r: domain::ReadState) -> Self {
        Self {
            conversation: r.conversation,
            peer: r.peer,
            read_seq: r.read_seq,
            peer_read_seq: r.peer_read_seq,
            unread: r.unread,
            peer_delivered_seq: r.peer_delivered_seq,
        }
    }
}
