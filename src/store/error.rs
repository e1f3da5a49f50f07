//! What can go wrong in storage, and how database errors are sorted into it.

use sqlx::Error as SqlxError;
use sqlx::mysql::MySqlDatabaseError;

/// A uniqueness rule that a write met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The username is taken.
    Username,
    /// The username looks like somebody else's.
    Look,
    /// The display name is, or looks like, the username of somebody else.
    DisplayName,
    /// The account has this second factor already, or the passkey is somebody's.
    Factor,
    /// The client's key was used for other content.
    ClientId,
    /// Nobody else could administer this server.
    LastSuperuser,
}

/// Why a storage method failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// What the write is about is not there.
    #[error("not found")]
    NotFound,
    /// The recipient does not hear from the sender: never said why.
    #[error("the recipient does not hear from the sender")]
    Refused,
    /// A uniqueness rule.
    #[error("conflict with the rule {0:?}")]
    Conflict(Rule),
    /// The database cannot be reached or cannot write. Nothing was applied.
    #[error("the database is unavailable, nothing was applied: {0}")]
    Unavailable(String),
    /// The connection was lost while committing. The write may have been applied, once.
    #[error("the outcome is unknown: {0}")]
    OutcomeUnknown(String),
    /// A defect, or a damaged database.
    #[error("storage failed: {0}")]
    Internal(String),
}

/// A failed step inside of a transaction, before it is known whether the transaction is tried again.
#[derive(Debug)]
pub(super) enum Fault {
    /// Ends the transaction with this answer.
    Answer(StoreError),
    /// Lost against another transaction: the same again may work.
    Contended(SqlxError),
    /// A unique key was there first: in a new transaction it will be seen.
    Duplicate(SqlxError),
    /// No usable connection; nothing of this transaction was applied.
    Lost(SqlxError),
    /// The connection was lost inside of COMMIT.
    LostInCommit(SqlxError),
    /// Anything else.
    Broken(SqlxError),
}

impl From<StoreError> for Fault {
    fn from(e: StoreError) -> Self {
        Self::Answer(e)
    }
}

impl From<SqlxError> for Fault {
    fn from(e: SqlxError) -> Self {
        match &e {
            SqlxError::Io(_)
            | SqlxError::Tls(_)
            | SqlxError::Protocol(_)
            | SqlxError::PoolTimedOut
            | SqlxError::PoolClosed
            | SqlxError::WorkerCrashed
            | SqlxError::BeginFailed => Self::Lost(e),
            SqlxError::Database(d) if d.is_unique_violation() => Self::Duplicate(e),
            SqlxError::Database(d) => match d.try_downcast_ref::<MySqlDatabaseError>() {
                Some(mysql) => Self::sort_mysql(mysql.number(), mysql.code() == Some("40001"), e),
                None => Self::sort_sqlite(d.code().and_then(|c| c.parse().ok()), e),
            },
            _ => Self::Broken(e),
        }
    }
}

/// Whether a MySQL server does not know what was said: a syntax error, or "not supported yet".
pub(super) fn is_unknown_syntax(e: &SqlxError) -> bool {
    let mysql = e.as_database_error().and_then(|e| e.try_downcast_ref::<MySqlDatabaseError>());
    mysql.is_some_and(|e| [1064, 1235].contains(&e.number()))
}

impl Fault {
    fn sort_mysql(number: u16, serialization: bool, e: SqlxError) -> Self {
        match number {
            // Deadlock, lock wait time-out, changed since the snapshot; the savepoint of the transaction has gone with it.
            1213 | 1205 | 1020 | 1305 => Self::Contended(e),
            _ if serialization => Self::Contended(e),
            // Too many connections, no such access for now, shutting down, no quorum, killed, read-only, disk full,
            // rested for too long.
            1021
            | 1037
            | 1038
            | 1040
            | 1041
            | 1047
            | 1053
            | 1114
            | 1129
            | 1158..=1161
            | 1184
            | 1203
            | 1290
            | 1317
            | 1792
            | 1836
            | 1927
            | 3024
            | 3100
            | 3101
            | 4031 => Self::Lost(e),
            _ => Self::Broken(e),
        }
    }

    /// SQLite's primary result code is the low byte of the extended one.
    fn sort_sqlite(code: Option<u32>, e: SqlxError) -> Self {
        match code.map(|c| c & 0xff) {
            // BUSY, LOCKED, and a snapshot that is too old.
            Some(5 | 6 | 17) => Self::Contended(e),
            // READONLY, IOERR, FULL, CANTOPEN.
            Some(8 | 10 | 13 | 14) => Self::Lost(e),
            _ => Self::Broken(e),
        }
    }

    /// The same fault, met inside of COMMIT: what was lost there may have been applied.
    pub(super) fn in_commit(self) -> Self {
        match self {
            // What is not understood may have been applied as well.
            Self::Lost(e) | Self::Broken(e) => Self::LostInCommit(e),
            other => other,
        }
    }

    /// The answer if it is not tried again.
    pub(super) fn into_error(self) -> StoreError {
        match self {
            Self::Answer(e) => e,
            Self::Contended(e) | Self::Lost(e) => StoreError::Unavailable(e.to_string()),
            Self::LostInCommit(e) => StoreError::OutcomeUnknown(e.to_string()),
            Self::Duplicate(e) | Self::Broken(e) => StoreError::Internal(e.to_string()),
        }
    }
}
