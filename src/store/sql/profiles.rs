//! What people say of themselves, and their pictures. Each change is told in the log of its own user alone.

use std::collections::HashMap;

use async_trait::async_trait;

use super::{Connection, Fault, Repeat, Row, SqlStore, StoreError, erase, events, lock_heads, names, plan};
use crate::domain::{DisplayName, Face, Profile, ProfileChange, Timestamp, UserId};
use crate::store::db::{Db, Value};
use crate::store::error::Rule;
use crate::store::retry::{Attempt, retrying};
use crate::store::{Avatar, Profiles};

/// What [`profile`] reads, of `o`, which may be missing.
macro_rules! profile_columns {
    () => {
        "o.version, o.display_name, o.about, o.time_zone, o.language, o.avatar"
    };
}
pub(super) use profile_columns;

/// What [`face`] reads, of `f`, which may be missing.
macro_rules! face_columns {
    () => {
        "f.display_name, f.avatar"
    };
}
pub(super) use face_columns;

const PROFILE: &str = concat!("SELECT ", profile_columns!(), " FROM profiles o WHERE o.user_id = ?");
const FACES: Repeat = Repeat {
    head: concat!(
        "SELECT f.user_id, ",
        face_columns!(),
        " FROM profiles f JOIN users u ON u.id = f.user_id AND u.is_active = 1 WHERE f.user_id IN ("
    ),
    row: "?",
    between: ", ",
    tail: ")",
};
const SET: &str = "INSERT INTO profiles (user_id, display_name, about, time_zone, language, avatar, version, changed_at) \
    VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (user_id) DO UPDATE SET display_name = excluded.display_name, \
    about = excluded.about, time_zone = excluded.time_zone, language = excluded.language, avatar = excluded.avatar, \
    version = excluded.version, changed_at = excluded.changed_at";
const WITH_KEYS: Repeat =
    Repeat { head: "SELECT id FROM users WHERE username_key IN (", row: "?", between: ", ", tail: ")" };
const WITH_LOOKS: Repeat =
    Repeat { head: "SELECT user_id FROM name_looks WHERE look_hash IN (", row: "?", between: ", ", tail: ")" };
const SET_AVATAR: &str = "INSERT INTO avatars (user_id, name, content) VALUES (?, ?, ?) \
    ON CONFLICT (user_id) DO UPDATE SET name = excluded.name, content = excluded.content";
const REMOVE_AVATAR: &str = "DELETE FROM avatars WHERE user_id = ?";
const AVATAR: &str = "SELECT a.content FROM avatars a JOIN users u ON u.id = a.user_id \
    WHERE a.name = ? AND u.is_active = 1 LIMIT 1";

pub(super) const ALL: &[&str] = &[PROFILE, SET, SET_AVATAR, REMOVE_AVATAR, AVATAR];
pub(super) const REPEATS: &[&Repeat] = &[&FACES, &WITH_KEYS, &WITH_LOOKS];

/// A profile in the order of [`profile_columns`].
pub(super) fn profile(row: &mut Row) -> Result<Profile, Fault> {
    let version = row.maybe_int()?.unwrap_or(0);
    let mut next = || Ok::<_, Fault>(row.maybe_text()?.unwrap_or_default());
    Ok(Profile {
        version,
        display_name: next()?,
        about: next()?,
        time_zone: next()?,
        language: next()?,
        avatar: Some(next()?).filter(|name| !name.is_empty()),
    })
}

/// What is seen beside a name, in the order of [`face_columns`].
pub(super) fn face(row: &mut Row) -> Result<Face, Fault> {
    let display_name = row.maybe_text()?.unwrap_or_default();
    Ok(Face { display_name, avatar: row.maybe_text()?.filter(|name| !name.is_empty()) })
}

async fn current(c: &mut Connection<'_>, user: UserId) -> Result<Profile, Fault> {
    c.row(PROFILE, &[user.into()]).await?.map_or(Ok(Profile::default()), |mut row| profile(&mut row))
}

