//! Connections and statements. The one place that knows there are two databases: everything above speaks through
//! [`Connection`].
//!
//! SQLite has one writer, whose transactions begin IMMEDIATE, and a few readers. MySQL has one pool. A statement on
//! MySQL has a time limit: a server that falls silent must not hold whoever waits. A connection on which a statement
//! was given up, or which failed in a way that leaves it out of step, is closed and never used again. So any future of
//! this module may be dropped half-way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sqlx::{Error as SqlxError, Executor as _, MySqlConnection, SqliteConnection};

use super::bounds::{self, Bounds};
use super::connect;
use super::dialect::{Dialect, Phrasebook, Repeat, SIZES, cut};
use super::error::{Fault, StoreError};
use super::pool::{Lease, Pool};
use super::retry::Attempt;
use super::row::{Cells, bind, padded};
pub(super) use super::row::{Done, Row, Value};
use super::sql::Options;

/// A rollback that takes longer is left to the server, which does it when the connection ends.
const ROLLBACK: Duration = Duration::from_millis(500);

pub(super) enum Pools {
    Sqlite { writer: Pool<SqliteConnection>, readers: Pool<SqliteConnection> },
    MySql(Pool<MySqlConnection>),
}

pub(super) struct Db {
    pub(super) pools: Pools,
    phrases: Phrasebook,
    /// Whether the server passes over locked rows, as far as is known.
    skips_locked: AtomicBool,
    /// Whether the server is one of a Galera cluster: known when the first connection is open.
    galera: Arc<AtomicBool>,
}

impl Db {
    /// Prepares the pools; a MySQL server that is away is not an error yet.
    pub(super) fn open(url: &str, options: &Options) -> Result<Self, StoreError> {
        let galera = Arc::<AtomicBool>::default();
        let (pools, dialect) = if let Some(path) = url.strip_prefix("sqlite:") {
            (connect::sqlite(path), Dialect::Sqlite)
        } else {
            let bad = |e: SqlxError| StoreError::Internal(format!("the database URL cannot be used: {e}"));
            (connect::mysql(url, options, galera.clone()).map_err(bad)?, Dialect::MySql)
        };
        Ok(Self { pools, phrases: Phrasebook::new(dialect), skips_locked: AtomicBool::new(true), galera })
    }

    pub(super) fn is_sqlite(&self) -> bool {
        matches!(self.pools, Pools::Sqlite { .. })
    }

    /// A connection for reading.
    pub(super) async fn reader(&self, attempt: Attempt) -> Result<Connection<'_>, Fault> {
        let held = match &self.pools {
            Pools::Sqlite { readers, .. } => Held::Sqlite(readers.acquire(attempt.until).await?),
            Pools::MySql(pool) => Held::MySql(pool.acquire(attempt.until).await?),
        };
        Ok(self.connection(held, attempt))
    }

    /// A transaction for writing. Dropped without [`Connection::commit`] it is rolled back.
    pub(super) async fn writer(&self, attempt: Attempt) -> Result<Connection<'_>, Fault> {
        let held = match &self.pools {
            Pools::Sqlite { writer, .. } => Held::Sqlite(writer.acquire(attempt.until).await?),
            Pools::MySql(pool) => Held::MySql(pool.acquire(attempt.until).await?),
        };
        let mut connection = self.connection(held, attempt);
        connection.plain(self.bounds().begin).await?;
        connection.health = Health::InTransaction;
        Ok(connection)
    }

    fn bounds(&self) -> &'static Bounds {
        match &self.pools {
            Pools::Sqlite { .. } => &bounds::SQLITE,
            Pools::MySql(_) if self.galera.load(Ordering::Relaxed) => &bounds::GALERA,
            Pools::MySql(_) => &bounds::MYSQL,
        }
    }

    fn connection(&self, held: Held, attempt: Attempt) -> Connection<'_> {
        // A file does not fall silent, and a statement that was given up would go on all the same.
        let until = (!self.is_sqlite()).then_some(attempt.until);
        Connection { held: Some(held), health: Health::Free, until, db: self }
    }

    /// Ends the connections, after what is under way.
    pub(super) async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::MySql(pool) => pool.close().await,
        }
    }
}

enum Held {
    Sqlite(Lease<SqliteConnection>),
    MySql(Lease<MySqlConnection>),
}

impl Held {
    fn give_back(self) {
        match self {
            Self::Sqlite(lease) => lease.give_back(),
            Self::MySql(lease) => lease.give_back(),
        }
    }

