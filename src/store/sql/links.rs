//! Links that are sent by mail, and what is done with them.

use async_trait::async_trait;

use super::users::{END_SESSIONS, user, user_columns};
use super::{SqlStore, StoreError, erase, lock_heads, mails, sessions};
use crate::domain::{Link, LinkPurpose, NewLink, Timestamp, User, UserId};
use crate::store::db::{Connection, Value};
use crate::store::error::Fault;
use crate::store::retry::retrying;
use crate::store::{Links, QueuedMail, Session, Standing};

const ADD: &str = "INSERT INTO account_links (token_hash, purpose, user_id, content, created_at, expires_at) \
    VALUES (?, ?, ?, ?, ?, ?)";
const BY_TOKEN: &str = "SELECT token_hash, user_id, content FROM account_links \
    WHERE token_hash = ? AND purpose = ? AND expires_at > ?";
/// One winner: the row goes with it.
const USE: &str = "DELETE FROM account_links WHERE token_hash = ? AND purpose = ? AND expires_at > ?";
const REMOVE_OF: &str = "DELETE FROM account_links WHERE user_id = ?";
const REMOVE_EXPIRED: &str = "DELETE FROM account_links WHERE expires_at <= ?";
/// Both sides by the database's own idea of case, which is one idea.
const WITH_EMAIL: &str = concat!(
    "SELECT ",
    user_columns!(),
    ", u.password_hash FROM users u WHERE u.email_key = LOWER(?) AND u.is_active = 1 ORDER BY u.id LIMIT 10"
);
const SET_HASH: &str =
    "UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ? AND email = ? AND is_active = 1";
const SET_EMAIL: &str = "UPDATE users SET email = ? WHERE id = ? AND password_hash = ? AND email = ? AND is_active = 1";

pub(super) const ALL: &[&str] = &[ADD, BY_TOKEN, USE, REMOVE_OF, REMOVE_EXPIRED, WITH_EMAIL, SET_HASH, SET_EMAIL];

/// Uses a link up; [`StoreError::NotFound`] if somebody has, or it has expired.
pub(super) async fn use_up(
    c: &mut Connection<'_>,
    purpose: LinkPurpose,
    token_hash: &str,
    now: Timestamp,
) -> Result<(), Fault> {
    let args = [token_hash.into(), purpose.as_str().into(), now.0.into()];
    if c.execute(USE, &args).await?.rows == 0 {
        return Err(StoreError::NotFound.into());
    }
    Ok(())
}

/// What was sent before holds no longer, and nobody is signed in any more.
async fn begin_anew(c: &mut Connection<'_>, user: UserId, session: Option<&Session>) -> Result<(), Fault> {
    c.execute(REMOVE_OF, &[user.into()]).await?;
    c.execute(END_SESSIONS, &[user.into(), "".into()]).await?;
    match session {
        Some(session) => sessions::add(c, session).await,
        None => Ok(()),
    }
}

#[async_trait]
impl Links for SqlStore {
    async fn add_link(&self, link: &NewLink, mail: &QueuedMail) -> Result<(), StoreError> {
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            // Whoever uses a link of this user removes the others: those two take turns.
            if let Some(user) = link.user {
                lock_heads(&mut c, &[user]).await?;
                erase::check_is_here(&mut c, user).await?;
            }
            let args = [
                link.token_hash.as_str().into(),
                link.purpose.as_str().into(),
                link.user.into(),
                Value::Bytes(&link.content),
                link.created_at.0.into(),
                link.expires_at.0.into(),
            ];
            c.execute(ADD, &args).await?;
            mails::add(&mut c, mail).await?;
            c.commit().await
        })
        .await
    }

    async fn link(&self, purpose: LinkPurpose, token_hash: &str, now: Timestamp) -> Result<Option<Link>, StoreError> {
        let args = [token_hash.into(), purpose.as_str().into(), now.0.into()];
        retrying(|attempt| async move {
            let row = self.db.reader(attempt).await?.row(BY_TOKEN, &args).await?;
            row.map(|mut row| Ok(Link { token_hash: row.text()?, user: row.maybe_int()?, content: row.bytes()? }))
                .transpose()
        })
        .await
    }

    async fn remove_expired_links(&self, now: Timestamp) -> Result<(), StoreError> {
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            c.execute(REMOVE_EXPIRED, &[now.0.into()]).await?;
            c.commit().await
        })
        .await
    }

    async fn users_with_email(&self, email: &str) -> Result<Vec<(User, String)>, StoreError> {
        retrying(|attempt| async move {
            let rows = self.db.reader(attempt).await?.rows(WITH_EMAIL, &[email.into()]).await?;
            rows.into_iter().map(|mut row| Ok((user(&mut row)?, row.text()?))).collect()
        })
        .await
    }

    async fn reset_password(
        &self,
        token_hash: &str,
        was: &Standing<'_>,
        hash: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            lock_heads(&mut c, &[was.user]).await?;
            use_up(&mut c, LinkPurpose::Password, token_hash, now).await?;
            let args = [hash.into(), was.user.into(), was.password_hash.into(), was.email.into()];
            if c.execute(SET_HASH, &args).await?.rows == 0 {
                return Err(StoreError::NotFound.into());
            }
            begin_anew(&mut c, was.user, None).await?;
            c.commit().await
        })
        .await
    }

    async fn change_email(
        &self,
        link: Option<&str>,
        was: &Standing<'_>,
        email: &str,
        session: Option<&Session>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            lock_heads(&mut c, &[was.user]).await?;
            if let Some(token_hash) = link {
                use_up(&mut c, LinkPurpose::Email, token_hash, now).await?;
            }
            let args = [email.into(), was.user.into(), was.password_hash.into(), was.email.into()];
            if c.execute(SET_EMAIL, &args).await?.rows == 0 {
                return Err(StoreError::NotFound.into());
            }
            begin_anew(&mut c, was.user, session).await?;
            c.commit().await
        })
        .await
    }
}
