//! Generated input for what is read of a stored password hash, and of what an authenticator writes.

use argon2::Params;

use super::passkeys::fuzzing;
use super::password::Stored;

/// What a browser gives for a passkey, as each of the things that it may be.
pub fn passkey(data: &[u8]) {
    fuzzing::attestation(data);
    fuzzing::cbor(data);
}

/// A hash from anywhere costs bounded work and memory, and is read the same when it is written anew.
pub fn password_hash(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match Stored::parse(&text) {
        Stored::Django(django) => {
            assert!((1..=2_000_000).contains(&django.rounds) && django.expected.len() == 32);
            assert!(!django.salt.contains('$'));
            if django.rounds <= 4 {
                // Whatever it was made of, it was not this.
                assert!(!django.fits("a password that nobody has"));
            }
        }
        Stored::Argon(hash) => {
            let params = Params::try_from(&hash).expect("its parameters were looked at");
            assert!(params.m_cost() <= 1 << 20 && params.t_cost() <= 16 && params.p_cost() <= 16, "{text}");
            assert!(hash.algorithm.as_str().starts_with("argon2"), "{text}");
            let again = hash.to_string();
            assert_eq!(Stored::parse(&again), Stored::Argon(hash), "{text}");
        }
        Stored::Unusable => {}
    }
}
