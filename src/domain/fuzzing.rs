//! Generated input for the plain types.

use super::{About, Body, Cursor, DisplayName, Epoch, Language, NamePrefix, Position, TimeZone, UserKey, Username};

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
    assert!(!NamePrefix::new(&text).as_str().contains('\0'));
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

/// What was taken for a part of a profile is within its limit, has nothing in it that is not seen, and is taken again as
/// it is.
pub fn profile(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(name) = DisplayName::new(&text) {
        let kept = name.as_str();
        assert_eq!(DisplayName::new(kept).as_ref(), Ok(&name), "a name that was taken is taken again, as it is");
        assert!(kept.chars().count() <= 64 && !hides(kept), "{kept:?}");
        assert!(kept.is_empty() || kept.chars().any(char::is_alphanumeric));
        assert!(name.keys().len() <= 2 && name.looks().len() == name.keys().len());
    }
    if let Ok(about) = About::new(&text) {
        let kept = about.as_str();
        assert_eq!(About::new(kept).as_ref(), Ok(&about), "a line that was taken is taken again, as it is");
        assert!(kept.chars().count() <= 200 && !hides(kept), "{kept:?}");
    }
    if let Ok(zone) = TimeZone::new(&text) {
        assert_eq!(TimeZone::new(zone.as_str()), Ok(zone.clone()));
        assert!(zone.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+-".contains(&b)));
    }
    assert!(Language::new(&text).is_err() || text.len() <= 2);
}

/// Whether something in a line is not seen, turns it around, or leads to another one.
fn hides(line: &str) -> bool {
    let spaced = line.starts_with(' ') || line.ends_with(' ') || line.contains("  ");
    spaced
        || line.chars().any(|c| {
            c.is_control()
                || (c.is_whitespace() && c != ' ')
                || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        })
}
