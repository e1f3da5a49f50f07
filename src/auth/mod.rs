//! Who somebody is: passwords, signing in, sessions, and the mail that accounts need.

mod accounts;
mod change;
mod devices;
mod email;
mod erase;
mod forgot;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod hasher;
mod letters;
mod mailing;
mod outbox;
mod passkeys;
pub mod password;
mod pending;
mod recovery;
mod second_factor;
mod sender;
mod sign_up;
mod strength;
mod throttle;
mod ticket;
pub mod totp;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use crate::bus::Bus;
use crate::config::Settings;

use crate::domain::{Clock, User, UserId, UserKey};
use crate::limits::{Kind, Limits};
use crate::seal::Seal;
use crate::store::{AccountStore, Session, Store, StoreError, Try};

pub use accounts::NewAccountError;
pub use change::ChangePasswordError;
use devices::Uses;
pub use devices::{NOTED_EVERY, device_id};
pub use email::{ChangeEmailError, EmailChange, EmailConfirmed};
pub use erase::EraseError;
pub use forgot::{ForgotError, ResetError};
pub use hasher::{Hasher, NoThread};
use mailing::Mailing;
pub use outbox::Outbox;
pub use passkeys::{ALGORITHMS, Assertion, Attestation, PasskeyError, Site, ToMake, ToShow};
pub use second_factor::{At, FactorError, FactorsChanged, Second, SecondStep, TotpSetUp, Way};
pub use sender::{Sender, Sending};
pub use sign_up::{Application, InvalidInvite, InviteError, InviteWish, SignUp, SignUpError, SignUpMode};
pub use strength::WeakPassword;
use throttle::{Place, Throttle};
use ticket::Tickets;

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
    /// The right password of an account that has a second factor.
    #[error("a second step is needed")]
    SecondStep(SecondStep),
    /// Too many wrong passwords for this account or from this address.
    #[error("too many wrong passwords; wait {0} seconds")]
    Throttled(u64),
    /// The right password, too often.
    #[error("too many sign-ins; wait {0} seconds")]
    TooOften(u64),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// To try again, as with a database that is away.
impl From<NoThread> for SignInError {
    fn from(e: NoThread) -> Self {
        Self::Store(StoreError::Unavailable(e.to_string()))
    }
}

/// A try with the right password: what was charged for it is to be given back.
struct Right {
    user: User,
    /// As it is stored now.
    hash: String,
    attempt: Try,
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
    accounts: Arc<dyn AccountStore>,
    bus: Arc<dyn Bus>,
    clock: Arc<dyn Clock>,
    hasher: Hasher,
    limits: Arc<Limits>,
    /// Tries that are at work at once. Each writes some small transactions: hundreds that begin together would stand
    /// before everybody's messages in the queue for SQLite's writer.
    turns: Semaphore,
    throttle: Throttle,
    session_length: Duration,
    session_idle: Duration,
    uses: Uses,
    sign_up: SignUpMode,
    sign_ups_per_hour: u32,
    everybody_invites: bool,
    mailing: Option<Mailing>,
    password_resets_per_hour: u32,
    reports_per_hour: u32,
    /// The host of `PUBLIC_URL`, or empty.
    site: String,
    tickets: Tickets,
    /// Of the secrets of authenticator apps, each bound to its user's number.
    totp_seal: Seal,
}

impl Auth {
    pub fn new(
        store: Arc<dyn Store>,
        accounts: Arc<dyn AccountStore>,
        bus: Arc<dyn Bus>,
        clock: Arc<dyn Clock>,
        limits: Arc<Limits>,
        settings: &Settings,
    ) -> Self {
        // A command that neither makes nor opens anything sealed has none.
        let secret = settings.secret_key.as_deref().unwrap_or_default();
        let throttle = Throttle::new(settings.login_failures_per_minute, settings.session_length());
        Self {
            store,
            accounts,
            bus,
            clock,
            hasher: Hasher::default(),
            limits,
            turns: Semaphore::new(TURNS),
            throttle,
            session_length: settings.session_length(),
            session_idle: settings.session_idle(),
            uses: Uses::default(),
            sign_up: SignUpMode::parse(&settings.signup).unwrap_or(SignUpMode::Closed),
            sign_ups_per_hour: settings.signups_per_hour,
            everybody_invites: settings.invites_by == "everybody",
            mailing: None,
            password_resets_per_hour: settings.password_resets_per_hour,
            reports_per_hour: settings.reports_per_hour,
            site: settings.origin().map_or_else(String::new, |origin| origin.host),
            tickets: Tickets::new(secret),
            totp_seal: Seal::new(secret, "totp"),
        }
    }

    /// The same, writing to people.
    #[must_use]
    pub fn with_mail(mut self, outbox: Option<Outbox>, settings: &Settings) -> Self {
        let (store, accounts) = (&self.store, &self.accounts);
        self.mailing = outbox.map(|outbox| Mailing::new(outbox, store.clone(), accounts.clone(), settings));
        self
    }

