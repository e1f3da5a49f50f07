//! A Galera cluster of three, each with a chatd of its own: a node that is killed, a node that is cut off or behind, all
//! killed at once, and everybody writing everywhere.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use super::database::{HEALED, REFUSED, first_ok};
use super::{GALERA, answers};
use crate::cell::{Cell, Row};
use crate::galera::{Cluster, NODES};
use crate::history::{History, Op};
use crate::load::{Load, Scale};
use crate::site::{Plan, Site};
use crate::support::backend::Database;
use crate::support::until;

pub const ROWS: &[Row] = &[
    Row {
        number: 13,
        name: "Galera: kill -9 one of three",
        on: GALERA,
        faulty: false,
        quick: &[],
        run: |cell| Box::pin(one_killed(cell)),
    },
    Row {
        number: 14,
        name: "Galera: one cut off from two, one behind",
        on: GALERA,
        faulty: false,
        quick: &[],
        run: |cell| Box::pin(cut_off(cell)),
    },
    Row {
        number: 15,
        name: "Galera: all three killed within a second",
        on: GALERA,
        faulty: false,
        quick: &[],
        run: |cell| Box::pin(all_killed(cell)),
    },
    Row {
        number: 16,
        name: "Galera: writers on all nodes, same conversations",
        on: GALERA,
        faulty: false,
        quick: &[],
        run: |cell| Box::pin(writers_everywhere(cell)),
    },
];

/// The other two accept writes again so long after one is gone.
const PAUSE: Duration = Duration::from_secs(10);
/// What a state transfer, or finding out that somebody is gone, may take.
const SLOW: Duration = Duration::from_mins(1);

/// A cluster, and a chatd at each node, with a Redis between them.
async fn site(cell: &Cell, people: usize) -> (Cluster, Site) {
    let cluster = Cluster::start().await;
    let database = Arc::new(Database::on(&cluster.nodes[0].mariadb.url).await);
    let database_urls = cluster.urls(&database.url);
    let plan = Plan { processes: NODES, redis: true, people, database_urls, ..cell.plan() };
    let site = Site::over(plan, database).await;
    (cluster, site)
}

/// Less than elsewhere: three databases share the machine.
fn scale(cell: &Cell) -> Scale {
    Scale { lanes: 12, ..cell.scale() }
}

/// When the process was answered so since `since`, by the clock of the history.
fn ends(history: &History, process: usize, since: Duration, acknowledged: bool) -> Vec<Duration> {
    let answers = answers::of(history).into_iter();
    let answers = answers.filter(|answer| usize::from(answer.process) == process && answer.begun > since);
    let answers = answers.filter(|answer| {
        if acknowledged {
            answer.op == Op::Send && answer.status.is_some_and(|status| status < 300)
        } else {
            answer.status == Some(503)
        }
    });
    answers.map(|answer| answer.begun + answer.took).collect()
}

/// Waits until each of these processes has acknowledged a send that was begun after `since`; how long after it the last
/// one did.
async fn writes_again(load: &Load, processes: &[usize], since: Duration) -> Duration {
    let first = |process: &usize| ends(&load.history, *process, since, true).into_iter().min();
    let firsts = until("sends through the rest of the cluster", SLOW, || async {
        processes.iter().map(first).collect::<Option<Vec<_>>>()
    });
    firsts.await.into_iter().max().unwrap_or_default().saturating_sub(since)
}

fn others(node: usize) -> Vec<usize> {
    (0..NODES).filter(|other| *other != node).collect()
}

async fn one_killed(cell: &Cell) {
    let (cluster, site) = site(cell, 12).await;
    let load = Load::start(&site, scale(cell), cell.seed).await;
    let mut rng = SmallRng::seed_from_u64(cell.seed);
    let (mut pause, mut longest) = (Duration::ZERO, Duration::ZERO);
    let rounds = cell.times(1, 4, 30);
    for round in 0..rounds as usize {
        load.more(rng.random_range(20..60), SLOW).await;
        // The first one too: the others have to agree without it.
        let victim = (round + rng.random_range(0..2)) % NODES;
        let since = load.history.elapsed();
        cluster.nodes[victim].mariadb.kill();
        pause = pause.max(writes_again(&load, &others(victim), since).await);
        until("the server of the one that is gone to refuse", SLOW, || async {
            (!ends(&load.history, victim, since, false).is_empty()).then_some(())
        })
        .await;
        cell.bit(1);
        cluster.nodes[victim].rejoin();
        cluster.whole().await;
        longest = longest.max(first_ok(&load).await);
        let since = load.history.elapsed();
        writes_again(&load, &[victim], since).await;
    }
    cell.figure("killed", rounds);
    cell.figure("writes paused on the others for up to", format!("{:.1} s", pause.as_secs_f64()));
    cell.must(pause <= PAUSE, || format!("the others took no write for {pause:?}"));
    cell.must(longest <= HEALED, || format!("the first send was acknowledged only after {longest:?}"));
    settled(cell, &site, load).await;
}

