//! Password hashing: argon2id, and Django's PBKDF2 for accounts that come from the predecessor.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::common::COMMON;

/// 46 MiB, one pass, one lane: OWASP's first choice for argon2id.
const MEMORY_KIB: u32 = 46 * 1024;

/// Why a password is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    #[error("This password is too short. It must contain at least 8 characters.")]
    Short,
    #[error("This password is too long. It must contain at most 128 characters.")]
    Long,
    #[error("This password is too common.")]
    Common,
    #[error("The password is too similar to the username.")]
    LikeName,
}

/// Refuses what is guessed first. Says nothing about kinds of characters.
pub fn check_strength(password: &str, username: &str) -> Result<(), WeakPassword> {
    let length = password.chars().count();
    let (lower, name) = (password.to_lowercase(), username.to_lowercase());
    if length < 8 {
        Err(WeakPassword::Short)
    } else if length > 128 {
        Err(WeakPassword::Long)
    } else if COMMON.contains(&lower.as_str()) {
        Err(WeakPassword::Common)
    } else if name.chars().count() >= 4 && (lower == name || (lower.contains(&name) && length < name.len() + 4)) {
        Err(WeakPassword::LikeName)
    } else {
        Ok(())
    }
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    pub is_right: bool,
    /// A better hash of the same password, when the stored one is outdated.
    pub rehashed: Option<String>,
}

fn argon() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, 1, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// NFC, so that an accent typed on one keyboard is the accent typed on another.
fn normal(password: &str) -> String {
    unicode_normalization::UnicodeNormalization::nfc(password).collect()
}

/// An empty hash (which nothing fits) if the system has no randomness left.
pub(super) fn hash(password: &str) -> String {
    let Ok(salt) = SaltString::encode_b64(&rand::random::<[u8; 16]>()) else { return String::new() };
    argon().hash_password(normal(password).as_bytes(), &salt).map(|hash| hash.to_string()).unwrap_or_default()
}

pub(super) fn verify(stored: Option<&str>, password: &str) -> Verdict {
    let stored = stored.unwrap_or_default();
    if stored.starts_with("pbkdf2_sha256$") {
        let is_right = verify_django(stored, password).unwrap_or(false);
        return Verdict { is_right, rehashed: is_right.then(|| hash(password)) };
    }
    let Ok(parsed) = PasswordHash::new(stored) else {
        // Unusable, or no such user: cost what a check costs.
        drop(hash(password));
        return Verdict::default();
    };
    let is_right = argon().verify_password(normal(password).as_bytes(), &parsed).is_ok();
    let current = Params::try_from(&parsed).is_ok_and(|p| (p.m_cost(), p.t_cost(), p.p_cost()) == (MEMORY_KIB, 1, 1))
        && parsed.algorithm == argon2::ARGON2ID_IDENT;
    Verdict { is_right, rehashed: (is_right && !current).then(|| hash(password)) }
}

/// `pbkdf2_sha256$ITERATIONS$SALT$HASH`; none if it has another shape.
fn verify_django(stored: &str, password: &str) -> Option<bool> {
    let mut parts = stored.split('$').skip(1);
    let rounds: u32 = parts.next()?.parse().ok()?;
    let (salt, expected) = (parts.next()?, STANDARD.decode(parts.next()?).ok()?);
    // More than Django has ever used is a way to keep this server busy.
    if parts.next().is_some() || !(1..=2_000_000).contains(&rounds) || expected.len() != 32 {
        return None;
    }
    let found = pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(password.as_bytes(), salt.as_bytes(), rounds);
    Some(found.ct_eq(expected.as_slice()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_fits_its_password_alone() {
        let stored = hash("correct horse");
        assert!(stored.starts_with("$argon2id$v=19$m=47104,t=1,p=1$"), "{stored}");
        assert_eq!(verify(Some(&stored), "correct horse"), Verdict { is_right: true, rehashed: None });
        assert!(!verify(Some(&stored), "correct horsf").is_right);
        let accent = hash("\u{e9}tude-1");
        assert!(verify(Some(&accent), "e\u{301}tude-1").is_right, "NFC");
    }

    #[test]
    fn djangos_hash_is_accepted_and_replaced() {
        let stored = "pbkdf2_sha256$1000$NaCl4tableUse$OdOElgwoJzJ6Q0dlEcFeSWVFtz6Srml6+DkB+F2/iGA=";
        let verdict = verify(Some(stored), "ゆきのパスワード");
        assert!(verdict.is_right);
        assert!(verify(verdict.rehashed.as_deref(), "ゆきのパスワード").is_right);
        assert_eq!(verify(Some(stored), "wrong"), Verdict::default());
    }

    #[test]
    fn what_is_no_hash_fits_nothing() {
        for stored in ["", "!", "!abcdef", "plain", "pbkdf2_sha256$", "pbkdf2_sha256$x$y$z", "$argon2id$broken"] {
            assert!(!verify(Some(stored), "").is_right, "{stored}");
            assert!(!verify(Some(stored), stored).is_right, "{stored}");
        }
        assert!(!verify(None, "").is_right);
        let weaker = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(19 * 1024, 2, 1, None).unwrap());
        let salt = SaltString::encode_b64(&[1; 16]).unwrap();
        let stored = weaker.hash_password(b"pw", &salt).unwrap().to_string();
        assert!(verify(Some(&stored), "pw").rehashed.is_some(), "rehash on login");
    }

    #[test]
    fn weak_passwords() {
        assert_eq!(check_strength("short", "ann"), Err(WeakPassword::Short));
        assert_eq!(check_strength(&"x".repeat(129), "ann"), Err(WeakPassword::Long));
        assert_eq!(check_strength("Password1", "ann"), Err(WeakPassword::Common));
        assert_eq!(check_strength("annabella1", "annabella"), Err(WeakPassword::LikeName));
        assert_eq!(check_strength("ゆきのパスワード", "yuki"), Ok(()));
    }
}
