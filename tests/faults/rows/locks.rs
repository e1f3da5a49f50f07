//! Somebody else who takes the rows that chatd needs, again and again: lock waits and deadlocks.
//!
//! chatd passes over heads that somebody holds, so it is the rows behind them that it waits for. InnoDB ends the one of
//! two in a deadlock that has changed less: the holders carry a ballast of changes, so that chatd is the one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use sqlx::mysql::MySqlDatabaseError;
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
    quick: MARIADB,
    run: |cell| Box::pin(storm(cell)),
}];

/// So many take rows at the same time.
const HOLDERS: usize = 3;
/// More than a batch of sends changes.
const BALLAST: &str = "INSERT INTO ballast SELECT seq FROM seq_1_to_1000";
const DEADLOCKS: &str = "SELECT CAST(VARIABLE_VALUE AS UNSIGNED) FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'Innodb_deadlocks'";
const TIMEOUTS: &str =
    "SELECT CAST(COUNT AS UNSIGNED) FROM information_schema.INNODB_METRICS WHERE NAME = 'lock_timeouts'";
/// A send that lost each time is refused within this time; how many may be is what counts here.
const REFUSED: Duration = Duration::from_secs(6);
/// Such conflicts come many times a second.
const EACH: Duration = Duration::from_secs(2);

/// What came of what the holders did.
#[derive(Default)]
struct Counts {
    /// A server waited for what a holder had.
    waited: AtomicU64,
    /// Deadlocks (1213) and waits (1205) that a holder lost.
    deadlocks: AtomicU64,
    timeouts: AtomicU64,
    over: AtomicBool,
}

async fn storm(cell: &Cell) {
    let site = Site::new(cell.plan().pair()).await;
    let load = Load::start(&site, cell.scale(), cell.seed).await;
    cell.warm(&site);
    let url = &site.database.url;
    let mut watch = MySqlConnection::connect(url).await.expect("connects");
    watch.execute("CREATE TABLE ballast (n INT NOT NULL) ENGINE = InnoDB").await.expect("a table");
    let before = (number(&mut watch, DEADLOCKS).await, number(&mut watch, TIMEOUTS).await);
    let counts = Arc::new(Counts::default());
    let holders = holders(url, cell.seed, &counts).await;
    let wanted = cell.times(30, 400, 1000);
    let deadline = Instant::now() + EACH * wanted as u32;
    // What the database server counts and no holder has seen, the servers have lost.
    let (waited, deadlocks, timeouts) = loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let all = (number(&mut watch, DEADLOCKS).await, number(&mut watch, TIMEOUTS).await);
        let theirs = (counts.deadlocks.load(Ordering::Relaxed), counts.timeouts.load(Ordering::Relaxed));
        let lost = ((all.0 - before.0).saturating_sub(theirs.0), (all.1 - before.1).saturating_sub(theirs.1));
        let waited = counts.waited.load(Ordering::Relaxed);
        let enough = waited >= wanted && lost.0 + lost.1 >= wanted / 4;
        if enough || Instant::now() > deadline {
            counts.over.store(true, Ordering::Relaxed);
            cell.must(enough, || format!("of {wanted} conflicts there were {waited} waits, and {lost:?} were lost"));
            break (waited, lost.0, lost.1);
        }
    };
    for holder in holders {
        holder.await.expect("a holder ends well");
    }
    load.history.heal();
    cell.bit_of("waited", waited);
    cell.bit_of("lost", deadlocks + timeouts);
    cell.figure("lost deadlocks", deadlocks);
    cell.figure("waited in vain", timeouts);
    cell.figure("holders lost", counts.deadlocks.load(Ordering::Relaxed));
    let history = load.history.clone();
    cell.check(&site, load).await;
    answers::only_503(cell, &history, REFUSED);
    let sends: Vec<_> = answers::of(&history).into_iter().filter(|answer| answer.op == Op::Send).collect();
    let failed = sends.iter().filter(|answer| answer.status.is_none_or(|status| status >= 500)).count();
    let slowest = sends.iter().map(|answer| answer.took).max().unwrap_or_default();
    cell.figure("sends with 5xx", format!("{failed} of {}", sends.len()));
    cell.figure("slowest send", format!("{:.2} s", slowest.as_secs_f64()));
    cell.must(failed * 100 < sends.len(), || format!("{failed} of {} sends were answered 5xx", sends.len()));
}

