//! Services of a test's own, which it can stop, or give settings that no other test wants.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::until;

/// A Redis of the test's own, that it can stop.
pub struct OwnRedis {
    child: Child,
    pub port: u16,
}

impl OwnRedis {
    pub fn start(port: u16, dir: &Path) -> Self {
        let child = Command::new("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .current_dir(dir)
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        Self { child, port }
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

/// A MariaDB of the test's own.
pub struct OwnMariaDb {
    child: Child,
    pub url: String,
}

impl OwnMariaDb {
    /// Starts it with these settings, on an empty directory below `dir`.
    pub async fn start(dir: &Path, settings: &[&str]) -> Self {
        let data = dir.join("mariadb");
        let user = Command::new("id").arg("-un").output().expect("id runs").stdout;
        let user = format!("--user={}", String::from_utf8_lossy(&user).trim());
        let made = Command::new("mariadb-install-db")
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", &user])
            .arg(format!("--datadir={}", data.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(made.expect("MariaDB is installed").success(), "mariadb-install-db");
        let port = free_port();
        let child = Command::new("mariadbd")
            .args(["--no-defaults", "--bind-address=127.0.0.1", &user, &format!("--port={port}")])
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--socket={}", dir.join("mariadb.sock").display()))
            .args(settings)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("mariadbd is installed");
        until("MariaDB to listen", Duration::from_secs(30), || async {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;
        Self { child, url: format!("mysql://root@127.0.0.1:{port}") }
    }
}

impl Drop for OwnMariaDb {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
