//! Invites, and the accounts that people make for themselves.

use async_trait::async_trait;

use super::{Fault, Repeat, Row, SqlStore, StoreError, erase, links, lock_heads, users};
use crate::domain::{Invite, InviteId, LinkPurpose, NewInvite, NewUser, Timestamp, User, UserId, UserKey};
use crate::store::db::{Connection, Value};
use crate::store::error::Rule;
use crate::store::retry::retrying;
use crate::store::{Invites, SignUps};

macro_rules! invites {
    ($rest:literal) => {
        concat!(
            "SELECT i.id, u.username, i.note, i.created_at, i.expires_at, i.most_uses, i.uses, i.revoked_at \
             FROM invites i LEFT JOIN users u ON u.id = i.made_by WHERE ",
            $rest
        )
    };
}

const ADD: &str = "INSERT INTO invites (token_hash, made_by, note, created_at, expires_at, most_uses, uses) \
    VALUES (?, ?, ?, ?, ?, ?, 0)";
const BY_ID: &str = invites!("i.id = ?");
const BY_TOKEN: &str = invites!("i.token_hash = ?");
const ALL_OF_THEM: &str = invites!("i.expires_at > ? ORDER BY i.id DESC LIMIT 200");
const OF_ONE: &str = invites!("i.expires_at > ? AND i.made_by = ? ORDER BY i.id DESC LIMIT 200");
const REVOKE: &str = "UPDATE invites SET revoked_at = COALESCE(revoked_at, ?) WHERE id = ?";
/// One winner for each use: the row is locked by it.
const USE: &str = "UPDATE invites SET uses = uses + 1 \
    WHERE token_hash = ? AND uses < most_uses AND expires_at > ? AND revoked_at IS NULL";
/// The first one keeps the look; the lock that it takes makes the next one wait.
const LOOK: &str = "INSERT INTO name_looks (look_hash, user_id) VALUES (?, ?) \
    ON CONFLICT (look_hash) DO UPDATE SET look_hash = excluded.look_hash";
const WHOSE_LOOK: &str = "SELECT user_id FROM name_looks WHERE look_hash = ?";
const LOOKS: Repeat = Repeat {
    head: "INSERT INTO name_looks (look_hash, user_id) VALUES ",
    row: "(?, ?)",
    between: ", ",
    tail: " ON CONFLICT (look_hash) DO UPDATE SET look_hash = excluded.look_hash",
};
const KEYS: &str = "SELECT id, username_key FROM users WHERE id > ? ORDER BY id LIMIT 1000";
const LOOKED_AT: &str = "SELECT value FROM meta WHERE name = 'name_looks_up_to'";
const NOTE_LOOKED_AT: &str = "INSERT INTO meta (name, value) VALUES ('name_looks_up_to', ?) \
    ON CONFLICT (name) DO UPDATE SET value = excluded.value";

pub(super) const ALL: &[&str] =
    &[ADD, BY_ID, BY_TOKEN, ALL_OF_THEM, OF_ONE, REVOKE, USE, LOOK, WHOSE_LOOK, KEYS, LOOKED_AT, NOTE_LOOKED_AT];
pub(super) const REPEATS: &[&Repeat] = &[&LOOKS];

fn invite(mut row: Row) -> Result<Invite, Fault> {
    Ok(Invite {
        id: row.int()?,
        made_by: row.maybe_text()?,
        note: row.text()?,
        created_at: Timestamp(row.int()?),
        expires_at: Timestamp(row.int()?),
        most_uses: row.int()?,
        uses: row.int()?,
        revoked_at: row.maybe_int()?.map(Timestamp),
    })
}

/// Notes what a user's name looks like. Returns whose look it is.
pub(super) async fn note_look(c: &mut Connection<'_>, key: &UserKey, user: UserId) -> Result<UserId, Fault> {
    let hash = key.look_hash();
    c.execute(LOOK, &[hash.as_str().into(), user.into()]).await?;
    match c.row(WHOSE_LOOK, &[hash.as_str().into()]).await? {
        Some(mut row) => row.int(),
        None => Ok(user),
    }
}

