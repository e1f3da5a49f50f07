//! Storage: three small traits, [`Users`], [`Sessions`] and [`Messages`], and [`Store`], which is all of them.
//!
//! A method is a transaction; there is no commit to forget. `Option` means "may be absent", an error means "broken".
//! To add a method: write its conformance test (`tests/it/conformance/store.rs`), declare it here, write its SQL
//! once in `sql/`, in the common form that `dialect` translates for each database.

mod bounds;
mod connect;
mod db;
mod dialect;
mod error;
mod group_commit;
mod lookup;
mod migrate;
mod patience;
mod pool;
mod retry;
mod row;
mod sql;

use async_trait::async_trait;

pub use connect::check_url;
pub use error::{Rule, StoreError};
pub use migrate::MigrationStatus;
pub use patience::sharing_patience;
pub use sql::{Isolation, Options, SqlStore};

use crate::domain::{
    Conversation, ConversationId, ConversationPage, Cursor, Epoch, LogPage, Message, MessageId, NewMessage, NewUser,
    Position, ReadState, Sent, Seq, Slice, Timestamp, User, UserId, UserKey,
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
    /// Everybody, in the order of their numbers.
    async fn all_users(&self) -> Result<Vec<User>, StoreError>;
    /// Up to `limit` active people other than `me` whose key starts with `prefix`, in the order of their keys, from
    /// behind `after`. Costs the same however many users there are.
    async fn people(
        &self,
        me: UserId,
        prefix: &UserKey,
        after: Option<&str>,
        limit: i64,
    ) -> Result<Vec<(String, User)>, StoreError>;
    /// Whether anybody may administer this server.
    async fn has_superuser(&self) -> Result<bool, StoreError>;
    /// Replaces the hash and ends every session but `keep`.
    async fn set_password_hash(&self, id: UserId, hash: &str, keep: Option<&str>) -> Result<(), StoreError>;
    /// Replaces the hash of an unchanged password; nothing else changes. Nothing happens if it is no longer `old`.
    async fn rehash(&self, id: UserId, old: &str, new: &str) -> Result<(), StoreError>;
    /// Activates or deactivates; deactivating ends every session.
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
    /// [`Self::was_right`] and [`Self::add_session`] in one: all of it or nothing.
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
        after: Option<(Timestamp, ConversationId)>,
        limit: i64,
    ) -> Result<ConversationPage, StoreError>;
    /// One conversation of a user, and the head read before it.
    async fn conversation(&self, user: UserId, peer: UserId) -> Result<Option<(Conversation, Position)>, StoreError>;
    /// Moves `user`'s read mark up to `seq`, at most to the newest message, never back. Returns the state and where
    /// the logs stand if anything changed. None if there is no such conversation.
    async fn mark_read(
        &self,
        user: UserId,
        peer: UserId,
        seq: Seq,
        now: Timestamp,
    ) -> Result<Option<(ReadState, Vec<(UserId, i64)>)>, StoreError>;
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

/// All of storage.
#[async_trait]
pub trait Store: Users + Sessions + Messages + Logs {
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
