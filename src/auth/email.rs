//! Another address for an account: with the password once more, and where mail is sent only after it was confirmed there.

use serde::{Deserialize, Serialize};

use super::letters::in_language;
use super::mailing::{About, LINK_LIFE, Was};
use super::{Auth, NoThread, Origin, SignInError, SignedIn};
use crate::domain::{LinkPurpose, User, is_space};
use crate::mail::{Address, Mailbox};
use crate::store::{Standing, StoreError};

/// Why an address is not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeEmailError {
    /// The password that was given as the current one is not.
    #[error("This is not your password.")]
    Wrong,
    #[error("Enter a valid email address.")]
    Invalid,
    /// Too many wrong passwords, or too many letters to this address.
    #[error("too many tries; wait {0} seconds")]
    Throttled(u64),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<NoThread> for ChangeEmailError {
    fn from(e: NoThread) -> Self {
        Self::Store(StoreError::Unavailable(e.to_string()))
    }
}

impl From<SignInError> for ChangeEmailError {
    fn from(e: SignInError) -> Self {
        match e {
            SignInError::Invalid | SignInError::SecondStep(_) => Self::Wrong,
            SignInError::Throttled(seconds) | SignInError::TooOften(seconds) => Self::Throttled(seconds),
            SignInError::Store(e) => Self::Store(e),
        }
    }
}

/// What became of the wish.
#[derive(Debug)]
pub enum EmailChange {
    /// A link was sent to the new address; until it is used, nothing is changed.
    Sent,
    /// It is changed; every other session has ended, and the own one has a new token.
    Changed(SignedIn),
}

#[derive(Serialize, Deserialize)]
struct Wish {
    was: Was,
    email: String,
}

/// How long to wait for one more letter, in seconds: an hour is a safe word for it.
const A_LETTER_MORE: u64 = 3600;

impl Auth {
    /// Gives an account another address, or none. Where mail is sent, a new one is confirmed first.
    pub async fn change_email(
        &self,
        user: &User,
        current: &str,
        email: &str,
        lang: &'static str,
        origin: &Origin,
    ) -> Result<EmailChange, ChangeEmailError> {
        let _turn = self.turns.acquire().await;
        let right = self.verify(&user.username, current, origin).await?;
        let now = self.clock.now();
        self.store.was_right(&right.attempt, now, self.throttle.known_until(now)).await?;
        let email = email.trim_matches(is_space);
        let address = match email {
            "" => None,
            email => Some(Address::parse(email).map_err(|_| ChangeEmailError::Invalid)?),
        };
        if let (Some(mailing), Some(address)) = (&self.mailing, address) {
            if !mailing.may_write_to(email).await? {
                return Err(ChangeEmailError::Throttled(A_LETTER_MORE));
            }
            let about = About {
                purpose: LinkPurpose::Email,
                user: Some(user.id),
                name: &user.username,
                to: &Mailbox::new("", address),
                text: &in_language(lang).confirm_email,
                path: "email/",
                life: LINK_LIFE,
            };
            let wish = Wish { was: Was::of(&right.user, &right.hash), email: email.to_owned() };
            mailing.send_link(about, &wish).await?;
            return Ok(EmailChange::Sent);
        }
        let was = Standing { user: user.id, password_hash: &right.hash, email: &right.user.email };
        let (token, session) = self.new_session(&right.user, origin);
        match self.accounts.change_email(None, &was, email, Some(&session), now).await {
            Err(StoreError::NotFound) => return Err(ChangeEmailError::Wrong),
            changed => changed?,
        }
        self.after_email_change(&right.user, lang).await;
        Ok(EmailChange::Changed(SignedIn { user: right.user, token }))
    }

    /// The address that a link confirms, if it can be used.
    pub async fn email_link(&self, token: &str) -> Result<Option<String>, StoreError> {
        let Some(mailing) = &self.mailing else { return Ok(None) };
        let Some((link, wish)) = mailing.open::<Wish>(LinkPurpose::Email, token).await? else { return Ok(None) };
        let Some((user, hash)) = self.holder(&link).await? else { return Ok(None) };
        Ok(wish.was.standing(&user, &hash).map(|_| wish.email))
    }

    /// Gives an account the address that a link confirms; the link is used up, and every session ends. If `asking` is who
    /// is signed in where the link was opened, that one is replaced by a new session. None if the link cannot be used.
    pub async fn confirm_email(
        &self,
        token: &str,
        asking: Option<&User>,
        lang: &str,
        origin: &Origin,
    ) -> Result<Option<EmailConfirmed>, StoreError> {
        let Some(mailing) = &self.mailing else { return Ok(None) };
        let Some((link, wish)) = mailing.open::<Wish>(LinkPurpose::Email, token).await? else { return Ok(None) };
        let Some((user, hash)) = self.holder(&link).await? else { return Ok(None) };
        let Some(was) = wish.was.standing(&user, &hash) else { return Ok(None) };
        let again = asking.filter(|asking| asking.id == user.id).map(|_| self.new_session(&user, origin));
        let session = again.as_ref().map(|(_, session)| session);
        let now = self.clock.now();
        match self.accounts.change_email(Some(&link.token_hash), &was, &wish.email, session, now).await {
            Err(StoreError::NotFound) => return Ok(None),
            changed => changed?,
        }
        self.after_email_change(&user, lang).await;
        Ok(Some(EmailConfirmed { email: wish.email, token: again.map(|(token, _)| token) }))
    }

    async fn after_email_change(&self, before: &User, lang: &str) {
        self.nudge(before.id).await;
        if let Some(mailing) = &self.mailing {
            mailing.tell(before, &in_language(lang).email_changed, "email-changed").await;
        }
    }
}

/// An address that was confirmed.
#[derive(Debug)]
pub struct EmailConfirmed {
    pub email: String,
    /// Of the session that takes the place of the one that asked.
    pub token: Option<String>,
}
