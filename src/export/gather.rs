//! Goes through everything that is a user's, page by page.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::ExportError;
use super::entry::{Entry, FOOT, head};
use crate::domain::{Blocked, Invite, Profile, Slice, Timestamp, User, UserId};
use crate::store::{AccountStore, Passkey, Session, Store, StoreError};

/// The version of the format: raised when a reader of the one before would misread it.
const VERSION: u32 = 1;
/// Messages read at once.
const MESSAGES: i64 = 200;
/// Conversations read at once.
const CONVERSATIONS: i64 = 50;

/// Where an export is written to.
#[async_trait]
pub trait Sink: Send {
    /// Writes an entry; `done` of `total` messages are written with it.
    async fn put(&mut self, entry: Entry, done: i64, total: i64) -> Result<(), ExportError>;
}

/// Writes everything of a user; returns how many messages. What is said meanwhile may be in it or not.
pub async fn gather(
    store: &dyn Store,
    accounts: &dyn AccountStore,
    user: UserId,
    now: Timestamp,
    sink: &mut dyn Sink,
) -> Result<i64, ExportError> {
    let user = store.user(user).await?.ok_or(StoreError::NotFound)?;
    let total = store.count_messages(user.id).await?;
    let at = now.to_string();
    let mut first = Entry::of("export", "", &json!({"format": "chatd-export", "version": VERSION, "created_at": at}));
    first.page = head(&user.username, &at);
    sink.put(first, 0, total).await?;
    for entry in about(store, accounts, &user, now).await? {
        sink.put(entry, 0, total).await?;
    }
    let (mut done, mut after) = (0, 0);
    loop {
        let part = accounts.conversations_behind(user.id, after, CONVERSATIONS).await?;
        let Some(last) = part.last() else { break };
        after = last.id;
        for conversation in part {
            sink.put(Entry::conversation(&conversation, &user.username), done, total).await?;
            let mut seq = 0;
            loop {
                let mut messages = store.slice(conversation.id, Slice::After(seq), MESSAGES).await?;
                messages.reverse();
                let Some(last) = messages.last() else { break };
                seq = last.seq;
                for message in messages {
                    done += 1;
                    sink.put(Entry::message(&message), done, total.max(done)).await?;
                }
            }
        }
    }
    let mut last = Entry::of("end", "", &json!({"messages": done}));
    last.page = FOOT.to_owned();
    sink.put(last, done, done).await?;
    Ok(done)
}

/// What there is of an account besides conversations.
async fn about(
    store: &dyn Store,
    accounts: &dyn AccountStore,
    user: &User,
    now: Timestamp,
) -> Result<Vec<Entry>, StoreError> {
    let profile = store.profile(user.id).await?;
    let mut entries = vec![account(user), settings(user), said(&profile)];
    if let Some(name) = &profile.avatar
        && let Some(picture) = store.avatar(name).await?
    {
        let facts = json!({"content_type": "image/jpeg", "bytes": picture.len(), "base64": STANDARD.encode(&picture)});
        entries.push(Entry::of("picture", "Picture", &facts));
    }
    entries.extend(accounts.sessions_of(user.id, now).await?.iter().map(session));
    entries.extend(accounts.factors(user.id).await?.passkeys.iter().map(passkey));
    entries.extend(store.blocked(user.id).await?.iter().map(block));
    entries.extend(accounts.invites(Some(user.id), Timestamp(0)).await?.iter().map(invite));
    Ok(entries)
}

fn account(user: &User) -> Entry {
    let facts = json!({
        "id": user.id, "username": user.username, "email": user.email, "date_joined": user.date_joined.to_string(),
        "last_login": user.last_login.map(|time| time.to_string()),
        "is_staff": user.is_staff, "is_superuser": user.is_superuser,
    });
    Entry::of("account", "Account", &facts)
}

fn settings(user: &User) -> Entry {
    let shares = user.sharing;
    let facts = json!({
        "share_typing": shares.typing, "share_presence": shares.presence, "share_read": shares.read,
        "who_may_write": shares.who_may_write.as_str(),
    });
    Entry::of("settings", "Settings", &facts)
}

fn said(profile: &Profile) -> Entry {
    let facts = json!({
        "display_name": profile.display_name, "about": profile.about, "time_zone": profile.time_zone,
        "language": profile.language,
    });
    Entry::of("profile", "Profile", &facts)
}

/// Nothing by which somebody could get in.
fn session(session: &Session) -> Entry {
    let facts = json!({
        "user_agent": session.user_agent, "created_at": session.created_at.to_string(),
        "last_used_at": session.last_used_at.to_string(), "expires_at": session.expires_at.to_string(),
    });
    Entry::of("session", "Session", &facts)
}

/// Its name alone: the key is no secret, and of no use to anybody.
fn passkey(passkey: &Passkey) -> Entry {
    let last = passkey.last_used_at.map(|time| time.to_string());
    let facts = json!({"name": passkey.name, "created_at": passkey.created_at.to_string(), "last_used_at": last});
    Entry::of("passkey", "Passkey", &facts)
}

fn block(blocked: &Blocked) -> Entry {
    Entry::of("block", "Blocked", &json!({"user": blocked.username, "since": blocked.since.to_string()}))
}

fn invite(invite: &Invite) -> Entry {
    let facts = json!({
        "note": invite.note, "created_at": invite.created_at.to_string(), "expires_at": invite.expires_at.to_string(),
        "most_uses": invite.most_uses, "uses": invite.uses,
        "revoked_at": invite.revoked_at.map(|time| time.to_string()),
    });
    Entry::of("invite", "Invite", &facts)
}
