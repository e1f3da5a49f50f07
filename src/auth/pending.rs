//! Accounts that wait until their address is confirmed. Nothing of them is kept but in the link: a name is taken by an
//! account, not by a wish for one.

use serde::{Deserialize, Serialize};

use super::letters::in_language;
use super::mailing::{About, LINK_LIFE, Mailing, SIGN_UP_LIFE, Was, mailbox};
use super::{Auth, Origin, SignUpError, SignUpMode, SignedIn};
use crate::domain::{Link, LinkPurpose, NewUser, Username};
use crate::mail::Mailbox;
use crate::store::StoreError;

#[derive(Serialize, Deserialize)]
struct Pending {
    username: String,
    password_hash: String,
    email: String,
    /// The hash of an invite's token. The invite is used when the account is made.
    invite: Option<String>,
}

/// Sends the link that makes the account; to an address that has an account a word about that one. Whoever asks is
/// answered before it is known which.
pub fn send(mailing: &Mailing, new: NewUser, invite: Option<String>, lang: &'static str) {
    let NewUser { username, password_hash, email, .. } = new;
    let pending = Pending { username: username.as_str().to_owned(), password_hash, email, invite };
    let mailing = mailing.clone();
    tokio::spawn(async move {
        if let Err(e) = write(&mailing, &pending, lang).await {
            tracing::warn!(error = %e, "a link that makes an account cannot be sent");
        }
    });
}

impl Auth {
    /// The name that the account of a link is to have, if the link can be used.
    pub async fn sign_up_link(&self, token: &str) -> Result<Option<String>, StoreError> {
        Ok(self.wish_for_account(token).await?.map(|(_, pending)| pending.username))
    }

    async fn wish_for_account(&self, token: &str) -> Result<Option<(Link, Pending)>, StoreError> {
        match &self.mailing {
            Some(mailing) => mailing.open(LinkPurpose::SignUp, token).await,
            None => Ok(None),
        }
    }

    /// Makes the account of a link and signs it in. The link is used up by it, or by nobody: a name that was taken
    /// meanwhile can be replaced by `name`.
    pub async fn confirm_sign_up(
        &self,
        token: &str,
        name: Option<&str>,
        origin: &Origin,
    ) -> Result<SignedIn, SignUpError> {
        if self.sign_up == SignUpMode::Closed {
            return Err(SignUpError::Closed);
        }
        let (link, pending) = self.wish_for_account(token).await?.ok_or(SignUpError::Link)?;
        if self.sign_up == SignUpMode::Invite && pending.invite.is_none() {
            return Err(SignUpError::Invite);
        }
        let username: Username = self.new_name(name.unwrap_or(&pending.username)).await?;
        let new = NewUser {
            username,
            password_hash: pending.password_hash,
            email: pending.email,
            is_staff: false,
            is_superuser: false,
        };
        let made = self.make(&new, pending.invite.as_deref(), Some(&link.token_hash), origin).await;
        match made {
            // One of the two was used up meanwhile.
            Err(SignUpError::Invite) if self.wish_for_account(token).await?.is_none() => Err(SignUpError::Link),
            made => made,
        }
    }
}

async fn write(mailing: &Mailing, pending: &Pending, lang: &str) -> Result<(), StoreError> {
    let Some(to) = mailbox(&pending.email) else { return Ok(()) };
    if !mailing.may_write_to(&pending.email).await? {
        tracing::info!("no more links for this address within this hour");
        return Ok(());
    }
    let letters = in_language(lang);
    if let Some((user, hash)) = mailing.accounts.users_with_email(&pending.email).await?.into_iter().next() {
        // As it is written there: this is whom the address belongs to.
        let to: Mailbox = mailbox(&user.email).unwrap_or(to);
        let about = About {
            purpose: LinkPurpose::Password,
            user: Some(user.id),
            name: &user.username,
            to: &to,
            text: &letters.known,
            path: "password/",
            life: LINK_LIFE,
        };
        return mailing.send_link(about, &Was::of(&user, &hash)).await;
    }
    let about = About {
        purpose: LinkPurpose::SignUp,
        user: None,
        name: &pending.username,
        to: &to,
        text: &letters.confirm_sign_up,
        path: "signup/confirm/",
        life: SIGN_UP_LIFE,
    };
    mailing.send_link(about, pending).await
}
