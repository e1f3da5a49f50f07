//! The SQL, once for both databases. Each file has the statements of one subject beside the methods that run them;
//! its `ALL` lists them so that a test can prepare every one on both.

mod contacts;
mod conversations;
mod credentials;
mod devices;
mod edits;
mod erase;
mod events;
mod exports;
mod factors;
mod history;
mod invites;
mod links;
mod mails;
mod names;
mod plan;
mod presence;
mod profiles;
mod repair;
mod reports;
mod send;
mod sessions;
mod settings;
mod throttle;
mod users;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;

pub(super) use send::{Keys, Outcome, store_batch};

use super::db::{Connection, Db, Row};
use super::dialect::Repeat;
use super::error::{Fault, StoreError};
use super::group_commit::GroupCommit;
use super::lookup::Lookup;
use super::migrate::{self, MigrationStatus};
use super::retry::{Attempt, retrying};
use super::{Session, Store};
use crate::domain::{Epoch, Message, Position, Timestamp, User, UserId};

/// The isolation level of MySQL connections. READ COMMITTED serves; the other exists for the conformance suite,
/// which shows that no guarantee leans on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    #[default]
    ReadCommitted,
    RepeatableRead,
}

/// How to open a store.
#[derive(Clone, Debug)]
pub struct Options {
    pub isolation: Isolation,
    /// The most connections to MySQL: one for sends, at least one for all else.
    pub connections: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { isolation: Isolation::default(), connections: 16 }
    }
}

/// The store, on SQLite or MySQL.
pub struct SqlStore {
    db: Arc<Db>,
    sends: GroupCommit,
    session_by_hash: Lookup<(Session, User)>,
    user_by_key: Lookup<User>,
    head_by_user: Lookup<Position>,
    epoch: Epoch,
    install: String,
}

const META: &str = "SELECT value FROM meta WHERE name = ?";
const META_ADD: &str = "INSERT INTO meta (name, value) VALUES (?, ?)";
const PING: &str = "SELECT 1";

/// The statements of all subjects. What is found by a key of another row is joined with LEFT JOIN, though it is always
/// there: MariaDB begins an inner join with the table that it believes to be the smallest, and what it believes of a table
/// that was filled shortly before it was killed is that it is empty. A list of conversations then took minutes.
pub(super) const ALL: &[&[&str]] = &[
    &[META, META_ADD, PING],
    contacts::ALL,
    conversations::ALL,
    devices::ALL,
    edits::ALL,
    erase::ALL,
    events::ALL,
    factors::ALL,
    exports::ALL,
    history::ALL,
    invites::ALL,
    links::ALL,
    mails::ALL,
    names::ALL,
    plan::ALL,
    profiles::ALL,
    repair::ALL,
    reports::ALL,
    send::ALL,
    sessions::ALL,
    settings::ALL,
    throttle::ALL,
    users::ALL,
];

/// The repeating statements of all subjects.
pub(super) const ALL_REPEATS: &[&[&Repeat]] = &[
    contacts::REPEATS,
    send::REPEATS,
    plan::REPEATS,
    events::REPEATS,
    factors::REPEATS,
    devices::REPEATS,
    invites::REPEATS,
    names::REPEATS,
    presence::REPEATS,
    profiles::REPEATS,
    sessions::REPEATS,
    throttle::REPEATS,
    users::REPEATS,
];

impl SqlStore {
    /// Opens a migrated database. [`StoreError::Unavailable`] if it cannot be reached.
    pub async fn open(url: &str, options: &Options) -> Result<Self, StoreError> {
        let shared = Options { connections: options.connections.saturating_sub(1).max(1), ..options.clone() };
        let db = Arc::new(Db::open(url, &shared)?);
        let epoch = fact(&db, "epoch").await?;
        let install = fact(&db, "install").await?;
        let epoch = u64::from_str_radix(&epoch, 16)
            .map_err(|_| StoreError::Internal(format!("the database's epoch is {epoch:?}, not 16 hex digits")))?;
        let sending = if db.is_sqlite() {
            // One writer: whoever writes takes turns.
            db.clone()
        } else {
            // Its connection belongs to the thread of sends.
            Arc::new(Db::open(url, &Options { connections: 1, ..options.clone() })?)
        };
        Ok(Self {
            sends: GroupCommit::start(sending)?,
            session_by_hash: Lookup::start(&db, sessions::find),
            user_by_key: Lookup::start(&db, users::find),
            head_by_user: Lookup::start(&db, events::find),
            db,
            epoch: Epoch(epoch),
            install,
        })
    }

    /// Applies the migrations that are missing, in order, and notes what they need of what is there; returns how many.
    /// Stopped half-way it goes on where it was. [`StoreError::Unavailable`] if the
    /// database cannot be reached.
    pub async fn migrate(url: &str) -> Result<usize, StoreError> {
        let db = Db::open(url, &Options::default())?;
        let applied = migrate::run(&db).await?;
        while names::note_more(&db).await? {}
        db.close().await;
        Ok(applied)
    }

    /// Which migrations are applied, without a store. Writes nothing.
    pub async fn status(url: &str) -> Result<MigrationStatus, StoreError> {
        if url.strip_prefix("sqlite:").is_some_and(|path| !Path::new(path).exists()) {
            return Ok(migrate::nothing_applied());
        }
        let db = Db::open(url, &Options::default())?;
        let status = migrate::status(&db).await?;
        db.close().await;
        Ok(status)
    }

