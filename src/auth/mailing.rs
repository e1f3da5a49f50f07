//! The mail that accounts get, and the links in it.
//!
//! A link's token is in the mail alone; the store has its hash, and sealed what was asked for. Nothing here says whether
//! an address is somebody's: what asks is answered before it is looked for.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::letters::Text;
use super::{Outbox, hash_token, hex, throttle};
use crate::config::Settings;
use crate::domain::{Link, LinkPurpose, NewLink, User, UserId};
use crate::mail::{Address, Mailbox};
use crate::seal::Seal;
use crate::store::{AccountStore, Standing, Store, StoreError};

use sha2::{Digest as _, Sha256};

/// How long a link for something that an account has holds.
pub const LINK_LIFE: Duration = Duration::from_hours(1);
/// How long the link holds that makes an account.
pub const SIGN_UP_LIFE: Duration = Duration::from_hours(24);
/// How long it is tried to tell somebody of a change.
const NOTICE_LIFE: Duration = Duration::from_hours(48);

/// Writes to people.
#[derive(Clone)]
pub struct Mailing {
    pub(super) outbox: Outbox,
    pub(super) store: Arc<dyn Store>,
    pub(super) accounts: Arc<dyn AccountStore>,
    seal: Seal,
    /// `PUBLIC_URL`, with a slash at its end.
    base: String,
    /// Letters that anybody can cause, to one address.
    per_hour: u32,
}

/// What a letter with a link is about.
pub struct About<'a> {
    pub purpose: LinkPurpose,
    /// None: an account that is still to be made.
    pub user: Option<UserId>,
    pub name: &'a str,
    pub to: &'a Mailbox,
    pub text: &'static Text,
    /// Below the base, before the token.
    pub path: &'static str,
    pub life: Duration,
}

impl Mailing {
    pub fn new(outbox: Outbox, store: Arc<dyn Store>, accounts: Arc<dyn AccountStore>, settings: &Settings) -> Self {
        let seal = Seal::new(settings.secret_key.as_deref().unwrap_or_default(), "account links");
        let url = settings.public_url.as_deref().unwrap_or_default();
        let base = format!("{}/", url.trim_end_matches('/'));
        Self { outbox, store, accounts, seal, base, per_hour: settings.mails_per_hour }
    }

    /// Where people find chatd, to be read.
    fn site(&self) -> &str {
        self.base.split_once("://").map_or(self.base.as_str(), |(_, site)| site).trim_end_matches('/')
    }

    /// Whether anybody may cause one more letter to an address: so many an hour, whoever asks.
    pub async fn may_write_to(&self, address: &str) -> Result<bool, StoreError> {
        let allowance = throttle::mails_to(address, self.per_hour);
        Ok(self.store.take(&[allowance], self.outbox.clock.now()).await?.is_ok())
    }

    /// Stores a link, and the mail that brings it.
    pub async fn send_link(&self, about: About<'_>, content: &impl Serialize) -> Result<(), StoreError> {
        let token = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let (token_hash, now) = (hash_token(&token), self.outbox.clock.now());
        let url = format!("{}{}{token}/", self.base, about.path);
        let letter = about.text.about(self.site(), about.name, &url);
        let content = serde_json::to_vec(content).map_err(|e| StoreError::Internal(e.to_string()))?;
        let purpose = about.purpose.as_str();
        let link = NewLink {
            content: self.seal.close(&[purpose, &token_hash], &content),
            token_hash,
            purpose: about.purpose,
            user: about.user,
            created_at: now,
            expires_at: now.plus(about.life),
        };
        let mail = self.outbox.make(purpose, about.to, &letter, link.expires_at);
        self.accounts.add_link(&link, &mail).await?;
        self.outbox.wake();
        Ok(())
    }

    /// The link of a token, with what was asked for; none if it cannot be used.
    pub async fn open<T: DeserializeOwned>(
        &self,
        purpose: LinkPurpose,
        token: &str,
    ) -> Result<Option<(Link, T)>, StoreError> {
        // Ours have 43 characters; nothing longer is worth a look.
        if token.is_empty() || token.len() > 64 {
            return Ok(None);
        }
        let found = self.accounts.link(purpose, &hash_token(token), self.outbox.clock.now()).await?;
        let Some(link) = found else { return Ok(None) };
        // Sealed with another SECRET_KEY, or damaged: as good as expired.
        let Ok(content) = self.seal.open(&[purpose.as_str(), &link.token_hash], &link.content) else {
            tracing::warn!(purpose = purpose.as_str(), "a link cannot be opened: was SECRET_KEY changed?");
            return Ok(None);
        };
        Ok(serde_json::from_slice(&content).ok().map(|content| (link, content)))
    }

    /// Tells somebody of a change. What cannot be queued is told by the log alone: the change has happened.
    pub async fn tell(&self, user: &User, text: &'static Text, purpose: &'static str) {
        let Some(to) = mailbox(&user.email) else { return };
        let letter = text.about(self.site(), &user.username, &format!("{}password/", self.base));
        let until = self.outbox.clock.now().plus(NOTICE_LIFE);
        if let Err(e) = self.outbox.send(purpose, &to, &letter, until).await {
            tracing::warn!(error = %e, user = user.id, purpose, "somebody cannot be told of a change by mail");
        }
    }
}

/// An address as it is stored with an account; none if there is none, or it cannot be one.
pub fn mailbox(email: &str) -> Option<Mailbox> {
    Address::parse(email).ok().map(|address| Mailbox::new("", address))
}

/// What an account was like: a link holds no longer when it is not like that any more.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Was {
    hash: String,
    email: String,
}

impl Was {
    pub fn of(user: &User, password_hash: &str) -> Self {
        Self { hash: hex(&Sha256::digest(password_hash.as_bytes())), email: user.email.clone() }
    }

    /// The account as it is now, if it is as it was.
    pub fn standing<'a>(&self, user: &'a User, password_hash: &'a str) -> Option<Standing<'a>> {
        let same =
            user.is_active && user.email == self.email && hex(&Sha256::digest(password_hash.as_bytes())) == self.hash;
        same.then_some(Standing { user: user.id, password_hash, email: &user.email })
    }
}
