//! The second factor: an authenticator app or a passkey, and recovery codes for the day on which both are gone. An account
//! that has one begins no session with its password alone.

use rand::random;

use super::passkeys::{Assertion, PasskeyError, Site};
use super::ticket::{Purpose, Ticket};
use super::{Auth, NoThread, Origin, Place, Right, SignInError, SignedIn, recovery, totp};
use crate::domain::{Timestamp, User, UserId, UserKey};
use crate::store::{FactorChange, Factors, Proof, Rule, StoreError};

/// What may be shown for a second step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Totp,
    Passkey,
    Recovery,
}

impl Way {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Passkey => "passkey",
            Self::Recovery => "recovery",
        }
    }
}

/// The password was right, and is not all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondStep {
    /// To be given with the second step, within five minutes. Worth nothing once the password is another one.
    pub token: String,
    pub ways: Vec<Way>,
}

/// What is shown for the second step.
#[derive(Clone, Copy, Debug)]
pub enum Second<'a> {
    /// A code of the app or a recovery code.
    Code(&'a str),
    Passkey(Assertion<'a>),
}

/// Who is meant to do a step: where the request comes from, and by which name this server was called.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    pub origin: &'a Origin,
    /// None where there can be no passkeys.
    pub site: Option<&'a Site>,
}

