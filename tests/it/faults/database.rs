//! A MySQL server that is away, falls silent, or is held up by somebody else.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::json;
use sqlx::{Connection as _, Executor as _};

use crate::support::backend::{Backend, Database, service};
use crate::support::proxy::{Lose, Proxy};
use crate::support::server::{Client, LOOSE, Server, World};
use crate::support::socket::Socket;
use crate::support::{trial, until};

pub fn trials() -> Vec<Trial> {
    let trials = vec![
        trial("faults::database_away", database_away),
        trial("faults::database_silent", database_silent),
        trial("faults::database_slow", database_slow),
        trial("faults::client_vanished_in_transaction", client_vanished_in_transaction),
        trial("faults::a_transaction_that_stands_still_holds_nobody_up", a_transaction_that_stands_still),
        trial("faults::a_held_head_delays_only_its_own_people", a_held_head_delays_only_its_own_people),
        trial("faults::connection_lost_in_commit", connection_lost_in_commit),
        trial("faults::a_repeat_lost_in_commit_is_no_new_message", a_repeat_lost_in_commit_is_no_new_message),
        trial("faults::a_repeat_is_acknowledged_behind_a_commit_of_its_own", a_repeat_has_a_commit_of_its_own),
        trial("faults::lost_in_commit_with_its_locks_held", lost_in_commit_with_its_locks_held),
    ];
    let here = Backend::MariaDb.is_here();
    trials.into_iter().map(|trial| trial.with_ignored_flag(!here)).collect()
}

/// A MariaDB behind a proxy, a server that knows only the proxy, and two people.
async fn behind_a_proxy() -> (World, Proxy, Client, Client) {
    let database = Database::new(Backend::MariaDb).await;
    let server = service("mariadb").expect("MariaDB is here");
    let target = server.split_once('@').expect("an address").1.to_owned();
    let proxy = Proxy::to(target.clone()).await;
    let dir = tempfile::tempdir().expect("a directory");
    let url = database.url.replace(&target, &format!("127.0.0.1:{}", proxy.port));
    let server = Server::start(&database, dir.path(), &[LOOSE, ("DATABASE_URL", &url)]);
    let world = World { server, database, dir };
    let (ann, bob) = world.two().await;
    (world, proxy, ann, bob)
}

/// Takes the lock of somebody's head.
const HELD: &str =
    "SELECT pos FROM user_heads WHERE user_id = (SELECT id FROM users WHERE username = 'bob') FOR UPDATE";

/// Without its database the server says 503 soon, keeps its sockets, and heals by itself.
async fn database_away() {
    let (_world, proxy, ann, bob) = behind_a_proxy().await;
    let mut socket = Socket::events(&bob, None).await;
    ann.say("bob", "before").await;
    assert_eq!(socket.event().await["event"]["message"]["body"], "before");
    proxy.close();
    let body = json!({"recipient": "bob", "body": "while away", "client_id": "away"});
    for path in ["send", "/api/v1/message/", "/api/v1/event/", "/api/v1/conversation/", "/api/v1/user/"] {
        let started = Instant::now();
        let answer = if path == "send" { ann.post("/api/v1/message/", &body).await } else { ann.get(path).await };
        assert_eq!(answer.status, 503, "{path}: {}", answer.body);
        assert!(started.elapsed() < Duration::from_millis(3500), "{path} took {:?}", started.elapsed());
        assert!(answer.header("retry-after").is_some());
        assert_eq!(answer.header("outcome"), Some("not-applied"), "{path}");
    }
    assert_eq!(ann.get("/readyz").await.status, 503);
    assert_eq!(ann.get("/healthz").await.status, 200);
    pages_while_away(&ann).await;
    proxy.open();
    let started = Instant::now();
    until("the first send after the database is back", Duration::from_secs(5), || async {
        let answer = ann.post("/api/v1/message/", &body).await;
        (answer.status == 201).then_some(())
    })
    .await;
    println!("a send worked {:?} after the database was back", started.elapsed());
    // The same socket, without a reconnect.
    assert_eq!(socket.event().await["event"]["message"]["body"], "while away");
}