    /// Ends the connections, after what is under way.
    pub async fn close(&self) {
        self.db.close().await;
    }

    /// Prepares every statement, as a test of both databases; returns those that were refused, with the reason.
    pub async fn unprepared(&self) -> Result<Vec<(String, String)>, StoreError> {
        let mut c = self.db.reader(Attempt::only()).await.map_err(Fault::into_error)?;
        let mut refused = Vec::new();
        let mut check = Vec::new();
        for sql in ALL.iter().copied().flatten() {
            check.push(c.phrase(sql));
        }
        for repeat in ALL_REPEATS.iter().copied().flatten() {
            check.extend([c.phrase_many(repeat, 1), c.phrase_many(repeat, 2)]);
        }
        for sql in check {
            if let Err(fault) = c.prepare(sql).await {
                refused.push((sql.to_owned(), fault.into_error().to_string()));
            }
        }
        Ok(refused)
    }

    /// What the writing connection itself says of a setting (`synchronous`, `journal_mode`), for tests on SQLite.
    pub async fn writer_pragma(&self, pragma: &'static str) -> Result<String, StoreError> {
        let read = async {
            let mut c = self.db.writer(Attempt::only()).await?;
            let row = c.row(pragma, &[]).await?;
            row.map_or(Ok(String::new()), |mut row| row.text())
        };
        read.await.map_err(Fault::into_error)
    }
}

/// A fact about this database, made up at the first look.
async fn fact(db: &Db, name: &'static str) -> Result<String, StoreError> {
    retrying(|attempt| async move {
        let mut c = db.writer(attempt).await?;
        if let Some(mut row) = c.row(META, &[name.into()]).await? {
            return row.text();
        }
        let value = format!("{:016x}", rand::random::<u64>());
        c.execute(META_ADD, &[name.into(), value.as_str().into()]).await?;
        c.commit().await?;
        Ok(value)
    })
    .await
}

/// A message in the order of [`message_columns`].
fn message(row: &mut Row) -> Result<Message, Fault> {
    let id = row.int()?;
    let conversation = row.int()?;
    let seq = row.int()?;
    let sender = row.int()?;
    let sender_name = row.text()?;
    let recipient = row.int()?;
    let recipient_name = row.text()?;
    let timestamp = Timestamp(row.int()?);
    let body = row.text()?;
    let client_key = row.text()?;
    let client_id = row.flag()?.then_some(client_key);
    let version = row.int()?;
    let edited_at = row.maybe_int()?.map(Timestamp);
    let deleted_at = row.maybe_int()?.map(Timestamp);
    let reply_to = row.maybe_int()?;
    Ok(Message {
        id,
        conversation,
        seq,
        sender,
        sender_name,
        recipient,
        recipient_name,
        timestamp,
        body,
        client_id,
        version,
        edited_at,
        deleted_at,
        reply_to,
    })
}

/// What [`message`] reads, of `m` (messages), `s` (its sender) and `r` (its recipient).
macro_rules! message_columns {
    () => {
        "m.id, m.conversation_id, m.seq, m.sender_id, s.username, m.recipient_id, r.username, m.sent_at, m.body, \
         m.client_key, m.own_key, m.version, m.edited_at, m.deleted_at, m.reply_seq"
    };
}
use message_columns;

/// Messages `m` from there, with the names of their people; what follows says which, or in which order.
macro_rules! messages_from {
    ($from:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            message_columns!(),
            " FROM ",
            $from,
            " LEFT JOIN users s ON s.id = m.sender_id LEFT JOIN users r ON r.id = m.recipient_id ",
            $rest
        )
    };
}
use messages_from;

/// Locks the heads of these users, in ascending order in one pass, and returns their positions. What every write
/// transaction does before it touches what is theirs: whoever holds a user's head is alone with the user's log,
/// conversations and row of `users` (which every message and log row of theirs locks through its foreign key).
async fn lock_heads(c: &mut Connection<'_>, users: &[UserId]) -> Result<Vec<(UserId, i64)>, Fault> {
    lock_heads_by(c, &send::LOCK_HEADS, users).await
}

async fn lock_heads_by(c: &mut Connection<'_>, sql: &Repeat, users: &[UserId]) -> Result<Vec<(UserId, i64)>, Fault> {
    let mut users = users.to_vec();
    users.sort_unstable();
    users.dedup();
    let keys: Vec<_> = users.iter().map(|u| (*u).into()).collect();
    let rows = c.rows_many(sql, 1, &keys).await?;
    rows.into_iter().map(|mut row| Ok((row.int()?, row.int()?))).collect()
}

#[async_trait]
impl Store for SqlStore {
    fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn install(&self) -> &str {
        &self.install
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let mut c = self.db.reader(Attempt::only()).await.map_err(Fault::into_error)?;
        c.row(PING, &[]).await.map_err(Fault::into_error).map(drop)
    }

    async fn durability_warnings(&self) -> Result<Vec<String>, StoreError> {
        migrate::durability_warnings(&self.db).await.map_err(Fault::into_error)
    }

    async fn migration_status(&self) -> Result<MigrationStatus, StoreError> {
        migrate::status(&self.db).await
    }
}
