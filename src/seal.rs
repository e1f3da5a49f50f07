//! Sealing: what the database keeps and must not be able to show or to change. The key comes from `SECRET_KEY`, one for
//! each purpose, so that a text sealed for one is nothing for another.
//!
//! A sealed text is a version (1 byte), the number of its key (4 bytes), a random nonce (24 bytes), and the text under
//! XChaCha20-Poly1305 with its tag of 16 bytes. By the number of the key a text of an older `SECRET_KEY` is known as
//! one; a second key for reading such texts has its place in [`Seal::open`].

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

const VERSION: u8 = 1;
const ID: usize = 4;
const NONCE: usize = 24;
/// What stands before the text.
const HEAD: usize = 1 + ID + NONCE;

/// Why a sealed text cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsealable {
    /// Too short, or of a later version.
    #[error("it is sealed in a way that this version of chatd does not know")]
    Form,
    /// `SECRET_KEY` is not the one it was sealed with.
    #[error("it was sealed with another SECRET_KEY")]
    OtherKey,
    /// Damaged, or taken from another place.
    #[error("it is not what was sealed here")]
    Broken,
}

/// Seals and opens for one purpose.
#[derive(Clone)]
pub struct Seal {
    cipher: XChaCha20Poly1305,
    id: [u8; ID],
}

impl Seal {
    /// The seal of a purpose, a name that nothing else uses. `secret` is `SECRET_KEY`.
    pub fn new(secret: &str, purpose: &str) -> Self {
        let derived = |part: &str| -> [u8; 32] {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of HMAC has any length");
            mac.update(format!("chatd seal\0{part}\0{purpose}").as_bytes());
            mac.finalize().into_bytes().into()
        };
        let [a, b, c, d, ..] = derived("number");
        Self { cipher: XChaCha20Poly1305::new(&Key::from(derived("key"))), id: [a, b, c, d] }
    }

    /// Seals a text. `place` says where it belongs (a row, a person); it opens nowhere else.
    pub fn close(&self, place: &[&str], text: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE] = rand::random();
        let mut sealed = vec![VERSION];
        sealed.extend(self.id);
        let aad = bound(&sealed, place);
        sealed.extend(nonce);
        let payload = Payload { msg: text, aad: &aad };
        sealed.extend(self.cipher.encrypt(&XNonce::from(nonce), payload).expect("it is shorter than 256 GiB"));
        sealed
    }

    /// Opens what [`Self::close`] made for the same place.
    pub fn open(&self, place: &[&str], sealed: &[u8]) -> Result<Vec<u8>, Unsealable> {
        let (head, text) = sealed.split_at_checked(HEAD).ok_or(Unsealable::Form)?;
        let (form, nonce) = head.split_at(1 + ID);
        if form[0] != VERSION {
            return Err(Unsealable::Form);
        }
        if form[1..] != self.id {
            return Err(Unsealable::OtherKey);
        }
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| Unsealable::Form)?;
        let aad = bound(form, place);
        self.cipher.decrypt(&XNonce::from(nonce), Payload { msg: text, aad: &aad }).map_err(|_| Unsealable::Broken)
    }
}

/// What a text is bound to. Each part with its length: two places are never one.
fn bound(form: &[u8], place: &[&str]) -> Vec<u8> {
    let mut bound = form.to_vec();
    for part in place {
        bound.extend((part.len() as u64).to_be_bytes());
        bound.extend(part.as_bytes());
    }
    bound
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "a secret of more than thirty-two characters";

    #[test]
    fn what_is_sealed_opens_in_its_place_alone() {
        let seal = Seal::new(SECRET, "mail");
        let sealed = seal.close(&["reset", "ann@example.org"], b"a link");
        assert_eq!(seal.open(&["reset", "ann@example.org"], &sealed).unwrap(), b"a link");
        assert_eq!(Seal::new(SECRET, "mail").open(&["reset", "ann@example.org"], &sealed).unwrap(), b"a link");
        for place in [&["reset", "bob@example.org"][..], &["resetann@example.org"], &["reset", "ann@example.org", ""]] {
            assert_eq!(seal.open(place, &sealed), Err(Unsealable::Broken), "{place:?}");
        }
        assert_eq!(Seal::new(SECRET, "totp").open(&[], &sealed), Err(Unsealable::OtherKey));
        assert_eq!(Seal::new(&SECRET.replace('a', "b"), "mail").open(&[], &sealed), Err(Unsealable::OtherKey));
    }

    #[test]
    fn every_changed_byte_is_noticed_and_nothing_is_shown() {
        let seal = Seal::new(SECRET, "mail");
        let text = b"https://chat.example.org/reset/1234567890";
        let sealed = seal.close(&[], text);
        assert!(!sealed.windows(8).any(|part| text.windows(8).any(|other| part == other)));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(seal.open(&[], &changed).is_err(), "byte {at}");
            assert!(seal.open(&[], &sealed[..at]).is_err(), "cut at {at}");
        }
        assert_ne!(seal.close(&[], text), sealed, "a nonce is used once");
    }

    /// Rows of an earlier version stay readable: this one was made when the form was decided.
    #[test]
    fn the_form_stays() {
        let sealed =
            hex("019cc28202275e59ec52898ef07b8907591c690331ab372853d119824ee5162eb9129f28d7a532a93d0d4abf3f679386a8");
        assert_eq!(Seal::new(SECRET, "mail").open(&["a", "b"], &sealed).unwrap(), b"text");
    }

    fn hex(text: &str) -> Vec<u8> {
        let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
        (0..text.len() / 2).map(|i| digit(2 * i)).collect()
    }
}
