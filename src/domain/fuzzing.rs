//! Generated input for the plain types.

use super::{Body, Cursor, Epoch, Position, UserKey, Username};

/// The first part of an input up to `separator`, as text, and the rest of it.
pub fn cut(data: &[u8], separator: u8) -> (String, &[u8]) {
    let at = data.iter().position(|byte| *byte == separator).unwrap_or(data.len());
    (String::from_utf8_lossy(&data[..at]).into_owned(), data.get(at + 1..).unwrap_or_default())
}

/// What is taken for a cursor is what was written for this place and no other; and every place can be written.
pub fn cursor(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(cursor) = Cursor::decode(&text) {
        assert_eq!(cursor.encode(), text, "one place, one text");
        assert!(cursor.at.pos >= 0);
    }
    let mut numbers = data.chunks(8).map(|part| part.iter().fold(0i64, |n, byte| (n << 8) | i64::from(*byte)));
    let mut next = || numbers.next().unwrap_or(0);
    let place = Cursor {
        epoch: Epoch(next().cast_unsigned()),
        user: next(),
        at: Position { pos: next() & i64::MAX, tag: next() },
    };
    assert_eq!(Cursor::decode(&place.encode()), Ok(place));
}

/// A name that was taken is in its alphabet as it is kept, and is found by itself.
pub fn username(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(name) = Username::new(&text) {
        let kept = name.as_str();
        assert_eq!(Username::new(kept).as_ref(), Ok(&name), "a name that was taken is taken again, as it is");
        assert!(!kept.chars().any(|c| c.is_whitespace() || c.is_control() || "/?#<>\"'&%\\".contains(c)), "{kept:?}");
        assert!((1..=150).contains(&kept.chars().count()));
        assert_eq!(UserKey::new(kept), Some(name.key()), "found as it is shown");
        assert_eq!(UserKey::new(&text), Some(name.key()), "found as it was typed");
        assert_eq!(UserKey::new(name.key().as_str()), Some(name.key()), "found by its key");
    }
    if let Some(key) = UserKey::new(&text) {
        assert!(!key.as_str().contains('\0') && (1..=150).contains(&key.as_str().chars().count()));
    }
    assert!(!UserKey::prefix(&text).as_str().contains('\0'));
}

/// A text that was taken is trimmed, within its limit, and stays as it is.
pub fn text(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for most in [1, 20, 10_000] {
        match Body::new(&text, most) {
            Ok(body) => {
                assert!((1..=most).contains(&body.as_str().chars().count()) && !body.as_str().contains('\0'));
                assert!(text.contains(body.as_str()));
                assert_eq!(Body::new(body.as_str(), most), Ok(body));
            }
            Err(why) => assert!(!why.is_empty()),
        }
    }
}
