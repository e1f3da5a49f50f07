//! Second factors, and the sessions that begin with one.

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use super::users::END_SESSIONS;
use super::{Fault, Repeat, Row, SqlStore, StoreError, lock_heads, sessions, throttle};
use crate::domain::{Timestamp, UserId};
use crate::store::db::{Connection, Value};
use crate::store::error::Rule;
use crate::store::retry::{Attempt, retrying};
use crate::store::{FactorChange, Factors, NewPasskey, Passkey, Proof, SecondFactors, Session, Totp, Try};

macro_rules! passkeys {
    ($rest:literal) => {
        concat!(
            "SELECT id, user_id, credential_id, public_key, sign_count, name, created_at, last_used_at FROM passkeys \
             WHERE ",
            $rest
        )
    };
}

const ANY: &str = "SELECT 1 FROM totp WHERE user_id = ? UNION ALL SELECT 1 FROM passkeys WHERE user_id = ? LIMIT 1";
const WHO: &str = "SELECT user_id FROM totp UNION SELECT user_id FROM passkeys";
const TOTP: &str = "SELECT secret, last_step, created_at FROM totp WHERE user_id = ?";
const ADD_TOTP: &str = "INSERT INTO totp (user_id, secret, last_step, created_at) VALUES (?, ?, ?, ?)";
/// Of two with the same code one waits for the row, and then its step is not a later one.
const USE_STEP: &str = "UPDATE totp SET last_step = ? WHERE user_id = ? AND last_step < ?";
const REMOVE_TOTP: &str = "DELETE FROM totp WHERE user_id = ?";
const COUNT_CODES: &str = "SELECT COUNT(*) FROM recovery_codes WHERE user_id = ?";
const ADD_CODES: Repeat =
    Repeat { head: "INSERT INTO recovery_codes (user_id, code_hash) VALUES ", row: "(?, ?)", between: ", ", tail: "" };
const USE_CODE: &str = "DELETE FROM recovery_codes WHERE user_id = ? AND code_hash = ?";
const REMOVE_CODES: &str = "DELETE FROM recovery_codes WHERE user_id = ?";
const OF_ONE: &str = passkeys!("user_id = ? ORDER BY id");
const BY_CREDENTIAL: &str = passkeys!("credential_hash = ?");
const ADD_PASSKEY: &str = "INSERT INTO passkeys (user_id, credential_hash, credential_id, public_key, sign_count, name, \
    created_at) VALUES (?, ?, ?, ?, ?, ?, ?)";
/// The count goes up, or there is none (0).
const USE_PASSKEY: &str = "UPDATE passkeys SET sign_count = ?, last_used_at = ? \
    WHERE id = ? AND user_id = ? AND (sign_count < ? OR (sign_count = 0 AND ? = 0))";
const REMOVE_PASSKEY: &str = "DELETE FROM passkeys WHERE id = ? AND user_id = ?";
const REMOVE_PASSKEYS: &str = "DELETE FROM passkeys WHERE user_id = ?";
const STANDS: &str = "SELECT 1 FROM users WHERE id = ? AND password_hash = ? AND is_active = 1";

pub(super) const ALL: &[&str] = &[
    ANY,
    WHO,
    TOTP,
    ADD_TOTP,
    USE_STEP,
    REMOVE_TOTP,
    COUNT_CODES,
    USE_CODE,
    REMOVE_CODES,
    OF_ONE,
    BY_CREDENTIAL,
    ADD_PASSKEY,
    USE_PASSKEY,
    REMOVE_PASSKEY,
    REMOVE_PASSKEYS,
    STANDS,
];
pub(super) const REPEATS: &[&Repeat] = &[&ADD_CODES];

fn passkey(mut row: Row) -> Result<Passkey, Fault> {
    Ok(Passkey {
        id: row.int()?,
        user: row.int()?,
        credential_id: row.bytes()?,
        public_key: row.bytes()?,
        sign_count: row.int()?,
        name: row.text()?,
        created_at: Timestamp(row.int()?),
        last_used_at: row.maybe_int()?.map(Timestamp),
    })
}