async fn cut_off(cell: &Cell) {
    let (cluster, site) = site(cell, 12).await;
    let load = Load::start(&site, scale(cell), cell.seed).await;
    let mut rng = SmallRng::seed_from_u64(cell.seed);
    let mut pause = Duration::ZERO;
    let (mut refused, mut accepted) = (0, 0);
    let rounds = cell.times(1, 3, 20);
    for round in 0..rounds as usize {
        load.more(rng.random_range(20..60), SLOW).await;
        let minority = round % NODES;
        let node = &cluster.nodes[minority];
        let since = load.history.elapsed();
        node.run("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=1'").await;
        until("the minority to know it", SLOW, || async {
            (node.status("wsrep_cluster_status").await? == "non-Primary").then_some(())
        })
        .await;
        let known = load.history.elapsed();
        pause = pause.max(writes_again(&load, &others(minority), since).await);
        // Both sides are asked for a while.
        until("the minority to refuse", SLOW, || async {
            (ends(&load.history, minority, known, false).len() >= 10).then_some(())
        })
        .await;
        refused += ends(&load.history, minority, known, false).len();
        let before = load.history.elapsed();
        let yes = |answer: &answers::Answer| answer.status.is_some_and(|status| status < 300);
        let took = answers::of(&load.history).into_iter().filter(|answer| {
            usize::from(answer.process) == minority && answer.begun > known && answer.begun < before && yes(answer)
        });
        accepted += took.count();
        cell.bit_of("cut off", 1);
        node.run("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=0'").await;
        cluster.whole().await;
        first_ok(&load).await;
        behind(cell, &cluster, &load, (minority + 1) % NODES).await;
    }
    cell.figure("cut off", rounds);
    cell.figure("refused by the minority", refused);
    cell.figure("writes paused on the majority for up to", format!("{:.1} s", pause.as_secs_f64()));
    cell.must(accepted == 0, || format!("the minority answered {accepted} requests as if it were whole"));
    settled(cell, &site, load).await;
}

/// A node is let fall behind, as a donor of a state transfer is: it applies nothing, and the others do not wait for it.
/// What is read there waits, or is refused; it is never old (I12, I13).
async fn behind(cell: &Cell, cluster: &Cluster, load: &Load, number: usize) {
    let node = &cluster.nodes[number];
    let since = load.history.elapsed();
    node.run("SET GLOBAL wsrep_desync = ON").await;
    let mut holder = node.connect().await.expect("connects");
    sqlx::query("FLUSH TABLES WITH READ LOCK").execute(&mut holder).await.expect("locks");
    writes_again(load, &others(number), since).await;
    load.more(100, SLOW).await;
    let state = node.status("wsrep_local_state_comment").await;
    let queue = node.status("wsrep_local_recv_queue").await.and_then(|queue| queue.parse::<u64>().ok());
    cell.must(state.as_deref() == Some("Donor/Desynced"), || format!("a node out of step calls itself {state:?}"));
    cell.bit_of("behind", u64::from(queue.is_some_and(|queue| queue > 0)));
    sqlx::query("UNLOCK TABLES").execute(&mut holder).await.expect("unlocks");
    node.run("SET GLOBAL wsrep_desync = OFF").await;
    cluster.whole().await;
    first_ok(load).await;
}

async fn all_killed(cell: &Cell) {
    let (cluster, site) = site(cell, 12).await;
    weak_is_reported(cell, &cluster, &site).await;
    let load = Load::start(&site, scale(cell), cell.seed).await;
    let mut rng = SmallRng::seed_from_u64(cell.seed);
    let mut longest = Duration::ZERO;
    let rounds = cell.times(1, 3, 20);
    for _ in 0..rounds {
        load.more(rng.random_range(50..150), SLOW).await;
        let refused = answers::unavailable(&load.history);
        let started = Instant::now();
        for node in &cluster.nodes {
            node.mariadb.kill();
            tokio::time::sleep(Duration::from_millis(rng.random_range(0..250))).await;
        }
        cell.must(started.elapsed() < Duration::from_secs(1), || "they were not killed within a second".to_owned());
        until("requests to be refused", SLOW, || async {
            (answers::unavailable(&load.history) > refused).then_some(())
        })
        .await;
        cell.bit(1);
        cluster.bootstrap_again().await;
        longest = longest.max(first_ok(&load).await);
        for process in 0..NODES {
            let since = load.history.elapsed();
            writes_again(&load, &[process], since).await;
        }
    }
    cell.figure("killed together", rounds);
    cell.figure("first acknowledged send after the cluster is whole", format!("{:.2} s", longest.as_secs_f64()));
    cell.must(longest <= HEALED, || format!("the first send was acknowledged only after {longest:?}"));
    settled(cell, &site, load).await;
}

/// A node that may lose what it acknowledged is reported when a server starts at it.
async fn weak_is_reported(cell: &Cell, cluster: &Cluster, site: &Site) {
    cluster.nodes[0].run("SET GLOBAL innodb_flush_log_at_trx_commit = 0").await;
    site.kill(0);
    site.start(0);
    let log = site.server(0, super::super::support::server::Server::log).unwrap_or_default();
    cell.must(log.contains("innodb_flush_log_at_trx_commit is 0"), || "flush=0 was not reported".to_owned());
    cluster.nodes[0].run("SET GLOBAL innodb_flush_log_at_trx_commit = 1").await;
}

async fn writers_everywhere(cell: &Cell) {
    let (cluster, site) = site(cell, 4).await;
    let load = Load::start(&site, scale(cell), cell.seed).await;
    load.more(cell.times(300, 5_000, 100_000), Duration::from_hours(24)).await;
    let conflicts = cluster.sum("wsrep_local_cert_failures").await + cluster.sum("wsrep_local_bf_aborts").await;
    cell.bit(conflicts);
    cell.figure("conflicts between nodes", conflicts);
    settled(cell, &site, load).await;
}

/// Checks everything; beside it, which share of the sends was refused, and that nothing was answered worse.
async fn settled(cell: &Cell, site: &Site, load: Load) {
    let history = load.history.clone();
    cell.check(site, load).await;
    let answers = answers::of(&history);
    let sends = answers.iter().filter(|answer| answer.op == Op::Send);
    let refused = sends.clone().filter(|answer| answer.status == Some(503)).count();
    cell.figure("sends with 503", format!("{refused} of {}", sends.count()));
    answers::only_503(cell, &history, REFUSED);
}
