//! Services of a test's own, which it can stop, or give settings that no other test wants.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use sqlx::Connection as _;

use super::until;

/// A Redis of the test's own, that it can stop.
pub struct OwnRedis {
    child: Child,
    pub port: u16,
}

impl OwnRedis {
    pub fn start(port: u16, dir: &Path) -> Self {
        Self::start_with(port, dir, &[])
    }

    /// The same with settings of its own.
    pub fn start_with(port: u16, dir: &Path, settings: &[&str]) -> Self {
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(settings)
            .current_dir(dir)
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        Self { child, port }
    }

    /// `STOP` or `CONT`: it hangs, or goes on.
    pub fn signal(&self, name: &str) {
        let done = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(done.is_ok_and(|status| status.success()), "kill -s {name}");
    }

    /// Ends it by a signal, `TERM` or `KILL`, and waits until it has ended.
    pub fn end(mut self, signal: &str) {
        self.signal(signal);
        tokio::task::block_in_place(|| self.child.wait()).expect("it ends");
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port()
}

/// A free port for a service that binds it later, or again: below those that the kernel gives to outgoing connections,
/// one of which would be in its way.
pub fn lasting_port() -> u16 {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let lowest = range.split_whitespace().next().and_then(|low| low.parse().ok()).unwrap_or(32_768);
    let mut ports = std::iter::repeat_with(|| rand::random_range(lowest / 2..lowest)).take(1000);
    ports.find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("a free port")
}

/// A MariaDB of the test's own, that it can stop in any way and start again on its data.
pub struct OwnMariaDb {
    child: Mutex<Option<Child>>,
    dir: PathBuf,
    pub port: u16,
    settings: Vec<String>,
    pub url: String,
}

impl OwnMariaDb {
    /// Starts it with these settings, on an empty directory below `dir`.
    pub async fn start(dir: &Path, settings: &[&str]) -> Self {
        Self::install(dir);
        let own = Self::at(dir, settings);
        own.launch(&[]);
        until("MariaDB to listen", Duration::from_secs(30), || async {
            tokio::net::TcpStream::connect(("127.0.0.1", own.port)).await.ok()
        })
        .await;
        own
    }

    /// Makes its empty system tables below `dir`.
    pub fn install(dir: &Path) {
        let made = Command::new("mariadb-install-db")
            .env("TMPDIR", own_temporary(dir))
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", &user()])
            .arg(format!("--datadir={}", dir.join("mariadb").display()))
            .output()
            .expect("MariaDB is installed");
        let said = || format!("{}{}", String::from_utf8_lossy(&made.stdout), String::from_utf8_lossy(&made.stderr));
        assert!(made.status.success(), "mariadb-install-db: {}", said());
    }

    /// One on the data below `dir`, not started yet.
    pub fn at(dir: &Path, settings: &[&str]) -> Self {
        let port = lasting_port();
        let settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let url = format!("mysql://root@127.0.0.1:{port}");
        own_temporary(dir);
        Self { child: Mutex::default(), dir: dir.to_owned(), port, settings, url }
    }

    /// Its command, with more settings for this time.
    pub fn command(&self, more: &[&str]) -> Command {
        let mut command = Command::new("mariadbd");
        command.arg("--no-defaults");
        // It minds only the first.
        if !self.settings.iter().any(|setting| setting.starts_with("--user=")) {
            command.arg(user());
        }
        command
            .args(["--bind-address=127.0.0.1", &format!("--port={}", self.port)])
            .arg(format!("--datadir={}", self.dir.join("mariadb").display()))
            .arg(format!("--tmpdir={}", own_temporary(&self.dir).display()))
            .arg(format!("--socket={}", self.dir.join("mariadb.sock").display()))
            .arg(format!("--log-error={}", self.dir.join("mariadb.log").display()))
            .args(&self.settings)
            .args(more)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// Starts it, with more settings for this time, and does not wait.
    pub fn launch(&self, more: &[&str]) {
        let child = self.command(more).spawn().expect("mariadbd is installed");
        *self.child.lock().unwrap() = Some(child);
    }

    /// SIGKILL, and its end.
    pub fn kill(&self) {
        if let Some(mut child) = self.child.lock().unwrap().take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[allow(dead_code, reason = "for tests/faults")]
impl OwnMariaDb {
    /// Waits until it answers a query. Panics if it has ended.
    pub async fn answers(&self, within: Duration) {
        until("MariaDB to answer", within, || async {
            assert!(!self.has_ended(), "MariaDB ended: {}", self.log());
            let mut c = sqlx::MySqlConnection::connect(&self.url).await.ok()?;
            sqlx::query("SELECT 1").execute(&mut c).await.ok()
        })
        .await;
    }

    /// The process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.lock().unwrap().as_ref().map(Child::id)
    }

    pub fn has_ended(&self) -> bool {
        let mut child = self.child.lock().unwrap();
        child.as_mut().is_none_or(|child| child.try_wait().is_ok_and(|status| status.is_some()))
    }

    /// Whether it ends itself: once its connections break, it writes down why before it goes.
    pub async fn ends_soon(&self) -> bool {
        for _ in 0..500 {
            if self.has_ended() {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        false
    }

    /// A signal by name, as `kill -s` knows it.
    pub fn signal(&self, name: &str) {
        let pid = self.pid().expect("it runs").to_string();
        let done = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(done.is_ok_and(|status| status.success()), "kill -s {name}");
    }

    /// SIGTERM, and its end.
    pub async fn stop(&self) {
        self.signal("TERM");
        until("MariaDB to end", Duration::from_mins(1), || async { self.has_ended().then_some(()) }).await;
        *self.child.lock().unwrap() = None;
    }

    /// What it said so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("mariadb.log")).unwrap_or_default()
    }
}

impl Drop for OwnMariaDb {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let from = log.lines().count().saturating_sub(20);
            let last: Vec<_> = log.lines().skip(from).collect();
            eprintln!("MariaDB said in the end:\n{}", last.join("\n"));
        }
        self.kill();
    }
}

/// Where it has its temporary tables: one that starts removes those of all others in the same place.
fn own_temporary(dir: &Path) -> PathBuf {
    let own = dir.join("tmp");
    std::fs::create_dir_all(&own).expect("a directory");
    own
}

/// As whom it runs: by default it refuses to be root.
fn user() -> String {
    let user = Command::new("id").arg("-un").output().expect("id runs").stdout;
    format!("--user={}", String::from_utf8_lossy(&user).trim())
}
