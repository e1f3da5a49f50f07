//! A real `chatd serve` on a free port, and clients for it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use chatd::auth::{Hasher, hash_token};
use chatd::domain::{Clock, NewUser, SystemClock, User, Username};
use chatd::store::{Session, Sessions as _, SqlStore, Users};
use reqwest::{Method, Response};
use serde_json::Value;
use tempfile::TempDir;

use super::backend::Database;

/// Settings for `CHATD_*`, by name.
pub type Settings<'a> = &'a [(&'a str, &'a str)];

/// A running server; killed when dropped.
pub struct Server {
    child: Mutex<Option<Child>>,
    pub url: String,
    pub port: u16,
    /// Where it was started: the log is here.
    pub dir: PathBuf,
}

/// The program under test: the one that was built with the tests, or the one that `CHATD_TEST_BIN` names.
pub fn binary() -> PathBuf {
    std::env::var_os("CHATD_TEST_BIN").filter(|path| !path.is_empty()).map_or_else(
        || env!("CARGO_BIN_EXE_chatd").into(),
        // Servers are started in other directories.
        |path| std::fs::canonicalize(path).expect("CHATD_TEST_BIN names a program"),
    )
}

/// The environment of a server for this database: nothing of ours is inherited but the path.
pub fn command(database: &Database, dir: &Path, settings: Settings<'_>) -> Command {
    let mut command = Command::new(binary());
    command.current_dir(dir).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("CHATD_DATA_DIR", dir.join("data")).env("CHATD_DATABASE_URL", &database.url);
    for (name, value) in RAISED.iter().chain(settings) {
        match *value {
            DEFAULT => command.env_remove(format!("CHATD_{name}")),
            value => command.env(format!("CHATD_{name}"), value),
        };
    }
    command
}

/// The limits of what each user may ask for are not what most tests are about.
const RAISED: Settings<'_> = &[
    ("MESSAGES_PER_SECOND", "1000000"),
    ("MESSAGES_BURST", "1000000"),
    ("READS_PER_MINUTE", "10000000"),
    ("LOGINS_PER_MINUTE", "1000000"),
];
/// For a setting's value: what it is when nobody sets it.
pub const DEFAULT: &str = "(default)";

impl Server {
    /// Starts it and waits until it listens.
    pub fn start(database: &Database, dir: &Path, settings: Settings<'_>) -> Self {
        Self::start_at(database, dir, 0, settings)
    }

    pub fn start_at(database: &Database, dir: &Path, port: u16, settings: Settings<'_>) -> Self {
        let mut command = command(database, dir, settings);
        command.args(["serve", "--port", &port.to_string()]);
        Self::run(command, dir)
    }

    /// Runs a prepared `serve` command.
    pub fn run(command: Command, dir: &Path) -> Self {
        // What the test does beside it (a proxy, senders) must go on meanwhile.
        tokio::task::block_in_place(|| Self::run_blocking(command, dir))
    }

