//! What a client says, read: nothing here waits or answers.

use rocket_ws::Message;

use super::MOST_BYTES;

/// What a message of a client means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// `{"type":"ping"}`.
    Ping,
    /// The ping of the protocol, which the library answers.
    ProtocolPing,
    Goodbye,
    Binary,
    TooLong,
    /// For a later version, or nonsense: ignored.
    Nothing,
}

/// Reads a message of a client.
pub(super) fn said(message: &Message) -> Said {
    match message {
        Message::Close(_) => Said::Goodbye,
        Message::Binary(_) => Said::Binary,
        Message::Text(text) if text.len() > MOST_BYTES => Said::TooLong,
        Message::Text(text) => match serde_json::from_str::<serde_json::Value>(text) {
            Ok(value) if value["type"] == "ping" => Said::Ping,
            _ => Said::Nothing,
        },
        Message::Ping(_) => Said::ProtocolPing,
        Message::Pong(_) | Message::Frame(_) => Said::Nothing,
    }
}
