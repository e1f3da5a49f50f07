//! A MariaDB that is restarted or killed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use tempfile::TempDir;

use super::{MARIADB, answers};
use crate::cell::{Cell, Row};
use crate::load::Load;
use crate::site::{Plan, Site};
use crate::support::backend::Database;
use crate::support::services::OwnMariaDb;
use crate::support::until;

pub const ROWS: &[Row] = &[Row {
    number: 9,
    name: "MariaDB restarted, and killed with -9",
    on: MARIADB,
    faulty: false,
    quick: MARIADB,
    run: |cell| Box::pin(restarted(cell)),
}];

/// Whoever waits for a database that is away is told so within this time.
pub const REFUSED: Duration = Duration::from_secs(3);
/// A send works again so long after the database does.
pub const HEALED: Duration = Duration::from_secs(5);
/// Durable at every commit, and small.
pub const DURABLE: &[&str] = &[
    "--innodb-flush-log-at-trx-commit=1",
    "--innodb-buffer-pool-size=64M",
    "--max-connections=300",
    "--character-set-server=latin1",
];

/// A site on a MariaDB of its own.
pub async fn own_site(plan: Plan) -> (OwnMariaDb, Site, TempDir) {
    let dir = tempfile::tempdir().expect("a directory");
    let mariadb = OwnMariaDb::start(dir.path(), DURABLE).await;
    let database = Arc::new(Database::on(&mariadb.url).await);
    (mariadb, Site::over(plan, database).await, dir)
}

/// Notes that the fault is over, and waits until a send is acknowledged; how long that took.
pub async fn first_ok(load: &Load) -> Duration {
    load.history.heal();
    let (started, before) = (Instant::now(), load.history.acknowledged());
    until("a send after the fault", Duration::from_secs(30), || async {
        (load.history.acknowledged() > before).then_some(())
    })
    .await;
    started.elapsed()
}

async fn restarted(cell: &Cell) {
    let (mariadb, site, _dir) = own_site(cell.plan().pair()).await;
    let load = Load::start(&site, cell.scale(), cell.seed).await;
    cell.warm(&site);
    let mut rng = SmallRng::seed_from_u64(cell.seed);
    let (mut longest, mut away) = (Duration::ZERO, Duration::ZERO);
    let rounds = cell.times(1, 6, 20);
    for round in 0..2 * rounds {
        load.more(rng.random_range(20..100), Duration::from_secs(30)).await;
        let (pid, refused) = (mariadb.pid(), answers::unavailable(&load.history));
        let down = Instant::now();
        let kind = if round % 2 == 0 {
            mariadb.stop().await;
            "restarted"
        } else {
            mariadb.kill();
            "killed"
        };
        // It is away for long enough to be missed.
        until("a request to be refused", Duration::from_secs(10), || async {
            (answers::unavailable(&load.history) > refused).then_some(())
        })
        .await;
        tokio::time::sleep(Duration::from_millis(rng.random_range(0..2000))).await;
        mariadb.launch(&[]);
        mariadb.answers(Duration::from_mins(1)).await;
        away = away.max(down.elapsed());
        longest = longest.max(first_ok(&load).await);
        cell.bit_of(kind, u64::from(mariadb.pid() != pid));
    }
    cell.figure("away for up to", format!("{:.1} s", away.as_secs_f64()));
    cell.figure("first acknowledged send after it answers", format!("{:.2} s", longest.as_secs_f64()));
    cell.must(longest <= HEALED, || format!("the first send was acknowledged only after {longest:?}"));
    let history = load.history.clone();
    cell.check(&site, load).await;
    answers::only_503(cell, &history, REFUSED);
}
