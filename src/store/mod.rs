//! Storage: a few small traits, [`Users`], [`Sessions`], [`Messages`], [`Logs`], [`Settings`], [`Presences`] and
//! [`Profiles`], and [`Store`], which is all of them; beside it [`Mails`], the queue of outgoing mail.
//!
//! A method is a transaction; there is no commit to forget. `Option` means "may be absent", an error means "broken".
//! To add a method: write its conformance test (`tests/it/conformance/store.rs`), declare it here, write its SQL
//! once in `sql/`, in the common form that `dialect` translates for each database.

mod accounts;
mod bounds;
mod connect;
mod contacts;
mod db;
mod dialect;
mod error;
mod exports;
mod factors;
mod group_commit;
mod lookup;
mod mails;
mod migrate;
mod patience;
mod pool;
mod profiles;
mod retry;
mod row;
mod sql;

use async_trait::async_trait;

pub use accounts::{AccountStore, Credentials, Devices, Erasing, Invites, Links, SignUps, Standing};
pub use connect::check_url;
pub use contacts::{Closing, Contacts, Reports};
pub use error::{Rule, StoreError};
pub use exports::Exports;
pub use factors::{FactorChange, Factors, NewPasskey, Passkey, PasskeyId, Proof, SecondFactors, Totp};
pub use mails::{ClaimedMail, MailId, MailQueue, Mails, QueuedMail};
pub use migrate::MigrationStatus;
pub use patience::sharing_patience;
pub use profiles::{Avatar, Profiles};
pub use sql::{Isolation, Options, SqlStore};

use crate::domain::{
    Attendance, Changed, Conversation, ConversationId, ConversationPage, ConversationSettings,
    ConversationSettingsChange, Cursor, Edit, Epoch, LogPage, Mark, Message, MessageId, NamePrefix, NewMessage,
    NewUser, PeoplePage, Place, Position, ReadState, Sent, Seq, Sharing, SharingChange, Slice, Timestamp, User, UserId,
    UserKey,
};

/// A signed-in cookie as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the token, in hex. The token itself is with the client alone.
    pub token_hash: String,
    pub user: UserId,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub user_agent: String,
    /// To within some minutes.
    pub last_used_at: Timestamp,
}

/// One allowance of a rate limit: a name (a hash of what is limited), the time one try costs, and how much time may
/// be owed before tries are refused.
#[derive(Clone, Debug)]
pub struct Allowance {
    pub name: String,
    pub cost_micros: i64,
    pub burst_micros: i64,
}

/// A try to sign in, as the limits see it.
#[derive(Clone, Debug)]
pub struct Try {
    /// So many a minute: given back when the password was right.
    pub a_minute: Vec<Allowance>,
    /// So many in a row: whole again when the password was right.
    pub in_a_row: Allowance,
    /// The name (a hash) of the account's network among the known ones.
    pub network: String,
}

impl Try {
    /// All that it is charged to.
    pub fn charges(&self) -> Vec<Allowance> {
        self.a_minute.iter().chain([&self.in_a_row]).cloned().collect()
    }
}

/// Which conversations are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    All,
    Pinned,
}

/// People.
#[async_trait]
pub trait Users: Send + Sync {
    /// Stores a user together with the head of its event log. [`Rule::Username`] if the name is taken.
    async fn add_user(&self, new: &NewUser, now: Timestamp) -> Result<User, StoreError>;
    /// The user with this number.
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError>;
    /// The user with this name, and the password hash to check a sign-in against.
    async fn user_and_hash(&self, key: &UserKey) -> Result<Option<(User, String)>, StoreError>;
    /// The user with this name.
    async fn user_by_key(&self, key: &UserKey) -> Result<Option<User>, StoreError>;
    /// Up to `limit` users, in the order of their numbers, from behind `after`; 0 is the start.
    async fn users_after(&self, after: UserId, limit: i64) -> Result<Vec<User>, StoreError>;
    /// Everybody who was not erased, in the order of their numbers: for commands, which take their time.
    async fn all_users(&self) -> Result<Vec<User>, StoreError> {
        const PART: i64 = 5000;
        let mut all = Vec::new();
        loop {
            let after = all.last().map_or(0, |user: &User| user.id);
            let part = self.users_after(after, PART).await?;
            let whole = i64::try_from(part.len()).unwrap_or(PART) < PART;
            all.extend(part);
            if whole {
                return Ok(all);
            }
        }
    }
    /// Whether there are more users than this. Reads at most one more.
    async fn has_more_users_than(&self, most: i64) -> Result<bool, StoreError>;
    /// Up to `limit` active people other than `me` of whose names one starts with `prefix` (all, if it is empty), in the
    /// order of these names, from behind `after`; each of them once. Costs the same however many users there are.
    async fn people(
        &self,
        me: UserId,
        prefix: &NamePrefix,
        after: Option<&Place>,
        limit: i64,
    ) -> Result<PeoplePage, StoreError>;
    /// Whether anybody may administer this server.
    async fn has_superuser(&self) -> Result<bool, StoreError>;
    /// Replaces the hash and ends every session but `keep`. [`StoreError::NotFound`] if there is no such user, or no more.
    async fn set_password_hash(&self, id: UserId, hash: &str, keep: Option<&str>) -> Result<(), StoreError>;
    /// Replaces the hash of an unchanged password; nothing else changes. Nothing happens if it is no longer `old`.
    async fn rehash(&self, id: UserId, old: &str, new: &str) -> Result<(), StoreError>;
    /// Activates or deactivates; deactivating ends every session. [`StoreError::NotFound`] as before.
    async fn set_active(&self, id: UserId, active: bool) -> Result<(), StoreError>;
}

