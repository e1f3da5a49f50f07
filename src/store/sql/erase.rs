//! The end of an account: everything of a user that goes, in one list.
//!
//! To add a table with something of a user in it: a statement in [`GOES`], which is given the user's number.

use async_trait::async_trait;

use super::invites::note_look;
use super::{Fault, Row, SqlStore, StoreError, lock_heads};
use crate::domain::{Timestamp, UserId, UserKey, placeholder};
use crate::store::Erasing;
use crate::store::db::{Connection, Db};
use crate::store::error::Rule;
use crate::store::retry::{Attempt, retrying};

const IS_HERE: &str = "SELECT id FROM users WHERE id = ? AND erased_at IS NULL";
const AS_IT_IS: &str = "SELECT username_key, password_hash, is_superuser FROM users WHERE id = ? AND erased_at IS NULL";
/// Nobody, if the user is none of them.
const SUPERUSERS: &str = "SELECT o.id FROM users u CROSS JOIN users o ON o.is_superuser = 1 AND o.is_active = 1 \
    WHERE u.id = ? AND u.is_superuser = 1";
const OTHER_SUPERUSER: &str = "SELECT id FROM users WHERE is_superuser = 1 AND is_active = 1 AND id <> ? LIMIT 1";
const IS_TAKEN: &str = "SELECT id FROM users WHERE username_key = ?";
/// No password has this hash.
const BLANK: &str = "UPDATE users SET username = ?, username_key = ?, erased_at = ?, password_hash = '!', email = '', \
    is_active = 0, is_staff = 0, is_superuser = 0, last_login = NULL, share_typing = 0, share_presence = 0, \
    blocks = 0 WHERE id = ?";
const REVOKE_INVITES: &str = "UPDATE invites SET revoked_at = COALESCE(revoked_at, ?), note = '' WHERE made_by = ?";
/// Nobody else has them. Neither the text stays nor what it could be recognised by.
const EMPTY_NOTES: &str = "UPDATE messages SET body = '', fingerprint = '', version = version + 1, \
    deleted_at = COALESCE(deleted_at, ?) \
    WHERE conversation_id = (SELECT id FROM conversations WHERE low_user = ? AND high_user = ?)";

const SESSIONS: &str = "DELETE FROM sessions WHERE user_id = ?";
const LINKS: &str = "DELETE FROM account_links WHERE user_id = ?";
const PROFILE: &str = "DELETE FROM profiles WHERE user_id = ?";
const PICTURE: &str = "DELETE FROM avatars WHERE user_id = ?";
const PRESENCE: &str = "DELETE FROM presence WHERE user_id = ?";
/// Its pieces are nobody's then, and are swept away.
const EXPORT: &str = "DELETE FROM exports WHERE user_id = ?";
const NAMES: &str = "DELETE FROM people_names WHERE user_id = ?";
const TOTP: &str = "DELETE FROM totp WHERE user_id = ?";
const RECOVERY_CODES: &str = "DELETE FROM recovery_codes WHERE user_id = ?";
const PASSKEYS: &str = "DELETE FROM passkeys WHERE user_id = ?";
const BLOCKS: &str = "DELETE FROM blocks WHERE user_id = ?";
/// What goes as a whole. What they reported stays with the staff.
const GOES: &[&str] =
    &[SESSIONS, LINKS, PROFILE, PICTURE, PRESENCE, EXPORT, NAMES, TOTP, RECOVERY_CODES, PASSKEYS, BLOCKS];

pub(super) const ALL: &[&str] = &[
    IS_HERE,
    AS_IT_IS,
    SUPERUSERS,
    OTHER_SUPERUSER,
    IS_TAKEN,
    BLANK,
    REVOKE_INVITES,
    EMPTY_NOTES,
    SESSIONS,
    LINKS,
    PROFILE,
    PICTURE,
    PRESENCE,
    EXPORT,
    NAMES,
    TOTP,
    RECOVERY_CODES,
    PASSKEYS,
    BLOCKS,
];

/// [`StoreError::NotFound`] if the user was erased. Under the lock of the user's head: a request that began before must
/// not bring back what went.
pub(super) async fn check_is_here(c: &mut Connection<'_>, user: UserId) -> Result<(), Fault> {
    c.row(IS_HERE, &[user.into()]).await?.map(drop).ok_or_else(|| StoreError::NotFound.into())
}

async fn erase(db: &Db, attempt: Attempt, user: UserId, hash: Option<&str>, now: Timestamp) -> Result<(), Fault> {
    // By itself, because the first read of a transaction may fix what it sees. Two of the last who go at once take turns.
    let superusers = db.reader(attempt).await?.rows(SUPERUSERS, &[user.into()]).await?;
    let mut heads = superusers.into_iter().map(|mut row: Row| row.int()).collect::<Result<Vec<_>, Fault>>()?;
    heads.push(user);
    let mut c = db.writer(attempt).await?;
    lock_heads(&mut c, &heads).await?;
    let mut row = c.row(AS_IT_IS, &[user.into()]).await?.ok_or(StoreError::NotFound)?;
    let (key, stored, is_superuser) = (row.text()?, row.text()?, row.flag()?);
    if hash.is_some_and(|hash| hash != stored) {
        return Err(StoreError::NotFound.into());
    }
    if is_superuser && c.row(OTHER_SUPERUSER, &[user.into()]).await?.is_none() {
        return Err(StoreError::Conflict(Rule::LastSuperuser).into());
    }
    // The look of the name stays with the erased: nobody can sign up as who they were.
    if let Some(key) = UserKey::new(&key) {
        note_look(&mut c, &key, user).await?;
    }
    let mut name = placeholder(user, None);
    while c.row(IS_TAKEN, &[name.as_str().into()]).await?.is_some() {
        name = placeholder(user, Some(rand::random()));
    }
    c.execute(BLANK, &[name.as_str().into(), name.as_str().into(), now.0.into(), user.into()]).await?;
    c.execute(REVOKE_INVITES, &[now.0.into(), user.into()]).await?;
    c.execute(EMPTY_NOTES, &[now.0.into(), user.into(), user.into()]).await?;
    for sql in GOES {
        c.execute(sql, &[user.into()]).await?;
    }
    c.commit().await
}

#[async_trait]
impl Erasing for SqlStore {
    async fn erase(&self, user: UserId, hash: Option<&str>, now: Timestamp) -> Result<(), StoreError> {
        retrying(|attempt| erase(&self.db, attempt, user, hash, now)).await
    }
}
