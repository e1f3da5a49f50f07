//! Recovery codes: each lets its owner in once when the telephone is lost. 80 bits each, so that a plain hash gives
//! nothing away.

use sha2::{Digest, Sha256};

use super::hex;
use crate::domain::UserId;

/// How many there are.
pub const COUNT: usize = 10;
/// Without letters that are taken for digits, or for one another.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const LENGTH: usize = 16;
const GROUP: usize = 4;

/// New codes, as their owner sees them this once: `xxxx-xxxx-xxxx-xxxx`.
pub fn make() -> Vec<String> {
    let one = |_| {
        let digits: [u8; LENGTH] = rand::random();
        let digits: Vec<_> = digits.map(|digit| char::from(ALPHABET[usize::from(digit % 32)])).into_iter().collect();
        digits.chunks(GROUP).map(String::from_iter).collect::<Vec<_>>().join("-")
    };
    (0..COUNT).map(one).collect()
}

/// A code as it is compared: what people type for it, in any case, with or without its dashes. None if it is none.
fn read(given: &str) -> Option<String> {
    // Nothing longer is worth a look.
    if given.len() > 100 {
        return None;
    }
    let digits = given.chars().filter(|c| !c.is_whitespace() && *c != '-').map(|c| match c.to_ascii_lowercase() {
        'o' => '0',
        'i' | 'l' => '1',
        c => c,
    });
    let code: String = digits.collect();
    (code.len() == LENGTH && code.bytes().all(|digit| ALPHABET.contains(&digit))).then_some(code)
}

/// What is stored of a user's code; none if it has not the form of one.
pub fn hash(user: UserId, given: &str) -> Option<String> {
    Some(hex(&Sha256::digest(format!("recovery code\0{user}\0{}", read(given)?))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_long_and_none_is_twice() {
        let codes = make();
        assert_eq!(codes.len(), COUNT);
        assert!(codes.iter().all(|code| code.len() == 19 && hash(1, code).is_some()), "{codes:?}");
        assert!((1..codes.len()).all(|i| !codes[..i].contains(&codes[i])));
    }

    #[test]
    fn a_code_is_read_as_people_type_it_and_is_its_owners() {
        let stored = hash(1, "01ab-cdef-ghjk-mnpq");
        for typed in ["01abcdefghjkmnpq", " 01AB CDEF GHJK MNPQ ", "OlAB-CDEF-GHJK-MNPQ", "oIab-cdefghjk-mnpq"] {
            assert_eq!(hash(1, typed), stored, "{typed}");
        }
        assert_ne!(hash(2, "01ab-cdef-ghjk-mnpq"), stored);
        for bad in ["", "01ab-cdef-ghjk-mnp", "01ab-cdef-ghjk-mnpqr", "01ab-cdef-ghjk-mnpu", "١١ab-cdef-ghjk-mnpq"] {
            assert_eq!(hash(1, bad), None, "{bad}");
        }
    }
}