/// Why a second step failed, or a factor was not changed.
#[derive(Debug, thiserror::Error)]
pub enum FactorError {
    #[error("This is not your password.")]
    Password,
    /// There is a second factor, and nothing was shown for it.
    #[error("This field is required.")]
    NoCode,
    /// Wrong, used before, or too old: never said which.
    #[error("This code is not right, or it has been used.")]
    Code,
    /// The ticket is too old, or the account has changed since.
    #[error("This took too long. Start again.")]
    Expired,
    #[error("This is on already.")]
    On,
    #[error("This is not on.")]
    Off,
    #[error(transparent)]
    Passkey(#[from] PasskeyError),
    /// The same limits as for passwords.
    #[error("too many wrong tries; wait {0} seconds")]
    Throttled(u64),
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for FactorError {
    fn from(e: StoreError) -> Self {
        match e {
            StoreError::Conflict(Rule::Factor) => Self::On,
            e => Self::Store(e),
        }
    }
}

impl From<NoThread> for FactorError {
    fn from(e: NoThread) -> Self {
        Self::Store(StoreError::Unavailable(e.to_string()))
    }
}

impl From<SignInError> for FactorError {
    fn from(e: SignInError) -> Self {
        match e {
            SignInError::Invalid => Self::Password,
            SignInError::SecondStep(_) => Self::NoCode,
            SignInError::Throttled(seconds) | SignInError::TooOften(seconds) => Self::Throttled(seconds),
            SignInError::Store(e) => Self::Store(e),
        }
    }
}

/// An app to be set up.
#[derive(Debug)]
pub struct TotpSetUp {
    /// For people who type it: base32.
    pub secret: String,
    /// For apps: `otpauth://…`.
    pub uri: String,
    /// To be given with the first code, within a quarter of an hour.
    pub token: String,
}

/// A change that was made. Every session has ended; this one takes the place of the one that asked.
#[derive(Debug)]
pub struct FactorsChanged {
    pub signed_in: SignedIn,
    /// New ones, told this once; none if the old ones stay.
    pub recovery_codes: Option<Vec<String>>,
}

/// A proof with what it borrows.
pub(super) enum Shown {
    Totp(i64),
    Recovery(String),
    Passkey { id: i64, sign_count: i64 },
}

impl Auth {
    /// What the user has.
    pub async fn factors(&self, user: &User) -> Result<Factors, StoreError> {
        self.accounts.factors(user.id).await
    }

    /// The second step that a right password leads to.
    pub(super) async fn second_step_of(&self, user: &User, hash: &str) -> Result<SecondStep, StoreError> {
        let factors = self.accounts.factors(user.id).await?;
        let token = self.tickets.issue(Purpose::SecondStep, &Ticket::of(user.id, hash), self.clock.now());
        Ok(SecondStep { token, ways: ways(&factors) })
    }

    /// What a second step may be done with, while it can be done.
    pub async fn ways_of(&self, token: &str) -> Result<Option<Vec<Way>>, StoreError> {
        let Some((user, _)) = self.pending(token).await? else { return Ok(None) };
        Ok(Some(ways(&self.accounts.factors(user.id).await?)))
    }

    /// Whose second step this is, and the password's hash; none if it is too late for it.
    pub(super) async fn pending(&self, token: &str) -> Result<Option<(User, String)>, StoreError> {
        let ticket = self.tickets.open(Purpose::SecondStep, token, self.clock.now());
        let Some((ticket, id)) = ticket.and_then(|ticket| ticket.user.map(|id| (ticket, id))) else { return Ok(None) };
        let found = self.user_and_hash(id).await?;
        Ok(found.filter(|(user, hash)| user.is_active && ticket.is_of(user.id, hash)))
    }

    pub(super) async fn user_and_hash(&self, id: UserId) -> Result<Option<(User, String)>, StoreError> {
        let Some(user) = self.store.user(id).await? else { return Ok(None) };
        let Some(key) = UserKey::new(&user.username) else { return Ok(None) };
        self.store.user_and_hash(&key).await
    }

    /// The second step of signing in: only now a session begins. A try is charged as one with a password is.
    pub async fn second_step(&self, token: &str, second: Second<'_>, at: At<'_>) -> Result<SignedIn, FactorError> {
        let _turn = self.turns.acquire().await;
        let (user, hash) = self.pending(token).await?.ok_or(FactorError::Expired)?;
        let key = UserKey::new(&user.username).ok_or(FactorError::Expired)?;
        let attempt = self.charge(&Place::new(key.as_str(), at.origin.address)).await?;
        let shown = self.shown(&user, second, at.site).await?;
        let (token, session) = self.new_session(&user, at.origin);
        let now = session.created_at;
        let proof = shown.proof(now);
        match self.accounts.sign_in_with(&attempt, &session, self.throttle.known_until(now), Some(&hash), proof).await {
            Ok(()) => Ok(SignedIn { user, token }),
            Err(StoreError::NotFound) => Err(FactorError::Code),
            Err(e) => Err(e.into()),
        }
    }

    /// Looks at what was shown, but for one thing: that it has not been used. That is for the store to say.
    pub(super) async fn shown(
        &self,
        user: &User,
        second: Second<'_>,
        site: Option<&Site>,
    ) -> Result<Shown, FactorError> {
        let given = match second {
            Second::Passkey(assertion) => {
                let found = self.passkey_shown(&assertion, site).await?;
                if found.user != user.id {
                    return Err(PasskeyError::Refused.into());
                }
                return Ok(Shown::Passkey { id: found.id, sign_count: found.sign_count });
            }
            Second::Code(given) => given,
        };
        let digits: String = given.chars().filter(|c| !c.is_whitespace()).take(100).collect();
        if digits.len() != 6 || !digits.bytes().all(|c| c.is_ascii_digit()) {
            return recovery::hash(user.id, given).map(Shown::Recovery).ok_or(FactorError::Code);
        }
        let Some(app) = self.accounts.factors(user.id).await?.totp else { return Err(FactorError::Code) };
        let secret = self.totp_seal.open(&[&user.id.to_string()], &app.secret).map_err(|e| {
            tracing::error!(user = user.id, error = %e, "an authenticator app's secret cannot be opened");
            FactorError::Code
        })?;
        let step = totp::step_of(&secret, &digits, app.last_step, self.clock.now());
        step.map(Shown::Totp).ok_or(FactorError::Code)
    }

    /// The password once more, and what there is of a second factor: a session alone may be a screen that was left open.
    pub(super) async fn prove(
        &self,
        user: &User,
        password: &str,
        second: Option<Second<'_>>,
        at: At<'_>,
    ) -> Result<Right, FactorError> {
        let right = self.verify(&user.username, password, at.origin).await?;
        if self.accounts.has_factor(user.id).await? {
            let Some(second) = second else {
                self.accounts.give_back(&right.attempt).await?;
                return Err(FactorError::NoCode);
            };
            let shown = self.shown(user, second, at.site).await?;
            match self.accounts.spend(user.id, shown.proof(self.clock.now())).await {
                Err(StoreError::NotFound) => return Err(FactorError::Code),
                spent => spent?,
            }
        }
        let now = self.clock.now();
        self.store.was_right(&right.attempt, now, self.throttle.known_until(now)).await?;
        Ok(right)
    }

    /// Makes the secret of an app. Nothing is on before [`Self::confirm_totp`].
    pub async fn start_totp(
        &self,
        user: &User,
        password: &str,
        second: Option<Second<'_>>,
        issuer: &str,
        at: At<'_>,
    ) -> Result<TotpSetUp, FactorError> {
        let _turn = self.turns.acquire().await;
        if self.accounts.factors(user.id).await?.totp.is_some() {
            return Err(FactorError::On);
        }
        let right = self.prove(user, password, second, at).await?;
        let secret: [u8; totp::SECRET] = random();
        let ticket = Ticket { rest: secret.to_vec(), ..Ticket::of(user.id, &right.hash) };
        Ok(TotpSetUp {
            secret: totp::base32(&secret),
            uri: totp::uri(issuer, &user.username, &secret),
            token: self.tickets.issue(Purpose::TotpSetUp, &ticket, self.clock.now()),
        })
    }

    /// Turns an app on: its first code shows that it works.
    pub async fn confirm_totp(
        &self,
        user: &User,
        token: &str,
        given: &str,
        origin: &Origin,
    ) -> Result<FactorsChanged, FactorError> {
        let now = self.clock.now();
        let ticket = self.tickets.open(Purpose::TotpSetUp, token, now).ok_or(FactorError::Expired)?;
        let (user, hash) = self.user_and_hash(user.id).await?.ok_or(FactorError::Expired)?;
        if !ticket.is_of(user.id, &hash) {
            return Err(FactorError::Expired);
        }
        let digits: String = given.chars().filter(|c| !c.is_whitespace()).take(100).collect();
        let step = totp::step_of(&ticket.rest, &digits, 0, now).ok_or(FactorError::Code)?;
        let secret = self.totp_seal.close(&[&user.id.to_string()], &ticket.rest);
        self.change(&user, &hash, FactorChange::AddTotp { secret: &secret, step }, origin).await
    }

    /// Turns the app off.
    pub async fn remove_totp(
        &self,
        user: &User,
        password: &str,
        second: Option<Second<'_>>,
        at: At<'_>,
    ) -> Result<FactorsChanged, FactorError> {
        let _turn = self.turns.acquire().await;
        if self.accounts.factors(user.id).await?.totp.is_none() {
            return Err(FactorError::Off);
        }
        let right = self.prove(user, password, second, at).await?;
        self.change(&right.user, &right.hash, FactorChange::RemoveTotp, at.origin).await
    }

    /// New recovery codes; the old ones are worth nothing any more.
    pub async fn new_recovery_codes(
        &self,
        user: &User,
        password: &str,
        second: Option<Second<'_>>,
        at: At<'_>,
    ) -> Result<FactorsChanged, FactorError> {
        let _turn = self.turns.acquire().await;
        if !self.accounts.has_factor(user.id).await? {
            return Err(FactorError::Off);
        }
        let right = self.prove(user, password, second, at).await?;
        self.change(&right.user, &right.hash, FactorChange::NewCodes, at.origin).await
    }

    /// Changes the factors. Every session ends, with its sockets; a new one takes the place of the one that asked.
    pub(super) async fn change(
        &self,
        user: &User,
        hash: &str,
        change: FactorChange<'_>,
        origin: &Origin,
    ) -> Result<FactorsChanged, FactorError> {
        let codes = recovery::make();
        let hashes: Vec<_> = codes.iter().filter_map(|code| recovery::hash(user.id, code)).collect();
        let (token, session) = self.new_session(user, origin);
        let new = match self.accounts.change_factors(hash, change, &hashes, &session).await {
            Err(StoreError::NotFound) => return Err(FactorError::Expired),
            done => done?,
        };
        self.nudge(user.id).await;
        Ok(FactorsChanged { signed_in: SignedIn { user: user.clone(), token }, recovery_codes: new.then_some(codes) })
    }

    /// Removes all second factors of an account and ends its sessions: for the operator, who knows whose it is.
    pub async fn drop_factors(&self, user: &User) -> Result<(), StoreError> {
        self.accounts.drop_factors(user.id).await?;
        self.nudge(user.id).await;
        Ok(())
    }
}

impl Shown {
    pub(super) fn proof(&self, now: Timestamp) -> Proof<'_> {
        match self {
            Self::Totp(step) => Proof::Totp { step: *step },
            Self::Recovery(code_hash) => Proof::Recovery { code_hash },
            Self::Passkey { id, sign_count } => Proof::Passkey { id: *id, sign_count: *sign_count, now },
        }
    }
}

fn ways(factors: &Factors) -> Vec<Way> {
    let all = [
        (factors.totp.is_some(), Way::Totp),
        (!factors.passkeys.is_empty(), Way::Passkey),
        (factors.recovery_codes > 0, Way::Recovery),
    ];
    all.into_iter().filter(|(has, _)| *has).map(|(_, way)| way).collect()
}