    /// Checks the password and starts a session with a new token. Costs the same for an unknown name. Counts failures
    /// only: a try is charged before the password is looked at (so that many at once are no way round the limits) and
    /// given back when it was right. Then the count of failures in a row begins anew for the networks it was charged
    /// to, and the account's network is a known one. With a second factor no session begins here:
    /// [`SignInError::SecondStep`] says what is to be shown for one.
    pub async fn sign_in(&self, username: &str, password: &str, origin: &Origin) -> Result<SignedIn, SignInError> {
        let _turn = self.turns.acquire().await;
        let Right { user, hash, attempt } = self.verify(username, password, origin).await?;
        if self.accounts.has_factor(user.id).await? {
            self.accounts.give_back(&attempt).await?;
            return Err(SignInError::SecondStep(self.second_step_of(&user, &hash).await?));
        }
        let (token, session) = self.new_session(&user, origin);
        let now = session.created_at;
        // Only now: what strangers try must not keep the owner out.
        if let Err(wait) = self.limits.take(Kind::Logins, user.id).await {
            self.store.was_right(&attempt, now, self.throttle.known_until(now)).await?;
            return Err(SignInError::TooOften(wait.as_secs() + 1));
        }
        match self.store.sign_in(&attempt, &session, self.throttle.known_until(now)).await {
            Ok(()) => Ok(SignedIn { user, token }),
            Err(StoreError::NotFound) => Err(SignInError::Invalid),
            Err(e) => Err(e.into()),
        }
    }

    /// A session with a new token, not stored yet.
    fn new_session(&self, user: &User, origin: &Origin) -> (String, Session) {
        let token = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let now = self.clock.now();
        let session = Session {
            token_hash: hash_token(&token),
            user: user.id,
            created_at: now,
            expires_at: now.plus(self.session_length),
            user_agent: origin.user_agent.chars().filter(|c| !c.is_control()).take(200).collect(),
            last_used_at: now,
        };
        (token, session)
    }

    /// Checks a password without a session (HTTP Basic), through the same limits. For an account with a second factor no
    /// password is right: not even the limits say whether it was.
    pub async fn check(&self, username: &str, password: &str, origin: &Origin) -> Result<User, SignInError> {
        let _turn = self.turns.acquire().await;
        let Right { user, attempt, .. } = self.verify(username, password, origin).await?;
        if self.accounts.has_factor(user.id).await? {
            return Err(SignInError::Invalid);
        }
        let now = self.clock.now();
        self.store.was_right(&attempt, now, self.throttle.known_until(now)).await?;
        Ok(user)
    }

    /// Charges a try and looks at the password. What was charged is for the caller to give back.
    async fn verify(&self, username: &str, password: &str, origin: &Origin) -> Result<Right, SignInError> {
        let key = UserKey::new(username);
        let place = Place::new(key.as_ref().map_or("", UserKey::as_str), origin.address);
        let attempt = self.charge(&place).await?;
        let found = match &key {
            Some(key) => self.store.user_and_hash(key).await?,
            None => None,
        };
        let hash = found.as_ref().map(|(_, hash)| hash.clone());
        let verdict = self.hasher.verify(hash, password).await?;
        let Some((user, mut hash)) = found.filter(|(user, _)| verdict.is_right && user.is_active) else {
            return Err(SignInError::Invalid);
        };
        if let Some(better) = verdict.rehashed {
            self.store.rehash(user.id, &hash, &better).await?;
            hash = better;
        }
        Ok(Right { user, hash, attempt })
    }

    /// How much each user may ask for.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Charges a try, of whatever is shown.
    async fn charge(&self, place: &Place<'_>) -> Result<Try, SignInError> {
        let now = self.clock.now();
        let known = self.store.is_known(&place.name(), now).await?;
        let attempt = self.throttle.attempt(place, known);
        match self.store.take(&attempt.charges(), now).await? {
            Ok(()) => Ok(attempt),
            Err(wait) => Err(SignInError::Throttled(u64::try_from(wait).unwrap_or(0).div_ceil(1_000_000))),
        }
    }

    /// The session and the user of a cookie's token.
    pub async fn session(&self, token: &str) -> Result<Option<(Session, User)>, StoreError> {
        // Ours have 43 characters; nothing longer is worth a look.
        if token.is_empty() || token.len() > 64 {
            return Ok(None);
        }
        let now = self.clock.now();
        let found = self.store.session(&hash_token(token), now).await?;
        let found = found.filter(|(session, _)| self.is_current(session, now));
        if let Some((session, _)) = &found
            && session.last_used_at < now.minus(NOTED_EVERY)
        {
            self.uses.add(&session.token_hash);
        }
        Ok(found)
    }

    /// Ends the session of a token, and its sockets on every process.
    pub async fn sign_out(&self, token: &str) -> Result<(), StoreError> {
        if let Some((session, user)) = self.session(token).await? {
            self.store.end_session(&session.token_hash).await?;
            self.nudge(user.id).await;
        }
        Ok(())
    }

    /// Charges one report to the staff: so many an hour for each user, on all processes together.
    pub async fn charge_report(&self, user: UserId) -> Result<(), SignInError> {
        let allowance = throttle::reports(user, self.reports_per_hour);
        match self.store.take(&[allowance], self.clock.now()).await? {
            Ok(()) => Ok(()),
            Err(wait) => Err(SignInError::Throttled(u64::try_from(wait).unwrap_or(0).div_ceil(1_000_000))),
        }
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
