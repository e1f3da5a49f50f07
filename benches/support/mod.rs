//! What the benchmarks share: people, a server, and requests on kept connections.

#![allow(dead_code, reason = "no benchmark uses all of it")]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use chatd::auth::Hasher;
use chatd::domain::{NewUser, Timestamp, User, Username};
use chatd::store::{SqlStore, Users};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PASSWORD: &str = "benchmark-password";
pub const PEOPLE: usize = 64;

pub async fn people(store: &SqlStore) -> Vec<User> {
    let hash = Hasher::default().hash(PASSWORD).await.expect("a hash");
    let mut people = Vec::new();
    for n in 0..PEOPLE {
        let username = Username::new(&format!("person{n}")).expect("a name");
        let email = format!("person{n}@chat.example");
        let new = NewUser { username, password_hash: hash.clone(), email, is_staff: false, is_superuser: false };
        people.push(store.add_user(&new, Timestamp(0)).await.expect("a user"));
    }
    people
}

/// `chatd serve`, ended when dropped.
pub struct Server {
    child: Child,
    /// Host and port.
    pub at: String,
}

impl Server {
    pub fn start(url: &str, dir: &Path) -> Self {
        Self::start_with(url, dir, &[])
    }

    /// With more settings.
    pub fn start_with(url: &str, dir: &Path, settings: &[(&str, &str)]) -> Self {
        std::fs::create_dir_all(dir).expect("a directory");
        let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
        let child = Command::new(env!("CARGO_BIN_EXE_chatd"))
            .args(["serve", "--port", &port.to_string()])
            .current_dir(dir)
            .env_clear()
            .env("CHATD_DATABASE_URL", url)
            .env("CHATD_LOG", "warn")
            // Tries are charged before the password is looked at: many right ones at once would be refused.
            .env("CHATD_LOGIN_FAILURES_PER_MINUTE", "100000")
            .envs([("CHATD_MESSAGES_PER_SECOND", "1000000"), ("CHATD_MESSAGES_BURST", "1000000")])
            .envs([("CHATD_READS_PER_MINUTE", "10000000"), ("CHATD_LOGINS_PER_MINUTE", "1000000")])
            .envs(settings.iter().copied())
            .stdout(Stdio::null())
            .spawn()
            .expect("it starts");
        Self { child, at: format!("127.0.0.1:{port}") }
    }

    pub async fn connect(&self) -> TcpStream {
        for _ in 0..500 {
            if let Ok(stream) = TcpStream::connect(&self.at).await {
                stream.set_nodelay(true).expect("a socket");
                return stream;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the server does not listen");
    }

    pub async fn sign_in(&self, name: &str) -> String {
        let body = format!(r#"{{"username":"{name}","password":"{PASSWORD}"}}"#);
        let answer = ask(&mut self.connect().await, &self.post("/api/v1/session/", "", &body)).await;
        let start = answer.find("sessionid=").expect("a session");
        answer[start..].split(';').next().expect("a cookie").to_owned()
    }

    pub fn post(&self, path: &str, cookie: &str, body: &str) -> String {
        format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.at,
            body.len()
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub const TEXT: &str = "A message of ordinary length, as people write them: two lines, perhaps, of plain text. 🙂";

/// One request and its answer on a kept connection.
pub async fn ask(stream: &mut TcpStream, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = Vec::with_capacity(2048);
    loop {
        let read = stream.read_buf(&mut answer).await.expect("an answer");
        let text = String::from_utf8_lossy(&answer);
        if let Some(head) = text.find("\r\n\r\n") {
            let length =
                text[..head].lines().find_map(|l| l.strip_prefix("content-length: ")).and_then(|n| n.parse().ok());
            if answer.len() >= head + 4 + length.unwrap_or(0) {
                return text.into_owned();
            }
        }
        assert!(read > 0, "the connection ended: {text}");
    }
}
