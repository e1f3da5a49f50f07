//! At most a hundred wrong passwords in a row for an account: once for all strangers together, and apart for each
//! network that the account is used from, where strangers cannot keep the owner out.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chatd::auth::{Auth, Origin, SignInError};
use chatd::bus::LocalBus;
use chatd::config::Settings;
use chatd::domain::{Clock, NewUser, Timestamp, User, Username};
use chatd::limits::Limits;
use chatd::store::{SqlStore, Users as _};
use libtest_mimic::Trial;

use super::once;
use super::throttle::{guess, tries};
use crate::support::backend::{BOTH, Backend, Database, on_each};
use crate::support::server::{World, password};

pub fn trials() -> Vec<Trial> {
    let mut trials = on_each(
        &BOTH,
        "security::s04_a_hundred_in_a_row_by_strangers_and_no_more",
        s04_a_hundred_in_a_row_by_strangers_and_no_more,
    );
    trials.extend(on_each(
        &BOTH,
        "security::s04_a_hundred_in_a_row_where_the_owner_is_known",
        s04_a_hundred_in_a_row_where_the_owner_is_known,
    ));
    trials.extend(on_each(
        &BOTH,
        "security::s04_a_clock_that_was_wrong_locks_nobody_out_or_in",
        s04_a_clock_that_was_wrong_locks_nobody_out_or_in,
    ));
    trials.extend(once![s04_strangers_do_not_lock_out_the_owner]);
    trials
}

const HOME: [u8; 4] = [203, 0, 113, 1];
const ABROAD: [u8; 4] = [198, 51, 100, 200];
const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;

/// A hash that is cheap to compare with, for the sake of hundreds of tries; a right one replaces it.
const CHEAP: &str = "pbkdf2_sha256$1000$NaCl4tableUse$OdOElgwoJzJ6Q0dlEcFeSWVFtz6Srml6+DkB+F2/iGA=";
const RIGHT: &str = "ゆきのパスワード";

struct TestClock(AtomicI64);

impl TestClock {
    fn pass(&self, seconds: u64) {
        self.0.store(self.now().plus(Duration::from_secs(seconds)).0, Ordering::Relaxed);
    }

