//! How much each user may ask for, with the defaults: ten messages a second and thirty at once, six hundred reads a minute,
//! five sign-ins a minute. On one process, on two that share a Redis, and on two whose Redis is away.

use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt as _};
use libtest_mimic::Trial;
use serde_json::{Value, json};

use super::once;
use crate::support::backend::{Backend, Database, tool};
use crate::support::server::{Answer, Client, DEFAULT, Server, Settings, World, add_user, password};
use crate::support::services::{OwnRedis, free_port};
use crate::support::{trial, until};

pub fn trials() -> Vec<Trial> {
    let both = Backend::MariaDb.is_here() && tool("redis-server");
    let mut trials = once![
        s35_thirty_messages_at_once_and_ten_a_second,
        s35_six_hundred_reads_a_minute,
        s35_five_sign_ins_a_minute,
        s35_a_refused_send_is_stored_when_it_comes_again,
    ];
    for (name, test) in [
        ("security::s35_processes_count_together", trial_of(s35_processes_count_together)),
        ("security::s35_limits_hold_with_redis_away", trial_of(s35_limits_hold_with_redis_away)),
        ("security::s35_a_redis_that_hangs_holds_nobody_up", trial_of(s35_a_redis_that_hangs_holds_nobody_up)),
    ] {
        trials.push(trial(name, test).with_ignored_flag(!both));
    }
    trials
}

type Running = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

fn trial_of<Fut: Future<Output = ()> + Send + 'static>(
    test: impl FnOnce() -> Fut + Send + 'static,
) -> Box<dyn FnOnce() -> Running + Send> {
    Box::new(|| Box::pin(test()))
}

const DEFAULTS: Settings<'_> = &[
    ("MESSAGES_PER_SECOND", DEFAULT),
    ("MESSAGES_BURST", DEFAULT),
    ("READS_PER_MINUTE", DEFAULT),
    ("LOGINS_PER_MINUTE", DEFAULT),
];

