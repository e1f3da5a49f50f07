//! Generated input for what a client says on its socket.

use rocket_ws::Message;

use super::MOST_BYTES;
use super::said::{Said, said};

/// A text frame is one of those that clients send, or nothing; a binary one is never read. The input: a kind, and what is in it.
pub fn frame(data: &[u8]) {
    let (kind, rest) = data.split_first().unwrap_or((&b't', &[]));
    let text = String::from_utf8_lossy(rest).into_owned();
    let long = text.len() > MOST_BYTES;
    match kind {
        b'b' => assert_eq!(said(&Message::Binary(rest.to_vec())), Said::Binary),
        b'p' => assert_eq!(said(&Message::Ping(rest.to_vec())), Said::ProtocolPing),
        b'o' => assert_eq!(said(&Message::Pong(rest.to_vec())), Said::Nothing),
        b'c' => assert_eq!(said(&Message::Close(None)), Said::Goodbye),
        _ => match said(&Message::Text(text.clone())) {
            Said::Ping => assert!(!long && text.contains('"') && text.trim_start().starts_with('{'), "{text}"),
            Said::Nothing => assert!(!long && text != r#"{"type":"ping"}"#),
            Said::Typing(_) | Said::Presence { .. } => assert!(!long && text.trim_start().starts_with('{'), "{text}"),
            Said::TooLong => assert!(long),
            other => panic!("{other:?} of a text"),
        },
    }
}
