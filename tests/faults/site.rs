//! What a fault is done to: a database, one or two `chatd serve` on it, perhaps a Redis between them, and people with
//! several devices each.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatd::auth::{Hasher, hash_token};
use chatd::domain::{Clock, NewUser, SystemClock, Username};
use chatd::store::{Session, Sessions, SqlStore, Users};
use tempfile::TempDir;

use crate::support::backend::{Backend, Database};
use crate::support::server::{LOOSE, Server, binary, command};
use crate::support::services::{OwnRedis, free_port};

/// Somebody, with a session for each device.
#[derive(Clone)]
pub struct Person {
    pub name: Arc<str>,
    /// `Cookie` headers: one for each device, one for what sends, and one that will be signed out.
    pub cookies: Vec<String>,
}

impl Person {
    /// The session of what sends and asks.
    pub fn cookie(&self) -> String {
        self.cookies[self.cookies.len() - 2].clone()
    }
}

/// How a site is made.
#[derive(Clone)]
pub struct Plan {
    pub backend: Backend,
    pub processes: usize,
    pub redis: bool,
    pub people: usize,
    pub devices: usize,
    /// Settings beside the usual ones.
    pub settings: Vec<(String, String)>,
    /// Variables of the servers' environment that are not settings.
    pub environment: Vec<(String, String)>,
    /// A database elsewhere than the usual one.
    pub database_url: Option<String>,
    /// One for each server in turn, where they are not all at the same.
    pub database_urls: Vec<String>,
    /// Another program than the one built with this harness.
    pub program: Option<std::path::PathBuf>,
}

impl Plan {
    pub fn on(backend: Backend) -> Self {
        Self {
            backend,
            processes: 1,
            redis: false,
            people: 20,
            devices: 2,
            settings: Vec::new(),
            environment: Vec::new(),
            database_url: None,
            database_urls: Vec::new(),
            program: None,
        }
    }

    /// Several processes, with a Redis between them. SQLite has one process.
    pub fn pair(mut self) -> Self {
        if self.backend != Backend::Sqlite {
            (self.processes, self.redis) = (2, true);
        }
        self
    }

    pub fn with(mut self, name: &str, value: &(impl ToString + ?Sized)) -> Self {
        self.settings.push((name.to_owned(), value.to_string()));
        self
    }
}

pub struct Site {
    // Servers end before their database goes.
    servers: Vec<Mutex<Option<Server>>>,
    pub redis: Mutex<Option<OwnRedis>>,
    pub redis_port: u16,
    pub database: Arc<Database>,
    pub people: Vec<Person>,
    ports: Vec<u16>,
    pub plan: Plan,
    pub dir: Arc<TempDir>,
}

impl Site {
    pub async fn new(plan: Plan) -> Self {
        let database = Arc::new(Database::new(plan.backend).await);
        Self::over(plan, database).await
    }

    /// On a database that is there already, and is not dropped while the caller holds it.
    pub async fn over(plan: Plan, database: Arc<Database>) -> Self {
        let dir = Arc::new(tempfile::tempdir().expect("a directory"));
        crate::evidence::directory(&dir, plan.processes);
        let redis_port = free_port();
        let redis = plan.redis.then(|| OwnRedis::start(redis_port, dir.path()));
        let people = people(&*database.store().await, plan.people, plan.devices).await;
        let mut site = Self {
            servers: Vec::new(),
            redis: Mutex::new(redis),
            redis_port,
            database,
            people,
            ports: Vec::new(),
            plan,
            dir,
        };
        for index in 0..site.plan.processes {
            let server = site.launch(index, 0, &[]);
            site.ports.push(server.port);
            site.servers.push(Mutex::new(Some(server)));
        }
        if site.plan.redis {
            for index in 0..site.plan.processes {
                site.ready(index, "ok").await;
            }
        }
        site
    }

