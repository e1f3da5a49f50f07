//! What clients read, in the recorded order of keys; what chatd adds stands at the end.

mod accounts;
mod contacts;
mod conversations;
mod events;
mod factors;
mod profiles;
mod writing;

use serde::Serialize;

pub use accounts::{
    AccountJson, DeviceJson, DevicesJson, ExportJson, InviteJson, InvitesJson, NewInviteJson, SignUpJson,
};
pub use contacts::{BlockJson, BlocksJson, NewReportJson, ReportJson};
pub use conversations::{
    ConversationJson, ConversationSettingsJson, ConversationsJson, OneConversationJson, ReadJson, SharingJson,
};
pub use events::{EventJson, EventsJson, event_frame};
pub use factors::{FactorsChangedJson, PasskeyJson, QrJson, SecondFactorJson, TotpSetUpJson};
pub use profiles::{OwnProfileJson, PersonJson, ProfileJson};
pub use writing::{go_on_with_list, open_list, write};

use crate::domain::{self, User};

/// A message.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Message)]
pub struct MessageJson {
    id: i64,
    /// The sender's name.
    user: String,
    recipient: String,
    /// RFC 3339, UTC; six digits of fraction, or none when it is zero.
    timestamp: String,
    body: String,
    /// The message's number in its conversation, from 1, gap-free.
    seq: i64,
    /// The conversation's number, the same for both people.
    conversation: i64,
    /// The sender's key, or null.
    client_id: Option<String>,
    /// 1, and one more with each change.
    version: i64,
    /// When its sender changed the body last, or null.
    edited_at: Option<String>,
    /// When its sender deleted it, or null: the body is empty then.
    deleted_at: Option<String>,
    /// The `seq` of the message that it answers, or null.
    reply_to: Option<i64>,
}

impl From<domain::Message> for MessageJson {
    fn from(m: domain::Message) -> Self {
        Self {
            id: m.id,
            user: m.sender_name,
            recipient: m.recipient_name,
            timestamp: m.timestamp.to_string(),
            body: m.body,
            seq: m.seq,
            conversation: m.conversation,
            client_id: m.client_id,
            version: m.version,
            edited_at: m.edited_at.map(|time| time.to_string()),
            deleted_at: m.deleted_at.map(|time| time.to_string()),
            reply_to: m.reply_to,
        }
    }
}

/// Somebody.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = User)]
pub struct UserJson {
    username: String,
}

impl From<User> for UserJson {
    fn from(user: User) -> Self {
        Self { username: user.username }
    }
}

/// Pages of the recorded list.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = NumberedMessages)]
pub struct NumberedJson {
    pub count: i64,
    pub next: Option<String>,
    pub previous: Option<String>,
    pub results: Vec<MessageJson>,
}

/// A page without a count.
#[derive(Serialize)]
pub struct PageJson<T> {
    pub next: Option<String>,
    pub previous: Option<String>,
    pub results: Vec<T>,
}

/// Who is signed in, and what the client needs to know of the server.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Session)]
pub struct SessionJson {
    pub user: String,
    pub is_staff: bool,
    pub is_superuser: bool,
    pub message_max_length: usize,
    pub messages_to_load: u32,
    /// Whether one may make links with which people make their accounts.
    pub may_invite: bool,
    /// What one wants to be called. Empty: by one's name.
    pub display_name: String,
    /// The name of one's picture, which is at `avatar/NAME/`; or null.
    pub avatar: Option<String>,
    /// The language that one has chosen. Empty: as the browser wishes.
    pub language: String,
}
