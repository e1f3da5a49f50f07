//! A new password for whoever has forgotten the old one, by a link in a mail.

use super::letters::in_language;
use super::mailing::{About, LINK_LIFE, Mailing, Was, mailbox};
use super::{Auth, NoThread, Origin, WeakPassword, throttle};
use crate::domain::{Link, LinkPurpose, User, UserKey, is_space};
use crate::store::StoreError;

/// Why nothing is sent. Never says whether an account is known.
#[derive(Debug, thiserror::Error)]
pub enum ForgotError {
    #[error("This server sends no mail. Ask those who run it for a new password.")]
    NoMail,
    /// Too many from this address.
    #[error("too many requests from this address; wait {0} seconds")]
    Throttled(u64),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a password is not set by a link.
#[derive(Debug, thiserror::Error)]
pub enum ResetError {
    /// Used, expired, overtaken by another change, or never there: never said which.
    #[error("This link cannot be used. Ask for a new one.")]
    Link,
    #[error(transparent)]
    Weak(#[from] WeakPassword),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<NoThread> for ResetError {
    fn from(e: NoThread) -> Self {
        Self::Store(StoreError::Unavailable(e.to_string()))
    }
}

impl Auth {
    /// Whether mail is sent: links by which people get in again, and confirm their addresses.
    pub fn sends_mail(&self) -> bool {
        self.mailing.is_some()
    }

    /// Sends a link for a new password to the address of whoever has this name or address. The answer is the same, and
    /// takes the same time, whether or not there is anybody: they are looked for after it.
    pub async fn forgot_password(&self, who: &str, lang: &'static str, origin: &Origin) -> Result<(), ForgotError> {
        let mailing = self.mailing.clone().ok_or(ForgotError::NoMail)?;
        let allowance = throttle::forgotten(origin.address, self.password_resets_per_hour);
        if let Err(wait) = self.store.take(&[allowance], self.clock.now()).await? {
            return Err(ForgotError::Throttled(u64::try_from(wait).unwrap_or(0).div_ceil(1_000_000)));
        }
        let who = who.trim_matches(is_space).to_owned();
        tokio::spawn(async move {
            if let Err(e) = remind(&mailing, &who, lang).await {
                tracing::warn!(error = %e, "a link for a new password cannot be sent");
            }
        });
        Ok(())
    }

    /// Whose password a link sets, if it can be used.
    pub async fn reset_link(&self, token: &str) -> Result<Option<User>, StoreError> {
        Ok(self.reset_by(token).await?.map(|reset| reset.user))
    }

    async fn reset_by(&self, token: &str) -> Result<Option<Reset>, StoreError> {
        let Some(mailing) = &self.mailing else { return Ok(None) };
        let Some((link, was)) = mailing.open::<Was>(LinkPurpose::Password, token).await? else { return Ok(None) };
        let Some((user, hash)) = self.holder(&link).await? else { return Ok(None) };
        Ok(was.standing(&user, &hash).is_some().then_some(Reset { link, was, user, hash }))
    }

    /// The user of a link, and the hash of their password.
    pub(super) async fn holder(&self, link: &Link) -> Result<Option<(User, String)>, StoreError> {
        let Some(id) = link.user else { return Ok(None) };
        let Some(user) = self.store.user(id).await? else { return Ok(None) };
        let Some(key) = UserKey::new(&user.username) else { return Ok(None) };
        self.store.user_and_hash(&key).await
    }

    /// Sets a new password by a link, which is used up. Every session of the account ends. Nobody is signed in by it: what
    /// else an account asks for is asked then.
    pub async fn reset_password(&self, token: &str, new: &str, lang: &str) -> Result<User, ResetError> {
        let _turn = self.turns.acquire().await;
        let Reset { link, was, user, hash } = self.reset_by(token).await?.ok_or(ResetError::Link)?;
        let standing = was.standing(&user, &hash).ok_or(ResetError::Link)?;
        self.check_password(&user, new).await??;
        let new = self.hasher.hash(new).await?;
        match self.accounts.reset_password(&link.token_hash, &standing, &new, self.clock.now()).await {
            Err(StoreError::NotFound) => return Err(ResetError::Link),
            done => done?,
        }
        self.forget_strangers(&user).await?;
        self.nudge(user.id).await;
        self.tell_of_password(&user, lang).await;
        Ok(user)
    }

    /// Tells the owner, who may not have done it.
    pub(super) async fn tell_of_password(&self, user: &User, lang: &str) {
        if let Some(mailing) = &self.mailing {
            mailing.tell(user, &in_language(lang).password_changed, "password-changed").await;
        }
    }

    /// Removes links that have expired. What cannot be removed is left for the next time.
    pub async fn forget_links(&self) {
        if let Err(e) = self.accounts.remove_expired_links(self.clock.now()).await {
            tracing::warn!(error = %e, "links that have expired cannot be removed");
        }
    }
}

/// A link that can be used, and whose it is.
struct Reset {
    link: Link,
    was: Was,
    user: User,
    hash: String,
}

/// Sends a link to everybody whom this name or address is of.
async fn remind(mailing: &Mailing, who: &str, lang: &str) -> Result<(), StoreError> {
    let mut found = Vec::new();
    if let Some(key) = UserKey::new(who) {
        found.extend(mailing.store.user_and_hash(&key).await?);
    }
    // A name may look like an address.
    if found.is_empty() && who.contains('@') {
        found = mailing.accounts.users_with_email(who).await?;
    }
    for (user, hash) in found {
        let Some(to) = mailbox(&user.email).filter(|_| user.is_active) else { continue };
        if !mailing.may_write_to(&user.email).await? {
            tracing::info!(user = user.id, "no more links for a new password within this hour");
            continue;
        }
        let about = About {
            purpose: LinkPurpose::Password,
            user: Some(user.id),
            name: &user.username,
            to: &to,
            text: &in_language(lang).reset,
            path: "password/",
            life: LINK_LIFE,
        };
        mailing.send_link(about, &Was::of(&user, &hash)).await?;
    }
    Ok(())
}
