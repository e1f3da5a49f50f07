//! People: how a name is written, and how it is found.

use unicode_normalization::UnicodeNormalization;

use super::naming::is_placeholder;
use super::{Sharing, Timestamp, is_space};

/// A user's number in the database. Never reused.
pub type UserId = i64;

/// The most characters a name may have, typed or as a key.
pub(super) const MAX_NAME: usize = 150;

/// A name as its owner typed it: letters and digits of any script and `@ . + - _`, at most 150 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Username(String);

/// Why a name is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUsername {
    /// Nothing but white space.
    #[error("This field may not be blank.")]
    Blank,
    /// Over 150 characters, as typed or after normalisation.
    #[error("Ensure this field has no more than 150 characters.")]
    TooLong,
    /// A character outside of the alphabet.
    #[error("Enter a valid username. This value may contain only letters, numbers, and @/./+/-/_ characters.")]
    Character,
    /// What erased accounts are called.
    #[error("This name is reserved.")]
    Reserved,
}

impl Username {
    /// Trims `name` and checks it.
    pub fn new(name: &str) -> Result<Self, InvalidUsername> {
        let name = name.trim_matches(is_space);
        if name.is_empty() {
            return Err(InvalidUsername::Blank);
        }
        if name.chars().nth(MAX_NAME).is_some() {
            return Err(InvalidUsername::TooLong);
        }
        // Some letters become others with a space between, so what is looked at is what will be kept.
        let typed: String = name.nfkc().collect();
        if !typed.chars().all(|c| c.is_alphanumeric() || is_mark(c) || "@.+-_".contains(c)) {
            return Err(InvalidUsername::Character);
        }
        let Some(key) = UserKey::new(&typed).filter(|_| typed.chars().nth(MAX_NAME).is_none()) else {
            return Err(InvalidUsername::TooLong);
        };
        if is_placeholder(&key) {
            return Err(InvalidUsername::Reserved);
        }
        Ok(Self(typed))
    }

    /// The name as shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key by which the name is found.
    pub fn key(&self) -> UserKey {
        UserKey(fold(&self.0))
    }
}

/// Combining marks are part of letters in many scripts (and of a decomposed é in Latin).
pub(super) fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

pub(super) fn fold(name: &str) -> String {
    name.trim_matches(is_space).nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

/// What sign-in, `recipient` and `target` look for: trimmed, NFKC, lower case; accents are kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UserKey(pub(super) String);

impl UserKey {
    /// The key of any text; none if no user can have it (empty, too long, or with a NUL).
    pub fn new(text: &str) -> Option<Self> {
        let key = fold(text);
        let fits = !key.is_empty() && key.chars().nth(MAX_NAME).is_none() && !key.contains('\0');
        fits.then_some(Self(key))
    }

    /// The key's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A user, without anything that others must not see by accident (the password hash is asked for by itself).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub username: String,
    pub email: String,
    pub is_active: bool,
    pub is_staff: bool,
    pub is_superuser: bool,
    pub date_joined: Timestamp,
    pub last_login: Option<Timestamp>,
    pub sharing: Sharing,
}

/// A user to be stored.
#[derive(Clone, Debug)]
pub struct NewUser {
    pub username: Username,
    /// As `auth::password` made it.
    pub password_hash: String,
    pub email: String,
    pub is_staff: bool,
    pub is_superuser: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_script() {
        for name in ["alice", "böb", "ゆき", "नमस्ते", "a.b+c@d-e_f", "٣٤"] {
            assert!(Username::new(name).is_ok(), "{name}");
        }
        for name in ["a b", "a<b", "a/b", "x\0", "🎉", "a\u{200b}", "a\u{37a}b", "ﷺ", "\u{fe70}"] {
            assert_eq!(Username::new(name), Err(InvalidUsername::Character), "{name:?}");
        }
        assert_eq!(Username::new("  "), Err(InvalidUsername::Blank));
        for name in ["deleted-7", " Deleted-10-x", "ｄeleted-0"] {
            assert_eq!(Username::new(name), Err(InvalidUsername::Reserved), "{name:?}");
        }
        assert_eq!(Username::new(&"x".repeat(151)), Err(InvalidUsername::TooLong));
    }

    #[test]
    fn a_key_ignores_case_width_and_padding_but_not_accents() {
        let key = |s| UserKey::new(s).unwrap();
        assert_eq!(key("  ALICE "), key("alice"));
        assert_eq!(key("ａｌｉｃｅ"), key("alice"));
        assert_eq!(key("e\u{301}va"), key("éva"));
        assert_ne!(key("alicé"), key("alice"));
        assert_eq!(UserKey::new(" "), None);
    }
}
