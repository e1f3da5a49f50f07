//! Generated input for what an authenticator writes.

use super::Site;
use super::cbor::{self, Item};
use super::verify::{Asked, AuthenticatorData, challenge, made, signed};

/// What is read borrows from what was there, and is not larger than it.
pub fn cbor(data: &[u8]) {
    if let Some((item, rest)) = cbor::read(data) {
        assert!(data.ends_with(rest) && rest.len() < data.len());
        assert!(values(&item) <= data.len() - rest.len(), "each value has a byte at least");
    }
}

fn values(item: &Item<'_>) -> usize {
    1 + match item {
        Item::Array(items) => items.iter().map(values).sum(),
        Item::Map(pairs) => pairs.iter().map(|(key, value)| values(key) + values(value)).sum(),
        _ => 0,
    }
}

/// A credential that is taken can be asked for a signature; no signature is right by chance.
pub fn attestation(data: &[u8]) {
    let site = Site { rp_id: "chat.example".to_owned(), origin: "https://chat.example".to_owned() };
    if let Ok(made) = made(data, &site) {
        assert!(!made.credential_id.is_empty() && made.credential_id.len() + made.public_key.len() < data.len());
        assert!(signed(&made.public_key, data, data, data).is_err());
    }
    let _ = AuthenticatorData::parse(data).map(|data| data.check(&site));
    let _ = challenge(data, Asked::ToMake, &site);
}
