//! Who somebody is: passwords, signing in, sessions.

mod common;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod hasher;
pub mod password;
mod throttle;

use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use crate::bus::Bus;
use crate::config::Settings;
use crate::domain::{Clock, InvalidUsername, NewUser, User, UserId, UserKey, Username};
use crate::store::{Rule, Session, Store, StoreError, Try};

pub use hasher::{Hasher, NoThread};
pub use password::WeakPassword;
use throttle::{Place, Throttle};

/// As many as hash, and as many that read and write meanwhile.
const TURNS: usize = 4;

/// A new session: the token is for the client alone and is not kept.
#[derive(Debug)]
pub struct SignedIn {
    pub user: User,
    pub token: String,
}

/// Why signing in failed.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// Unknown name, wrong password, or an account that may not sign in: never said which.
    #[error("wrong username or password")]
    Invalid,
    /// Too many wrong passwords for this account or from this address.
    #[error("too many wrong passwords; wait {0} seconds")]
    Throttled(u64),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an account cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum NewAccountError {
    #[error(transparent)]
    Username(#[from] InvalidUsername),
    #[error("A user with that username already exists.")]
    Taken,
    #[error(transparent)]
    Password(#[from] WeakPassword),
    #[error(transparent)]
    Store(StoreError),
}

/// To try again, as with a database that is away.
impl From<NoThread> for SignInError {
    fn from(e: NoThread) -> Self {
        Self::Store(StoreError::Unavailable(e.to_string()))
    }
}

impl From<NoThread> for NewAccountError {
    fn from(e: NoThread) -> Self {
        Self::Store(StoreError::Unavailable(e.to_string()))
    }
}

impl From<StoreError> for NewAccountError {
    fn from(e: StoreError) -> Self {
        match e {
            StoreError::Conflict(Rule::Username) => Self::Taken,
            e => Self::Store(e),
        }
    }
}

/// Where a try to sign in comes from.
#[derive(Clone, Debug)]
pub struct Origin {
    pub address: IpAddr,
    pub user_agent: String,
}

/// Accounts and sessions.
pub struct Auth {
    store: Arc<dyn Store>,
    bus: Arc<dyn Bus>,
    clock: Arc<dyn Clock>,
    hasher: Hasher,
    /// Tries that are at work at once. Each writes some small transactions: hundreds that begin together would stand
    /// before everybody's messages in the queue for SQLite's writer.
    turns: Semaphore,
    throttle: Throttle,
    session_length: std::time::Duration,
}

impl Auth {
    pub fn new(store: Arc<dyn Store>, bus: Arc<dyn Bus>, clock: Arc<dyn Clock>, settings: &Settings) -> Self {
        let throttle = Throttle::new(settings.login_failures_per_minute, settings.session_length());
        Self {
            store,
            bus,
            clock,
            hasher: Hasher::default(),
            turns: Semaphore::new(TURNS),
            throttle,
            session_length: settings.session_length(),
        }
    }

    /// Checks the password and starts a session with a new token. Costs the same for an unknown name. Counts failures
    /// only: a try is charged before the password is looked at (so that many at once are no way round the limits) and
    /// given back when it was right. Then the count of failures in a row begins anew for the networks it was charged
    /// to, and the account's network is a known one.
    pub async fn sign_in(&self, username: &str, password: &str, origin: &Origin) -> Result<SignedIn, SignInError> {
        let _turn = self.turns.acquire().await;
        let (user, attempt) = self.verify(username, password, origin).await?;
        let token = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let now = self.clock.now();
        let session = Session {
            token_hash: hash_token(&token),
            user: user.id,
            created_at: now,
            expires_at: now.plus(self.session_length),
            user_agent: origin.user_agent.chars().filter(|c| !c.is_control()).take(200).collect(),
        };
        match self.store.sign_in(&attempt, &session, self.throttle.known_until(now)).await {
            Ok(()) => Ok(SignedIn { user, token }),
            Err(StoreError::NotFound) => Err(SignInError::Invalid),
            Err(e) => Err(e.into()),
        }
    }

    /// Checks a password without a session (HTTP Basic), through the same limits.
    pub async fn check(&self, username: &str, password: &str, origin: &Origin) -> Result<User, SignInError> {
        let _turn = self.turns.acquire().await;
        let (user, attempt) = self.verify(username, password, origin).await?;
        let now = self.clock.now();
        self.store.was_right(&attempt, now, self.throttle.known_until(now)).await?;
        Ok(user)
    }

    /// Charges a try and looks at the password. What was charged is for the caller to give back.
    async fn verify(&self, username: &str, password: &str, origin: &Origin) -> Result<(User, Try), SignInError> {
        let now = self.clock.now();
        let key = UserKey::new(username);
        let place = Place::new(key.as_ref().map_or("", UserKey::as_str), origin.address);
        let known = self.store.is_known(&place.name(), now).await?;
        let attempt = self.throttle.attempt(&place, known);
        if let Err(wait) = self.store.take(&attempt.charges(), now).await? {
            return Err(SignInError::Throttled(u64::try_from(wait).unwrap_or(0).div_ceil(1_000_000)));
        }
        let found = match &key {
            Some(key) => self.store.user_and_hash(key).await?,
            None => None,
        };
        let hash = found.as_ref().map(|(_, hash)| hash.clone());
        let verdict = self.hasher.verify(hash, password).await?;
        let Some((user, hash)) = found.filter(|(user, _)| verdict.is_right && user.is_active) else {
            return Err(SignInError::Invalid);
        };
        if let Some(better) = verdict.rehashed {
            self.store.rehash(user.id, &hash, &better).await?;
        }
        Ok((user, attempt))
    }

    /// The session and the user of a cookie's token.
    pub async fn session(&self, token: &str) -> Result<Option<(Session, User)>, StoreError> {
        // Ours have 43 characters; nothing longer is worth a look.
        if token.is_empty() || token.len() > 64 {
            return Ok(None);
        }
        let now = self.clock.now();
        let found = self.store.session(&hash_token(token), now).await?;
        // Made while the clock was ahead, it would live until that day and longer. A clock that is put back by less than
        // the life of a session signs nobody out.
        Ok(found.filter(|(session, _)| session.created_at <= now.plus(self.session_length)))
    }

    /// Ends the session of a token, and its sockets on every process.
    pub async fn sign_out(&self, token: &str) -> Result<(), StoreError> {
        if let Some((session, user)) = self.session(token).await? {
            self.store.end_session(&session.token_hash).await?;
            self.nudge(user.id).await;
        }
        Ok(())
    }

    /// Makes an account. `strict` refuses weak passwords.
    pub async fn add_account(
        &self,
        username: &str,
        password: &str,
        email: &str,
        superuser: bool,
        strict: bool,
    ) -> Result<User, NewAccountError> {
        let username = Username::new(username)?;
        if strict {
            password::check_strength(password, username.as_str())?;
        }
        if self.store.user_by_key(&username.key()).await?.is_some() {
            return Err(NewAccountError::Taken);
        }
        let new = NewUser {
            username,
            password_hash: self.hasher.hash(password).await?,
            email: email.to_owned(),
            is_staff: superuser,
            is_superuser: superuser,
        };
        Ok(self.store.add_user(&new, self.clock.now()).await?)
    }

    /// Sets a password and ends the account's sessions. What strangers have guessed says nothing of the new one: their
    /// count begins anew, so that an owner whom they kept out of a new place can get in there.
    pub async fn set_password(&self, user: &User, password: &str, strict: bool) -> Result<(), NewAccountError> {
        if strict {
            password::check_strength(password, &user.username)?;
        }
        let hash = self.hasher.hash(password).await?;
        self.store.set_password_hash(user.id, &hash, None).await?;
        if let Some(key) = UserKey::new(&user.username) {
            self.store.make_whole(&throttle::strangers(key.as_str()), self.clock.now()).await?;
        }
        self.nudge(user.id).await;
        Ok(())
    }

    /// Lets an account sign in, or not; not ends its sessions.
    pub async fn set_active(&self, user: &User, active: bool) -> Result<(), StoreError> {
        self.store.set_active(user.id, active).await?;
        self.nudge(user.id).await;
        Ok(())
    }

    /// Waits until other processes have been told of what was done here: for a command, which ends.
    pub async fn flush(&self) {
        self.bus.flush().await;
    }

    /// Wakes the user's sockets: each looks whether its session still stands.
    async fn nudge(&self, user: UserId) {
        if let Ok(head) = self.store.head(user).await {
            self.bus.publish(&[(user, head.pos)]).await;
        }
    }
}

/// What is stored of a token.
pub fn hash_token(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

/// Bytes in lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
