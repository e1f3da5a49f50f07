//! Generated input for the words on the bus.

use super::listen::read_word;
use crate::domain::fuzzing::cut;

/// A word names a user and a position, as they are written, and nothing else; and every word that is said is heard.
/// The input: a channel, a new line, a payload.
pub fn bus_word(data: &[u8]) {
    const PREFIX: &str = "chatd:0123abcd:";
    let (channel, payload) = cut(data, b'\n');
    if let Some((user, pos)) = read_word(PREFIX, &channel, payload) {
        assert!(user > 0 && pos >= 0, "{user} {pos}");
        assert_eq!(channel, format!("{PREFIX}{user}"));
        assert_eq!(payload, pos.to_string().as_bytes());
    }
    let number = |at: usize| data.iter().skip(at).take(7).fold(0i64, |n, byte| (n << 8) | i64::from(*byte));
    let (user, pos) = (number(0) + 1, number(7));
    let channel = format!("{PREFIX}{user}");
    assert_eq!(read_word(PREFIX, &channel, pos.to_string().as_bytes()), Some((user, pos)));
    assert_eq!(read_word("chatd:another:", &channel, b"1"), None, "another installation's");
}
