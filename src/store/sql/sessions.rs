//! Signed-in cookies.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;

use super::users::{user, user_columns};
use super::{Fault, Repeat, SqlStore, StoreError, factors, lock_heads, throttle};
use crate::domain::{Timestamp, User};
use crate::store::db::{Connection, Db, Row, Value};
use crate::store::lookup::Found;
use crate::store::retry::retrying;
use crate::store::{Allowance, Proof, Session, Sessions, Try};

/// What [`read_session`] reads.
macro_rules! session_columns {
    () => {
        "x.token_hash, x.user_id, x.created_at, x.expires_at, x.user_agent, x.last_used_at"
    };
}
pub(super) use session_columns;

const ADD: &str = "INSERT INTO sessions (token_hash, user_id, created_at, expires_at, user_agent, last_used_at) \
    VALUES (?, ?, ?, ?, ?, ?)";
/// Takes the lock that deactivating takes, so that no session is made beside it.
const SIGNED_IN: &str = "UPDATE users SET last_login = ? WHERE id = ? AND is_active = 1";
/// The sessions first: begun with the users, MariaDB reads every session of theirs. `u.is_active = 1` alone would make an
/// inner join of it.
const FIND: Repeat = Repeat {
    head: concat!(
        "SELECT ",
        user_columns!(),
        ", ",
        session_columns!(),
        " FROM sessions x \
         LEFT JOIN users u ON u.id = x.user_id WHERE COALESCE(u.is_active, 0) = 1 AND x.token_hash IN ("
    ),
    row: "?",
    between: ", ",
    tail: ")",
};
const LIVE: Repeat = Repeat {
    head: "SELECT x.token_hash, x.expires_at FROM sessions x LEFT JOIN users u ON u.id = x.user_id \
        WHERE COALESCE(u.is_active, 0) = 1 AND x.token_hash IN (",
    row: "?",
    between: ", ",
    tail: ")",
};
const END: &str = "DELETE FROM sessions WHERE token_hash = ?";
const EXPIRED: &str = "DELETE FROM sessions WHERE expires_at <= ?";

pub(super) const ALL: &[&str] = &[ADD, SIGNED_IN, END, EXPIRED];
pub(super) const REPEATS: &[&Repeat] = &[&FIND, &LIVE];

/// The sessions of active users, by the hashes of their tokens; expired ones too.
pub(super) fn find(db: Arc<Db>, token_hashes: Vec<String>) -> BoxFuture<'static, Found<(Session, User)>> {
    Box::pin(async move {
        let (db, keys) = (&db, &token_hashes.iter().map(|hash| hash.as_str().into()).collect::<Vec<_>>());
        retrying(|attempt| async move {
            let rows = db.reader(attempt).await?.rows_many(&FIND, 1, keys).await?;
            rows.into_iter().map(|mut row| session(&mut row)).collect()
        })
        .await
    })
}

fn session(row: &mut Row) -> Result<(String, (Session, User)), Fault> {
    let user = user(row)?;
    let session = read_session(row)?;
    Ok((session.token_hash.clone(), (session, user)))
}

/// A session in the order of [`session_columns`].
pub(super) fn read_session(row: &mut Row) -> Result<Session, Fault> {
    let mut session = Session {
        token_hash: row.text()?,
        user: row.int()?,
        created_at: Timestamp(row.int()?),
        expires_at: Timestamp(row.int()?),
        user_agent: row.text()?,
        last_used_at: Timestamp(row.int()?),
    };
    // One from before this was noted.
    session.last_used_at = session.last_used_at.max(session.created_at);
    Ok(session)
}

/// Stores a session; [`StoreError::NotFound`] if its user is not active.
pub(super) async fn add(c: &mut Connection<'_>, session: &Session) -> Result<(), Fault> {
    lock_heads(c, &[session.user]).await?;
    if c.execute(SIGNED_IN, &[session.created_at.0.into(), session.user.into()]).await?.rows == 0 {
        return Err(StoreError::NotFound.into());
    }
    let args = [
        session.token_hash.as_str().into(),
        session.user.into(),
        session.created_at.0.into(),
        session.expires_at.0.into(),
        session.user_agent.as_str().into(),
        session.last_used_at.0.into(),
    ];
    c.execute(ADD, &args).await.map(drop)
}

#[async_trait]
impl Sessions for SqlStore {
    async fn add_session(&self, session: &Session) -> Result<(), StoreError> {
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            add(&mut c, session).await?;
            c.commit().await
        })
        .await
    }

    async fn session(&self, token_hash: &str, now: Timestamp) -> Result<Option<(Session, User)>, StoreError> {
        let found = self.session_by_hash.find(token_hash).await?;
        Ok(found.filter(|(session, _)| session.expires_at > now))
    }

    async fn live_sessions(&self, token_hashes: &[String], now: Timestamp) -> Result<Vec<String>, StoreError> {
        if token_hashes.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<Value<'_>> = token_hashes.iter().map(|hash| hash.as_str().into()).collect();
        let keys = &keys;
        retrying(|attempt| async move {
            let rows = self.db.reader(attempt).await?.rows_many(&LIVE, 1, keys).await?;
            let mut live = Vec::with_capacity(rows.len());
            for mut row in rows {
                let (hash, expires_at) = (row.text()?, row.int()?);
                if expires_at > now.0 {
                    live.push(hash);
                }
            }
            Ok(live)
        })
        .await
    }

    async fn end_session(&self, token_hash: &str) -> Result<(), StoreError> {
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            c.execute(END, &[token_hash.into()]).await?;
            c.commit().await
        })
        .await
    }

    async fn remove_expired(&self, now: Timestamp) -> Result<(), StoreError> {
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            c.execute(EXPIRED, &[now.0.into()]).await?;
            c.execute(throttle::WHOLE, &[now.0.into()]).await?;
            c.execute(throttle::FORGET, &[now.0.into()]).await?;
            c.commit().await
        })
        .await
    }

    async fn take(&self, allowances: &[Allowance], now: Timestamp) -> Result<Result<(), i64>, StoreError> {
        retrying(|attempt| throttle::take(&self.db, attempt, allowances, now)).await
    }

    async fn is_known(&self, network: &str, now: Timestamp) -> Result<bool, StoreError> {
        retrying(|attempt| async move {
            let row = self.db.reader(attempt).await?.row(throttle::KNOWN, &[network.into(), now.0.into()]).await?;
            Ok(row.is_some())
        })
        .await
    }

    async fn was_right(&self, right: &Try, now: Timestamp, known_until: Timestamp) -> Result<(), StoreError> {
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            throttle::was_right(&mut c, right, now, known_until).await?;
            c.commit().await
        })
        .await
    }

    async fn sign_in(&self, right: &Try, session: &Session, known_until: Timestamp) -> Result<(), StoreError> {
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            factors::begin(&mut c, (right, known_until), session, None, Proof::Nothing).await?;
            c.commit().await
        })
        .await
    }

    async fn make_whole(&self, name: &str, now: Timestamp) -> Result<(), StoreError> {
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            c.execute(throttle::MAKE_WHOLE, &[now.0.into(), name.into()]).await?;
            c.commit().await
        })
        .await
    }
}