/// Signed-in cookies, and the limits that guard signing in.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Stores a session of an active user and notes the sign-in. [`StoreError::NotFound`] if the user is not active.
    async fn add_session(&self, session: &Session) -> Result<(), StoreError>;
    /// The session and its active user, unless it has ended or expired.
    async fn session(&self, token_hash: &str, now: Timestamp) -> Result<Option<(Session, User)>, StoreError>;
    /// Which of these have not ended, expired, or lost their active user.
    async fn live_sessions(&self, token_hashes: &[String], now: Timestamp) -> Result<Vec<String>, StoreError>;
    /// Ends a session. Ending it again does nothing.
    async fn end_session(&self, token_hash: &str) -> Result<(), StoreError>;
    /// Removes what has expired: sessions, known networks, and allowances that are whole again.
    async fn remove_expired(&self, now: Timestamp) -> Result<(), StoreError>;
    /// Takes one try from each allowance. All of them or none: `Err(wait)` in microseconds if one is used up.
    async fn take(&self, allowances: &[Allowance], now: Timestamp) -> Result<Result<(), i64>, StoreError>;
    /// Whether this network has been noted by [`Self::was_right`] and is not forgotten yet.
    async fn is_known(&self, network: &str, now: Timestamp) -> Result<bool, StoreError>;
    /// The try had the right password: gives back what [`Self::take`] took of each minute, makes the allowance in a
    /// row whole, and notes the network.
    async fn was_right(&self, attempt: &Try, now: Timestamp, known_until: Timestamp) -> Result<(), StoreError>;
    /// [`Self::was_right`] and [`Self::add_session`] in one: all of it or nothing. [`StoreError::NotFound`] also for a user
    /// with a second factor: see [`SecondFactors::sign_in_with`].
    async fn sign_in(&self, attempt: &Try, session: &Session, known_until: Timestamp) -> Result<(), StoreError>;
    /// Makes the allowance of this name whole.
    async fn make_whole(&self, name: &str, now: Timestamp) -> Result<(), StoreError>;
}

/// Messages, conversations and the logs that tell of them.
#[async_trait]
pub trait Messages: Send + Sync {
    /// Stores `new` with its number, its time and the log rows of both people, durably, and returns it.
    /// Sending the same key again returns the first message as it is now; with other content it is
    /// [`Rule::ClientId`]. After [`StoreError::Unavailable`] nothing was stored; after
    /// [`StoreError::OutcomeUnknown`] the same key finds out.
    async fn send(&self, new: NewMessage) -> Result<Sent, StoreError>;
    /// A message, for one of its two people.
    async fn message(&self, reader: UserId, id: MessageId) -> Result<Option<Message>, StoreError>;
    /// How many messages `user` has sent or received.
    async fn count_messages(&self, user: UserId) -> Result<i64, StoreError>;
    /// `user`'s messages with everybody, newest first.
    async fn messages_of(&self, user: UserId, offset: i64, limit: i64) -> Result<Vec<Message>, StoreError>;
    /// The conversation of two users and its newest number.
    async fn conversation_of(&self, a: UserId, b: UserId) -> Result<Option<(ConversationId, Seq)>, StoreError>;
    /// Part of a conversation, newest first, at a cost that does not depend on its length.
    async fn slice(&self, id: ConversationId, part: Slice, limit: i64) -> Result<Vec<Message>, StoreError>;
    /// A user's conversations, newest activity first, from behind `after`.
    async fn conversations(
        &self,
        user: UserId,
        which: Which,
        after: Option<(Timestamp, ConversationId)>,
        limit: i64,
    ) -> Result<ConversationPage, StoreError>;
    /// One conversation of a user, and the head read before it.
    async fn conversation(&self, user: UserId, peer: UserId) -> Result<Option<(Conversation, Position)>, StoreError>;
    /// Moves `user`'s mark up to a number, at most to the newest message, never back. Returns the state and where the
    /// logs stand if anything changed. None if there is no such conversation.
    async fn mark(
        &self,
        user: UserId,
        peer: UserId,
        mark: (Mark, Seq),
        now: Timestamp,
    ) -> Result<Option<(ReadState, Vec<(UserId, i64)>)>, StoreError>;
    /// Changes a message of `sender`'s, and tells both people; an edit that changes nothing, or one of a deleted
    /// message, writes nothing. None if `sender` sent no such message. The same again is the same.
    async fn change(
        &self,
        sender: UserId,
        id: MessageId,
        edit: &Edit,
        now: Timestamp,
    ) -> Result<Option<Changed>, StoreError>;
    /// Recomputes a user's list from the messages; returns how many rows were wrong.
    async fn repair_conversations(&self, user: UserId) -> Result<u64, StoreError>;
    /// Stores a finished history (for `test-data` and imports): the messages of one conversation, in order.
    async fn add_history(&self, history: &[NewMessage]) -> Result<(), StoreError>;
}

