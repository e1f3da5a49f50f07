//! People.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;

use super::invites::note_look;
use super::{Attempt, Connection, Fault, Repeat, Row, SqlStore, StoreError, lock_heads, names};
use crate::domain::{NamePrefix, NewUser, PeoplePage, Place, Sharing, Timestamp, User, UserId, UserKey, WhoMayWrite};
use crate::store::Users;
use crate::store::db::{Db, Value};
use crate::store::error::Rule;
use crate::store::lookup::Found;
use crate::store::retry::{retrying, retrying_a_part};

/// What [`user`] reads.
macro_rules! user_columns {
    () => {
        "u.id, u.username, u.email, u.is_active, u.is_staff, u.is_superuser, u.date_joined, u.last_login, \
         u.share_typing, u.share_presence, u.share_read, u.who_may_write"
    };
}
pub(super) use user_columns;

const ADD: &str = "INSERT INTO users (username, username_key, password_hash, email, is_active, is_staff, \
    is_superuser, date_joined) VALUES (?, ?, ?, ?, 1, ?, ?, ?)";
const ADD_HEAD: &str = "INSERT INTO user_heads (user_id, pos, tag) VALUES (?, 0, ?)";
const ADD_START: &str = "INSERT INTO events (user_id, pos, tag, kind, created_at) VALUES (?, 0, ?, 0, ?)";
const BY_ID: &str = concat!("SELECT ", user_columns!(), " FROM users u WHERE u.id = ?");
const BY_KEY: &str = concat!("SELECT ", user_columns!(), ", u.password_hash FROM users u WHERE u.username_key = ?");
const BY_KEYS: Repeat = Repeat {
    head: concat!("SELECT u.username_key, ", user_columns!(), " FROM users u WHERE u.username_key IN ("),
    row: "?",
    between: ", ",
    tail: ")",
};
const EVERYBODY: &str =
    concat!("SELECT ", user_columns!(), " FROM users u WHERE u.id > ? AND u.erased_at IS NULL ORDER BY u.id LIMIT ?");
const BEYOND: &str = "SELECT id FROM users ORDER BY id LIMIT 1 OFFSET ?";
const SUPERUSER: &str = "SELECT id FROM users WHERE is_superuser = 1 LIMIT 1";
const SET_HASH: &str = "UPDATE users SET password_hash = ? WHERE id = ? AND erased_at IS NULL";
pub(super) const REHASH: &str = "UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ?";
const SET_ACTIVE: &str = "UPDATE users SET is_active = ? WHERE id = ? AND erased_at IS NULL";
pub(super) const END_SESSIONS: &str = "DELETE FROM sessions WHERE user_id = ? AND token_hash <> ?";

pub(super) const ALL: &[&str] = &[
    ADD,
    ADD_HEAD,
    ADD_START,
    BY_ID,
    BY_KEY,
    EVERYBODY,
    BEYOND,
    SUPERUSER,
    SET_HASH,
    REHASH,
    SET_ACTIVE,
    END_SESSIONS,
];

pub(super) const REPEATS: &[&Repeat] = &[&BY_KEYS];

/// Users by their keys.
pub(super) fn find(db: Arc<Db>, keys: Vec<String>) -> BoxFuture<'static, Found<User>> {
    Box::pin(async move {
        let (db, keys) = (&db, &keys.iter().map(|key| key.as_str().into()).collect::<Vec<_>>());
        retrying(|attempt| async move {
            let rows = db.reader(attempt).await?.rows_many(&BY_KEYS, 1, keys).await?;
            rows.into_iter().map(|mut row| Ok((row.text()?, user(&mut row)?))).collect()
        })
        .await
    })
}

/// A user in the order of [`user_columns`].
pub(super) fn user(row: &mut Row) -> Result<User, Fault> {
    Ok(User {
        id: row.int()?,
        username: row.text()?,
        email: row.text()?,
        is_active: row.flag()?,
        is_staff: row.flag()?,
        is_superuser: row.flag()?,
        date_joined: Timestamp(row.int()?),
        last_login: row.maybe_int()?.map(Timestamp),
        sharing: sharing(row)?,
    })
}

/// What a user shares, in the order of the last of [`user_columns`].
pub(super) fn sharing(row: &mut Row) -> Result<Sharing, Fault> {
    Ok(Sharing {
        typing: row.flag()?,
        presence: row.flag()?,
        read: row.flag()?,
        who_may_write: WhoMayWrite::stored(row.int()?),
    })
}