    fn launch(&self, index: usize, port: u16, environment: &[(&str, &str)]) -> Server {
        let dir = self.directory(index);
        std::fs::create_dir_all(&dir).expect("a directory");
        let redis = format!("redis://127.0.0.1:{}", self.redis_port);
        let mut settings = vec![LOOSE, ("SOCKETS_PER_USER", "100")];
        settings.extend(self.plan.settings.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        if self.plan.redis && !settings.iter().any(|(name, _)| *name == "REDIS_URL") {
            settings.push(("REDIS_URL", &redis));
        }
        let own = self.plan.database_urls.get(index);
        if let Some(url) = own.or(self.plan.database_url.as_ref()) {
            settings.push(("DATABASE_URL", url));
        }
        let mut command = command(&self.database, &dir, &settings);
        if let Some(program) = &self.plan.program {
            let mut other = std::process::Command::new(program);
            other.current_dir(&dir).env_clear();
            other.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
            command = other;
        }
        command.envs(self.plan.environment.iter().map(|(name, value)| (name, value)));
        command.envs(environment.iter().copied()).args(["serve", "--port", &port.to_string()]);
        Server::run(command, &dir)
    }

    /// Where a server runs: its log and its data are here.
    pub fn directory(&self, index: usize) -> std::path::PathBuf {
        crate::evidence::server(&self.dir, index)
    }

    pub fn base(&self, index: usize) -> String {
        format!("http://127.0.0.1:{}", self.ports[index % self.ports.len()])
    }

    pub fn port(&self, index: usize) -> u16 {
        self.ports[index]
    }

    pub fn processes(&self) -> usize {
        self.ports.len()
    }

    /// Does something with a running server; none if it is down.
    pub fn server<T>(&self, index: usize, work: impl FnOnce(&Server) -> T) -> Option<T> {
        self.servers[index].lock().unwrap().as_ref().map(work)
    }

    /// SIGKILL.
    pub fn kill(&self, index: usize) {
        if let Some(server) = self.servers[index].lock().unwrap().take() {
            server.kill();
        }
    }

    /// Takes a server out of the site, to be ended by the caller.
    pub fn take(&self, index: usize) -> Option<Server> {
        self.servers[index].lock().unwrap().take()
    }

    /// Starts a server that is down, on its old port; how long it took until it listened.
    pub fn start(&self, index: usize) -> Duration {
        self.start_with(index, &[])
    }

    pub fn start_with(&self, index: usize, environment: &[(&str, &str)]) -> Duration {
        let started = std::time::Instant::now();
        let server = self.launch(index, self.ports[index], environment);
        *self.servers[index].lock().unwrap() = Some(server);
        started.elapsed()
    }

    /// Waits until a server calls itself by this word.
    pub async fn ready(&self, index: usize, word: &str) {
        let client = crate::support::server::Client::new(&self.base(index));
        crate::support::until(&format!("/readyz to say {word}"), Duration::from_secs(20), || async {
            let answer = client.attempt("GET", "/readyz", &[], None).await.ok()?;
            (answer.json()["status"] == word).then_some(())
        })
        .await;
    }

    /// Whether any server ever panicked, and what it said.
    pub fn panics(&self) -> Vec<String> {
        let logs = (0..self.processes()).flat_map(|index| crate::evidence::logs(&self.directory(index)));
        let texts = logs.map(|log| std::fs::read_to_string(log).unwrap_or_default());
        texts.filter(|text| text.contains("panicked at")).collect()
    }
}

/// People with sessions, put into the database directly: hashing a password for each would take longer than the rest.
pub async fn people(store: &SqlStore, count: usize, devices: usize) -> Vec<Person> {
    named(store, "p", count, devices).await
}

/// The same under other names.
pub async fn named(store: &SqlStore, prefix: &str, count: usize, devices: usize) -> Vec<Person> {
    let hash = Hasher::default().hash("faults-password").await.expect("a hash");
    let mut people = Vec::new();
    for number in 0..count {
        let name = format!("{prefix}{number:03}");
        let new = NewUser {
            username: Username::new(&name).expect("a name"),
            password_hash: hash.clone(),
            email: String::new(),
            is_staff: false,
            is_superuser: false,
        };
        let now = SystemClock.now();
        let user = store.add_user(&new, now).await.expect("a new user");
        let mut cookies = Vec::new();
        for device in 0..devices + 2 {
            let token = format!("{prefix}-{number}-{device}-{:032x}", rand::random::<u128>());
            let session = Session {
                token_hash: hash_token(&token),
                user: user.id,
                created_at: now,
                expires_at: now.plus(Duration::from_hours(24 * 365)),
                user_agent: String::new(),
                last_used_at: now,
            };
            store.add_session(&session).await.expect("a session");
            cookies.push(format!("sessionid={token}"));
        }
        people.push(Person { name: name.into(), cookies });
    }
    people
}

/// The program under test.
pub fn program() -> std::path::PathBuf {
    binary()
}
