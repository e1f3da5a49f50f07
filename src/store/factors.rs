//! What an account is proven with besides its password.

use async_trait::async_trait;

use super::{Session, StoreError, Try};
use crate::domain::{Timestamp, UserId};

/// An authenticator app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totp {
    /// Sealed.
    pub secret: Vec<u8>,
    /// The last step of time whose code was used.
    pub last_step: i64,
    pub created_at: Timestamp,
}

/// A passkey's number.
pub type PasskeyId = i64;

/// A passkey to be stored.
#[derive(Clone, Debug)]
pub struct NewPasskey {
    /// As the authenticator names it; at most 1023 bytes.
    pub credential_id: Vec<u8>,
    /// In COSE's form; at most 2048 bytes.
    pub public_key: Vec<u8>,
    pub sign_count: i64,
    /// As its owner calls it; at most 100 characters.
    pub name: String,
}

/// A passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    pub id: PasskeyId,
    pub user: UserId,
    pub credential_id: Vec<u8>,
    pub public_key: Vec<u8>,
    pub sign_count: i64,
    pub name: String,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

/// All that an account has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Factors {
    pub totp: Option<Totp>,
    /// Oldest first.
    pub passkeys: Vec<Passkey>,
    /// How many recovery codes have not been used.
    pub recovery_codes: i64,
}

impl Factors {
    /// Whether the password alone is not enough.
    pub fn is_on(&self) -> bool {
        self.totp.is_some() || !self.passkeys.is_empty()
    }
}

/// What was shown for a second step, checked but for one thing: that nobody else has used it. That is for the
/// transaction that uses it to say.
#[derive(Clone, Copy, Debug)]
pub enum Proof<'a> {
    /// Nothing: enough for an account without a second factor.
    Nothing,
    /// A code of the app, of this step of time.
    Totp { step: i64 },
    /// A recovery code, as its hash.
    Recovery { code_hash: &'a str },
    /// A passkey, with the count that it signed.
    Passkey { id: PasskeyId, sign_count: i64, now: Timestamp },
}

/// A change of an account's factors.
#[derive(Clone, Copy, Debug)]
pub enum FactorChange<'a> {
    /// An app; `step` is the one whose code has shown that it works.
    AddTotp {
        secret: &'a [u8],
        step: i64,
    },
    RemoveTotp,
    AddPasskey(&'a NewPasskey),
    RemovePasskey(PasskeyId),
    /// New recovery codes in the place of the old ones.
    NewCodes,
}

/// Second factors, and the sessions that begin with one.
#[async_trait]
pub trait SecondFactors: Send + Sync {
    /// Whether the user has any.
    async fn has_factor(&self, user: UserId) -> Result<bool, StoreError>;
    /// All that the user has.
    async fn factors(&self, user: UserId) -> Result<Factors, StoreError>;
    /// The passkey that an authenticator names so.
    async fn passkey(&self, credential_id: &[u8]) -> Result<Option<Passkey>, StoreError>;
    /// The password was right, and is not all: gives back what was taken for the try, and nothing more. The count of
    /// failures in a row goes on, or who knows the password could guess codes without end.
    async fn give_back(&self, attempt: &Try) -> Result<(), StoreError>;
    /// Uses the proof up. [`StoreError::NotFound`] if it is used up, is no more, or is not enough.
    async fn spend(&self, user: UserId, proof: Proof<'_>) -> Result<(), StoreError>;
    /// Uses the proof up and begins a session: all of it or nothing. With a hash the password must still be of this one.
    /// [`StoreError::NotFound`] as in [`Self::spend`], or if the user is not active.
    async fn sign_in_with(
        &self,
        attempt: &Try,
        session: &Session,
        known_until: Timestamp,
        hash: Option<&str>,
        proof: Proof<'_>,
    ) -> Result<(), StoreError>;
    /// Changes the factors of `session`'s user, ends every session of theirs, and stores `session`: all of it or nothing.
    /// `codes` (hashes) become the recovery codes if there was no factor before, or if that is the change: then true.
    /// With the last factor the codes go too.
    /// [`StoreError::NotFound`] if the password's hash is no longer this one, the user is not active, or there is nothing
    /// to remove; [`Rule::Factor`](super::Rule::Factor) if what is added is there already.
    async fn change_factors(
        &self,
        hash: &str,
        change: FactorChange<'_>,
        codes: &[String],
        session: &Session,
    ) -> Result<bool, StoreError>;
    /// Removes all factors of a user and ends every session of theirs.
    async fn drop_factors(&self, user: UserId) -> Result<(), StoreError>;
    /// Everybody who has any, by number.
    async fn users_with_factors(&self) -> Result<Vec<UserId>, StoreError>;
}
