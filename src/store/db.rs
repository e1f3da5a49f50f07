//! Connections. The one place that knows there are two databases: everything above speaks through [`Connection`].
//!
//! SQLite has one writer, a pool of one whose transactions begin IMMEDIATE, and a few readers. MySQL has one pool.
//! No future of this module may be dropped half-way: requests run to their end whatever their client does, and
//! sockets never select over a call to storage.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions, MySqlRow};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous};
use sqlx::{Connection as _, Executor as _, MySql, Pool, Row as _, Sqlite, Transaction};

use super::dialect::{Dialect, Phrasebook, Repeat, cut, pad};
use super::error::{Fault, StoreError};
use super::sql::{Isolation, Options};

/// How long a caller waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(2);
/// A MySQL connection that was idle for longer is tested before it is used.
const RESTED: Duration = Duration::from_secs(2);
/// How long a transaction may be tried again, and how often.
const RETRY_FOR: Duration = Duration::from_secs(3);
const RETRIES: u32 = 5;

pub(super) enum Pools {
    Sqlite { writer: Pool<Sqlite>, readers: Pool<Sqlite> },
    MySql(Pool<MySql>),
}

pub(super) struct Db {
    pub(super) pools: Pools,
    phrases: Phrasebook,
    /// SQLite's writer met an error of the disk: its connection is replaced, never used again. (What a failed fsync
    /// left in the page cache is not on the disk.)
    disk_failed: Arc<AtomicBool>,
}

impl Db {
    /// Prepares the pools; a MySQL server that is away is not an error yet.
    pub(super) fn open(url: &str, options: &Options) -> Result<Self, StoreError> {
        let bad = |e: sqlx::Error| StoreError::Internal(format!("the database URL cannot be used: {e}"));
        if let Some(path) = url.strip_prefix("sqlite:") {
            let disk_failed = Arc::new(AtomicBool::new(false));
            let pools = open_sqlite(Path::new(path.trim_start_matches("//")), &disk_failed);
            Ok(Self { pools, phrases: Phrasebook::new(Dialect::Sqlite), disk_failed })
        } else {
            let pools = open_mysql(url, options).map_err(bad)?;
            Ok(Self { pools, phrases: Phrasebook::new(Dialect::MySql), disk_failed: Arc::default() })
        }
    }

    pub(super) fn is_sqlite(&self) -> bool {
        matches!(self.pools, Pools::Sqlite { .. })
    }

    /// A connection for reading.
    pub(super) async fn reader(&self) -> Result<Connection<'_>, Fault> {
        let held = match &self.pools {
            Pools::Sqlite { readers, .. } => Held::SqliteRead(readers.acquire().await?),
            Pools::MySql(pool) => Held::MySqlRead(pool.acquire().await?),
        };
        Ok(Connection { held, db: self })
    }

    /// A transaction for writing. Dropped without [`Connection::commit`] it is rolled back.
    pub(super) async fn writer(&self) -> Result<Connection<'_>, Fault> {
        let held = match &self.pools {
            Pools::Sqlite { writer, .. } => Held::SqliteWrite(writer.begin_with("BEGIN IMMEDIATE").await?),
            Pools::MySql(pool) => Held::MySqlWrite(pool.begin().await?),
        };
        Ok(Connection { held, db: self })
    }
}

impl Db {
    fn note_disk(&self, fault: Fault) -> Fault {
        if matches!(fault, Fault::Lost(_)) {
            self.disk_failed.store(true, Ordering::Release);
        }
        fault
    }
}

fn open_sqlite(path: &Path, disk_failed: &Arc<AtomicBool>) -> Pools {
    let base = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(2))
        .statement_cache_capacity(256);
    let readers = base.clone().pragma("query_only", "ON");
    let pool = |n| SqlitePoolOptions::new().max_connections(n).acquire_timeout(ACQUIRE).test_before_acquire(false);
    let failed = disk_failed.clone();
    let writer = pool(1).after_release(move |_, _| {
        let keep = !failed.swap(false, Ordering::AcqRel);
        Box::pin(async move { Ok(keep) })
    });
    Pools::Sqlite { writer: writer.connect_lazy_with(base), readers: pool(4).connect_lazy_with(readers) }
}

