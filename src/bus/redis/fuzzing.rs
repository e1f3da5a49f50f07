//! Generated input for the words on the bus.

use super::TYPING;
use super::listen::{Heard, read_word};
use crate::domain::fuzzing::cut;

/// A word names a user and a position, as they are written, and nothing else; and every word that is said is heard.
/// The input: a channel, a new line, a payload.
pub fn bus_word(data: &[u8]) {
    const PREFIX: &str = "chatd:0123abcd:";
    let (channel, payload) = cut(data, b'\n');
    if let Some((user, heard)) = read_word(PREFIX, &channel, payload) {
        assert_eq!(channel, format!("{PREFIX}{user}"));
        let said = match heard {
            Heard::Reached(pos) => pos.to_string(),
            Heard::Typing(from) => format!("{TYPING}{from}"),
        };
        assert_eq!(payload, said.as_bytes());
        let (Heard::Reached(number) | Heard::Typing(number)) = heard;
        assert!(user > 0 && number >= 0, "{user} {heard:?}");
    }
    let number = |at: usize| data.iter().skip(at).take(7).fold(0i64, |n, byte| (n << 8) | i64::from(*byte));
    let (user, pos) = (number(0) + 1, number(7));
    let channel = format!("{PREFIX}{user}");
    assert_eq!(read_word(PREFIX, &channel, pos.to_string().as_bytes()), Some((user, Heard::Reached(pos))));
    assert_eq!(read_word(PREFIX, &channel, format!("{TYPING}{user}").as_bytes()), Some((user, Heard::Typing(user))));
    assert_eq!(read_word("chatd:another:", &channel, b"1"), None, "another installation's");
}
