//! The databases that tests run on. Each test has a fresh one.

use std::path::Path;
use std::sync::Arc;

use chatd::store::{Isolation, Options, SqlStore};
use libtest_mimic::Trial;
use tempfile::TempDir;

use super::trial;

/// Where Debian's package galera-4 puts it.
pub const GALERA: &str = "/usr/lib/galera/libgalera_smm.so";

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    MariaDb,
    MariaDbRepeatableRead,
    MySql,
    /// Three nodes of the test's own.
    #[allow(dead_code, reason = "for tests/faults")]
    Galera,
}

pub const ALL: [Backend; 4] = [Backend::Sqlite, Backend::MariaDb, Backend::MariaDbRepeatableRead, Backend::MySql];
/// One of each kind that `scripts/test` has.
pub const BOTH: [Backend; 2] = [Backend::Sqlite, Backend::MariaDb];

impl Backend {
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::MariaDb => "mariadb",
            Self::MariaDbRepeatableRead => "mariadb-repeatable-read",
            Self::MySql => "mysql",
            Self::Galera => "galera",
        }
    }

    fn server(self) -> Option<String> {
        match self {
            Self::Sqlite => Some(String::new()),
            Self::MariaDb | Self::MariaDbRepeatableRead => service("mariadb"),
            Self::MySql => service("mysql"),
            Self::Galera => Path::new(GALERA).exists().then(String::new),
        }
    }

    /// Whether its tests can run here.
    pub fn is_here(self) -> bool {
        self.server().is_some()
    }
}

/// The address of a service; none if it is left out. Panics if it is required and has none.
pub fn service(name: &str) -> Option<String> {
    let url = std::env::var(format!("CHATD_TEST_{}_URL", name.to_uppercase())).ok().filter(|url| !url.is_empty());
    let required = std::env::var("CHATD_TEST_REQUIRE").unwrap_or_default();
    assert!(
        url.is_some() || !required.split(',').any(|r| r.trim() == name),
        "{name} is required here, but CHATD_TEST_{}_URL is not set",
        name.to_uppercase()
    );
    url
}

/// Whether a program is installed. Panics if it is required and is not.
pub fn tool(name: &str) -> bool {
    let found = std::process::Command::new(name).arg("--version").stdout(std::process::Stdio::null()).status().is_ok();
    let required = std::env::var("CHATD_TEST_REQUIRE").unwrap_or_default();
    assert!(found || !required.split(',').any(|r| r.trim() == name), "{name} is required here, and is not installed");
    found
}

/// Whether a package is installed, by one of its files: starting a Python for each test to ask would cost more than most
/// tests. Panics if it is required and is not.
pub fn package(name: &str, file: &str) -> bool {
    let required = std::env::var("CHATD_TEST_REQUIRE").unwrap_or_default();
    let found = Path::new(file).exists();
    assert!(found || !required.split(',').any(|r| r.trim() == name), "{name} is required here: there is no {file}");
    found
}

/// Whether this process may mount a file system: CAP_SYS_ADMIN, which root usually has.
pub fn may_mount() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let effective = effective.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    effective.is_some_and(|caps| caps & (1 << 21) != 0)
}

/// The services and programs whose tests are ignored in this run.
pub fn left_out() -> Vec<&'static str> {
    let tools = ["strace", "redis-server"].into_iter().filter(|name| !tool(name));
    let services = ["mariadb", "mysql", "redis"].into_iter().filter(|name| service(name).is_none());
    let mail = (!super::smtp::is_here()).then_some("aiosmtpd or openssl");
    services.chain(tools).chain(mail).chain((!may_mount()).then_some("mounting a small disk (not root)")).collect()
}

/// An empty, migrated database; removed when dropped.
pub struct Database {
    pub url: String,
    pub backend: Backend,
    _dir: TempDir,
    dropped: Option<(String, String)>,
}

impl Database {
    pub async fn new(backend: Backend) -> Self {
        let database = Self::unmigrated(backend).await;
        SqlStore::migrate(&database.url).await.expect("migrations apply");
        database
    }

    /// A migrated database on a server of the test's own.
    pub async fn on(server: &str) -> Self {
        let name = format!("chatd_{:016x}", rand::random::<u64>());
        run(server, &format!("CREATE DATABASE {name}")).await;
        let url = format!("{server}/{name}");
        SqlStore::migrate(&url).await.expect("migrations apply");
        let dir = tempfile::tempdir().expect("a temporary directory");
        Self { url, backend: Backend::MariaDb, _dir: dir, dropped: None }
    }

    /// A migrated SQLite database in this directory.
    pub async fn in_directory(path: &Path) -> Self {
        let url = format!("sqlite:{}", path.join("chat.sqlite3").display());
        SqlStore::migrate(&url).await.expect("migrations apply");
        Self { url, backend: Backend::Sqlite, _dir: tempfile::tempdir().expect("a directory"), dropped: None }
    }

    pub async fn unmigrated(backend: Backend) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        if backend == Backend::Sqlite {
            let url = format!("sqlite:{}", dir.path().join("chat.sqlite3").display());
            return Self { url, backend, _dir: dir, dropped: None };
        }
        let server = backend.server().expect("the backend is here");
        let name = format!("chatd_{:016x}", rand::random::<u64>());
        run(&server, &format!("CREATE DATABASE {name}")).await;
        Self { url: format!("{server}/{name}"), backend, _dir: dir, dropped: Some((server, name)) }
    }

    pub async fn store(&self) -> Arc<SqlStore> {
        let isolation = match self.backend {
            Backend::MariaDbRepeatableRead => Isolation::RepeatableRead,
            _ => Isolation::ReadCommitted,
        };
        let options = Options { isolation, connections: 8 };
        Arc::new(SqlStore::open(&self.url, &options).await.expect("the store opens"))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some((server, name)) = self.dropped.take() {
            let end = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                runtime.block_on(run(&server, &format!("DROP DATABASE {name}")));
            });
            let _ = end.join();
        }
    }
}

/// Runs SQL that only a test may run.
pub async fn run(url: &str, sql: &str) {
    use sqlx::{Connection, Executor};
    let sql = sqlx::AssertSqlSafe(sql.to_owned());
    if url.starts_with("sqlite:") {
        let mut c = sqlx::SqliteConnection::connect(url).await.expect("connects");
        c.execute(sql).await.expect("runs");
    } else {
        let mut c = sqlx::MySqlConnection::connect(url).await.expect("connects");
        c.execute(sql).await.expect("runs");
    }
}

/// The test once for each backend; ignored where the backend is left out.
pub fn on_each<F, Fut>(backends: &[Backend], name: &str, test: F) -> Vec<Trial>
where
    F: Fn(Backend) -> Fut + Copy + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let trials = backends.iter().map(|backend| {
        let backend = *backend;
        trial(format!("{name}::{}", backend.name()), move || test(backend)).with_ignored_flag(!backend.is_here())
    });
    trials.collect()
}