    async fn plain(&mut self, sql: &'static str) -> Result<(), SqlxError> {
        match self {
            Self::Sqlite(c) => (&mut **c).execute(sql).await.map(drop),
            Self::MySql(c) => (&mut **c).execute(sql).await.map(drop),
        }
    }
}

/// In what state a connection is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Health {
    /// In step, in no transaction.
    Free,
    /// In step.
    InTransaction,
    /// A statement is under way, was given up, or failed in a way that nothing should follow.
    Spoiled,
}

/// A connection, in a transaction or for reading, to either database.
pub(super) struct Connection<'db> {
    /// None only while it is dropped.
    held: Option<Held>,
    health: Health,
    until: Option<Instant>,
    db: &'db Db,
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        let Some(mut held) = self.held.take() else { return };
        let roll_back = self.db.bounds().roll_back;
        match (self.health, tokio::runtime::Handle::try_current()) {
            (Health::Free, _) => held.give_back(),
            (Health::InTransaction, Ok(runtime)) => drop(runtime.spawn(async move {
                // Otherwise it is closed, and that rolls back too.
                if matches!(tokio::time::timeout(ROLLBACK, held.plain(roll_back)).await, Ok(Ok(()))) {
                    held.give_back();
                }
            })),
            (Health::InTransaction | Health::Spoiled, _) => {}
        }
    }
}

