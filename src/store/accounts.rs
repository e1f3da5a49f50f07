//! What accounts need besides signing in: traits like those of the delivery core, apart from them because nothing of it
//! touches messages.

use async_trait::async_trait;

use super::{Exports, QueuedMail, SecondFactors, Session, StoreError};
use crate::domain::{Invite, InviteId, Link, LinkPurpose, NewInvite, NewLink, NewUser, Timestamp, User, UserId};

/// The sessions of a user, as their owner sees them.
#[async_trait]
pub trait Devices: Send + Sync {
    /// Up to 200 of a user's sessions that have not expired, used last first.
    async fn sessions_of(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StoreError>;
    /// Ends every session of a user but `keep`.
    async fn end_sessions_but(&self, user: UserId, keep: &str) -> Result<(), StoreError>;
    /// Notes that these were used now; of those used since `before` nothing is written.
    async fn note_use(&self, token_hashes: &[String], before: Timestamp, now: Timestamp) -> Result<(), StoreError>;
}

/// What an account is proven with.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// Replaces the password hash of `session`'s user, ends every session of theirs, and stores `session`: all of it or
    /// nothing. [`StoreError::NotFound`] if the hash is no longer `old`, or the user not active.
    async fn change_password(&self, old: &str, new: &str, session: &Session) -> Result<(), StoreError>;
}

/// What an account was like when something was asked for it: what has changed since then is not overwritten.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    pub user: UserId,
    pub password_hash: &'a str,
    pub email: &'a str,
}

/// Links that are sent by mail, and what is done with them.
#[async_trait]
pub trait Links: Send + Sync {
    /// Stores a link and the mail that brings it: both or neither.
    async fn add_link(&self, link: &NewLink, mail: &QueuedMail) -> Result<(), StoreError>;
    /// The link whose token has this hash, unless it was used or has expired.
    async fn link(&self, purpose: LinkPurpose, token_hash: &str, now: Timestamp) -> Result<Option<Link>, StoreError>;
    /// Removes what nobody can use any more.
    async fn remove_expired_links(&self, now: Timestamp) -> Result<(), StoreError>;
    /// Up to 10 active users with this address, in whatever case it is written, and their password hashes.
    async fn users_with_email(&self, email: &str) -> Result<Vec<(User, String)>, StoreError>;
    /// Uses the link up, replaces the password hash, and ends every session and every other link of the user: all of it or
    /// nothing. [`StoreError::NotFound`] if the link cannot be used any more, or the user is not active or not as before.
    async fn reset_password(
        &self,
        token_hash: &str,
        was: &Standing<'_>,
        hash: &str,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// Replaces the address, uses up the link by which it was confirmed, ends every session and every other link of the
    /// user, and stores `session`: all of it or nothing. [`StoreError::NotFound`] as with [`Self::reset_password`].
    async fn change_email(
        &self,
        link: Option<&str>,
        was: &Standing<'_>,
        email: &str,
        session: Option<&Session>,
        now: Timestamp,
    ) -> Result<(), StoreError>;
}

/// Links with which people make their accounts.
#[async_trait]
pub trait Invites: Send + Sync {
    /// Stores an invite.
    async fn add_invite(&self, new: &NewInvite) -> Result<Invite, StoreError>;
    /// The invite with this number.
    async fn invite(&self, id: InviteId) -> Result<Option<Invite>, StoreError>;
    /// The invite whose token has this hash.
    async fn invite_by_token(&self, token_hash: &str) -> Result<Option<Invite>, StoreError>;
    /// Up to 200 invites of one user, or of everybody, that expire after this time, newest first.
    async fn invites(&self, made_by: Option<UserId>, after: Timestamp) -> Result<Vec<Invite>, StoreError>;
    /// Nobody can use it any more. The same again changes nothing.
    async fn revoke_invite(&self, id: InviteId, now: Timestamp) -> Result<(), StoreError>;
}

/// Accounts that people make for themselves.
#[async_trait]
pub trait SignUps: Send + Sync {
    /// Stores a user, takes one use of the invite with this token's hash, and uses up the link by which the address was
    /// confirmed, all of it or nothing. [`StoreError::NotFound`] if the invite or the link has no use left, has expired, was
    /// revoked or never was;
    /// [`Rule::Username`](super::Rule::Username) if the name is taken, [`Rule::Look`](super::Rule::Look) if it looks like
    /// somebody's.
    async fn sign_up(
        &self,
        new: &NewUser,
        invite: Option<&str>,
        link: Option<&str>,
        now: Timestamp,
    ) -> Result<User, StoreError>;
    /// Notes what the names of up to 1,000 more users look like, of those from before that was noted. False: of all.
    async fn note_looks(&self) -> Result<bool, StoreError>;
}

/// The end of an account.
#[async_trait]
pub trait Erasing: Send + Sync {
    /// Erases a user, all of it or nothing: what others have of them stays, under a name that nobody can have; everything
    /// else of theirs goes, sessions included. [`StoreError::NotFound`] if the user was erased before, or `hash` is given and
    /// not the password's; [`Rule::LastSuperuser`](super::Rule::LastSuperuser) if nobody else could administer this server.
    async fn erase(&self, user: UserId, hash: Option<&str>, now: Timestamp) -> Result<(), StoreError>;
}

/// All of it.
pub trait AccountStore: Devices + Credentials + Links + SecondFactors + Invites + SignUps + Erasing + Exports {}

impl<T: Devices + Credentials + Links + SecondFactors + Invites + SignUps + Erasing + Exports> AccountStore for T {}
