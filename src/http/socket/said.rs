//! What a client says, read: nothing here waits or answers.

use rocket_ws::Message;
use serde_json::Value;

use super::MOST_BYTES;

/// What a message of a client means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// `{"type":"ping"}`.
    Ping,
    /// `{"type":"typing","peer":NAME}`.
    Typing(String),
    /// `{"type":"presence"}` with `state` (`online`: true, or `away`), `peers`, or both.
    Presence {
        active: Option<bool>,
        peers: Option<Vec<String>>,
    },
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
        Message::Text(text) => match serde_json::from_str::<Value>(text) {
            Ok(value) => meant(&value),
            Err(_) => Said::Nothing,
        },
        Message::Ping(_) => Said::ProtocolPing,
        Message::Pong(_) | Message::Frame(_) => Said::Nothing,
    }
}

fn meant(value: &Value) -> Said {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match value["type"].as_str() {
        Some("ping") => Said::Ping,
        Some("typing") => text(&value["peer"]).map_or(Said::Nothing, Said::Typing),
        Some("presence") => {
            let active = match value["state"].as_str() {
                Some("online") => Some(true),
                Some("away") => Some(false),
                _ => None,
            };
            let peers = value["peers"].as_array().map(|peers| peers.iter().filter_map(text).collect());
            Said::Presence { active, peers }
        }
        _ => Said::Nothing,
    }
}
