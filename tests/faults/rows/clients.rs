//! Clients that come all at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::BOTH;
use crate::calls::{Caller, Calls, Letter};
use crate::cell::{Cell, Row};
use crate::crowd::{self, Crowd, Listener, Place};
use crate::history::{History, Op, Phase, Step};
use crate::load::Load;
use crate::site::{Person, Site, named};
use crate::support::backend::Backend;

pub const ROWS: &[Row] = &[Row {
    number: 24,
    name: "all sockets killed, all back at once",
    on: BOTH,
    faulty: false,
    quick: BOTH,
    run: |cell| Box::pin(storm(cell)),
}];

/// Everybody is back within so long.
const RESUMED: Duration = Duration::from_secs(15);
/// Sends of others meanwhile.
const SEND: Duration = Duration::from_secs(1);
const QUERIES: f64 = 2.0;
/// Memory of an idle socket, in KiB.
const IDLE: u64 = 40;

async fn storm(cell: &Cell) {
    let count = cell.times(500, 10_000, 10_000) as usize;
    let allowed = crowd::raise_descriptors();
    assert!(allowed > count as u64 + 1000, "{allowed} descriptors are too few for {count} sockets: ulimit -n");
    let site = Site::new(cell.plan()).await;
    let people = named(&*site.database.store().await, "s", count / 10, 1).await;
    let cookies: Vec<Arc<str>> = people.iter().map(|person| person.cookies[0].as_str().into()).collect();
    let place = |number: usize| Place { port: site.port(0), cookie: cookies[number % cookies.len()].clone() };
    let pid = site.server(0, super::super::support::server::Server::pid).expect("it runs");
    let before = crowd::resident(pid);
    let (mut open, failed, why) = Crowd::open((0..count).map(|n| (place(n), None)).collect(), 64).await;
    cell.must(failed == 0, || format!("{failed} sockets did not open: {why}"));
    let idle = (crowd::resident(pid) - before) / count as u64;
    cell.figure("sockets", count);
    cell.figure("memory of each", format!("{idle} KiB"));
    cell.must(idle <= IDLE, || format!("an idle socket costs {idle} KiB"));

    // First with nothing else going on, to count the queries.
    let queries = asked(&site).await;
    let mut longest = Duration::ZERO;
    open = again(cell, &site, &people, open, &mut longest).await;
    if let (Some(before), Some(after)) = (queries, asked(&site).await) {
        let each = (after - before) as f64 / count as f64;
        cell.figure("queries a socket", format!("{each:.2}"));
        cell.must(each <= QUERIES, || format!("{each:.2} queries a socket"));
    }

    let load = Load::start(&site, cell.scale(), cell.seed).await;
    cell.warm(&site);
    let mut waits = Vec::new();
    for _ in 0..cell.times(1, 4, 10) {
        let from = load.history.now();
        open = again(cell, &site, &people, open, &mut longest).await;
        waits.extend(sends(&load.history.steps(), from));
        load.more(20, Duration::from_secs(10)).await;
    }
    let p99 = percentile(&mut waits, 99);
    cell.figure("all back within", format!("{:.1} s", longest.as_secs_f64()));
    cell.figure("p99 of sends meanwhile", format!("{} ms", p99.as_millis()));
    cell.must(longest <= RESUMED, || format!("the last was back only after {longest:?}"));
    cell.must(p99 <= SEND, || format!("p99 of sends {p99:?}"));
    drop(open);
    cell.check(&site, load).await;
}

/// Kills all sockets at once, stores a message for some of their people, and has them all come back at once. Each must
/// be told exactly what it missed.
async fn again(cell: &Cell, site: &Site, people: &[Person], open: Crowd, longest: &mut Duration) -> Crowd {
    let open = open.members().await;
    let count = open.len();
    let pid = site.server(0, super::super::support::server::Server::pid).expect("it runs");
    let full = crowd::descriptors(pid);
    let places: Vec<_> = open.into_iter().map(Listener::kill).collect();
    crate::support::until("the server to notice that they are gone", Duration::from_secs(30), || async {
        (crowd::descriptors(pid) + count * 9 / 10 < full).then_some(())
    })
    .await;
    cell.bit(1);
    let calls = Calls::new(Arc::new(History::default()), vec![site.base(0)]);
    let mut missed = Vec::new();
    for person in people.iter().step_by(20) {
        let caller = Caller { user: person.name.clone(), device: "sender".into(), cookie: person.cookies[1].clone() };
        let letter = Letter { to: person.name.clone(), body: "while you were away".into(), key: None };
        let (phase, status, json) = calls.send(0, &caller, &letter).await;
        assert_eq!(phase, Phase::Ok, "a note to oneself was answered {status:?}");
        missed.push((person.cookies[0].as_str(), json["id"].clone()));
    }
    let started = Instant::now();
    let places = places.into_iter().map(|(place, cursor)| (place, Some(cursor))).collect();
    let (open, failed, why) = Crowd::open(places, count).await;
    cell.must(failed == 0, || format!("{failed} of {count} did not come back: {why}"));
    let mut open = open.members().await;
    for listener in &mut open {
        let Some((_, id)) = missed.iter().find(|(cookie, _)| **cookie == *listener.place.cookie) else { continue };
        let told = listener.event().await;
        let right = told.as_ref().is_ok_and(|event| event["message"]["id"] == *id);
        cell.must(right, || format!("{id} was missed, and then came: {told:?}"));
        if !right {
            break;
        }
    }
    *longest = (*longest).max(started.elapsed());
    Crowd::of(open)
}

/// How many statements the database has been asked so far; SQLite does not count.
async fn asked(site: &Site) -> Option<u64> {
    use sqlx::{Connection as _, Row as _};
    if site.plan.backend == Backend::Sqlite {
        return None;
    }
    let mut c = sqlx::MySqlConnection::connect(&site.database.url).await.expect("it connects");
    let row = sqlx::query("SHOW GLOBAL STATUS LIKE 'Questions'").fetch_one(&mut c).await.expect("it answers");
    row.try_get_unchecked::<String, _>(1).ok()?.parse().ok()
}

/// How long acknowledged sends took that were begun after a time.
pub fn sends(steps: &[Step], from: u64) -> Vec<Duration> {
    let begun = steps.iter().filter(|step| step.op == Op::Send && step.phase == Phase::Invoke && step.t_mono >= from);
    let begun: std::collections::HashMap<_, _> = begun.map(|step| (step.call, step.t_mono)).collect();
    let ended = steps.iter().filter(|step| step.op == Op::Send && step.phase == Phase::Ok);
    ended.filter_map(|step| Some(Duration::from_micros(step.t_mono - begun.get(&step.call)?))).collect()
}

pub fn percentile(waits: &mut [Duration], percent: usize) -> Duration {
    waits.sort_unstable();
    let at = (waits.len() * percent).div_ceil(100).max(1) - 1;
    waits.get(at).copied().unwrap_or(Duration::MAX)
}
