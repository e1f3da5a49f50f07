//! The opaque token by which a device says how far it has come.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Position, UserId};

/// Names a lineage of the database: `restore` and `copy` start a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Epoch(pub u64);

/// A place in one user's log in one lineage of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub epoch: Epoch,
    pub user: UserId,
    pub at: Position,
}

/// The text is not a cursor (a cursor that cannot be served is another matter).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Enter a valid cursor.")]
pub struct MalformedCursor;

const FORM: u8 = 1;
const BYTES: usize = 33;

impl Cursor {
    /// The cursor as clients carry it: 44 characters that are safe in a URL.
    pub fn encode(&self) -> String {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.push(FORM);
        bytes.extend(self.epoch.0.to_be_bytes());
        bytes.extend(self.user.to_be_bytes());
        bytes.extend(self.at.pos.to_be_bytes());
        bytes.extend(self.at.tag.to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads what [`Self::encode`] wrote; whether it can be served is for the store to say.
    pub fn decode(text: &str) -> Result<Self, MalformedCursor> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| MalformedCursor)?;
        let (form, numbers) = bytes.split_first().ok_or(MalformedCursor)?;
        if *form != FORM || bytes.len() != BYTES {
            return Err(MalformedCursor);
        }
        let mut words =
            numbers.chunks_exact(8).map(|word| word.iter().fold(0u64, |number, byte| (number << 8) | u64::from(*byte)));
        let mut next = || words.next().ok_or(MalformedCursor);
        let cursor = Self {
            epoch: Epoch(next()?),
            user: next()?.cast_signed(),
            at: Position { pos: next()?.cast_signed(), tag: next()?.cast_signed() },
        };
        if cursor.at.pos < 0 { Err(MalformedCursor) } else { Ok(cursor) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_refusals() {
        let cursor = Cursor { epoch: Epoch(u64::MAX), user: 7, at: Position { pos: 3, tag: -5 } };
        let text = cursor.encode();
        assert_eq!(Cursor::decode(&text), Ok(cursor));
        for bad in ["", "x", "!!", &text[1..], &format!("{text}A"), &text.replace('A', "=")] {
            assert_eq!(Cursor::decode(bad), Err(MalformedCursor), "{bad}");
        }
        let before = Cursor { at: Position { pos: -1, tag: 0 }, ..cursor };
        assert_eq!(Cursor::decode(&before.encode()), Err(MalformedCursor));
    }
}
