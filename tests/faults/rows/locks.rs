//! Somebody else who takes the rows that chatd needs, again and again: lock waits and deadlocks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use sqlx::{Connection as _, Executor as _, MySqlConnection};

use super::{MARIADB, answers};
use crate::cell::{Cell, Row};
use crate::history::Op;
use crate::load::Load;
use crate::site::Site;

pub const ROWS: &[Row] = &[Row {
    number: 12,
    name: "a storm of deadlocks and lock waits",
    on: MARIADB,
    faulty: false,
    quick: true,
    run: |cell| Box::pin(storm(cell)),
}];

/// So many take rows at the same time.
const HOLDERS: usize = 3;

/// What became of what the holders did.
#[derive(Default)]
struct Counts {
    /// Somebody waited for what a holder had.
    waited: AtomicU64,
    /// A holder and a server waited for each other, and the holder lost.
    lost: AtomicU64,
}

impl Counts {
    fn conflicts(&self) -> u64 {
        self.waited.load(Ordering::Relaxed) + self.lost.load(Ordering::Relaxed)
    }
}

async fn storm(cell: &Cell) {
    let site = Site::new(cell.plan().pair()).await;
    let load = Load::start(&site, cell.scale(), cell.seed).await;
    let conflicts = cell.times(40, 400, 1000);
    let deadlocks = status(&site, "Innodb_deadlocks").await;
    let counts = Arc::new(Counts::default());
    let holders: Vec<_> = (0..HOLDERS)
        .map(|number| {
            let (url, counts, seed) = (site.database.url.clone(), counts.clone(), cell.seed ^ number as u64);
            tokio::spawn(hold(url, seed, counts, conflicts))
        })
        .collect();
    for holder in holders {
        holder.await.expect("a holder ends well");
    }
    load.history.heal();
    cell.bit(counts.conflicts());
    cell.figure("somebody waited", counts.waited.load(Ordering::Relaxed));
    cell.figure("deadlocks", status(&site, "Innodb_deadlocks").await.saturating_sub(deadlocks));
    let history = load.history.clone();
    cell.check(&site, load).await;
    answers::only_503(cell, &history, super::database::REFUSED);
    let sends: Vec<_> = answers::of(&history).into_iter().filter(|answer| answer.op == Op::Send).collect();
    let failed = sends.iter().filter(|answer| answer.status.is_none_or(|status| status >= 500)).count();
    let slowest = sends.iter().map(|answer| answer.took).max().unwrap_or_default();
    cell.figure("sends with 5xx", format!("{failed} of {}", sends.len()));
    cell.figure("slowest send", format!("{:.2} s", slowest.as_secs_f64()));
    cell.must(failed * 100 < sends.len(), || format!("{failed} of {} sends were answered 5xx", sends.len()));
}

/// Takes rows until so many conflicts have been seen by all holders together.
async fn hold(url: String, seed: u64, counts: Arc<Counts>, conflicts: u64) {
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut c = MySqlConnection::connect(&url).await.expect("connects");
    let mut watch = MySqlConnection::connect(&url).await.expect("connects");
    c.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").await.expect("sets");
    while counts.conflicts() < conflicts {
        let (user, other) = (rng.random_range(1..=12), rng.random_range(1..=12));
        // Against the order in which the servers take them: from the end to the beginning.
        let steps = match rng.random_range(0..4) {
            0 => vec![
                format!("SELECT * FROM conversations WHERE low_user = {user} OR high_user = {user} FOR UPDATE"),
                format!("SELECT * FROM user_heads WHERE user_id = {user} FOR UPDATE"),
            ],
            1 => vec![
                format!("SELECT * FROM user_conversations WHERE user_id = {user} FOR UPDATE"),
                format!("SELECT * FROM conversations WHERE low_user = {user} FOR UPDATE"),
                format!("SELECT * FROM user_heads WHERE user_id IN ({user}, {other}) FOR UPDATE"),
            ],
            2 => vec![format!("SELECT * FROM user_heads WHERE user_id IN ({user}, {other}) FOR UPDATE")],
            _ => vec![format!("SELECT * FROM users WHERE id = {user} FOR UPDATE")],
        };
        if !take(&mut c, &mut watch, &mut rng, &steps, &counts).await {
            counts.lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Takes rows step by step and gives them back; false if it was the victim of a deadlock, or waited in vain.
async fn take(
    c: &mut MySqlConnection,
    watch: &mut MySqlConnection,
    rng: &mut SmallRng,
    steps: &[String],
    counts: &Counts,
) -> bool {
    c.execute("BEGIN").await.expect("begins");
    for step in steps {
        match c.fetch_all(sqlx::AssertSqlSafe(step.clone())).await {
            Ok(_) => {}
            Err(sqlx::Error::Database(e)) if matches!(e.code().as_deref(), Some("40001" | "HY000")) => {
                c.execute("ROLLBACK").await.expect("rolls back");
                return false;
            }
            Err(e) => panic!("{step}: {e}"),
        }
        tokio::time::sleep(Duration::from_millis(rng.random_range(1..150))).await;
    }
    let me: u64 = sqlx::query_scalar("SELECT CONNECTION_ID()").fetch_one(&mut *c).await.expect("an id");
    let waiting: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM information_schema.INNODB_LOCK_WAITS w JOIN information_schema.INNODB_TRX t \
         ON t.trx_id = w.blocking_trx_id WHERE t.trx_mysql_thread_id = ?",
    )
    .bind(me)
    .fetch_one(watch)
    .await
    .expect("the waits are known");
    counts.waited.fetch_add(u64::from(waiting > 0), Ordering::Relaxed);
    c.execute("ROLLBACK").await.expect("rolls back");
    true
}

/// A counter of the database server.
async fn status(site: &Site, name: &str) -> u64 {
    let mut c = MySqlConnection::connect(&site.database.url).await.expect("connects");
    let sql = "SELECT CAST(VARIABLE_VALUE AS UNSIGNED) FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = ?";
    sqlx::query_scalar(sql).bind(name).fetch_one(&mut c).await.expect("a counter")
}
