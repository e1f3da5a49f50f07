//! Links that are sent by mail and let somebody do one thing once.

use super::{Timestamp, UserId};

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkPurpose {
    /// Choosing a new password.
    Password,
    /// Confirming a new address of an account.
    Email,
    /// Confirming the address of an account that is to be made.
    SignUp,
}

impl LinkPurpose {
    /// As it is stored, `a-z` and `-`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Email => "email",
            Self::SignUp => "sign-up",
        }
    }
}

/// A link to be stored. The token itself is in the mail alone.
#[derive(Clone, Debug)]
pub struct NewLink {
    pub token_hash: String,
    pub purpose: LinkPurpose,
    /// None: an account that is still to be made.
    pub user: Option<UserId>,
    /// Sealed; what was asked for, and what the account was like at the time.
    pub content: Vec<u8>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// A stored link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub token_hash: String,
    pub user: Option<UserId>,
    pub content: Vec<u8>,
}