    fn put_back(&self, seconds: u64) {
        self.0.store(self.now().minus(Duration::from_secs(seconds)).0, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

/// Ann's account and the time, without a server.
struct Guessing {
    auth: Auth,
    clock: Arc<TestClock>,
    store: Arc<SqlStore>,
    ann: User,
    // After what uses it.
    _database: Database,
}

impl Guessing {
    async fn new(backend: Backend) -> Self {
        let database = Database::new(backend).await;
        let store = database.store().await;
        let new = NewUser {
            username: Username::new("ann").expect("a legal name"),
            password_hash: CHEAP.to_owned(),
            email: String::new(),
            is_staff: false,
            is_superuser: false,
        };
        let ann = store.add_user(&new, Timestamp(0)).await.expect("the user is new");
        let clock = Arc::new(TestClock(AtomicI64::new(1_700_000_000_000_000)));
        let (bus, limits) = (Arc::new(LocalBus::default()), Arc::new(Limits::new([])));
        let auth = Auth::new(store.clone(), store.clone(), bus, clock.clone(), limits, &Settings::default());
        Self { auth, clock, store, ann, _database: database }
    }

    /// One try: whether it was right, or how long to wait.
    async fn one(&self, name: &str, password: &str, address: [u8; 4]) -> Result<bool, u64> {
        let origin = Origin { address: IpAddr::from(address), user_agent: String::new() };
        match self.auth.check(name, password, &origin).await {
            Ok(_) => Ok(true),
            Err(SignInError::Invalid | SignInError::SecondStep(_)) => Ok(false),
            Err(SignInError::Throttled(wait) | SignInError::TooOften(wait)) => Err(wait),
            Err(SignInError::Store(e)) => panic!("{e}"),
        }
    }

    async fn right(&self, address: [u8; 4]) -> Result<bool, u64> {
        let right = self.one("ann", RIGHT, address).await;
        if right == Ok(true) {
            self.store.set_password_hash(self.ann.id, CHEAP, None).await.expect("a hash");
        }
        right
    }

    /// How many wrong passwords are looked at, as quickly as the limits of each minute allow.
    async fn wrong(&self, name: &str, address: impl Fn(u8) -> [u8; 4]) -> (usize, u64) {
        for n in 0..120 {
            match self.one(name, "wrong", address(n)).await {
                Ok(right) => assert!(!right),
                Err(wait) => return (n.into(), wait),
            }
            self.clock.pass(6);
        }
        panic!("nothing stops them");
    }
}

async fn s04_a_hundred_in_a_row_by_strangers_and_no_more(backend: Backend) {
    let g = Guessing::new(backend).await;
    let many = |n| [198, 51, 100, n];
    let (looked_at, wait) = g.wrong("ann", many).await;
    assert_eq!(looked_at, 100, "by whatever address");
    // The hundred took ten minutes; a quarter of an hour after the first there may be one more.
    assert!((4 * MINUTE..=15 * MINUTE).contains(&wait), "{wait}");
    assert_eq!(g.right(ABROAD).await, Err(wait), "the right password is not looked at either");
    // A try that waited for others may come a second early.
    g.clock.pass(wait - 2);
    assert_eq!(g.right(ABROAD).await, Err(2));
    g.clock.pass(2);
    assert_eq!(g.one("ann", "wrong", many(1)).await, Ok(false));
    assert_eq!(g.one("ann", "wrong", many(2)).await, Err(15 * MINUTE), "one, and no more");
    // A name that nobody has is treated alike.
    let (nobodys, its_wait) = g.wrong("nobody", many).await;
    assert_eq!((nobodys, its_wait), (looked_at, wait));
    // What is right ends the row.
    g.clock.pass(15 * MINUTE);
    assert_eq!(g.right(ABROAD).await, Ok(true));
    assert_eq!(g.wrong("ann", many).await.0, 100);
    // So does a new password: what was guessed says nothing of it.
    assert!(g.right([192, 0, 2, 1]).await.is_err());
    g.auth.set_password(&g.ann, RIGHT, false).await.expect("a password");
    assert_eq!(g.right([192, 0, 2, 1]).await, Ok(true));
}

async fn s04_a_hundred_in_a_row_where_the_owner_is_known(backend: Backend) {
    let g = Guessing::new(backend).await;
    assert_eq!(g.right(HOME).await, Ok(true));
    // In the whole time of a session and a month, the place is known: strangers do not matter there.
    g.clock.pass((14 + 30) * DAY - 3600);
    assert_eq!(g.wrong("ann", |n| [198, 51, 100, n]).await.0, 100);
    assert!(g.right(ABROAD).await.is_err());
    assert_eq!(g.right(HOME).await, Ok(true));
    assert!(g.right(ABROAD).await.is_err(), "what is right at home tells nothing of strangers");
    // But not without end.
    let (looked_at, wait) = g.wrong("ann", |_| HOME).await;
    assert_eq!(looked_at, 100);
    assert_eq!(g.right(HOME).await, Err(wait));
    g.clock.pass(wait);
    assert_eq!(g.right(HOME).await, Ok(true));
    assert_eq!(g.wrong("ann", |_| HOME).await.0, 100, "whole again at once");
    // Long after, it is a strange place like others.
    g.clock.pass((14 + 30) * DAY);
    assert_eq!(g.wrong("ann", |n| [198, 51, 100, n]).await.0, 100);
    assert!(g.right(HOME).await.is_err());
}

async fn s04_strangers_do_not_lock_out_the_owner() {
    let settings = [("TRUSTED_PROXIES", "127.0.0.1"), ("LOGIN_FAILURES_PER_MINUTE", "10000")];
    let world = World::with(Backend::Sqlite, &settings).await;
    world.add("ann").await;
    let url = &world.server.url;
    let (home, abroad) = (Some("203.0.113.1"), Some("198.51.100.200"));
    let right = async |from| guess(url, "ann", &password("ann"), from).await;
    assert_eq!(right(home).await.status, 200);
    let strangers = (0..101).map(|i| ("ann".to_owned(), Some(format!("198.51.100.{i}")))).collect();
    let (looked_at, refused) = tries(&[url], strangers).await;
    assert_eq!(looked_at, 100, "the 101st is not");
    let refused = refused.expect("one was refused");
    let wait: u64 = refused.header("retry-after").expect("Retry-After").parse().expect("seconds");
    assert!((15 * MINUTE - 120..=15 * MINUTE).contains(&wait), "{wait}");
    assert_eq!(right(abroad).await.status, 429);
    let answer = right(home).await;
    assert_eq!(answer.status, 200, "the owner is not locked out: {}", answer.body);
    // At home there is a hundred of its own, and what is right begins it anew.
    for _ in 0..2 {
        let (looked_at, _) = tries(&[url], vec![("ann".to_owned(), home.map(str::to_owned)); 60]).await;
        assert_eq!(looked_at, 60);
        assert_eq!(right(home).await.status, 200);
    }
}

/// Passwords that were wrong while the clock was years ahead do not lock anybody out for years once it is put right,
/// and a session of that time does not last for years either. A clock that is put back by a day signs nobody out.
async fn s04_a_clock_that_was_wrong_locks_nobody_out_or_in(backend: Backend) {
    let guessing = Guessing::new(backend).await;
    let clock = &guessing.clock;
    let sign_in = async || {
        let origin = Origin { address: IpAddr::from(HOME), user_agent: String::new() };
        guessing.auth.sign_in("ann", RIGHT, &origin).await.expect("it is right").token
    };
    let lives = async |token: &str| guessing.auth.session(token).await.expect("an answer").is_some();
    let usual = sign_in().await;
    for ahead in [DAY, 3650 * DAY] {
        clock.pass(ahead);
        let of_then = sign_in().await;
        while guessing.one("ann", "wrong", HOME).await == Ok(false) {}
        assert!(lives(&of_then).await);
        assert_eq!(lives(&usual).await, ahead == DAY, "it lasts for two weeks");
        clock.put_back(ahead);
        assert_eq!(lives(&of_then).await, ahead == DAY);
        assert!(lives(&usual).await);
        // One try, and not all of them at once.
        assert_eq!(guessing.one("ann", "wrong", HOME).await, Ok(false));
        assert!(guessing.one("ann", "wrong", HOME).await.is_err_and(|wait| wait <= 15 * MINUTE));
        clock.pass(15 * MINUTE);
        assert_eq!(guessing.one("ann", RIGHT, HOME).await, Ok(true));
    }
}
