//! Codes of authenticator apps: RFC 6238 with what every app can do (SHA-1, six digits, steps of 30 seconds).

use hmac::{Hmac, Mac as _};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::Sha1;
use subtle::ConstantTimeEq as _;

use crate::domain::Timestamp;

/// The length of a secret, in bytes: what RFC 4226 recommends.
pub const SECRET: usize = 20;
const STEP_MICROS: i64 = 30_000_000;

/// The step of time of a moment.
pub fn step(now: Timestamp) -> i64 {
    now.0.div_euclid(STEP_MICROS)
}

/// The code of a step.
pub fn code(secret: &[u8], step: i64) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).expect("a key of HMAC has any length");
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash[19] & 15);
    let number = u32::from_be_bytes([hash[at] & 0x7f, hash[at + 1], hash[at + 2], hash[at + 3]]);
    format!("{:06}", number % 1_000_000)
}

/// The step whose code this is: the present one, the one before or the one after it, for clocks are not exact. Only steps
/// after `last` count. Says nothing by how long it takes.
pub fn step_of(secret: &[u8], given: &str, last: i64, now: Timestamp) -> Option<i64> {
    let now = step(now);
    let fits = |step: &i64| bool::from(code(secret, *step).as_bytes().ct_eq(given.as_bytes()));
    let found: Vec<_> = [now, now - 1, now + 1].into_iter().filter(fits).collect();
    found.into_iter().find(|step| *step > last)
}

/// A secret as people type it: RFC 4648's base32.
pub fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1);
    let digits = (0..(bytes.len() * 8).div_ceil(5)).map(|i| (0..5).fold(0, |digit, j| digit << 1 | bit(5 * i + j)));
    digits.map(|digit| char::from(ALPHABET[usize::from(digit)])).collect()
}

/// The address by which apps take a secret over. `issuer` is this server's name.
pub fn uri(issuer: &str, user: &str, secret: &[u8]) -> String {
    let quoted = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let (issuer, user) = (quoted(issuer), quoted(user));
    let secret = base32(secret);
    format!("otpauth://totp/{issuer}:{user}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30")
}

#[cfg(test)]
mod tests {
    use super::*;

    const RFC: &[u8] = b"12345678901234567890";

    /// RFC 6238, appendix B; the last six of its eight digits.
    #[test]
    fn the_codes_of_the_rfc() {
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code(RFC, step(Timestamp(seconds * 1_000_000))), expected);
        }
    }

    #[test]
    fn a_code_of_a_neighbour_and_of_no_step_that_was_used() {
        let now = Timestamp(1_700_000_010_000_000);
        let this = step(now);
        for (offset, good) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let given = code(RFC, this + offset);
            assert_eq!(step_of(RFC, &given, 0, now), good.then_some(this + offset), "{offset}");
        }
        assert_eq!(step_of(RFC, &code(RFC, this), this, now), None);
        assert_eq!(step_of(RFC, &code(RFC, this), this - 1, now), Some(this));
        for bad in ["", "0", "00000", "0000000", "abcdef"] {
            assert_eq!(step_of(RFC, bad, 0, now), None, "{bad}");
        }
    }

    /// RFC 4648, section 10, without its padding.
    #[test]
    fn base32_of_the_rfc() {
        for (text, expected) in
            [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB")]
        {
            assert_eq!(base32(text.as_bytes()), expected);
        }
    }

    #[test]
    fn the_address_for_apps() {
        assert_eq!(
            uri("chat.example", "ann lee", RFC),
            "otpauth://totp/chat%2Eexample:ann%20lee?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=chat%2Eexample\
             &algorithm=SHA1&digits=6&period=30"
        );
    }
}