    fn run_blocking(mut command: Command, dir: &Path) -> Self {
        let log = dir.join(format!("serve-{:08x}.log", rand::random::<u32>()));
        let file = std::fs::File::create(&log).expect("the log can be written");
        let mut child = command.stdout(Stdio::piped()).stderr(file).spawn().expect("the server starts");
        let mut out = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let mut line = String::new();
        let started = Instant::now();
        let address = loop {
            line.clear();
            let read = out.read_line(&mut line).expect("stdout can be read");
            if let Some((_, at)) = line.split_once("listens on http://") {
                let end = at.find(['/', '\n']).unwrap_or(at.len());
                break at[..end].parse::<std::net::SocketAddr>().expect("an address");
            }
            let shown = || std::fs::read_to_string(&log).unwrap_or_default();
            assert!(read > 0 && started.elapsed() < Duration::from_secs(30), "the server did not start: {}", shown());
        };
        // Goes on reading, so that the server never waits for us.
        std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
        Self {
            child: Mutex::new(Some(child)),
            url: format!("http://{address}"),
            port: address.port(),
            dir: dir.to_owned(),
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.lock().unwrap().as_ref().expect("it runs").id()
    }

    /// SIGKILL, and its end.
    pub fn kill(&self) {
        if let Some(mut child) = self.child.lock().unwrap().take() {
            child.kill().expect("it can be killed");
            child.wait().expect("it ends");
        }
    }

    /// A signal by name, as `kill -s` knows it.
    pub fn signal(&self, name: &str) {
        let done = Command::new("kill").args(["-s", name, &self.pid().to_string()]).status();
        assert!(done.is_ok_and(|status| status.success()), "kill -s {name}");
    }

    /// Waits for the end; its exit code.
    pub async fn ended(&self) -> i32 {
        super::until("the server to end", Duration::from_secs(30), || async {
            let mut child = self.child.lock().unwrap();
            let status = child.as_mut().expect("it runs").try_wait().expect("it can be waited for")?;
            *child = None;
            Some(status.code().unwrap_or(-1))
        })
        .await
    }

    pub fn log(&self) -> String {
        let files = std::fs::read_dir(&self.dir).expect("the directory can be read").flatten();
        let logs = files.filter(|file| file.path().extension().is_some_and(|e| e == "log"));
        logs.map(|file| std::fs::read_to_string(file.path()).unwrap_or_default()).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.lock().ok().and_then(|mut child| child.take()) {
            let _ = child.kill();
            let _ = child.wait();
        }
        // A handler that panicked is answered with a 500 and noted: no test may pass over it.
        if !std::thread::panicking() {
            assert!(!self.log().contains("panicked at"), "the server panicked:\n{}", self.log());
        }
    }
}

/// A database, a server on it, and people.
pub struct World {
    // Before the database: a server must end before its database goes.
    pub server: Server,
    pub database: Database,
    pub dir: TempDir,
}

/// The limits that a test would run into.
pub const LOOSE: (&str, &str) = ("LOGIN_FAILURES_PER_MINUTE", "10000");

impl World {
    pub async fn new(backend: super::backend::Backend) -> Self {
        Self::with(backend, &[]).await
    }

    pub async fn with(backend: super::backend::Backend, settings: Settings<'_>) -> Self {
        let database = Database::new(backend).await;
        let dir = tempfile::tempdir().expect("a temporary directory");
        let server = Server::start(&database, dir.path(), settings);
        Self { server, database, dir }
    }

    /// The same database under a server that was started anew.
    pub async fn restarted(self, settings: Settings<'_>) -> Self {
        let Self { server, database, dir } = self;
        server.signal("TERM");
        server.ended().await;
        drop(server);
        let server = Server::start(&database, dir.path(), settings);
        Self { server, database, dir }
    }

    pub async fn add(&self, name: &str) -> User {
        add_user(&*self.database.store().await, name, false).await
    }

    /// A new person, signed in: without the password, whose check costs more than most of what is tested.
    pub async fn person(&self, name: &str) -> Client {
        let store = self.database.store().await;
        let user = add_user(&store, name, false).await;
        let client = Client::new(&self.server.url);
        client.set_cookie("sessionid", Some(&begin_session(&store, &user).await));
        client.set_cookie("csrftoken", Some(&hash_token(name)));
        client
    }

