//! Thousands of bad requests, or millions: no server error, no panic (the harness looks for one when the server ends),
//! and the process serves on.
//!
//! They are the same 5,000 in every run. `CHATD_TEST_BAD_REQUESTS` sets another number, as `scripts/nightly` does, and
//! takes other ones each time; the seed is printed, and `CHATD_TEST_SEED` takes it.

mod kept;
mod request;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chatd::domain::{Clock as _, SystemClock, UserId};
use chatd::store::{Session, Sessions as _, SqlStore};
use libtest_mimic::Trial;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::{exchange, once, status};
use crate::support::backend::Backend;
use crate::support::server::{LOOSE, World};
use kept::Kept;
use request::{End, request};

pub fn trials() -> Vec<Trial> {
    once![s39_thousands_of_bad_requests]
}

/// How much of it, and which.
#[derive(Clone, Copy)]
struct Run {
    requests: usize,
    seed: u64,
    /// Connections at once.
    lanes: usize,
    /// After so long a silence the server is told that nothing more comes.
    waits: Duration,
}

impl Run {
    fn chosen() -> Self {
        let number = |name: &str| std::env::var(name).ok().map(|n| n.parse().expect("a number"));
        let seed = number("CHATD_TEST_SEED");
        match number("CHATD_TEST_BAD_REQUESTS") {
            None => {
                Self { requests: 5_000, seed: seed.unwrap_or(0x5EED_C0DE), lanes: 8, waits: Duration::from_millis(200) }
            }
            Some(requests) => Self {
                requests: usize::try_from(requests).expect("a number of requests"),
                seed: seed.unwrap_or_else(rand::random),
                lanes: 32,
                waits: Duration::from_millis(50),
            },
        }
    }
}

/// Cookies of one person's sessions. Some requests end theirs: every lane puts new ones in their place.
struct Cookies {
    store: Arc<SqlStore>,
    user: UserId,
    all: Vec<String>,
}

impl Cookies {
    async fn new(store: Arc<SqlStore>, user: UserId) -> Self {
        let mut cookies = Self { store, user, all: Vec::new() };
        for _ in 0..12 {
            let cookie = cookies.one().await;
            cookies.all.push(cookie);
        }
        cookies
    }

    async fn one(&self) -> String {
        let token = format!("{:043}", rand::random::<u128>());
        let now = SystemClock.now();
        let session = Session {
            token_hash: chatd::auth::hash_token(&token),
            user: self.user,
            created_at: now,
            expires_at: now.plus(Duration::from_hours(24)),
            user_agent: String::new(),
            last_used_at: now,
        };
        self.store.add_session(&session).await.expect("a session");
        format!("sessionid={token}; csrftoken={}", "c".repeat(64))
    }

    async fn pick(&mut self, random: &mut StdRng, n: usize) -> &str {
        let at = random.random_range(0..self.all.len());
        if n % 100 == 99 {
            self.all[at] = self.one().await;
        }
        &self.all[at]
    }
}

type Statuses = BTreeMap<u16, usize>;

/// One lane's share of the requests.
async fn lane(run: Run, number: usize, port: u16, mut cookies: Cookies) -> Statuses {
    let mut random = StdRng::seed_from_u64(run.seed.wrapping_add(number as u64));
    let mut kept = Kept::new(port);
    let mut statuses = Statuses::new();
    let host = format!("127.0.0.1:{port}");
    for n in 0..run.requests / run.lanes {
        let cookie = cookies.pick(&mut random, n).await;
        let (bytes, end) = request(&mut random, &host, cookie);
        let answer = match end {
            End::Whole => kept.ask(&bytes).await,
            End::Short => exchange(port, &bytes, run.waits / 10).await,
            End::Odd => exchange(port, &bytes, run.waits).await,
        };
        let status = status(&answer);
        let shown = String::from_utf8_lossy(&bytes);
        assert!(status < 500, "{status} to {shown:?} (seed {}): {answer}", run.seed);
        for detail in ["panicked", "src/", "SqliteError", "stack backtrace", "sqlx"] {
            assert!(
                !answer.contains(detail) || answer.contains("openapi"),
                "{detail} in the answer to {shown:?} (seed {}): {answer}",
                run.seed
            );
        }
        *statuses.entry(status).or_default() += 1;
    }
    statuses
}

async fn s39_thousands_of_bad_requests() {
    let run = Run::chosen();
    eprintln!("{} bad requests, CHATD_TEST_SEED={}", run.requests, run.seed);
    let world = World::with(Backend::Sqlite, &[LOOSE, ("LOG", "warn")]).await;
    let ann = world.add("ann").await;
    let store = world.database.store().await;
    let (port, pid) = (world.server.port, world.server.pid());
    let started = Instant::now();
    let mut lanes = Vec::new();
    for number in 0..run.lanes {
        let cookies = Cookies::new(store.clone(), ann.id).await;
        lanes.push(tokio::spawn(lane(run, number, port, cookies)));
    }
    let mut statuses = Statuses::new();
    for lane in lanes {
        for (status, times) in lane.await.expect("a lane without an error") {
            *statuses.entry(status).or_default() += times;
        }
    }
    eprintln!("answered within {:?}: {statuses:?}", started.elapsed());
    // They reached the handlers, not the parser alone.
    for status in [200, 301, 400, 403, 404, 405] {
        let least = run.requests / 250;
        assert!(statuses.get(&status).is_some_and(|times| *times >= least), "{status} in {statuses:?}");
    }
    assert!(statuses[&0] < run.requests / 4, "most are answered: {statuses:?}");
    assert_eq!(world.server.pid(), pid);
    let bob = world.person("bob").await;
    assert_eq!(bob.say("ann", "still served").await["body"], "still served");
}