/// Starts all of them; each knows the connections of all.
async fn holders(url: &str, seed: u64, counts: &Arc<Counts>) -> Vec<tokio::task::JoinHandle<()>> {
    let (mut connections, mut numbers) = (Vec::new(), Vec::new());
    for _ in 0..HOLDERS {
        let mut c = MySqlConnection::connect(url).await.expect("connects");
        c.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").await.expect("sets");
        numbers.push(number(&mut c, "SELECT CONNECTION_ID()").await);
        connections.push((c, MySqlConnection::connect(url).await.expect("connects")));
    }
    let all = numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    let holders = connections.into_iter().zip(numbers).enumerate().map(|(index, ((c, watch), me))| {
        let waits = format!(
            "SELECT COUNT(DISTINCT w.requesting_trx_id) FROM information_schema.INNODB_LOCK_WAITS w \
             JOIN information_schema.INNODB_TRX b ON b.trx_id = w.blocking_trx_id \
             JOIN information_schema.INNODB_TRX r ON r.trx_id = w.requesting_trx_id \
             WHERE b.trx_mysql_thread_id = {me} AND r.trx_mysql_thread_id NOT IN ({all})"
        );
        let rng = SmallRng::seed_from_u64(seed ^ index as u64);
        tokio::spawn(Holder { c, watch, waits, rng, counts: counts.clone() }.run())
    });
    holders.collect()
}

struct Holder {
    c: MySqlConnection,
    watch: MySqlConnection,
    /// Counts who waits for it and is no holder.
    waits: String,
    rng: SmallRng,
    counts: Arc<Counts>,
}

impl Holder {
    async fn run(mut self) {
        while !self.counts.over.load(Ordering::Relaxed) {
            let (user, other) = (self.rng.random_range(1..=12), self.rng.random_range(1..=12));
            // Against the order in which the servers take them: from the end to the beginning.
            let steps = match self.rng.random_range(0..4) {
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
            self.take(&steps).await;
        }
    }

    /// Takes rows step by step and gives them back, or is ended as the victim of a deadlock, or waits in vain.
    async fn take(&mut self, steps: &[String]) {
        self.c.execute("BEGIN").await.expect("begins");
        self.c.execute(BALLAST).await.expect("its changes");
        for step in steps {
            if let Err(e) = self.c.fetch_all(sqlx::AssertSqlSafe(step.clone())).await {
                let database = e.as_database_error().and_then(|e| e.try_downcast_ref::<MySqlDatabaseError>());
                match database.map(MySqlDatabaseError::number) {
                    Some(1213) => &self.counts.deadlocks,
                    Some(1205) => &self.counts.timeouts,
                    _ => panic!("{step}: {e}"),
                }
                .fetch_add(1, Ordering::Relaxed);
                break;
            }
            tokio::time::sleep(Duration::from_millis(self.rng.random_range(1..150))).await;
            let waits = sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(self.waits.clone()));
            let waiting = waits.fetch_one(&mut self.watch).await.expect("the waits are known");
            self.counts.waited.fetch_add(waiting as u64, Ordering::Relaxed);
        }
        self.c.execute("ROLLBACK").await.expect("rolls back");
    }
}

/// A number that the database server knows.
async fn number(c: &mut MySqlConnection, sql: &'static str) -> u64 {
    sqlx::query_scalar(sql).fetch_one(c).await.expect("a number")
}