fn open_mysql(url: &str, options: &Options) -> Result<Pools, sqlx::Error> {
    let connect = MySqlConnectOptions::from_str(url)?.statement_cache_capacity(256);
    let isolation = options.isolation;
    let pool = MySqlPoolOptions::new()
        .max_connections(options.connections)
        .acquire_timeout(ACQUIRE)
        // Each was tested when it was released; only one that has rested may have died since.
        .test_before_acquire(false)
        .before_acquire(|c, rested| {
            Box::pin(async move {
                if rested.idle_for > RESTED {
                    c.ping().await?;
                }
                Ok(true)
            })
        })
        .after_connect(move |c, _| {
            Box::pin(async move {
                c.execute(match isolation {
                    Isolation::ReadCommitted => "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
                    Isolation::RepeatableRead => "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
                })
                .await?;
                if isolation == Isolation::RepeatableRead {
                    // The strictest there is, where the server has it.
                    let _ = c.execute("SET SESSION innodb_snapshot_isolation = ON").await;
                }
                // Nothing is cut off in silence; a lock that is not to be had is an error a caller can wait for.
                c.execute("SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')").await?;
                c.execute("SET SESSION innodb_lock_wait_timeout = 2").await?;
                Ok(())
            })
        })
        .connect_lazy_with(connect);
    Ok(Pools::MySql(pool))
}

enum Held {
    SqliteRead(PoolConnection<Sqlite>),
    SqliteWrite(Transaction<'static, Sqlite>),
    MySqlRead(PoolConnection<MySql>),
    MySqlWrite(Transaction<'static, MySql>),
}

/// A connection, in a transaction or for reading, to either database.
pub(super) struct Connection<'db> {
    held: Held,
    db: &'db Db,
}

/// A bound parameter.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Int(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

impl From<i64> for Value<'_> {
    fn from(v: i64) -> Self {
        Self::Int(v)
    }
}

impl From<bool> for Value<'_> {
    fn from(v: bool) -> Self {
        Self::Int(i64::from(v))
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(v: &'a str) -> Self {
        Self::Text(v)
    }
}

/// What a write did.
#[derive(Clone, Copy, Debug)]
pub(super) struct Done {
    pub rows: u64,
    pub last_id: i64,
}

