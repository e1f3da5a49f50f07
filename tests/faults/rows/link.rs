//! A link to MariaDB that breaks where it hurts most, breaks anywhere, or is slow; and a database whose connections
//! are all taken.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use sqlx::{Connection as _, Executor as _, MySqlConnection};

use super::database::{HEALED, REFUSED, first_ok};
use super::{MARIADB, answers};
use crate::calls::{Caller, Letter};
use crate::cell::{Cell, Row};
use crate::history::Phase;
use crate::load::Load;
use crate::site::{Plan, Site};
use crate::support::backend::{Backend, Database, service};
use crate::support::proxy::{Lose, Proxy};
use crate::support::until;

pub const ROWS: &[Row] = &[
    Row {
        number: 10,
        name: "the link cut between COMMIT and its OK",
        on: MARIADB,
        faulty: false,
        quick: MARIADB,
        run: |cell| Box::pin(cut_in_commit(cell)),
    },
    Row {
        number: 11,
        name: "the link cut anywhere, slow, or all taken",
        on: MARIADB,
        faulty: false,
        quick: MARIADB,
        run: |cell| Box::pin(bad_link(cell)),
    },
];

/// The connections of each server.
const CONNECTIONS: u8 = 4;
/// What a server says when none was free in time.
const NONE_LEFT: &str = "pool timed out";
const WAITING: &str = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() \
    AND STATE LIKE 'Waiting for table metadata lock'";

/// A site that knows its database only through a proxy.
async fn proxied_site(plan: Plan) -> (Proxy, Site) {
    let database = Arc::new(Database::new(Backend::MariaDb).await);
    let server = service("mariadb").expect("MariaDB is here");
    let target = server.split_once('@').expect("an address").1.to_owned();
    let proxy = Proxy::to(target.clone()).await;
    let url = database.url.replace(&target, &format!("127.0.0.1:{}", proxy.port));
    (proxy, Site::over(Plan { database_url: Some(url), ..plan }, database).await)
}

/// How often the servers said so.
fn said(site: &Site, what: &str) -> u64 {
    let logs = (0..site.processes()).filter_map(|index| site.server(index, super::super::support::server::Server::log));
    logs.map(|log| log.matches(what).count() as u64).sum()
}

/// How often they noticed that a COMMIT of sends was lost.
fn noticed(site: &Site) -> u64 {
    said(site, "the connection was lost in COMMIT")
}

async fn cut_in_commit(cell: &Cell) {
    let (proxy, site) = proxied_site(cell.plan().pair()).await;
    let mut load = Load::start(&site, cell.scale(), cell.seed).await;
    cell.warm(&site);
    let mut rng = SmallRng::seed_from_u64(cell.seed);
    for _ in 0..cell.times(20, 200, 200) {
        load.more(rng.random_range(1..20), Duration::from_secs(30)).await;
        cut_one(&proxy, Lose::Answer).await;
    }
    let crowded = noticed(&site);
    cell.figure("cut in a crowd", crowded);
    first_ok(&load).await;
    load.quiet().await;
    // One by one, so that it is certain whose answer was lost.
    let rounds = cell.times(6, 200, 200);
    let (mut keyed, mut unkeyed) = (Tally::default(), Tally::default());
    for attempt in 0..4 * rounds {
        let key = (attempt % 2 == 0).then(|| Arc::from(format!("lone-{attempt}")));
        let tally = if key.is_some() { &mut keyed } else { &mut unkeyed };
        if tally.hit < rounds {
            lone(&proxy, &site, &load, attempt, key, tally).await;
        }
    }
    cell.bit(noticed(&site));
    cell.figure("cut one by one", keyed.hit + unkeyed.hit);
    cell.figure("of those acknowledged with a key", keyed.acknowledged);
    cell.figure("without one", unkeyed.acknowledged);
    cell.must(crowded > 0, || "no COMMIT of sends was hit in the crowd".to_owned());
    for (tally, what) in [(keyed, "with a key, after tries"), (unkeyed, "without one, at once")] {
        cell.must(tally.hit == rounds, || format!("only {} of {rounds} lone COMMITs were hit {what}", tally.hit));
        // Without a key too: the server tries again with the key that it made, and whoever has none hears nothing of it.
        cell.must(tally.acknowledged == tally.hit, || {
            format!("{} of {} were acknowledged {what}", tally.acknowledged, tally.hit)
        });
    }
    let history = load.history.clone();
    cell.check(&site, load).await;
    answers::only_503(cell, &history, REFUSED);
}

async fn cut_one(proxy: &Proxy, what: Lose) {
    let before = proxy.bitten();
    proxy.lose(what);
    until("a COMMIT to be hit", Duration::from_secs(10), || async { (proxy.bitten() > before).then_some(()) }).await;
}