impl Connection<'_> {
    /// Runs a write.
    pub(super) async fn execute(&mut self, sql: &'static str, args: &[Value<'_>]) -> Result<Done, Fault> {
        let sql = self.db.phrases.one(sql);
        self.execute_phrase(sql, args).await
    }

    /// Runs a write of many rows, `width` parameters each.
    pub(super) async fn execute_many(&mut self, sql: &Repeat, width: usize, args: &[Value<'_>]) -> Result<(), Fault> {
        let mut rest = args;
        for size in cut(args.len() / width) {
            let (rows, more) = rest.split_at(size * width);
            let sql = self.db.phrases.many(sql, size);
            self.execute_phrase(sql, rows).await?;
            rest = more;
        }
        Ok(())
    }

    /// Reads rows.
    pub(super) async fn rows(&mut self, sql: &'static str, args: &[Value<'_>]) -> Result<Vec<Row>, Fault> {
        let sql = self.db.phrases.one(sql);
        self.fetch_phrase(sql, args).await
    }

    /// Reads at most one row.
    pub(super) async fn row(&mut self, sql: &'static str, args: &[Value<'_>]) -> Result<Option<Row>, Fault> {
        Ok(self.rows(sql, args).await?.into_iter().next())
    }

    /// Reads the rows of many keys, `width` parameters each, in as few statements as the sizes allow.
    pub(super) async fn rows_many(
        &mut self,
        sql: &Repeat,
        width: usize,
        args: &[Value<'_>],
    ) -> Result<Vec<Row>, Fault> {
        let mut found = Vec::new();
        for keys in args.chunks(width * SIZES[0]) {
            let (keys, size) = padded(keys, width);
            let sql = self.db.phrases.many(sql, size);
            found.extend(self.fetch_phrase(sql, &keys).await?);
        }
        Ok(found)
    }

    /// Reads the rows of a statement whose part stands there so many times, one of few numbers. `args` are all of it.
    pub(super) async fn rows_repeated(
        &mut self,
        sql: &Repeat,
        times: usize,
        args: &[Value<'_>],
    ) -> Result<Vec<Row>, Fault> {
        let sql = self.db.phrases.many(sql, times);
        self.fetch_phrase(sql, args).await
    }

    /// Runs a write for many keys, in as few statements as the sizes allow; `fixed` stands before the keys.
    pub(super) async fn execute_keys(
        &mut self,
        sql: &Repeat,
        fixed: &[Value<'_>],
        keys: &[Value<'_>],
    ) -> Result<(), Fault> {
        for keys in keys.chunks(SIZES[0]) {
            let (keys, size) = padded(keys, 1);
            let sql = self.db.phrases.many(sql, size);
            self.execute_phrase(sql, &[fixed, &keys].concat()).await?;
        }
        Ok(())
    }

    /// Writes the rows of an upsert, `width` parameters each, in as few statements as the sizes allow. Some may be
    /// written twice.
    pub(super) async fn upsert_many(&mut self, sql: &Repeat, width: usize, args: &[Value<'_>]) -> Result<(), Fault> {
        for rows in args.chunks(width * SIZES[0]) {
            let (rows, size) = padded(rows, width);
            let sql = self.db.phrases.many(sql, size);
            self.execute_phrase(sql, &rows).await?;
        }
        Ok(())
    }

    /// Makes it durable. On an error that lost the connection, the outcome is unknown.
    pub(super) async fn commit(mut self) -> Result<(), Fault> {
        self.plain(self.db.bounds().commit).await.map_err(Fault::in_commit)?;
        self.health = Health::Free;
        Ok(())
    }

    async fn plain(&mut self, sql: &'static str) -> Result<(), Fault> {
        let held = self.held.as_mut().expect(HELD);
        step(&mut self.health, self.until, held.plain(sql)).await
    }

    async fn execute_phrase(&mut self, sql: &'static str, args: &[Value<'_>]) -> Result<Done, Fault> {
        let (health, until) = (&mut self.health, self.until);
        match self.held.as_mut().expect(HELD) {
            Held::Sqlite(c) => {
                let done = step(health, until, bind!(sql, args).execute(&mut **c)).await?;
                Ok(Done { rows: done.rows_affected(), last_id: done.last_insert_rowid() })
            }
            Held::MySql(c) => {
                let done = step(health, until, bind!(sql, args).execute(&mut **c)).await?;
                Ok(Done { rows: done.rows_affected(), last_id: done.last_insert_id().cast_signed() })
            }
        }
    }

    async fn fetch_phrase(&mut self, sql: &'static str, args: &[Value<'_>]) -> Result<Vec<Row>, Fault> {
        let (health, until) = (&mut self.health, self.until);
        match self.held.as_mut().expect(HELD) {
            Held::Sqlite(c) => {
                let rows = step(health, until, bind!(sql, args).fetch_all(&mut **c)).await?;
                Ok(rows.into_iter().map(|row| Row::new(Cells::Sqlite(row))).collect())
            }
            Held::MySql(c) => {
                let rows = step(health, until, bind!(sql, args).fetch_all(&mut **c)).await?;
                Ok(rows.into_iter().map(|row| Row::new(Cells::MySql(row))).collect())
            }
        }
    }

    /// Whether the server knows SKIP LOCKED: MySQL 8, MariaDB from 10.6 on. Some that speak their language do not.
    pub(super) fn can_skip_locked(&self) -> bool {
        self.db.skips_locked.load(Ordering::Relaxed)
    }

    /// Notes that it does not.
    pub(super) fn cannot_skip_locked(&self, why: &SqlxError) {
        if self.db.skips_locked.swap(false, Ordering::Relaxed) {
            tracing::warn!(error = %why, "the database cannot pass over locked rows: sends will wait for them");
        }
    }

    /// Only parses the statement, to learn whether this database knows it.
    pub(super) async fn prepare(&mut self, sql: &'static str) -> Result<(), Fault> {
        let sql = sqlx::SqlSafeStr::into_sql_str(sql);
        match self.held.as_mut().expect(HELD) {
            Held::Sqlite(c) => drop((&mut **c).prepare(sql).await?),
            Held::MySql(c) => drop((&mut **c).prepare(sql).await?),
        }
        Ok(())
    }

    /// The statement in this database's words.
    pub(super) fn phrase(&self, sql: &'static str) -> &'static str {
        self.db.phrases.one(sql)
    }

    /// The repeating statement in this database's words.
    pub(super) fn phrase_many(&self, sql: &Repeat, times: usize) -> &'static str {
        self.db.phrases.many(sql, times)
    }
}

const HELD: &str = "a connection is held until it is dropped";

/// One step of a conversation with the database. Until it has ended well, or with an error that the database itself
/// reported in good order, the connection counts as spoiled.
async fn step<T>(
    health: &mut Health,
    until: Option<Instant>,
    work: impl Future<Output = Result<T, SqlxError>>,
) -> Result<T, Fault> {
    let before = std::mem::replace(health, Health::Spoiled);
    let done = match until {
        None => work.await,
        Some(until) => tokio::time::timeout_at(until.into(), work).await.unwrap_or_else(|_| {
            Err(SqlxError::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "the database takes too long")))
        }),
    };
    done.inspect(|_| *health = before).map_err(|e| {
        let in_step = matches!(e, SqlxError::Database(_));
        let fault = Fault::from(e);
        // What a failed fsync left in the page cache is not on the disk; a server that is ending or may not write is
        // of no use to the next one either.
        if in_step && !matches!(fault, Fault::Lost(_)) {
            *health = before;
        }
        fault
    })
}
