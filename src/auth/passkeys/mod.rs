//! Passkeys: a second step beside the password, or all of a sign-in. Every one is asked to verify who is there (a finger, a
//! face, a PIN), so it is two factors in itself.
//!
//! A challenge is a sealed ticket: nothing is stored when one is asked for. When one has been answered rightly it is taken
//! as an allowance of one, in the table of the limits: of all processes one gets it, once.

mod cbor;
#[cfg(feature = "fuzzing")]
pub(super) mod fuzzing;
mod verify;

use sha2::{Digest, Sha256};

use super::second_factor::{At, FactorError, FactorsChanged, Second};
use super::ticket::{Purpose, Ticket};
use super::{Auth, Place, SignedIn, hex};
use crate::domain::{User, UserId, UserKey};
use crate::store::{Allowance, FactorChange, NewPasskey, Passkey, PasskeyId, Proof, StoreError};
pub use verify::ALGORITHMS;
use verify::{Asked, AuthenticatorData, Refusal, challenge, decode, made, signed};

/// How many an account has at most.
const MOST: usize = 20;
/// The longest name, in characters.
const LONGEST_NAME: usize = 100;

/// This server, as browsers and authenticators know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The host's name.
    pub rp_id: String,
    /// Scheme, host and port.
    pub origin: String,
}

/// What a browser gives for a passkey that it was asked for; base64url.
#[derive(Clone, Copy, Debug)]
pub struct Assertion<'a> {
    pub credential_id: &'a str,
    pub client_data: &'a str,
    pub authenticator_data: &'a str,
    pub signature: &'a str,
    pub user_handle: Option<&'a str>,
}

/// What a browser gives for a passkey that it has made; base64url.
#[derive(Clone, Copy, Debug)]
pub struct Attestation<'a> {
    pub client_data: &'a str,
    pub attestation_object: &'a str,
}

/// Why a passkey is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasskeyError {
    /// The log has the reason.
    #[error("This passkey was not accepted.")]
    Refused,
    #[error("Passkeys need a server with a name and https (or localhost).")]
    NotHere,
    #[error("An account has at most {MOST} passkeys.")]
    TooMany,
    #[error("Ensure this field has at least 1 and no more than {LONGEST_NAME} characters.")]
    Name,
    #[error("There is no such passkey.")]
    NoSuch,
}

/// What a browser is told to make a passkey.
#[derive(Debug)]
pub struct ToMake {
    pub challenge: String,
    pub user_handle: Vec<u8>,
    /// Authenticators that have one of these make no other one.
    pub known: Vec<Vec<u8>>,
}

/// What a browser is told to ask for a passkey.
#[derive(Debug)]
pub struct ToShow {
    pub challenge: String,
    /// One of these; empty is any.
    pub wanted: Vec<Vec<u8>>,
}

/// A passkey that was shown, and the count that it signed.
pub(super) struct ShownPasskey {
    pub id: PasskeyId,
    pub user: UserId,
    pub sign_count: i64,
}

fn refuse(why: Refusal) -> FactorError {
    tracing::info!(reason = %why, "a passkey was refused");
    PasskeyError::Refused.into()
}

impl Auth {
    /// What an authenticator keeps as the user's number. It says nothing to anybody else.
    fn handle(&self, user: UserId) -> Vec<u8> {
        format!("{}-{user}", self.store.install()).into_bytes()
    }

    /// A challenge can be answered once, by whichever process.
    async fn take_challenge(&self, challenge: &str) -> Result<(), FactorError> {
        let cost = i64::try_from(2 * Purpose::Passkey.lifetime().as_micros()).unwrap_or(i64::MAX);
        let name = hex(&Sha256::digest(format!("challenge\0{challenge}")));
        let once = Allowance { name, cost_micros: cost, burst_micros: cost };
        match self.store.take(&[once], self.clock.now()).await? {
            Ok(()) => Ok(()),
            Err(_) => Err(refuse(Refusal::Challenge)),
        }
    }

    /// Begins to make a passkey.
    pub async fn start_passkey(
        &self,
        user: &User,
        password: &str,
        second: Option<Second<'_>>,
        at: At<'_>,
    ) -> Result<ToMake, FactorError> {
        let _turn = self.turns.acquire().await;
        at.site.ok_or(PasskeyError::NotHere)?;
        let passkeys = self.accounts.factors(user.id).await?.passkeys;
        if passkeys.len() >= MOST {
            return Err(PasskeyError::TooMany.into());
        }
        let right = self.prove(user, password, second, at).await?;
        let ticket = Ticket::of(user.id, &right.hash);
        Ok(ToMake {
            challenge: self.tickets.issue(Purpose::NewPasskey, &ticket, self.clock.now()),
            user_handle: self.handle(user.id),
            known: passkeys.into_iter().map(|passkey| passkey.credential_id).collect(),
        })
    }

    /// Adds the passkey that was made.
    pub async fn add_passkey(
        &self,
        user: &User,
        name: &str,
        made_one: &Attestation<'_>,
        at: At<'_>,
    ) -> Result<FactorsChanged, FactorError> {
        let site = at.site.ok_or(PasskeyError::NotHere)?;
        let name = name.trim();
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.contains(char::is_control) {
            return Err(PasskeyError::Name.into());
        }
        let client_data = decode(made_one.client_data).map_err(refuse)?;
        let challenge = challenge(&client_data, Asked::ToMake, site).map_err(refuse)?;
        let ticket = self.tickets.open(Purpose::NewPasskey, &challenge, self.clock.now());
        let ticket = ticket.ok_or(Refusal::Challenge).map_err(refuse)?;
        let (user, hash) = self.user_and_hash(user.id).await?.ok_or(FactorError::Expired)?;
        if !ticket.is_of(user.id, &hash) {
            return Err(refuse(Refusal::Owner));
        }
        let object = decode(made_one.attestation_object).map_err(refuse)?;
        let made = made(&object, site).map_err(refuse)?;
        self.take_challenge(&challenge).await?;
        let new = NewPasskey {
            credential_id: made.credential_id,
            public_key: made.public_key,
            sign_count: made.sign_count.into(),
            name: name.to_owned(),
        };
        self.change(&user, &hash, FactorChange::AddPasskey(&new), at.origin).await
    }