/// Users' logs of changes.
#[async_trait]
pub trait Logs: Send + Sync {
    /// The newest place in a user's log.
    async fn head(&self, user: UserId) -> Result<Position, StoreError>;
    /// The newest places in the logs of many users; those who do not exist are left out.
    async fn heads(&self, users: &[UserId]) -> Result<Vec<(UserId, Position)>, StoreError>;
    /// What follows `after` in a user's log, at most `limit` events. None if that place is not in the log, or what
    /// follows it is not whole: start over. A place beyond the head is read once more, causally, first.
    async fn events(&self, user: UserId, after: Position, limit: i64) -> Result<Option<LogPage>, StoreError>;
    /// Removes rows older than `before` and those beyond the newest `keep` of each user; the newest always stays.
    async fn prune_events(&self, before: Timestamp, keep: i64) -> Result<u64, StoreError>;
}

/// What users arrange for themselves. Where the logs stand is returned if anything changed.
#[async_trait]
pub trait Settings: Send + Sync {
    /// Changes how `user` keeps the conversation with `peer`, and tells the user's own devices. None if there is no such
    /// conversation.
    async fn arrange(
        &self,
        user: UserId,
        peer: UserId,
        change: &ConversationSettingsChange,
        now: Timestamp,
    ) -> Result<Option<(ConversationSettings, Vec<(UserId, i64)>)>, StoreError>;
    /// Changes what others may see of `user`, and tells the user's own devices.
    async fn share(
        &self,
        user: UserId,
        change: SharingChange,
        now: Timestamp,
    ) -> Result<(Sharing, Vec<(UserId, i64)>), StoreError>;
}

/// Who is here. Nothing else depends on it.
#[async_trait]
pub trait Presences: Send + Sync {
    /// What is stored of these; those who do not share it are left out.
    async fn attendances(&self, users: &[UserId]) -> Result<Vec<Attendance>, StoreError>;
    /// Stores these in the place of what was stored of the same people.
    async fn note_attendances(&self, notes: &[Attendance]) -> Result<(), StoreError>;
    /// Those with these names with whom `user` has a conversation, and who neither block the user nor have yet to accept it.
    async fn peers_among(&self, user: UserId, names: &[UserKey]) -> Result<Vec<(UserId, String)>, StoreError>;
    /// From whom these hide: whom they block, as pairs of the two.
    async fn hidden_from(&self, users: &[UserId]) -> Result<Vec<(UserId, UserId)>, StoreError>;
}

/// All of storage.
#[async_trait]
pub trait Store: Users + Sessions + Messages + Logs + Settings + Presences + Profiles + Contacts + Reports {
    /// The lineage that cursors belong to.
    fn epoch(&self) -> Epoch;
    /// Names this database on a shared bus.
    fn install(&self) -> &str;
    /// Fails unless the database answers.
    async fn ping(&self) -> Result<(), StoreError>;
    /// What the database's settings take away from "acknowledged is durable"; empty if nothing.
    async fn durability_warnings(&self) -> Result<Vec<String>, StoreError>;
    /// Which migrations are applied.
    async fn migration_status(&self) -> Result<MigrationStatus, StoreError>;

    /// The cursor of a place in `user`'s log.
    fn cursor(&self, user: UserId, at: Position) -> Cursor {
        Cursor { epoch: self.epoch(), user, at }
    }
}
