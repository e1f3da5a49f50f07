//! A server that is killed, again and again, with sends in flight.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::support::backend::{BOTH, Backend, Database, on_each};
use crate::support::device::Device;
use crate::support::server::{Client, LOOSE, Server, add_user};
use crate::support::until;

pub fn trials() -> Vec<Trial> {
    on_each(&BOTH, "faults::killed_under_load", killed_under_load)
}

const KILLS: usize = 20;
const SENDERS: usize = 16;

/// What the senders know: acknowledged messages by key.
#[derive(Default)]
struct Ledger {
    acknowledged: Mutex<HashMap<(String, String), Value>>,
    unknown: AtomicUsize,
    sent: AtomicUsize,
    stop: AtomicBool,
}

/// One sender: the same key until it is acknowledged, then the next one.
async fn send_on(client: Client, from: String, to: String, number: usize, ledger: Arc<Ledger>) {
    let mut n = 0;
    while !ledger.stop.load(Ordering::Relaxed) {
        n += 1;
        let key = format!("{number}-{n}");
        let body = json!({"recipient": to, "body": format!("{from} {key}"), "client_id": key}).to_string();
        loop {
            let headers = [("Content-Type", "application/json")];
            match client.attempt("POST", "/api/v1/message/", &headers, Some(body.clone().into_bytes())).await {
                Ok(answer) if answer.status == 201 || answer.status == 200 => {
                    ledger.acknowledged.lock().unwrap().insert((from.clone(), key), answer.json());
                    ledger.sent.fetch_add(1, Ordering::Relaxed);
                    break;
                }
                Ok(answer) if answer.status == 503 => {}
                Ok(answer) => panic!("{} {}", answer.status, answer.body),
                Err(e) if e.is_connect() => {}
                // The request was on its way: nobody knows.
                Err(_) => drop(ledger.unknown.fetch_add(1, Ordering::Relaxed)),
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn killed_under_load(backend: Backend) {
    let database = Database::new(backend).await;
    let dir = tempfile::tempdir().expect("a directory");
    let store = database.store().await;
    let names = ["ann", "bob", "carol", "dave"];
    for name in names {
        add_user(&store, name, false).await;
    }
    let mut server = Server::start(&database, dir.path(), &[LOOSE]);
    let mut clients = BTreeMap::new();
    let mut devices = Vec::new();
    for name in names {
        let client = Client::signed_in(&server.url, name).await;
        let start = client.get("/api/v1/event/").await.expect(200)["cursor"].as_str().expect("a cursor").to_owned();
        devices.push((name, Device::start(&client, start.clone())));
        devices.push((name, Device::start(&client, start)));
        clients.insert(name, client);
    }
    let ledger = Arc::new(Ledger::default());
    let mut senders = Vec::new();
    for i in 0..SENDERS {
        let (from, to) = (names[i % 4], names[(i / 4 + i + 1) % 4]);
        let client = clients[from].at(&server.url);
        senders.push(tokio::spawn(send_on(client, from.to_owned(), to.to_owned(), i, ledger.clone())));
    }
    let (mut kills, mut idle_kills, mut longest) = (0, 0, Duration::ZERO);
    while kills < KILLS {
        let before = ledger.sent.load(Ordering::Relaxed);
        until("sends between two kills", Duration::from_secs(30), || async {
            (ledger.sent.load(Ordering::Relaxed) >= before + 40).then_some(())
        })
        .await;
        let unknown = ledger.unknown.load(Ordering::Relaxed);
        server.kill();
        let port = server.port;
        let started = Instant::now();
        server = Server::start_at(&database, dir.path(), port, &[LOOSE]);
        longest = longest.max(started.elapsed());
        let in_flight = ledger.unknown.load(Ordering::Relaxed) - unknown;
        if in_flight > 0 {
            kills += 1;
        } else {
            idle_kills += 1;
        }
        assert!(idle_kills < KILLS, "the kills hit nothing in flight");
    }
    ledger.stop.store(true, Ordering::Relaxed);
    for sender in senders {
        sender.await.expect("a sender ends well");
    }
    println!(
        "{backend:?}: {kills} kills with sends in flight ({idle_kills} without), {} acknowledged, {} of unknown outcome, \
         ready again after at most {longest:?}",
        ledger.sent.load(Ordering::Relaxed),
        ledger.unknown.load(Ordering::Relaxed)
    );
    check(&clients, &devices, &ledger).await;
}

/// Every acknowledged message once, unchanged, numbered without a gap; every device told everything, in order.
async fn check(clients: &BTreeMap<&str, Client>, devices: &[(&str, Device)], ledger: &Ledger) {
    let acknowledged = ledger.acknowledged.lock().unwrap().clone();
    assert!(ledger.unknown.load(Ordering::Relaxed) >= KILLS);
    let mut found: HashMap<(String, String), Value> = HashMap::new();
    let mut lengths: BTreeMap<(&str, i64), i64> = BTreeMap::new();
    for (name, client) in clients {
        let list = client.get("/api/v1/conversation/?limit=100").await.expect(200);
        for conversation in list["results"].as_array().expect("results") {
            let peer = conversation["peer"].as_str().expect("a peer");
            let last = conversation["last_seq"].as_i64().expect("a number");
            let all = whole(client, peer).await;
            let seqs: Vec<_> = all.iter().map(|m| m["seq"].as_i64().expect("a number")).collect();
            assert_eq!(seqs, (1..=last).collect::<Vec<_>>(), "{name} with {peer}");
            lengths.insert((name, conversation["id"].as_i64().expect("a number")), last);
            for message in all {
                let key =
                    (message["user"].as_str().unwrap().to_owned(), message["client_id"].as_str().unwrap().to_owned());
                let twice = found.insert(key.clone(), message.clone());
                assert!(twice.is_none_or(|other| other == message), "{key:?} is there twice");
            }
        }
    }
    assert_eq!(
        found.len(),
        acknowledged.len(),
        "everything was retried until acknowledged: nothing more, nothing less"
    );
    for (key, message) in &acknowledged {
        assert_eq!(found.get(key), Some(message), "{key:?} was acknowledged");
    }
    for (name, device) in devices {
        let mine = lengths.iter().filter(|((user, _), _)| user == name);
        let total: i64 = mine.clone().map(|(_, last)| *last).sum();
        until("a device to be told everything", Duration::from_secs(15), || async {
            (i64::try_from(device.count()).unwrap() >= total).then_some(())
        })
        .await;
        assert!(device.connections() > 1, "the device was never cut off");
        for ((_, conversation), last) in mine {
            assert_eq!(device.seqs(*conversation), (1..=*last).collect::<Vec<_>>(), "a device of {name}");
        }
    }
}

/// A whole conversation, oldest first, in pages.
async fn whole(client: &Client, peer: &str) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), 0);
    loop {
        let path = format!("/api/v1/message/?target={peer}&after_seq={after}&limit=100");
        let page = client.get(&path).await.expect(200);
        let mut messages = page["results"].as_array().expect("results").clone();
        messages.reverse();
        let Some(last) = messages.last() else { return all };
        after = last["seq"].as_i64().expect("a number");
        all.extend(messages);
    }
}
