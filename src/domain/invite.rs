//! Links with which people make their accounts.

use super::{Timestamp, UserId};

/// An invite's number.
pub type InviteId = i64;

/// An invite as its maker sees it. Its token is with whom it was given to, and a hash of it in the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    pub id: InviteId,
    /// Who made it; none is the operator, on the command line.
    pub made_by: Option<String>,
    /// For whom or what it is, at most 200 characters; for its maker alone.
    pub note: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// How many accounts may be made with it.
    pub most_uses: i64,
    /// How many have been.
    pub uses: i64,
    pub revoked_at: Option<Timestamp>,
}

/// An invite to be stored.
#[derive(Clone, Debug)]
pub struct NewInvite {
    pub token_hash: String,
    pub made_by: Option<UserId>,
    pub note: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub most_uses: i64,
}

impl Invite {
    /// Whether an account can be made with it.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.uses < self.most_uses && now < self.expires_at
    }
}