/// What people read meanwhile: what to do, and what to quote. The name that was typed is still there.
async fn pages_while_away(ann: &Client) {
    let page = ann.get("/c/bob/").await;
    let id = page.header("x-request-id").expect("an id").to_owned();
    assert_eq!(page.status, 503);
    for part in ["The server has a problem at the moment.", r#"<a href="/c/bob/">Try again</a>"#, &id] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    let client = Client::new(&ann.base);
    client.get("/login/").await;
    let token = client.cookie("csrftoken").expect("a token");
    let form = format!("csrfmiddlewaretoken={token}&username=ann&password=right-or-wrong");
    let kind = [("Content-Type", "application/x-www-form-urlencoded"), ("Accept-Language", "de")];
    let answer = client.send("POST", "/login/", &kind, Some(form.into_bytes())).await;
    let id = answer.header("x-request-id").expect("an id").to_owned();
    assert_eq!((answer.status, answer.header("outcome")), (503, Some("not-applied")));
    for part in ["Der Server hat im Augenblick ein Problem.", r#"value="ann""#, &id] {
        assert!(answer.body.contains(part), "{part}: {}", answer.body);
    }
}

/// A database that neither answers nor ends a connection: packets vanish. Nobody waits longer than for one that is
/// gone, no connection that fell silent is used again, and it heals by itself.
async fn database_silent() {
    let (_world, proxy, ann, bob) = behind_a_proxy().await;
    let mut socket = Socket::events(&bob, None).await;
    ann.say("bob", "before").await;
    assert_eq!(socket.event().await["event"]["message"]["body"], "before");
    proxy.fall_silent();
    let body = json!({"recipient": "bob", "body": "while silent", "client_id": "silent"});
    let path = "/api/v1/message/";
    let asked: Vec<_> = (0..40)
        .map(|n| {
            let (client, body) = (ann.at(&ann.base), body.clone());
            tokio::spawn(async move {
                let started = Instant::now();
                let answer = match n % 4 {
                    0 => client.get("/api/v1/user/").await,
                    2 => client.get(path).await,
                    _ => client.post(path, &body).await,
                };
                (answer, started.elapsed())
            })
        })
        .collect();
    for answer in asked {
        let (answer, took) = answer.await.expect("an answer");
        assert_eq!(answer.status, 503, "{}", answer.body);
        assert!(took < Duration::from_millis(3500), "it took {took:?}");
        assert!(answer.header("retry-after").is_some());
    }
    assert!(proxy.swallowed() > 0, "the fault must bite");
    proxy.speak();
    let started = Instant::now();
    until("the first send after the database speaks again", Duration::from_secs(5), || async {
        let answer = ann.post(path, &body).await;
        (answer.status == 201 || answer.status == 200).then_some(())
    })
    .await;
    println!("a send worked {:?} after the database spoke again", started.elapsed());
    assert_eq!(socket.event().await["event"]["message"]["body"], "while silent");
    let listed = bob.get("/api/v1/message/?target=ann").await.expect(200);
    assert_eq!(listed["count"], 2, "once");
}

/// Every answer of the database comes two seconds late: a request that asks several questions waits no longer than one
/// that asks a single one.
async fn database_slow() {
    let (_world, proxy, ann, _bob) = behind_a_proxy().await;
    ann.say("bob", "before").await;
    for path in ["/api/v1/user/", "/api/v1/conversation/", "/api/v1/message/?target=bob", "/api/v1/event/"] {
        ann.get(path).await.expect(200);
        let slowed = proxy.slowed();
        proxy.slow_down(Duration::from_secs(2));
        let started = Instant::now();
        let answer = ann.get(path).await;
        assert_eq!(answer.status, 503, "{path}: {}", answer.body);
        assert!(started.elapsed() < Duration::from_millis(3500), "{path} took {:?}", started.elapsed());
        assert!(proxy.slowed() > slowed, "the fault must bite");
        proxy.slow_down(Duration::ZERO);
        until("the first answer in time", Duration::from_secs(5), || async {
            (ann.get(path).await.status == 200).then_some(())
        })
        .await;
    }
}

/// A process vanishes in a transaction, and the database is not told: what it holds is given back while the send that
/// was in it still waits, and not within eight hours.
async fn client_vanished_in_transaction() {
    let (_world, proxy, ann, bob) = behind_a_proxy().await;
    ann.say("bob", "before").await;
    proxy.lose_of(Lose::Client, "held up");
    let body = json!({"recipient": "bob", "body": "held up", "client_id": "vanished"});
    let started = Instant::now();
    let answer = ann.post("/api/v1/message/", &body).await;
    let took = started.elapsed();
    assert_eq!(proxy.bitten(), 1, "the fault must bite");
    assert!(took > Duration::from_secs(1), "the locks were not held: {took:?}");
    // It is tried again when they are free; on a slow machine that may be too late for the one who waits.
    let told = (answer.status, answer.header("outcome"));
    assert!([(201, None), (503, Some("unknown"))].contains(&told), "{told:?} {}", answer.body);
    until("the locks to be given back", Duration::from_secs(5), || async {
        let answer = ann.post("/api/v1/message/", &body).await;
        assert!([200, 201, 503].contains(&answer.status), "{}", answer.body);
        (answer.status != 503).then_some(())
    })
    .await;
    println!("answered {told:?} after {took:?}, given back after {:?}", started.elapsed());
    assert_eq!(bob.get("/api/v1/message/?target=ann").await.expect(200)["count"], 2, "once");
}

/// A process stands still in a transaction: whoever sends through another one waits for its locks, and is not refused.
async fn a_transaction_that_stands_still() {
    let (world, proxy, ann, bob) = behind_a_proxy().await;
    ann.say("bob", "before").await;
    let dir = tempfile::tempdir().expect("a directory");
    let other = Server::start(&world.database, dir.path(), &[LOOSE]);
    let beside = ann.at(&other.url);
    proxy.lose_of(Lose::CommitAndHold, "stands still");
    let body = json!({"recipient": "bob", "body": "stands still", "client_id": "still"});
    let holds = ann.post("/api/v1/message/", &body);
    let waits = async {
        until("the fault to bite", Duration::from_secs(5), || async { (proxy.bitten() == 1).then_some(()) }).await;
        let started = Instant::now();
        (beside.post("/api/v1/message/", &json!({"recipient": "bob", "body": "goes on"})).await, started.elapsed())
    };
    let (_, (answer, took)) = tokio::join!(holds, waits);
    assert_eq!(answer.status, 201, "after {took:?}: {}", answer.body);
    println!("it waited {took:?}");
    assert!(took > Duration::from_millis(500), "the locks were not held: {took:?}");
    let listed = bob.get("/api/v1/message/?target=ann").await.expect(200);
    assert!(listed["results"].as_array().expect("a list").iter().any(|message| message["body"] == "goes on"));
}

/// Another process holds the head of one person, and does not go on: only the messages of that person wait, each with
/// a certain answer, and nothing is lost.
async fn a_held_head_delays_only_its_own_people() {
    let world = World::with(Backend::MariaDb, &[LOOSE]).await;
    let (ann, bob) = world.two().await;
    let (carl, dora) = (world.person("carl").await, world.person("dora").await);
    ann.say("bob", "before").await;
    let mut holder = sqlx::MySqlConnection::connect(&world.database.url).await.expect("connects");
    holder.execute("BEGIN").await.expect("begins");
    assert_eq!(holder.fetch_all(HELD).await.expect("locks").len(), 1);
    let body = json!({"recipient": "bob", "body": "held up", "client_id": "held"});
    let (waits, go_on) = tokio::join!(
        async {
            let started = Instant::now();
            (ann.post("/api/v1/message/", &body).await, started.elapsed())
        },
        async {
            let mut sent = 0;
            let started = Instant::now();
            while started.elapsed() < Duration::from_secs(2) {
                let (one, other) = tokio::join!(carl.say("dora", "goes on"), dora.say("carl", "and back"));
                assert!(one["seq"] != other["seq"]);
                sent += 2;
            }
            sent
        }
    );
    println!("{go_on} messages of others were sent while one head was held");
    // A batch that waits for the head comes to two or four.
    assert!(go_on > 10, "only {go_on} messages of others were sent within two seconds");
    let (answer, took) = waits;
    assert_eq!((answer.status, answer.header("outcome")), (503, Some("not-applied")), "{}", answer.body);
    assert!(took < Duration::from_millis(3500), "{took:?}");
    // The lock goes while a send waits for it: it is stored by itself.
    let waits = tokio::spawn(async move { ann.post("/api/v1/message/", &body).await });
    for _ in 0..20 {
        carl.say("dora", "meanwhile").await;
    }
    assert!(!waits.is_finished(), "it waits");
    holder.execute("ROLLBACK").await.expect("ends");
    assert_eq!(waits.await.expect("an answer").expect(201)["seq"], 2);
    assert_eq!(bob.get("/api/v1/message/?target=ann").await.expect(200)["count"], 2, "once");
}

/// A COMMIT is lost, and the server keeps the locks of its transaction: whoever waits is told that nobody knows, never
/// that nothing was stored, and the same key finds out.
async fn lost_in_commit_with_its_locks_held() {
    let (world, proxy, ann, bob) = behind_a_proxy().await;
    let (carl, _dora) = (world.person("carl").await, world.person("dora").await);
    ann.say("bob", "before").await;
    proxy.lose_of(Lose::CommitAndHold, "in doubt");
    let body = json!({"recipient": "bob", "body": "in doubt", "client_id": "held"});
    let started = Instant::now();
    // Somebody else has them next: the server's own patience with a transaction at rest is too short to see this.
    let mut next = sqlx::MySqlConnection::connect(&world.database.url).await.expect("connects");
    let holds = async {
        until("the fault to bite", Duration::from_secs(5), || async { (proxy.bitten() == 1).then_some(()) }).await;
        next.execute("BEGIN").await.expect("begins");
        next.fetch_all(HELD).await.expect("locks")
    };
    let (answer, _) = tokio::join!(ann.post("/api/v1/message/", &body), holds);
    assert_eq!((answer.status, answer.header("outcome")), (503, Some("unknown")), "{}", answer.body);
    assert!(started.elapsed() < Duration::from_millis(3500), "{:?}", started.elapsed());
    carl.say("dora", "others go on").await;
    next.execute("ROLLBACK").await.expect("ends");
    until("the locks to be given back", Duration::from_secs(30), || async {
        let answer = ann.post("/api/v1/message/", &body).await;
        (answer.status != 503).then(|| answer.expect(201))
    })
    .await;
    assert_eq!(bob.get("/api/v1/message/?target=ann").await.expect(200)["count"], 2, "once");
}

/// A COMMIT, or the answer to one, is lost, again and again: each message is stored once, with and without a key.
async fn connection_lost_in_commit() {
    let (_world, proxy, ann, bob) = behind_a_proxy().await;
    ann.say("bob", "first").await;
    for round in 0..40 {
        let mut body = json!({"recipient": "bob", "body": format!("round {round}")});
        if round % 2 == 0 {
            body["client_id"] = format!("lost-{round}").into();
        }
        let what = if round % 4 < 2 { Lose::Answer } else { Lose::Commit };
        proxy.lose_of(what, &format!("round {round}"));
        // The server finds out by itself what became of it.
        let sent = ann.post("/api/v1/message/", &body).await.expect(201);
        assert_eq!(sent["seq"], round + 2);
        assert_eq!(proxy.bitten(), usize::try_from(round).unwrap() + 1, "the fault must bite");
        let listed = bob.get("/api/v1/message/?target=ann").await.expect(200);
        assert_eq!(listed["count"], round + 2, "round {round}");
        assert_eq!(listed["results"][0], sent);
    }
}

/// A repeated send whose own COMMIT is lost finds the message of the first, and says so: 200, not 201 again.
async fn a_repeat_lost_in_commit_is_no_new_message() {
    let (_world, proxy, ann, bob) = behind_a_proxy().await;
    let body = json!({"recipient": "bob", "body": "again", "client_id": "again"});
    let first = ann.post("/api/v1/message/", &body).await.expect(201);
    for what in [Lose::Answer, Lose::Commit] {
        let bitten = proxy.bitten();
        proxy.lose_of(what, "again");
        assert_eq!(ann.post("/api/v1/message/", &body).await.expect(200), first);
        assert_eq!(proxy.bitten(), bitten + 1, "the fault must bite");
    }
    assert_eq!(bob.get("/api/v1/message/?target=ann").await.expect(200)["count"], 1, "once");
}

/// A repeat may find a message that its own commit has made visible and not yet durable: it is answered only after
/// something was committed behind it.
async fn a_repeat_has_a_commit_of_its_own() {
    let world = World::with(Backend::MariaDb, &[LOOSE]).await;
    let (ann, _bob) = world.two().await;
    let mut database = sqlx::MySqlConnection::connect(&world.database.url).await.expect("connects");
    let mut written = async || {
        let sql = "SELECT value FROM meta WHERE name = 'last_repeat'";
        sqlx::query_scalar::<_, String>(sql).fetch_optional(&mut database).await.expect("reads")
    };
    let body = json!({"recipient": "bob", "body": "again", "client_id": "again"});
    let first = ann.post("/api/v1/message/", &body).await.expect(201);
    assert_eq!(written().await, None, "a first send writes what it writes");
    let mut before = None;
    for _ in 0..2 {
        assert_eq!(ann.post("/api/v1/message/", &body).await.expect(200), first);
        let now = written().await;
        assert!(now.is_some() && now != before, "{now:?}");
        before = now;
    }
}