    /// Removes a passkey.
    pub async fn remove_passkey(
        &self,
        user: &User,
        id: PasskeyId,
        password: &str,
        second: Option<Second<'_>>,
        at: At<'_>,
    ) -> Result<FactorsChanged, FactorError> {
        let _turn = self.turns.acquire().await;
        if !self.accounts.factors(user.id).await?.passkeys.iter().any(|passkey| passkey.id == id) {
            return Err(PasskeyError::NoSuch.into());
        }
        let right = self.prove(user, password, second, at).await?;
        self.change(&right.user, &right.hash, FactorChange::RemovePasskey(id), at.origin).await
    }

    /// Asks for a passkey: one of the account whose second step this is, or any.
    pub async fn ask_for_passkey(&self, token: Option<&str>) -> Result<ToShow, FactorError> {
        let (ticket, wanted) = match token {
            None => (Ticket::of_anybody(), Vec::new()),
            Some(token) => {
                let (user, hash) = self.pending(token).await?.ok_or(FactorError::Expired)?;
                let passkeys = self.accounts.factors(user.id).await?.passkeys;
                let wanted = passkeys.into_iter().map(|passkey| passkey.credential_id).collect();
                (Ticket::of(user.id, &hash), wanted)
            }
        };
        Ok(ToShow { challenge: self.tickets.issue(Purpose::Passkey, &ticket, self.clock.now()), wanted })
    }

    /// Looks at a passkey that was shown; its challenge is used up if it is true.
    pub(super) async fn passkey_shown(
        &self,
        shown: &Assertion<'_>,
        site: Option<&Site>,
    ) -> Result<ShownPasskey, FactorError> {
        let site = site.ok_or(PasskeyError::NotHere)?;
        let client_data = decode(shown.client_data).map_err(refuse)?;
        let challenge = challenge(&client_data, Asked::ToShow, site).map_err(refuse)?;
        let ticket = self.tickets.open(Purpose::Passkey, &challenge, self.clock.now());
        let ticket = ticket.ok_or(Refusal::Challenge).map_err(refuse)?;
        let id = decode(shown.credential_id).map_err(refuse)?;
        let passkey = self.accounts.passkey(&id).await?.ok_or(Refusal::Unknown).map_err(refuse)?;
        let sign_count = self.is_true(&passkey, &ticket, shown, &client_data, site).map_err(|why| {
            if why == Refusal::SignCount {
                tracing::warn!(user = passkey.user, passkey = passkey.id, "{why}");
            }
            refuse(why)
        })?;
        self.take_challenge(&challenge).await?;
        Ok(ShownPasskey { id: passkey.id, user: passkey.user, sign_count })
    }

    /// Whether what was shown is true of this passkey; the count that it signed.
    fn is_true(
        &self,
        passkey: &Passkey,
        ticket: &Ticket,
        shown: &Assertion<'_>,
        client_data: &[u8],
        site: &Site,
    ) -> Result<i64, Refusal> {
        let handle = shown.user_handle.filter(|handle| !handle.is_empty()).map(decode).transpose()?;
        let is_theirs = ticket.user.is_none_or(|user| user == passkey.user)
            && handle.is_none_or(|handle| handle == self.handle(passkey.user));
        if !is_theirs {
            return Err(Refusal::Owner);
        }
        let bytes = decode(shown.authenticator_data)?;
        let data = AuthenticatorData::parse(&bytes)?;
        data.check(site)?;
        signed(&passkey.public_key, &bytes, client_data, &decode(shown.signature)?)?;
        let count = i64::from(data.sign_count);
        if (count != 0 || passkey.sign_count != 0) && count <= passkey.sign_count {
            return Err(Refusal::SignCount);
        }
        Ok(count)
    }

    /// Signs in with a passkey alone. A try is charged as one with a password is, to the account whose passkey it says it
    /// is.
    pub async fn sign_in_with_passkey(&self, shown: &Assertion<'_>, at: At<'_>) -> Result<SignedIn, FactorError> {
        let _turn = self.turns.acquire().await;
        let id = decode(shown.credential_id).map_err(refuse)?;
        let owner = match self.accounts.passkey(&id).await? {
            Some(passkey) => self.user_and_hash(passkey.user).await?.map(|(user, _)| user),
            None => None,
        };
        let key = owner.as_ref().and_then(|user| UserKey::new(&user.username));
        let place = Place::new(key.as_ref().map_or("", UserKey::as_str), at.origin.address);
        let attempt = self.charge(&place).await?;
        let found = self.passkey_shown(shown, at.site).await?;
        let user = owner.filter(|user| user.id == found.user).ok_or(PasskeyError::Refused)?;
        let (token, session) = self.new_session(&user, at.origin);
        let now = session.created_at;
        let proof = Proof::Passkey { id: found.id, sign_count: found.sign_count, now };
        match self.accounts.sign_in_with(&attempt, &session, self.throttle.known_until(now), None, proof).await {
            Ok(()) => Ok(SignedIn { user, token }),
            Err(StoreError::NotFound) => Err(PasskeyError::Refused.into()),
            Err(e) => Err(e.into()),
        }
    }
}