/// Lone sends whose COMMIT was hit, and how many of those were acknowledged.
#[derive(Default)]
struct Tally {
    hit: u64,
    acknowledged: u64,
}

/// One send whose COMMIT's answer is lost: with a key it is repeated until the outcome is known, without one it is not,
/// since that would be a second message. A server commits other things too, by itself: where the proxy hit one of those
/// the send went through untouched, and does not count.
async fn lone(proxy: &Proxy, site: &Site, load: &Load, round: u64, key: Option<Arc<str>>, tally: &mut Tally) {
    let people = site.people.len();
    let person = &site.people[round as usize % people];
    let caller =
        Caller { user: person.name.clone(), device: format!("{}/lone", person.name).into(), cookie: person.cookie() };
    let to = site.people[(round as usize + 1) % people].name.clone();
    let letter = Letter { to, body: format!("lone {round}"), key };
    let before = noticed(site);
    proxy.lose(Lose::Answer);
    let mut acknowledged = false;
    for _ in 0..if letter.key.is_some() { 20 } else { 1 } {
        let process = round as usize % site.processes();
        let (phase, ..) = load.calls.send(process, &caller, &letter).await;
        acknowledged = phase == Phase::Ok;
        if acknowledged {
            break;
        }
    }
    if noticed(site) > before {
        tally.hit += 1;
        tally.acknowledged += u64::from(acknowledged);
    }
}

async fn bad_link(cell: &Cell) {
    let (proxy, site) = proxied_site(cell.plan().pair().with("DATABASE_CONNECTIONS", &CONNECTIONS)).await;
    let load = Load::start(&site, cell.scale(), cell.seed).await;
    cell.warm(&site);
    let mut rng = SmallRng::seed_from_u64(cell.seed);
    for _ in 0..cell.times(8, 100, 100) {
        load.more(rng.random_range(1..20), Duration::from_secs(30)).await;
        let before = proxy.broken();
        let after = rng.random_range(0..10_000);
        if rng.random_bool(0.5) {
            proxy.break_up(after);
        } else {
            proxy.break_down(after);
        }
        until("a connection to break", Duration::from_secs(10), || async { (proxy.broken() > before).then_some(()) })
            .await;
        load.history.heal();
    }
    cell.bit_of("broken", proxy.broken() as u64);
    let mut longest = Duration::ZERO;
    let slow = cell.times(1, 6, 20);
    for _ in 0..slow {
        longest = longest.max(slow_for_a_while(&proxy, &load).await);
    }
    cell.bit_of("slow", slow);
    let taken = cell.times(1, 6, 20);
    for _ in 0..taken {
        longest = longest.max(all_taken(cell, &site, &load).await);
    }
    cell.figure("first acknowledged send afterwards", format!("{:.2} s", longest.as_secs_f64()));
    cell.must(longest <= HEALED, || format!("the first send was acknowledged only after {longest:?}"));
    let history = load.history.clone();
    cell.check(&site, load).await;
    answers::only_503(cell, &history, REFUSED);
}

/// Every answer of the database comes two seconds late, until some requests have been refused.
async fn slow_for_a_while(proxy: &Proxy, load: &Load) -> Duration {
    let (slowed, refused) = (proxy.slowed(), answers::unavailable(&load.history));
    proxy.slow_down(Duration::from_secs(2));
    until("requests to be refused while it is slow", Duration::from_secs(30), || async {
        (proxy.slowed() > slowed + 10 && answers::unavailable(&load.history) > refused + 5).then_some(())
    })
    .await;
    proxy.slow_down(Duration::ZERO);
    first_ok(load).await
}

/// Somebody locks the messages: every connection of the servers comes to wait, and none is left for the next request.
async fn all_taken(cell: &Cell, site: &Site, load: &Load) -> Duration {
    let url = &site.database.url;
    let mut holder = MySqlConnection::connect(url).await.expect("connects");
    let (refused, none_left) = (answers::unavailable(&load.history), said(site, NONE_LEFT));
    holder.execute("LOCK TABLES messages WRITE").await.expect("locks");
    let all = i64::from(CONNECTIONS) * site.processes() as i64;
    until("every connection to wait", Duration::from_secs(20), || async {
        let mut c = MySqlConnection::connect(url).await.ok()?;
        let waiting: i64 = sqlx::query_scalar(WAITING).fetch_one(&mut c).await.ok()?;
        (waiting >= all).then_some(())
    })
    .await;
    until("requests to find no connection", Duration::from_secs(20), || async {
        (answers::unavailable(&load.history) > refused + 5 && said(site, NONE_LEFT) > none_left).then_some(())
    })
    .await;
    holder.execute("UNLOCK TABLES").await.expect("unlocks");
    cell.bit_of("all taken", 1);
    first_ok(load).await
}