macro_rules! bind {
    ($sql:expr, $args:expr) => {{
        let mut query = sqlx::query($sql);
        for arg in $args {
            query = match *arg {
                Value::Int(v) => query.bind(v),
                Value::Text(v) => query.bind(v.to_owned()),
                Value::Bytes(v) => query.bind(v.to_owned()),
            };
        }
        query
    }};
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
        for keys in args.chunks(width * super::dialect::SIZES[0]) {
            let size = pad(keys.len() / width);
            let mut keys = keys.to_vec();
            let last = keys.split_off(keys.len() - width);
            while keys.len() < size * width {
                keys.extend_from_slice(&last);
            }
            let sql = self.db.phrases.many(sql, size);
            found.extend(self.fetch_phrase(sql, &keys).await?);
        }
        Ok(found)
    }

    /// Makes it durable. On an error that lost the connection, the outcome is unknown.
    pub(super) async fn commit(self) -> Result<(), Fault> {
        let done = match self.held {
            Held::SqliteWrite(tx) => tx.commit().await.map_err(|e| self.db.note_disk(e.into())),
            Held::MySqlWrite(tx) => tx.commit().await.map_err(Fault::from),
            Held::SqliteRead(_) | Held::MySqlRead(_) => Ok(()),
        };
        done.map_err(Fault::in_commit)
    }

    async fn execute_phrase(&mut self, sql: &'static str, args: &[Value<'_>]) -> Result<Done, Fault> {
        Ok(match &mut self.held {
            Held::SqliteRead(c) => sqlite_done(&bind!(sql, args).execute(&mut **c).await?),
            Held::SqliteWrite(c) => {
                let done = bind!(sql, args).execute(&mut **c).await;
                sqlite_done(&done.map_err(|e| self.db.note_disk(e.into()))?)
            }
            Held::MySqlRead(c) => mysql_done(&bind!(sql, args).execute(&mut **c).await?),
            Held::MySqlWrite(c) => mysql_done(&bind!(sql, args).execute(&mut **c).await?),
        })
    }

    async fn fetch_phrase(&mut self, sql: &'static str, args: &[Value<'_>]) -> Result<Vec<Row>, Fault> {
        Ok(match &mut self.held {
            Held::SqliteRead(c) => sqlite_rows(bind!(sql, args).fetch_all(&mut **c).await?),
            Held::SqliteWrite(c) => sqlite_rows(bind!(sql, args).fetch_all(&mut **c).await?),
            Held::MySqlRead(c) => mysql_rows(bind!(sql, args).fetch_all(&mut **c).await?),
            Held::MySqlWrite(c) => mysql_rows(bind!(sql, args).fetch_all(&mut **c).await?),
        })
    }

    /// Only parses the statement, to learn whether this database knows it.
    pub(super) async fn prepare(&mut self, sql: &'static str) -> Result<(), Fault> {
        match &mut self.held {
            Held::SqliteRead(c) => drop((**c).prepare(sqlx::SqlSafeStr::into_sql_str(sql)).await?),
            Held::SqliteWrite(c) => drop((**c).prepare(sqlx::SqlSafeStr::into_sql_str(sql)).await?),
            Held::MySqlRead(c) => drop((**c).prepare(sqlx::SqlSafeStr::into_sql_str(sql)).await?),
            Held::MySqlWrite(c) => drop((**c).prepare(sqlx::SqlSafeStr::into_sql_str(sql)).await?),
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

fn sqlite_done(done: &sqlx::sqlite::SqliteQueryResult) -> Done {
    Done { rows: done.rows_affected(), last_id: done.last_insert_rowid() }
}

fn mysql_done(done: &sqlx::mysql::MySqlQueryResult) -> Done {
    Done { rows: done.rows_affected(), last_id: done.last_insert_id().cast_signed() }
}

fn sqlite_rows(rows: Vec<SqliteRow>) -> Vec<Row> {
    rows.into_iter().map(|row| Row { cells: Cells::Sqlite(row), at: 0 }).collect()
}

fn mysql_rows(rows: Vec<MySqlRow>) -> Vec<Row> {
    rows.into_iter().map(|row| Row { cells: Cells::MySql(row), at: 0 }).collect()
}

enum Cells {
    Sqlite(SqliteRow),
    MySql(MySqlRow),
}

/// A row, read from its first column on.
pub(super) struct Row {
    cells: Cells,
    at: usize,
}

macro_rules! column {
    ($name:ident, $type:ty) => {
        /// The next column.
        pub(super) fn $name(&mut self) -> Result<$type, Fault> {
            let at = self.at;
            self.at += 1;
            Ok(match &self.cells {
                Cells::Sqlite(row) => row.try_get_unchecked(at)?,
                Cells::MySql(row) => row.try_get_unchecked(at)?,
            })
        }
    };
}

impl Row {
    column!(int, i64);
    column!(maybe_int, Option<i64>);
    column!(text, String);
    column!(bytes, Vec<u8>);

    /// The next column, as yes or no.
    pub(super) fn flag(&mut self) -> Result<bool, Fault> {
        Ok(self.int()? != 0)
    }
}

/// Runs a transaction, and runs it again when it lost against another one, met a key that had just been stored, or
/// was handed a dead connection. Each try is a whole transaction that begins with its locks, so trying again after a
/// commit whose outcome is unknown is safe too: by the time it holds the locks, the lost one has ended.
pub(super) async fn retrying<T, Fut>(work: impl Fn(u32) -> Fut) -> Result<T, StoreError>
where
    Fut: Future<Output = Result<T, Fault>>,
{
    let started = Instant::now();
    let mut in_doubt = None;
    let mut tries = 0;
    loop {
        let fault = match work(tries).await {
            Ok(value) => return Ok(value),
            Err(fault) => fault,
        };
        tries += 1;
        if let Fault::LostInCommit(e) = &fault {
            in_doubt = Some(e.to_string());
        }
        let again = match &fault {
            Fault::Contended(_) | Fault::Duplicate(_) | Fault::Lost(_) | Fault::LostInCommit(_) => {
                tries < RETRIES && started.elapsed() + ACQUIRE / 2 < RETRY_FOR
            }
            Fault::Answer(_) | Fault::Broken(_) => false,
        };
        if !again {
            return Err(match (fault, in_doubt) {
                (Fault::Answer(e), _) => e,
                (_, Some(doubt)) => StoreError::OutcomeUnknown(doubt),
                (fault, None) => fault.into_error(),
            });
        }
        let wait = rand::random_range(2..20u64 << tries.min(4));
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
}