    pub async fn two(&self) -> (Client, Client) {
        (self.person("ann").await, self.person("bob").await)
    }
}

/// Runs `chatd ARGS` beside the server.
pub fn chatd(world: &World, settings: Settings<'_>, args: &[&str]) -> Output {
    let mut command = command(&world.database, world.dir.path(), settings);
    command.args(args).stdin(Stdio::null()).output().expect("chatd runs")
}

/// The password of a person of the tests.
pub fn password(name: &str) -> String {
    format!("pw-{name}")
}

pub async fn add_user(store: &SqlStore, name: &str, superuser: bool) -> User {
    let new = NewUser {
        username: Username::new(name).expect("a legal name"),
        password_hash: password_hash(name).await,
        email: String::new(),
        is_staff: superuser,
        is_superuser: superuser,
    };
    store.add_user(&new, SystemClock.now()).await.expect("the user is new")
}

/// The hash of a person's password, made once for all tests on this machine.
async fn password_hash(name: &str) -> String {
    let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hashes").join(hash_token(name));
    if let Ok(hash) = std::fs::read_to_string(&made) {
        return hash;
    }
    let hash = Hasher::default().hash(&password(name)).await.expect("a hash");
    // Whole or not at all: others may read it, or write the same, at this moment.
    let dir = made.parent().expect("a directory");
    std::fs::create_dir_all(dir).expect("a directory");
    let mut part = tempfile::NamedTempFile::new_in(dir).expect("a file");
    part.write_all(hash.as_bytes()).expect("written");
    part.persist(&made).expect("in its place");
    hash
}

/// A new session of a user; the cookie's value.
async fn begin_session(store: &SqlStore, user: &User) -> String {
    let (token, now) = (format!("{:032x}", rand::random::<u128>()), SystemClock.now());
    let session = Session {
        token_hash: hash_token(&token),
        user: user.id,
        created_at: now,
        expires_at: now.plus(Duration::from_hours(14 * 24)),
        user_agent: "a test".to_owned(),
        last_used_at: now,
    };
    store.add_session(&session).await.expect("a session");
    token
}

/// An answer, read whole.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    async fn read(response: Response) -> Self {
        let status = response.status().as_u16();
        let headers = response.headers().iter();
        let headers = headers.map(|(n, v)| (n.as_str().to_owned(), String::from_utf8_lossy(v.as_bytes()).into_owned()));
        let headers = headers.collect();
        Self { status, headers, body: response.text().await.expect("the body can be read") }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e} in {} {}", self.status, self.body))
    }

    /// The JSON, if the status is this one.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        if self.body.is_empty() { Value::Null } else { self.json() }
    }
}

/// A client with a cookie jar.
pub struct Client {
    pub base: String,
    http: reqwest::Client,
    jar: Mutex<BTreeMap<String, String>>,
}

impl Client {
    pub fn new(base: &str) -> Self {
        Self::patient(base, Duration::from_mins(2))
    }

    /// One that waits so long for an answer.
    pub fn patient(base: &str, patience: Duration) -> Self {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(patience)
            .build()
            .expect("a client");
        Self { base: base.to_owned(), http, jar: Mutex::default() }
    }

    pub async fn signed_in(base: &str, name: &str) -> Self {
        let client = Self::new(base);
        client.sign_in(name).await;
        client
    }

    pub async fn sign_in(&self, name: &str) {
        let body = serde_json::json!({"username": name, "password": password(name)});
        self.post("/api/v1/session/", &body).await.expect(200);
    }

    /// The same jar, for another server of the same site.
    pub fn at(&self, base: &str) -> Self {
        let client = Self::new(base);
        *client.jar.lock().unwrap() = self.jar.lock().unwrap().clone();
        client
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.jar.lock().unwrap().get(name).cloned()
    }

    pub fn set_cookie(&self, name: &str, value: Option<&str>) {
        let mut jar = self.jar.lock().unwrap();
        match value {
            Some(value) => drop(jar.insert(name.to_owned(), value.to_owned())),
            None => drop(jar.remove(name)),
        }
    }

    pub fn cookies(&self) -> String {
        let jar = self.jar.lock().unwrap();
        jar.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    /// The request as it is given, with the jar's cookies; a transport error is returned.
    pub async fn attempt(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Result<Answer, reqwest::Error> {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        let cookies = self.cookies();
        if !cookies.is_empty() && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("cookie")) {
            request = request.header("Cookie", cookies);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let answer = Answer::read(request.send().await?).await;
        for cookie in answer.all("set-cookie") {
            let (pair, _) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').expect("a cookie");
            self.set_cookie(name, (value != "\"\"").then_some(value));
        }
        Ok(answer)
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<Vec<u8>>) -> Answer {
        self.attempt(method, path, headers, body).await.expect("an answer")
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &[("Content-Type", "application/json")], Some(body.to_string().into_bytes())).await
    }

    pub async fn form(&self, path: &str, body: &str) -> Answer {
        let kind = [("Content-Type", "application/x-www-form-urlencoded")];
        self.send("POST", path, &kind, Some(body.as_bytes().to_vec())).await
    }

    /// Sends a message; its object.
    pub async fn say(&self, to: &str, body: &str) -> Value {
        self.post("/api/v1/message/", &serde_json::json!({"recipient": to, "body": body})).await.expect(201)
    }
}