/// Whether a name is, or looks like, the username of somebody else.
async fn imitates(c: &mut Connection<'_>, user: UserId, name: &DisplayName) -> Result<bool, Fault> {
    let (keys, looks) = (name.keys(), name.looks());
    if keys.is_empty() {
        return Ok(false);
    }
    let keys: Vec<_> = keys.iter().map(|key| key.as_str().into()).collect();
    let looks: Vec<Value<'_>> = looks.iter().map(|look| look.as_str().into()).collect();
    let mut found = c.rows_many(&WITH_KEYS, 1, &keys).await?;
    found.extend(c.rows_many(&WITH_LOOKS, 1, &looks).await?);
    for mut row in found {
        if row.int()? != user {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Stores `after`, under the lock of the user's head, and tells the user's devices.
async fn store(
    mut c: Connection<'_>,
    heads: Vec<(UserId, i64)>,
    user: UserId,
    after: &Profile,
    now: Timestamp,
) -> Result<Vec<(UserId, i64)>, Fault> {
    let args = [
        user.into(),
        after.display_name.as_str().into(),
        after.about.as_str().into(),
        after.time_zone.as_str().into(),
        after.language.as_str().into(),
        after.avatar.as_deref().unwrap_or("").into(),
        after.version.into(),
        now.0.into(),
    ];
    c.execute(SET, &args).await?;
    names::note_names(&mut c, user).await?;
    let reached = events::append(&mut c, heads, plan::PROFILE, None, now).await?;
    c.commit().await?;
    Ok(reached)
}

async fn set_profile(
    db: &Db,
    attempt: Attempt,
    user: UserId,
    change: &ProfileChange,
    now: Timestamp,
) -> Result<(Profile, Vec<(UserId, i64)>), Fault> {
    let mut c = db.writer(attempt).await?;
    let heads = lock_heads(&mut c, &[user]).await?;
    erase::check_is_here(&mut c, user).await?;
    let before = current(&mut c, user).await?;
    let after = before.with(change);
    if after == before {
        return Ok((after, Vec::new()));
    }
    if let Some(name) = change.display_name.as_ref().filter(|_| after.display_name != before.display_name)
        && imitates(&mut c, user, name).await?
    {
        return Err(StoreError::Conflict(Rule::DisplayName).into());
    }
    let reached = store(c, heads, user, &after, now).await?;
    Ok((after, reached))
}

async fn set_avatar(
    db: &Db,
    attempt: Attempt,
    user: UserId,
    avatar: Option<&Avatar>,
    now: Timestamp,
) -> Result<(Profile, Vec<(UserId, i64)>), Fault> {
    let mut c = db.writer(attempt).await?;
    let heads = lock_heads(&mut c, &[user]).await?;
    erase::check_is_here(&mut c, user).await?;
    let before = current(&mut c, user).await?;
    let after = before.with_avatar(avatar.map(|avatar| avatar.name.as_str()));
    if after == before {
        return Ok((after, Vec::new()));
    }
    match avatar {
        Some(Avatar { name, content }) => {
            c.execute(SET_AVATAR, &[user.into(), name.as_str().into(), Value::Bytes(content)]).await?;
        }
        None => {
            c.execute(REMOVE_AVATAR, &[user.into()]).await?;
        }
    }
    let reached = store(c, heads, user, &after, now).await?;
    Ok((after, reached))
}

#[async_trait]
impl Profiles for SqlStore {
    async fn profile(&self, user: UserId) -> Result<Profile, StoreError> {
        retrying(|attempt| async move { current(&mut self.db.reader(attempt).await?, user).await }).await
    }

    async fn faces(&self, users: &[UserId]) -> Result<HashMap<UserId, Face>, StoreError> {
        let keys: &Vec<_> = &users.iter().copied().map(Value::Int).collect();
        if keys.is_empty() {
            return Ok(HashMap::new());
        }
        retrying(|attempt| async move {
            let rows = self.db.reader(attempt).await?.rows_many(&FACES, 1, keys).await?;
            rows.into_iter().map(|mut row| Ok((row.int()?, face(&mut row)?))).collect()
        })
        .await
    }

    async fn set_profile(
        &self,
        user: UserId,
        change: &ProfileChange,
        now: Timestamp,
    ) -> Result<(Profile, Vec<(UserId, i64)>), StoreError> {
        retrying(|attempt| set_profile(&self.db, attempt, user, change, now)).await
    }

    async fn set_avatar(
        &self,
        user: UserId,
        avatar: Option<&Avatar>,
        now: Timestamp,
    ) -> Result<(Profile, Vec<(UserId, i64)>), StoreError> {
        retrying(|attempt| set_avatar(&self.db, attempt, user, avatar, now)).await
    }

    async fn avatar(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        retrying(|attempt| async move {
            let row = self.db.reader(attempt).await?.row(AVATAR, &[name.into()]).await?;
            row.map(|mut row| row.bytes()).transpose()
        })
        .await
    }
}