#[async_trait]
impl Invites for SqlStore {
    async fn add_invite(&self, new: &NewInvite) -> Result<Invite, StoreError> {
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            if let Some(user) = new.made_by {
                lock_heads(&mut c, &[user]).await?;
                erase::check_is_here(&mut c, user).await?;
            }
            let args = [
                new.token_hash.as_str().into(),
                new.made_by.into(),
                new.note.as_str().into(),
                new.created_at.0.into(),
                new.expires_at.0.into(),
                new.most_uses.into(),
            ];
            let id = c.execute(ADD, &args).await?.last_id;
            let row = c.row(BY_ID, &[id.into()]).await?;
            let made = row.map(invite).transpose()?.ok_or(StoreError::NotFound)?;
            c.commit().await?;
            Ok(made)
        })
        .await
    }

    async fn invite(&self, id: InviteId) -> Result<Option<Invite>, StoreError> {
        retrying(|attempt| async move {
            self.db.reader(attempt).await?.row(BY_ID, &[id.into()]).await?.map(invite).transpose()
        })
        .await
    }

    async fn invite_by_token(&self, token_hash: &str) -> Result<Option<Invite>, StoreError> {
        retrying(|attempt| async move {
            self.db.reader(attempt).await?.row(BY_TOKEN, &[token_hash.into()]).await?.map(invite).transpose()
        })
        .await
    }

    async fn invites(&self, made_by: Option<UserId>, after: Timestamp) -> Result<Vec<Invite>, StoreError> {
        retrying(|attempt| async move {
            let mut c = self.db.reader(attempt).await?;
            let rows = match made_by {
                Some(user) => c.rows(OF_ONE, &[after.0.into(), user.into()]).await?,
                None => c.rows(ALL_OF_THEM, &[after.0.into()]).await?,
            };
            rows.into_iter().map(invite).collect()
        })
        .await
    }

    async fn revoke_invite(&self, id: InviteId, now: Timestamp) -> Result<(), StoreError> {
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            c.execute(REVOKE, &[now.0.into(), id.into()]).await?;
            c.commit().await
        })
        .await
    }
}

#[async_trait]
impl SignUps for SqlStore {
    async fn sign_up(
        &self,
        new: &NewUser,
        invite: Option<&str>,
        link: Option<&str>,
        now: Timestamp,
    ) -> Result<User, StoreError> {
        let key = &new.username.key();
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            if let Some(token_hash) = link {
                links::use_up(&mut c, LinkPurpose::SignUp, token_hash, now).await?;
            }
            if let Some(token_hash) = invite
                && c.execute(USE, &[token_hash.into(), now.0.into()]).await?.rows == 0
            {
                return Err(StoreError::NotFound.into());
            }
            let user = users::insert(&mut c, new, attempt, now).await?;
            if note_look(&mut c, key, user.id).await? != user.id {
                return Err(StoreError::Conflict(Rule::Look).into());
            }
            c.commit().await?;
            Ok(user)
        })
        .await
    }

    async fn note_looks(&self) -> Result<bool, StoreError> {
        retrying(|attempt| async move {
            let mut c = self.db.writer(attempt).await?;
            let noted = match c.row(LOOKED_AT, &[]).await? {
                Some(mut row) => row.text()?.parse().unwrap_or(0),
                None => 0i64,
            };
            let mut looks = Vec::new();
            for mut row in c.rows(KEYS, &[noted.into()]).await? {
                let (id, key) = (row.int()?, row.text()?);
                looks.push((id, UserKey::new(&key).map(|key| key.look_hash())));
            }
            let Some((last, _)) = looks.last() else { return Ok(false) };
            let last = last.to_string();
            let known = looks.iter().filter_map(|(id, look)| Some([Value::from(look.as_deref()?), (*id).into()]));
            c.execute_many(&LOOKS, 2, &known.flatten().collect::<Vec<_>>()).await?;
            c.execute(NOTE_LOOKED_AT, &[last.as_str().into()]).await?;
            c.commit().await?;
            Ok(true)
        })
        .await
    }
}