/// Stores a user together with the head of the event log, and by what the user is found.
pub(super) async fn insert(
    c: &mut Connection<'_>,
    new: &NewUser,
    attempt: Attempt,
    now: Timestamp,
) -> Result<User, Fault> {
    let key = new.username.key();
    // Met the unique key in the try before: whoever stored it is visible now.
    if attempt.number > 0 && c.row(BY_KEY, &[key.as_str().into()]).await?.is_some() {
        return Err(StoreError::Conflict(Rule::Username).into());
    }
    let args = [
        new.username.as_str().into(),
        key.as_str().into(),
        new.password_hash.as_str().into(),
        new.email.as_str().into(),
        new.is_staff.into(),
        new.is_superuser.into(),
        now.0.into(),
    ];
    let id = c.execute(ADD, &args).await?.last_id;
    let tag = rand::random::<i64>();
    c.execute(ADD_HEAD, &[id.into(), tag.into()]).await?;
    c.execute(ADD_START, &[id.into(), tag.into(), now.0.into()]).await?;
    names::add(c, &[(id, key, String::new())]).await?;
    Ok(User {
        id,
        username: new.username.as_str().to_owned(),
        email: new.email.clone(),
        is_active: true,
        is_staff: new.is_staff,
        is_superuser: new.is_superuser,
        date_joined: now,
        last_login: None,
        sharing: Sharing::default(),
    })
}

impl SqlStore {
    async fn one_user(&self, sql: &'static str, arg: Value<'_>) -> Result<Option<(User, Row)>, StoreError> {
        retrying(|attempt| async move {
            let row = self.db.reader(attempt).await?.row(sql, &[arg]).await?;
            row.map(|mut row| Ok((user(&mut row)?, row))).transpose()
        })
        .await
    }
}

#[async_trait]
impl Users for SqlStore {
    async fn add_user(&self, new: &NewUser, now: Timestamp) -> Result<User, StoreError> {
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            let user = insert(&mut c, new, attempt, now).await?;
            // An operator may give a name that looks like another one.
            note_look(&mut c, &new.username.key(), user.id).await?;
            c.commit().await?;
            Ok(user)
        })
        .await
    }

    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.one_user(BY_ID, id.into()).await?.map(|(user, _)| user))
    }

    async fn user_and_hash(&self, key: &UserKey) -> Result<Option<(User, String)>, StoreError> {
        let found = self.one_user(BY_KEY, key.as_str().into()).await?;
        found.map(|(user, mut row)| Ok((user, row.text()?))).transpose().map_err(Fault::into_error)
    }

    async fn user_by_key(&self, key: &UserKey) -> Result<Option<User>, StoreError> {
        self.user_by_key.find(key.as_str()).await
    }

    async fn users_after(&self, after: UserId, limit: i64) -> Result<Vec<User>, StoreError> {
        let read = |attempt| async move {
            let rows = self.db.reader(attempt).await?.rows(EVERYBODY, &[after.into(), limit.into()]).await?;
            rows.into_iter().map(|mut row| user(&mut row)).collect()
        };
        // As many as there are: all of it may take its time, but no part may, or a database that fell silent would
        // hold whoever asked.
        if after == 0 { retrying(read).await } else { retrying_a_part(read).await }
    }

    async fn has_more_users_than(&self, most: i64) -> Result<bool, StoreError> {
        retrying(
            |attempt| async move { Ok(self.db.reader(attempt).await?.row(BEYOND, &[most.into()]).await?.is_some()) },
        )
        .await
    }

    async fn people(
        &self,
        me: UserId,
        prefix: &NamePrefix,
        after: Option<&Place>,
        limit: i64,
    ) -> Result<PeoplePage, StoreError> {
        names::people(&self.db, me, prefix, after, limit).await
    }

    async fn has_superuser(&self) -> Result<bool, StoreError> {
        retrying(|attempt| async move { Ok(self.db.reader(attempt).await?.row(SUPERUSER, &[]).await?.is_some()) }).await
    }

    async fn set_password_hash(&self, id: UserId, hash: &str, keep: Option<&str>) -> Result<(), StoreError> {
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            lock_heads(&mut c, &[id]).await?;
            if c.execute(SET_HASH, &[hash.into(), id.into()]).await?.rows == 0 {
                return Err(StoreError::NotFound.into());
            }
            c.execute(END_SESSIONS, &[id.into(), keep.unwrap_or("").into()]).await?;
            c.commit().await
        })
        .await
    }

    async fn rehash(&self, id: UserId, old: &str, new: &str) -> Result<(), StoreError> {
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            lock_heads(&mut c, &[id]).await?;
            c.execute(REHASH, &[new.into(), id.into(), old.into()]).await?;
            c.commit().await
        })
        .await
    }

    async fn set_active(&self, id: UserId, active: bool) -> Result<(), StoreError> {
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            lock_heads(&mut c, &[id]).await?;
            if c.execute(SET_ACTIVE, &[active.into(), id.into()]).await?.rows == 0 {
                return Err(StoreError::NotFound.into());
            }
            names::forget_names(&mut c, id).await?;
            if active {
                names::note_names_of(&mut c, &[id]).await?;
            } else {
                c.execute(END_SESSIONS, &[id.into(), "".into()]).await?;
            }
            c.commit().await
        })
        .await
    }
}
