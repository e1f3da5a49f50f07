//! Signed-in cookies.

use async_trait::async_trait;

use super::users::{user, user_columns};
use super::{Repeat, SqlStore, StoreError, retrying, throttle};
use crate::domain::{Timestamp, User};
use crate::store::db::Value;
use crate::store::{Allowance, Session, Sessions};

const ADD: &str = "INSERT INTO sessions (token_hash, user_id, created_at, expires_at, user_agent) \
    VALUES (?, ?, ?, ?, ?)";
/// Takes the lock that deactivating takes, so that no session is made beside it.
const SIGNED_IN: &str = "UPDATE users SET last_login = ? WHERE id = ? AND is_active = 1";
const FIND: &str = concat!(
    "SELECT ",
    user_columns!(),
    ", x.created_at, x.expires_at, x.user_agent FROM sessions x \
     JOIN users u ON u.id = x.user_id WHERE x.token_hash = ? AND x.expires_at > ? AND u.is_active = 1"
);
const LIVE: Repeat = Repeat {
    head: "SELECT x.token_hash, x.expires_at FROM sessions x JOIN users u ON u.id = x.user_id \
        WHERE u.is_active = 1 AND x.token_hash IN (",
    row: "?",
    between: ", ",
    tail: ")",
};
const END: &str = "DELETE FROM sessions WHERE token_hash = ?";
const EXPIRED: &str = "DELETE FROM sessions WHERE expires_at <= ?";

pub(super) const ALL: &[&str] = &[ADD, SIGNED_IN, FIND, END, EXPIRED];
pub(super) const REPEATS: &[&Repeat] = &[&LIVE];

#[async_trait]
impl Sessions for SqlStore {
    async fn add_session(&self, session: &Session) -> Result<(), StoreError> {
        retrying(|_| async {
            let mut c = self.db.writer().await?;
            if c.execute(SIGNED_IN, &[session.created_at.0.into(), session.user.into()]).await?.rows == 0 {
                return Err(StoreError::NotFound.into());
            }
            let args = [
                session.token_hash.as_str().into(),
                session.user.into(),
                session.created_at.0.into(),
                session.expires_at.0.into(),
                session.user_agent.as_str().into(),
            ];
            c.execute(ADD, &args).await?;
            c.commit().await
        })
        .await
    }

    async fn session(&self, token_hash: &str, now: Timestamp) -> Result<Option<(Session, User)>, StoreError> {
        retrying(|_| async {
            let row = self.db.reader().await?.row(FIND, &[token_hash.into(), now.0.into()]).await?;
            let Some(mut row) = row else { return Ok(None) };
            let user = user(&mut row)?;
            let session = Session {
                token_hash: token_hash.to_owned(),
                user: user.id,
                created_at: Timestamp(row.int()?),
                expires_at: Timestamp(row.int()?),
                user_agent: row.text()?,
            };
            Ok(Some((session, user)))
        })
        .await
    }

    async fn live_sessions(&self, token_hashes: &[String], now: Timestamp) -> Result<Vec<String>, StoreError> {
        if token_hashes.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<Value<'_>> = token_hashes.iter().map(|hash| hash.as_str().into()).collect();
        retrying(|_| async {
            let rows = self.db.reader().await?.rows_many(&LIVE, 1, &keys).await?;
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
        retrying(|_| async {
            let mut c = self.db.writer().await?;
            c.execute(END, &[token_hash.into()]).await?;
            c.commit().await
        })
        .await
    }

    async fn remove_expired(&self, now: Timestamp) -> Result<(), StoreError> {
        retrying(|_| async {
            let mut c = self.db.writer().await?;
            c.execute(EXPIRED, &[now.0.into()]).await?;
            c.execute(throttle::WHOLE, &[now.0.into()]).await?;
            c.commit().await
        })
        .await
    }

    async fn take(&self, allowances: &[Allowance], now: Timestamp) -> Result<Result<(), i64>, StoreError> {
        retrying(|_| throttle::take(&self.db, allowances, now)).await
    }

    async fn give_back(&self, allowances: &[Allowance]) -> Result<(), StoreError> {
        retrying(|_| throttle::give_back(&self.db, allowances)).await
    }
}
