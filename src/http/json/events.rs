//! What changed for a reader.

use serde::Serialize;

use super::{ConversationSettingsJson, MessageJson, OwnProfileJson, ReadJson, SharingJson, write};
use crate::chat::Chat;
use crate::domain::{self, Change, UserId};

/// Something that changed for the reader. Clients ignore types that they do not know.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Event)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventJson {
    MessageCreated {
        cursor: String,
        message: MessageJson,
        /// For the recipient alone.
        #[serde(skip_serializing_if = "Option::is_none")]
        unread: Option<i64>,
        /// True while its sender waits to be accepted; else it is not there.
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        request: bool,
    },
    MessageEdited {
        cursor: String,
        message: MessageJson,
    },
    MessageDeleted {
        cursor: String,
        message: MessageJson,
    },
    Read {
        cursor: String,
        #[serde(flatten)]
        state: ReadJson,
    },
    Conversation {
        cursor: String,
        #[serde(flatten)]
        settings: ConversationSettingsJson,
    },
    Settings {
        cursor: String,
        #[serde(flatten)]
        settings: SharingJson,
    },
    ProfileChanged {
        cursor: String,
        #[serde(flatten)]
        profile: OwnProfileJson,
    },
    /// One blocks other people than before: `block/` has them.
    Blocks {
        cursor: String,
    },
    /// Of a later version.
    Unknown {
        cursor: String,
    },
}

impl EventJson {
    pub fn new(chat: &Chat, user: UserId, event: domain::Event) -> Self {
        let cursor = chat.cursor(user, event.at);
        match event.change {
            Change::MessageCreated { message, unread, request } => {
                Self::MessageCreated { cursor, message: message.into(), unread, request }
            }
            Change::MessageEdited(message) => Self::MessageEdited { cursor, message: message.into() },
            Change::MessageDeleted(message) => Self::MessageDeleted { cursor, message: message.into() },
            Change::Read(state) => Self::Read { cursor, state: state.into() },
            Change::Conversation(settings) => Self::Conversation { cursor, settings: settings.into() },
            Change::Sharing(settings) => Self::Settings { cursor, settings: settings.into() },
            Change::Profile(profile) => Self::ProfileChanged { cursor, profile: profile.into() },
            Change::Blocks => Self::Blocks { cursor },
            Change::Unknown => Self::Unknown { cursor },
        }
    }
}

impl EventJson {
    /// The cursor behind this event.
    pub fn cursor(&self) -> String {
        match self {
            Self::MessageCreated { cursor, .. }
            | Self::MessageEdited { cursor, .. }
            | Self::MessageDeleted { cursor, .. }
            | Self::Read { cursor, .. }
            | Self::Conversation { cursor, .. }
            | Self::Settings { cursor, .. }
            | Self::ProfileChanged { cursor, .. }
            | Self::Blocks { cursor }
            | Self::Unknown { cursor } => cursor.clone(),
        }
    }
}

/// A page of the log.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Events)]
pub struct EventsJson {
    pub events: Vec<EventJson>,
    pub cursor: String,
    pub more: bool,
}

/// The frame of an event. Nothing but this text is to be held while a client takes it.
pub fn event_frame(event: &EventJson) -> String {
    let cursor = event.cursor();
    write(&serde_json::json!({"type": "event", "cursor": cursor, "event": event}), 0)
}
