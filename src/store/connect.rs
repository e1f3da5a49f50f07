//! How connections to each database are opened, and what is set on each.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::mysql::MySqlConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Executor as _, MySqlConnection, Row as _};

use super::db::Pools;
use super::pool::Pool;
use super::sql::{Isolation, Options};

/// A MySQL connection that was idle for longer is tested before it is used.
const RESTED: Duration = Duration::from_secs(2);
const READERS: u32 = 4;
/// Prepared statements that a connection keeps.
const STATEMENTS: usize = 512;

/// The embedded database: durable at each commit, one writer.
pub(super) fn sqlite(path: &str) -> Pools {
    let writer = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(2))
        .statement_cache_capacity(STATEMENTS);
    #[cfg(feature = "faults")]
    let writer =
        if crate::faults::has_bug("synchronous-off") { writer.synchronous(SqliteSynchronous::Off) } else { writer };
    let reader = writer.clone().pragma("query_only", "ON");
    let pool = |most, options: SqliteConnectOptions| {
        Pool::new(most, None, move || {
            let options = options.clone();
            async move { options.connect().await }
        })
    };
    Pools::Sqlite { writer: pool(1, writer), readers: pool(READERS, reader) }
}

/// What is wrong with a database's address, as far as can be said without trying it.
pub fn check_url(url: &str) -> Result<(), String> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        return match path {
            "" => Err("names no file: sqlite:PATH".to_owned()),
            ":memory:" => Err("must name a file: what is kept in memory alone is lost with the process".to_owned()),
            path if path.contains('?') => Err("sqlite: takes a path and no parameters".to_owned()),
            path if path.ends_with('/') => Err("names a directory: sqlite:PATH/chat.sqlite3".to_owned()),
            _ => Ok(()),
        };
    }
    if !url.starts_with("mysql://") {
        return Err("must begin with sqlite: or mysql://".to_owned());
    }
    let options = MySqlConnectOptions::from_str(url).map_err(|e| format!("cannot be used: {e}"))?;
    if options.get_database().is_none_or(str::is_empty) {
        return Err("names no database: mysql://USER:PASSWORD@HOST/NAME".to_owned());
    }
    Ok(())
}

/// A MySQL or MariaDB server. An error if the URL cannot be read.
/// `galera` is set once it is known to belong to a cluster.
pub(super) fn mysql(url: &str, options: &Options, galera: Arc<AtomicBool>) -> Result<Pools, sqlx::Error> {
    let connect = MySqlConnectOptions::from_str(url)?.statement_cache_capacity(STATEMENTS);
    let isolation = options.isolation;
    let pool = Pool::new(options.connections, Some(RESTED), move || {
        let (connect, galera) = (connect.clone(), galera.clone());
        async move {
            let mut connection = connect.connect().await?;
            set_up(&mut connection, isolation).await?;
            // Elsewhere the variable is off, or not known.
            // Once known it stays so: a transaction must end as it was begun.
            match connection.fetch_one("SELECT @@wsrep_on").await.and_then(|row| row.try_get::<i64, _>(0)) {
                Ok(1) => galera.store(true, Ordering::Relaxed),
                Ok(_) | Err(sqlx::Error::Database(_)) => {}
                Err(e) => return Err(e),
            }
            Ok(connection)
        }
    });
    Ok(Pools::MySql(pool))
}

async fn set_up(c: &mut MySqlConnection, isolation: Isolation) -> Result<(), sqlx::Error> {
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
    // On a Galera cluster every read, and the beginning of every transaction, waits for what was committed before on any
    // node. Elsewhere it does nothing, or is not known.
    match c.execute("SET SESSION wsrep_sync_wait = 1").await {
        Ok(_) | Err(sqlx::Error::Database(_)) => {}
        Err(e) => return Err(e),
    }
    // A process that stands still in a transaction, or whose machine is gone, gives its locks back after this many
    // seconds: before those who wait for them on other processes give up. By its default the server would wait for
    // eight hours. MySQL knows only a limit for any rest, also outside of transactions: a connection that rested for
    // longer is made anew.
    if c.execute("SET SESSION idle_transaction_timeout = 2").await.is_err() {
        c.execute("SET SESSION wait_timeout = 60").await?;
    }
    Ok(())
}
