//! The limit of wrong passwords, with its default: ten a minute for an account from one address, and for an address.

use std::time::{Duration, Instant};

use base64::Engine as _;
use libtest_mimic::Trial;
use serde_json::json;

use super::once;
use crate::support::backend::{BOTH, Backend, on_each};
use crate::support::server::{Answer, Client, Server, World, password};
use crate::support::until;

pub fn trials() -> Vec<Trial> {
    let mut trials =
        on_each(&BOTH, "security::s04_ten_wrong_passwords_and_no_more", s04_ten_wrong_passwords_and_no_more);
    trials.extend(on_each(&[Backend::MariaDb], "security::s04_processes_count_together", s04_processes_count_together));
    trials.extend(once![
        s04_right_passwords_are_not_counted,
        s04_an_address_is_counted_whatever_it_says_of_itself,
        s04_a_trusted_proxy_names_the_address,
        s04_holds_without_redis,
    ]);
    trials
}

/// Who is tried, and what `X-Forwarded-For` says.
type Guess = (String, Option<String>);

/// Wrong passwords, many at once, so that little of the allowance comes back meanwhile, spread over these servers: how
/// many were looked at, and one of the answers of the others.
pub async fn tries(urls: &[&str], guesses: Vec<Guess>) -> (usize, Option<Answer>) {
    let count = guesses.len();
    let mut running = Vec::new();
    for ((name, forwarded), url) in guesses.into_iter().zip(urls.iter().cycle()) {
        let url = (*url).to_owned();
        running.push(tokio::spawn(async move { guess(&url, &name, "wrong", forwarded.as_deref()).await }));
    }
    let mut answers = Vec::new();
    for answer in running {
        answers.push(answer.await.expect("an answer"));
    }
    let looked_at = answers.iter().filter(|answer| answer.status == 400).count();
    let refused = answers.iter().filter(|answer| answer.status == 429).count();
    assert_eq!(looked_at + refused, count, "{:?}", answers.iter().map(|a| a.status).collect::<Vec<_>>());
    (looked_at, answers.into_iter().find(|answer| answer.status == 429))
}

/// The same where ten a minute are looked at, without those that the time gave back meanwhile: one every six seconds, and
/// a machine that has much to do takes longer for them.
async fn tries_of_a_minute(urls: &[&str], guesses: Vec<Guess>) -> (usize, Option<Answer>) {
    let began = Instant::now();
    let (looked_at, refused) = tries(urls, guesses).await;
    let given_back = usize::try_from(began.elapsed().as_secs() / 6).unwrap_or(0);
    (looked_at - looked_at.saturating_sub(10).min(given_back), refused)
}

fn at_ann(count: usize) -> Vec<Guess> {
    vec![("ann".to_owned(), None); count]
}

pub async fn guess(url: &str, name: &str, password: &str, forwarded: Option<&str>) -> Answer {
    let mut headers = vec![("Content-Type", "application/json")];
    headers.extend(forwarded.map(|address| ("X-Forwarded-For", address)));
    let body = json!({"username": name, "password": password}).to_string().into_bytes();
    Client::new(url).send("POST", "/api/v1/session/", &headers, Some(body)).await
}

async fn s04_ten_wrong_passwords_and_no_more(backend: Backend) {
    let world = World::new(backend).await;
    world.add("ann").await;
    let url = &world.server.url;
    let (looked_at, refused) = tries_of_a_minute(&[url], at_ann(14)).await;
    assert_eq!(looked_at, 10, "many at once are no way round the limit");
    let refused = refused.expect("the limit was reached");
    let wait: u64 = refused.header("retry-after").expect("Retry-After").parse().expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    assert!(refused.body.contains("throttled"), "{}", refused.body);
    // The right password is not looked at either, by any of the three ways in.
    assert_eq!(guess(url, "ann", &password("ann"), None).await.status, 429);
    let form = Client::new(url);
    form.get("/login/").await;
    let token = form.cookie("csrftoken").expect("a token");
    let fields = format!("csrfmiddlewaretoken={token}&username=ann&password={}", password("ann"));
    let page = form.form("/login/", &fields).await;
    assert_eq!((page.status, page.header("retry-after").is_some()), (429, true));
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("ann:{}", password("ann")));
    let basic =
        Client::new(url).send("GET", "/api/v1/user/", &[("Authorization", &format!("Basic {basic}"))], None).await;
    assert_eq!(basic.status, 429);
    // No lock-out lasts: what was used comes back by itself.
    until("the right password to be looked at", Duration::from_secs(20), || async {
        (guess(url, "ann", &password("ann"), None).await.status == 200).then_some(())
    })
    .await;
}

async fn s04_processes_count_together(backend: Backend) {
    let world = World::new(backend).await;
    world.add("ann").await;
    let dir = tempfile::tempdir().expect("a temporary directory");
    let second = Server::start(&world.database, dir.path(), &[]);
    let urls = [world.server.url.as_str(), &second.url];
    let (looked_at, _) = tries_of_a_minute(&urls, at_ann(14)).await;
    assert_eq!(looked_at, 10);
    for url in urls {
        assert_eq!(guess(url, "ann", &password("ann"), None).await.status, 429);
    }
}

async fn s04_right_passwords_are_not_counted() {
    let world = World::new(Backend::Sqlite).await;
    world.add("ann").await;
    for _ in 0..12 {
        assert_eq!(guess(&world.server.url, "ann", &password("ann"), None).await.status, 200);
    }
}

async fn s04_an_address_is_counted_whatever_it_says_of_itself() {
    let world = World::new(Backend::Sqlite).await;
    let url = &world.server.url;
    let guesses = (0..14).map(|i| (format!("nobody-{i}"), Some(format!("203.0.113.{i}")))).collect();
    let (looked_at, _) = tries_of_a_minute(&[url], guesses).await;
    assert_eq!(looked_at, 10, "one address, whatever names it tries and whatever X-Forwarded-For says");
}

async fn s04_a_trusted_proxy_names_the_address() {
    let world = World::with(Backend::Sqlite, &[("TRUSTED_PROXIES", "127.0.0.1")]).await;
    world.add("ann").await;
    let url = &world.server.url;
    // What stands before the proxy's own word is the client's, and is not believed.
    let guesses = (0..14).map(|i| ("ann".to_owned(), Some(format!("198.51.100.{i}, 203.0.113.1")))).collect();
    let (looked_at, _) = tries_of_a_minute(&[url], guesses).await;
    assert_eq!(looked_at, 10);
    assert_eq!(guess(url, "ann", &password("ann"), Some("203.0.113.1")).await.status, 429);
    let elsewhere = guess(url, "ann", &password("ann"), Some("203.0.113.2")).await;
    assert_eq!(elsewhere.status, 200, "a stranger's guesses do not lock the owner out: {}", elsewhere.body);
    let same = Some("2001:db8:1:1::9");
    let guesses = (0..14).map(|i| (format!("nobody-{i}"), Some(format!("2001:db8:1:1::{i:x}")))).collect();
    let (looked_at, _) = tries_of_a_minute(&[url], guesses).await;
    assert_eq!(looked_at, 10, "the addresses of one IPv6 network are one");
    assert_eq!(guess(url, "ann", &password("ann"), same).await.status, 429);
}

async fn s04_holds_without_redis() {
    let world = World::with(Backend::Sqlite, &[("REDIS_URL", "redis://127.0.0.1:1")]).await;
    let url = &world.server.url;
    let (looked_at, _) = tries_of_a_minute(&[url], at_ann(12)).await;
    assert_eq!(looked_at, 10);
}
