//! As much of CBOR (RFC 8949) as authenticators write: definite lengths, no tags. What is read borrows from the input, and
//! a length that is longer than the input is no reason to make room for it.

/// Deeper than this nothing is that an authenticator writes.
const DEPTH: usize = 8;
/// Nor has it larger maps; each key is compared with those before it.
const MOST_PAIRS: usize = 64;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    Int(i64),
    Bytes(&'a [u8]),
    Text(&'a str),
    Array(Vec<Item<'a>>),
    Map(Vec<(Item<'a>, Item<'a>)>),
    /// True, false, null, a number with a fraction.
    Other,
}

impl<'a> Item<'a> {
    /// The value of a map's key.
    pub fn get(&self, key: &Item<'_>) -> Option<&Item<'a>> {
        match self {
            Self::Map(pairs) => pairs.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    pub fn int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    pub fn bytes(&self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// Reads the first value; returns it and what follows it.
pub fn read(input: &[u8]) -> Option<(Item<'_>, &[u8])> {
    let mut rest = input;
    let item = item(&mut rest, DEPTH)?;
    Some((item, rest))
}

fn item<'a>(rest: &mut &'a [u8], depth: usize) -> Option<Item<'a>> {
    let depth = depth.checked_sub(1)?;
    let first = take(rest, 1)?[0];
    let (major, info) = (first >> 5, first & 31);
    if major == 7 {
        return other(rest, info);
    }
    let number = argument(rest, info)?;
    // Each value has a byte at least.
    let fits = |rest: &[u8]| usize::try_from(number).ok().filter(|count| *count <= rest.len());
    Some(match major {
        0 => Item::Int(i64::try_from(number).ok()?),
        1 => Item::Int(-1 - i64::try_from(number).ok()?),
        2 => Item::Bytes(take(rest, fits(rest)?)?),
        3 => Item::Text(std::str::from_utf8(take(rest, fits(rest)?)?).ok()?),
        4 => Item::Array((0..fits(rest)?).map(|_| item(rest, depth)).collect::<Option<_>>()?),
        5 => Item::Map(map(rest, fits(rest)?, depth)?),
        _ => return None,
    })
}

/// A key that comes twice has no meaning.
fn map<'a>(rest: &mut &'a [u8], count: usize, depth: usize) -> Option<Vec<(Item<'a>, Item<'a>)>> {
    let mut pairs: Vec<(Item<'a>, Item<'a>)> = Vec::new();
    if count > MOST_PAIRS {
        return None;
    }
    for _ in 0..count {
        let key = item(rest, depth)?;
        if pairs.iter().any(|(known, _)| *known == key) {
            return None;
        }
        pairs.push((key, item(rest, depth)?));
    }
    Some(pairs)
}

fn argument(rest: &mut &[u8], info: u8) -> Option<u64> {
    let length = match info {
        0..=23 => return Some(u64::from(info)),
        24..=27 => 1 << (info - 24),
        // Of a length that is not told.
        _ => return None,
    };
    Some(take(rest, length)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn other<'a>(rest: &mut &'a [u8], info: u8) -> Option<Item<'a>> {
    let length = match info {
        20..=23 => 0,
        25 => 2,
        26 => 4,
        27 => 8,
        _ => return None,
    };
    take(rest, length).map(|_| Item::Other)
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(bytes: &[u8]) -> Option<Item<'_>> {
        read(bytes).filter(|(_, rest)| rest.is_empty()).map(|(item, _)| item)
    }

    /// RFC 8949, appendix A, as far as it is read.
    #[test]
    fn the_values_of_the_rfc() {
        for (bytes, expected) in [
            (&[0x00][..], Item::Int(0)),
            (&[0x17], Item::Int(23)),
            (&[0x18, 0x18], Item::Int(24)),
            (&[0x19, 0x03, 0xe8], Item::Int(1000)),
            (&[0x1a, 0x00, 0x0f, 0x42, 0x40], Item::Int(1_000_000)),
            (&[0x1b, 0x00, 0x00, 0x00, 0xe8, 0xd4, 0xa5, 0x10, 0x00], Item::Int(1_000_000_000_000)),
            (&[0x20], Item::Int(-1)),
            (&[0x39, 0x03, 0xe7], Item::Int(-1000)),
            (&[0x40], Item::Bytes(b"")),
            (&[0x44, 1, 2, 3, 4], Item::Bytes(&[1, 2, 3, 4])),
            (&[0x62, 0xc3, 0xbc], Item::Text("ü")),
            (&[0x80], Item::Array(vec![])),
            (&[0x82, 0x01, 0x20], Item::Array(vec![Item::Int(1), Item::Int(-1)])),
            (&[0xa1, 0x01, 0x61, 0x61], Item::Map(vec![(Item::Int(1), Item::Text("a"))])),
            (&[0xf5], Item::Other),
            (&[0xf9, 0x3c, 0x00], Item::Other),
        ] {
            assert_eq!(whole(bytes), Some(expected), "{bytes:02x?}");
        }
    }

    #[test]
    fn what_is_no_value_or_none_of_ours() {
        for bytes in [
            &[][..],
            &[0x18],
            &[0x1c],
            &[0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[0x3b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[0x42, 1],
            &[0x5f, 0x41, 1, 0xff],
            &[0x61, 0xff],
            &[0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[0xbb, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            &[0xa2, 0x01, 0x02, 0x01, 0x03],
            &[0xc1, 0x00],
            &[0xf8, 0x20],
            &[0x81; 100],
        ] {
            assert_eq!(read(bytes).map(|(item, _)| item), None, "{bytes:02x?}");
        }
        assert_eq!(read(&[0x01, 0x02]), Some((Item::Int(1), &[0x02][..])));
    }
}
