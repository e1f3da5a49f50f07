//! A Galera cluster of three, each with a chatd of its own: a node that is killed, a node that is cut off, all killed at
//! once, and everybody writing everywhere.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use super::database::{HEALED, first_ok};
use super::{GALERA, answers};
use crate::cell::{Cell, Mode, Row};
use crate::galera::{Cluster, NODES};
use crate::history::{History, Op};
use crate::load::{Load, Scale};
use crate::site::{Plan, Site};
use crate::support::backend::Database;
use crate::support::until;

pub const ROWS: &[Row] = &[
    Row {
        number: 16,
        name: "Galera: writers on all nodes, same conversations",
        on: GALERA,
        faulty: false,
        quick: false,
        run: |cell| Box::pin(writers_everywhere(cell)),
    },
];

/// A cluster, and a chatd at each node, with a Redis between them.
async fn site(cell: &Cell, people: usize) -> (Cluster, Site) {
    let cluster = Cluster::start().await;
    let database = Arc::new(Database::on(&cluster.nodes[0].mariadb.url).await);
    let database_urls = cluster.urls(&database.url);
    let plan = Plan { processes: NODES, redis: true, people, database_urls, ..cell.plan() };
    let site = Site::over(plan, database).await;
    (cluster, site)
}

async fn writers_everywhere(cell: &Cell) {
    let (cluster, site) = site(cell, 4).await;
    let scale = Scale { lanes: 12, ..cell.scale() };
    let load = Load::start(&site, scale, cell.seed).await;
    load.more(cell.times(300, 5_000, 100_000), Duration::from_secs(24 * 3600)).await;
    let conflicts = cluster.sum("wsrep_local_cert_failures").await + cluster.sum("wsrep_local_bf_aborts").await;
    cell.bit(conflicts);
    cell.figure("conflicts between nodes", conflicts);
    let history = load.history.clone();
    cell.check(&site, load).await;
    refusals(cell, &history);
}

/// What share of the sends was refused; any answer is better than none.
fn refusals(cell: &Cell, history: &History) {
    let answers = answers::of(history);
    let sends = answers.iter().filter(|answer| answer.op == Op::Send);
    let refused = sends.clone().filter(|answer| answer.status == Some(503)).count();
    cell.figure("sends with 503", format!("{refused} of {}", sends.count()));
    answers::only_503(cell, history, super::database::REFUSED);
}