fn totp(mut row: Row) -> Result<Totp, Fault> {
    Ok(Totp { secret: row.bytes()?, last_step: row.int()?, created_at: Timestamp(row.int()?) })
}

fn credential_hash(credential_id: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(credential_id).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

async fn any(c: &mut Connection<'_>, user: UserId) -> Result<bool, Fault> {
    Ok(c.row(ANY, &[user.into(), user.into()]).await?.is_some())
}

async fn changed(c: &mut Connection<'_>, sql: &'static str, args: &[Value<'_>]) -> Result<(), Fault> {
    match c.execute(sql, args).await?.rows {
        0 => Err(StoreError::NotFound.into()),
        _ => Ok(()),
    }
}

/// Uses a proof up, under the lock of the user's head: nobody turns a factor on or off meanwhile.
async fn spend(c: &mut Connection<'_>, user: UserId, proof: Proof<'_>) -> Result<(), Fault> {
    match proof {
        Proof::Nothing if any(c, user).await? => Err(StoreError::NotFound.into()),
        Proof::Nothing => Ok(()),
        Proof::Totp { step } => changed(c, USE_STEP, &[step.into(), user.into(), step.into()]).await,
        Proof::Recovery { code_hash } => changed(c, USE_CODE, &[user.into(), code_hash.into()]).await,
        Proof::Passkey { id, sign_count, now } => {
            let count = sign_count.into();
            changed(c, USE_PASSKEY, &[count, now.0.into(), id.into(), user.into(), count, count]).await
        }
    }
}

async fn stands(c: &mut Connection<'_>, user: UserId, hash: &str) -> Result<(), Fault> {
    match c.row(STANDS, &[user.into(), hash.into()]).await? {
        Some(_) => Ok(()),
        None => Err(StoreError::NotFound.into()),
    }
}

/// A session that begins with a proof, and the limits' part of it.
pub(super) async fn begin(
    c: &mut Connection<'_>,
    (attempt, known_until): (&Try, Timestamp),
    session: &Session,
    hash: Option<&str>,
    proof: Proof<'_>,
) -> Result<(), Fault> {
    throttle::was_right(c, attempt, session.created_at, known_until).await?;
    lock_heads(c, &[session.user]).await?;
    if let Some(hash) = hash {
        stands(c, session.user, hash).await?;
    }
    spend(c, session.user, proof).await?;
    sessions::add(c, session).await
}

async fn add_passkey(
    c: &mut Connection<'_>,
    attempt: Attempt,
    user: UserId,
    new: &NewPasskey,
    now: Timestamp,
) -> Result<(), Fault> {
    let hash = credential_hash(&new.credential_id);
    // Met the unique key in the try before: whoever stored it is visible now.
    if attempt.number > 0 && c.row(BY_CREDENTIAL, &[hash.as_str().into()]).await?.is_some() {
        return Err(StoreError::Conflict(Rule::Factor).into());
    }
    let args = [
        user.into(),
        hash.as_str().into(),
        Value::Bytes(&new.credential_id),
        Value::Bytes(&new.public_key),
        new.sign_count.into(),
        new.name.as_str().into(),
        now.0.into(),
    ];
    c.execute(ADD_PASSKEY, &args).await.map(drop)
}

async fn change(
    c: &mut Connection<'_>,
    attempt: Attempt,
    (user, now): (UserId, Timestamp),
    change: FactorChange<'_>,
) -> Result<(), Fault> {
    match change {
        FactorChange::AddTotp { secret, step } => {
            if c.row(TOTP, &[user.into()]).await?.is_some() {
                return Err(StoreError::Conflict(Rule::Factor).into());
            }
            let args = [user.into(), Value::Bytes(secret), step.into(), now.0.into()];
            c.execute(ADD_TOTP, &args).await.map(drop)
        }
        FactorChange::RemoveTotp => changed(c, REMOVE_TOTP, &[user.into()]).await,
        FactorChange::AddPasskey(new) => add_passkey(c, attempt, user, new, now).await,
        FactorChange::RemovePasskey(id) => changed(c, REMOVE_PASSKEY, &[id.into(), user.into()]).await,
        FactorChange::NewCodes if any(c, user).await? => Ok(()),
        FactorChange::NewCodes => Err(StoreError::NotFound.into()),
    }
}

/// The codes of an account go with its last factor, and come with its first one.
async fn settle_codes(c: &mut Connection<'_>, user: UserId, codes: &[String], new: bool) -> Result<(), Fault> {
    if new || !any(c, user).await? {
        c.execute(REMOVE_CODES, &[user.into()]).await?;
    }
    if new {
        let rows: Vec<_> = codes.iter().flat_map(|code| [user.into(), code.as_str().into()]).collect();
        c.execute_many(&ADD_CODES, 2, &rows).await?;
    }
    Ok(())
}

#[async_trait]
impl SecondFactors for SqlStore {
    async fn has_factor(&self, user: UserId) -> Result<bool, StoreError> {
        retrying(|attempt| async move { any(&mut self.db.reader(attempt).await?, user).await }).await
    }

    async fn factors(&self, user: UserId) -> Result<Factors, StoreError> {
        retrying(|attempt| async move {
            let mut c = self.db.reader(attempt).await?;
            let app = c.row(TOTP, &[user.into()]).await?.map(totp).transpose()?;
            let passkeys = c.rows(OF_ONE, &[user.into()]).await?.into_iter().map(passkey).collect::<Result<_, _>>()?;
            let codes = c.row(COUNT_CODES, &[user.into()]).await?;
            Ok(Factors { totp: app, passkeys, recovery_codes: codes.map_or(Ok(0), |mut row| row.int())? })
        })
        .await
    }

    async fn passkey(&self, credential_id: &[u8]) -> Result<Option<Passkey>, StoreError> {
        let hash = &credential_hash(credential_id);
        retrying(|attempt| async move {
            let row = self.db.reader(attempt).await?.row(BY_CREDENTIAL, &[hash.as_str().into()]).await?;
            row.map(passkey).transpose()
        })
        .await
    }

    async fn give_back(&self, half: &Try) -> Result<(), StoreError> {
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            throttle::give_back(&mut c, half).await?;
            c.commit().await
        })
        .await
    }

    async fn spend(&self, user: UserId, proof: Proof<'_>) -> Result<(), StoreError> {
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            lock_heads(&mut c, &[user]).await?;
            spend(&mut c, user, proof).await?;
            c.commit().await
        })
        .await
    }

    async fn sign_in_with(
        &self,
        right: &Try,
        session: &Session,
        known_until: Timestamp,
        hash: Option<&str>,
        proof: Proof<'_>,
    ) -> Result<(), StoreError> {
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            begin(&mut c, (right, known_until), session, hash, proof).await?;
            c.commit().await
        })
        .await
    }

    async fn change_factors(
        &self,
        hash: &str,
        wanted: FactorChange<'_>,
        codes: &[String],
        session: &Session,
    ) -> Result<bool, StoreError> {
        let user = session.user;
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            lock_heads(&mut c, &[user]).await?;
            stands(&mut c, user, hash).await?;
            let new_codes = matches!(wanted, FactorChange::NewCodes) || !any(&mut c, user).await?;
            change(&mut c, attempt, (user, session.created_at), wanted).await?;
            settle_codes(&mut c, user, codes, new_codes).await?;
            c.execute(END_SESSIONS, &[user.into(), "".into()]).await?;
            sessions::add(&mut c, session).await?;
            c.commit().await?;
            Ok(new_codes)
        })
        .await
    }

    async fn drop_factors(&self, user: UserId) -> Result<(), StoreError> {
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            lock_heads(&mut c, &[user]).await?;
            for remove in [REMOVE_TOTP, REMOVE_PASSKEYS, REMOVE_CODES] {
                c.execute(remove, &[user.into()]).await?;
            }
            c.execute(END_SESSIONS, &[user.into(), "".into()]).await?;
            c.commit().await
        })
        .await
    }

    async fn users_with_factors(&self) -> Result<Vec<UserId>, StoreError> {
        retrying(|attempt| async move {
            let rows = self.db.reader(attempt).await?.rows(WHO, &[]).await?;
            rows.into_iter().map(|mut row| row.int()).collect()
        })
        .await
    }
}
