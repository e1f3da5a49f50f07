//! Embedded migrations, numbered alike for both databases, one DDL statement each for MySQL (which commits at every
//! one). Never edited once released.

use sqlx::migrate::{Migrate, MigrateError, Migration, Migrator};

use super::db::{Db, Pools};
use super::error::{Fault, StoreError};
use super::retry::Attempt;

static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
static MYSQL: Migrator = sqlx::migrate!("migrations/mysql");

/// Which migrations a database has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationStatus {
    /// Numbers and names of those that are missing.
    pub pending: Vec<String>,
    /// Applied by a later version of chatd: this one does not know them.
    pub unknown: Vec<i64>,
}

impl MigrationStatus {
    /// Whether the schema is exactly this version's.
    pub fn is_current(&self) -> bool {
        self.pending.is_empty() && self.unknown.is_empty()
    }
}

fn sort(e: MigrateError) -> StoreError {
    match e {
        MigrateError::Execute(e) | MigrateError::ExecuteMigration(e, _) => match Fault::from(e) {
            Fault::Lost(e) => StoreError::Unavailable(e.to_string()),
            other => other.into_error(),
        },
        MigrateError::VersionMissing(n) => StoreError::Internal(format!(
            "migration {n} was applied by another version of chatd; this one is too old for this database"
        )),
        MigrateError::Dirty(n) => StoreError::Internal(format!(
            "migration {n} stopped half-way; undo what it did, delete its row in _sqlx_migrations, and migrate again"
        )),
        e => StoreError::Internal(e.to_string()),
    }
}

pub(super) async fn run(db: &Db) -> Result<usize, StoreError> {
    let before = status(db).await?;
    let lost = |e: sqlx::Error| Fault::from(e).into_error();
    match &db.pools {
        Pools::Sqlite { writer, .. } => {
            let mut c = writer.acquire(Attempt::only().until).await.map_err(lost)?;
            SQLITE.run_direct(None, &mut *c, false).await.map_err(sort)?;
            c.give_back();
        }
        Pools::MySql(pool) => {
            let mut c = pool.acquire(Attempt::only().until).await.map_err(lost)?;
            MYSQL.run_direct(None, &mut *c, false).await.map_err(sort)?;
            c.give_back();
        }
    }
    Ok(before.pending.len())
}

/// The status of a database that is not there yet.
pub(super) fn nothing_applied() -> MigrationStatus {
    MigrationStatus { pending: SQLITE.iter().map(name).collect(), unknown: Vec::new() }
}

fn name(m: &Migration) -> String {
    format!("{:04}_{}", m.version, m.description.replace(' ', "_"))
}

pub(super) async fn status(db: &Db) -> Result<MigrationStatus, StoreError> {
    let lost = |e: sqlx::Error| Fault::from(e).into_error();
    let (migrator, applied) = match &db.pools {
        Pools::Sqlite { readers, .. } => {
            let mut c = readers.acquire(Attempt::only().until).await.map_err(lost)?;
            let applied = applied(&mut *c).await?;
            c.give_back();
            (&SQLITE, applied)
        }
        Pools::MySql(pool) => {
            let mut c = pool.acquire(Attempt::only().until).await.map_err(lost)?;
            let applied = applied(&mut *c).await?;
            c.give_back();
            (&MYSQL, applied)
        }
    };
    let pending = migrator.iter().filter(|m| !applied.contains(&m.version));
    let pending = pending.map(name).collect();
    let unknown = applied.into_iter().filter(|n| !migrator.version_exists(*n)).collect();
    Ok(MigrationStatus { pending, unknown })
}

const TABLE: &str = "_sqlx_migrations";

/// The numbers of the applied migrations. Writes nothing: a database without the table has none.
async fn applied(c: &mut impl Migrate) -> Result<Vec<i64>, StoreError> {
    match c.list_applied_migrations(TABLE).await {
        Ok(applied) => Ok(applied.iter().map(|m| m.version).collect()),
        Err(MigrateError::Execute(sqlx::Error::Database(e))) if is_no_table(e.as_ref()) => Ok(Vec::new()),
        Err(e) => Err(sort(e)),
    }
}

fn is_no_table(e: &dyn sqlx::error::DatabaseError) -> bool {
    // MySQL says 42S02; SQLite has no code of its own for it.
    e.code().as_deref() == Some("42S02") || e.message().starts_with("no such table")
}

const FLUSH: &str = "SELECT @@innodb_flush_log_at_trx_commit, @@log_bin, @@sync_binlog";

/// What the server's settings take away from "acknowledged is durable".
pub(super) async fn durability_warnings(db: &Db) -> Result<Vec<String>, Fault> {
    let mut warnings = Vec::new();
    if db.is_sqlite() {
        let mut c = db.writer(Attempt::only()).await?;
        let mode = c.row("PRAGMA journal_mode", &[]).await?.map_or(Ok(String::new()), |mut row| row.text())?;
        let sync = c.row("PRAGMA synchronous", &[]).await?.map_or(Ok(0), |mut row| row.int())?;
        if mode != "wal" || sync < 2 {
            warnings.push(format!("SQLite runs with journal_mode={mode}, synchronous={sync}; it needs wal and 2"));
        }
    } else if let Some(mut row) = db.reader(Attempt::only()).await?.row(FLUSH, &[]).await? {
        let (flush, binlog, sync) = (row.int()?, row.flag()?, row.int()?);
        if flush != 1 {
            warnings.push(format!(
                "innodb_flush_log_at_trx_commit is {flush}: acknowledged messages can be lost with the power; set it to 1"
            ));
        }
        if binlog && sync != 1 {
            warnings.push(format!("sync_binlog is {sync}: a replica can miss acknowledged messages; set it to 1"));
        }
    }
    Ok(warnings)
}