/// Method, path, body.
type Ask = (&'static str, String, Option<Value>);

async fn put(client: &Client, (method, path, body): Ask) -> Answer {
    let kind = [("Content-Type", "application/json")];
    client.send(method, &path, &kind, body.map(|body| body.to_string().into_bytes())).await
}

fn reads(count: usize, paths: &[&str]) -> Vec<Ask> {
    (0..count).map(|i| ("GET", paths[i % paths.len()].to_owned(), None)).collect()
}

fn sends(count: usize) -> Vec<Ask> {
    let body = |i| json!({"recipient": "bob", "body": "x", "client_id": format!("k{i}")});
    (0..count).map(|i| ("POST", "/api/v1/message/".to_owned(), Some(body(i)))).collect()
}

/// Asks these clients in turn, some of it at once: how many were let through, how long it took, and one that was not.
async fn at_once(clients: &[&Client], asks: Vec<Ask>) -> (usize, Duration, Option<Answer>) {
    let (started, count) = (Instant::now(), asks.len());
    let running = asks.into_iter().enumerate().map(|(i, ask)| put(clients[i % clients.len()], ask));
    let answers: Vec<Answer> = stream::iter(running.collect::<Vec<_>>()).buffer_unordered(16).collect().await;
    let took = started.elapsed();
    let refused = answers.iter().filter(|answer| answer.status == 429).count();
    let passed = answers.iter().filter(|answer| (200..300).contains(&answer.status)).count();
    assert_eq!(passed + refused, count, "{:?}", answers.iter().map(|a| a.status).collect::<Vec<_>>());
    (passed, took, answers.into_iter().find(|answer| answer.status == 429))
}

/// What may pass in this time: the burst, and what came back meanwhile; within a tenth.
#[track_caller]
fn assert_limit(passed: usize, burst: usize, a_second: usize, took: Duration) {
    let came_back = usize::try_from(took.as_millis()).unwrap() * a_second / 1000 + 1;
    let most = (burst + came_back) * 11 / 10;
    assert!((burst * 9 / 10..=most).contains(&passed), "{passed} of {burst} in {took:?}");
}

fn throttled(answer: Option<Answer>) -> u64 {
    let answer = answer.expect("the limit was reached");
    assert!(answer.json()["detail"].as_str().is_some_and(|detail| detail.contains("throttled")), "{}", answer.body);
    answer.header("retry-after").expect("Retry-After").parse().expect("seconds")
}

async fn send(client: &Client, to: &str, key: &str) -> Answer {
    client.post("/api/v1/message/", &json!({"recipient": to, "body": "x", "client_id": key})).await
}

async fn sign_in(url: &str, name: &str) -> Answer {
    let body = json!({"username": name, "password": password(name)});
    Client::new(url).post("/api/v1/session/", &body).await
}

async fn s35_thirty_messages_at_once_and_ten_a_second() {
    let world = World::with(Backend::Sqlite, DEFAULTS).await;
    let (ann, bob) = world.two().await;
    let (passed, took, refused) = at_once(&[&ann], sends(80)).await;
    assert_limit(passed, 30, 10, took);
    assert_eq!(throttled(refused), 1);
    let count = bob.get("/api/v1/message/?target=ann").await.expect(200)["count"].clone();
    assert_eq!(count, passed, "what was refused was not stored");
    // Nobody else is limited by it, and nothing else.
    send(&bob, "ann", "b").await.expect(201);
    ann.get("/api/v1/conversation/").await.expect(200);
    ann.post("/api/v1/conversation/bob/read/", &json!({"seq": passed})).await.expect(200);
    // A change is a message too.
    let id = bob.get("/api/v1/message/?target=ann").await.expect(200)["results"][1]["id"].clone();
    let change: Ask = ("PATCH", format!("/api/v1/message/{id}/"), Some(json!({"body": "y"})));
    let (_, _, refused) = at_once(&[&ann], vec![change; 60]).await;
    throttled(refused);
}

async fn s35_a_refused_send_is_stored_when_it_comes_again() {
    let world = World::with(Backend::Sqlite, DEFAULTS).await;
    let (ann, bob) = world.two().await;
    let again: Ask = sends(1).swap_remove(0);
    assert_eq!(put(&ann, again.clone()).await.status, 201);
    let (_, _, refused) = at_once(&[&ann], vec![again; 60]).await;
    assert_eq!(throttled(refused), 1, "what was sent before counts when it comes again");
    let answer = until("room for one more", Duration::from_secs(10), || async {
        let answer = send(&ann, "bob", "second").await;
        if answer.status == 429 {
            let wait = answer.header("retry-after").and_then(|text| text.parse().ok()).expect("seconds");
            tokio::time::sleep(Duration::from_secs(wait)).await;
            return None;
        }
        Some(answer)
    })
    .await;
    assert_eq!(answer.expect(201)["seq"], 2);
    assert_eq!(bob.get("/api/v1/message/?target=ann").await.expect(200)["count"], 2);
}

async fn s35_six_hundred_reads_a_minute() {
    let world = World::with(Backend::Sqlite, DEFAULTS).await;
    let (ann, bob) = world.two().await;
    let paths =
        ["/api/v1/session/", "/api/v1/user/", "/api/v1/message/?target=bob", "/api/v1/event/", "/api/v1/user/2/"];
    let (passed, took, refused) = at_once(&[&ann], reads(900, &paths)).await;
    assert_limit(passed, 600, 10, took);
    assert_eq!(throttled(refused), 1);
    send(&ann, "bob", "k").await.expect(201);
    bob.get("/api/v1/session/").await.expect(200);
    // Who is nobody has no allowance, and is nobody's.
    Client::new(&world.server.url).get("/api/v1/message/").await.expect(403);
}

async fn s35_five_sign_ins_a_minute() {
    let world = World::with(Backend::Sqlite, DEFAULTS).await;
    world.add("ann").await;
    world.add("bob").await;
    let url = &world.server.url;
    for _ in 0..4 {
        let wrong = json!({"username": "ann", "password": "wrong"});
        Client::new(url).post("/api/v1/session/", &wrong).await.expect(400);
    }
    let first = Client::signed_in(url, "ann").await;
    for _ in 0..4 {
        assert_eq!(sign_in(url, "ann").await.status, 200, "wrong passwords of others take nothing from the owner");
    }
    let refused = sign_in(url, "ann").await;
    assert!((1..=13).contains(&throttled(Some(refused))));
    let page = Client::new(url);
    let token = page.get("/login/").await.all("set-cookie").find_map(|cookie| {
        cookie.strip_prefix("csrftoken=").and_then(|rest| rest.split(';').next().map(str::to_owned))
    });
    let form = format!("username=ann&password={}&csrfmiddlewaretoken={}", password("ann"), token.expect("a token"));
    let refused = page.form("/login/", &form).await;
    assert!(refused.status == 429 && refused.body.contains("signed in very often"), "{}", refused.status);
    assert_eq!(sign_in(url, "bob").await.status, 200);
    first.get("/api/v1/session/").await.expect(200);
}

/// Two processes on one database and this Redis, two people, and a client of one of them for each process.
struct Two {
    servers: [Server; 2],
    ann: [Client; 2],
    _database: Database,
    _dirs: [tempfile::TempDir; 2],
}

impl Two {
    async fn new(redis: &str) -> Self {
        let database = Database::new(Backend::MariaDb).await;
        let dirs = [(); 2].map(|()| tempfile::tempdir().expect("a directory"));
        let mut settings = DEFAULTS.to_vec();
        settings.push(("REDIS_URL", redis));
        let servers = [0, 1].map(|i| Server::start(&database, dirs[i].path(), &settings));
        let store = database.store().await;
        for name in ["ann", "bob", "carl"] {
            add_user(&store, name, false).await;
        }
        let ann = Client::signed_in(&servers[0].url, "ann").await;
        let two =
            Self { ann: [ann.at(&servers[0].url), ann.at(&servers[1].url)], servers, _database: database, _dirs: dirs };
        two.count_together(1).await;
        two
    }

    async fn count_together(&self, times: usize) {
        for server in &self.servers {
            until("Redis to count", Duration::from_secs(20), || async {
                (server.log().matches("Redis counts for all processes").count() >= times).then_some(())
            })
            .await;
        }
    }

    fn clients(&self) -> [&Client; 2] {
        [&self.ann[0], &self.ann[1]]
    }
}

async fn s35_processes_count_together() {
    let dir = tempfile::tempdir().expect("a directory");
    let redis = OwnRedis::start(free_port(), dir.path());
    let two = Two::new(&redis.url()).await;
    let (passed, took, refused) = at_once(&two.clients(), sends(100)).await;
    assert_limit(passed, 30, 10, took);
    throttled(refused);
    let (passed, took, refused) = at_once(&two.clients(), reads(1400, &["/api/v1/session/"])).await;
    assert_limit(passed, 600, 10, took);
    throttled(refused);
    for server in &two.servers {
        assert!(!server.log().contains("by itself"), "{}", server.log());
    }
    let urls = [two.servers[0].url.as_str(), two.servers[1].url.as_str()];
    let started = Instant::now();
    let mut passed = 0;
    for i in 0..12 {
        passed += usize::from(sign_in(urls[i % 2], "carl").await.status == 200);
    }
    let given_back = usize::try_from(started.elapsed().as_secs() / 12).unwrap();
    assert!((5..=5 + given_back).contains(&passed), "{passed} sign-ins");
}

async fn s35_limits_hold_with_redis_away() {
    let dir = tempfile::tempdir().expect("a directory");
    let port = free_port();
    let redis = OwnRedis::start(port, dir.path());
    let two = Two::new(&redis.url()).await;
    redis.end("KILL");
    // Each by itself: nothing fails, and there is a limit.
    let (passed, took, refused) = at_once(&two.clients(), sends(140)).await;
    assert_limit(passed, 60, 20, took);
    throttled(refused);
    for client in &two.ann {
        client.get("/api/v1/session/").await.expect(200);
    }
    let _redis = OwnRedis::start(port, dir.path());
    two.count_together(2).await;
    let (passed, took, _) = at_once(&two.clients(), reads(1400, &["/api/v1/session/"])).await;
    assert_limit(passed, 600, 10, took);
}

async fn s35_a_redis_that_hangs_holds_nobody_up() {
    let dir = tempfile::tempdir().expect("a directory");
    let redis = OwnRedis::start(free_port(), dir.path());
    let two = Two::new(&redis.url()).await;
    redis.signal("STOP");
    let started = Instant::now();
    for i in 0..20 {
        send(&two.ann[i % 2], "bob", &format!("k{i}")).await.expect(201);
    }
    // The first one of each process found out, and nobody waited after it.
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    for server in &two.servers {
        assert!(server.log().contains("each process limits its users by itself"));
    }
    redis.signal("CONT");
    two.count_together(2).await;
}
