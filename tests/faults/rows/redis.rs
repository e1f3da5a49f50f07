//! Redis that goes away, falls silent, or passes on what it likes: sends and displays go on by polling.

use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use crate::cell::{Cell, Row};
use crate::delays::{self, Span};
use crate::device::Habits;
use crate::load::{Load, Scale};
use crate::quiet::Quiet;
use crate::site::Site;
use crate::support::backend::Backend;
use crate::support::services::OwnRedis;

pub const ROWS: &[Row] = &[Row {
    number: 6,
    name: "Redis restarts (TERM and KILL)",
    on: SHARED,
    faulty: false,
    quick: true,
    run: |cell| Box::pin(restarts(cell)),
}];

/// Redis is for several processes, and SQLite has one.
pub const SHARED: &[Backend] = &[Backend::MariaDb];

/// Without Redis 99 of 100 are displayed within so long.
const POLLED: Duration = Duration::from_secs(5);
/// Heads are read every two seconds then: somebody who hears of nothing else waits for that.
const POLLED_ALONE: Duration = Duration::from_secs(3);
/// With Redis again.
const TOLD: Duration = Duration::from_secs(1);

/// The usual load, with devices that stay: one that comes back asks for everything, and would hide that nobody told it.
pub fn staying(cell: &Cell) -> Scale {
    Scale { habits: Habits { leaves_within: None, pages_first: 4 }, ..cell.scale() }
}

/// Both processes call themselves by this word; how long that took.
pub async fn both(site: &Site, word: &str) -> Duration {
    let started = Instant::now();
    tokio::join!(site.ready(0, word), site.ready(1, word));
    started.elapsed()
}

pub const ALONE: &str = "degraded: no bus";

async fn restarts(cell: &Cell) {
    let scale = staying(cell);
    let site = Site::new(Quiet::beside(&scale, cell.plan().pair())).await;
    let load = Load::start(&site, scale, cell.seed).await;
    let quiet = Quiet::start(&site, &load, cell.seed);
    let mut rng = SmallRng::seed_from_u64(cell.seed);
    let mut spans = Spans::default();
    let mut back = Duration::ZERO;
    for number in 0..2 * cell.times(1, 10, 20) {
        let signal = ["TERM", "KILL"][number as usize % 2];
        // Some are shorter than the poll, and some are longer than anybody should have to wait.
        let away = Duration::from_millis(if number % 2 == 0 { 200 } else { cell.times(3500, 6000, 6000) });
        let begun = load.history.now();
        let redis = site.redis.lock().unwrap().take();
        redis.expect("a Redis").end(signal);
        both(&site, ALONE).await;
        cell.bit(1);
        load.more(rng.random_range(20..100), Duration::from_secs(30)).await;
        tokio::time::sleep(away.saturating_sub(Duration::from_micros(load.history.now() - begun))).await;
        *site.redis.lock().unwrap() = Some(OwnRedis::start(site.redis_port, site.dir.path()));
        back = back.max(both(&site, "ok").await);
        load.history.heal();
        spans.during(begun, &load);
        let begun = load.history.now();
        load.more(cell.times(200, 1000, 1000), Duration::from_secs(30)).await;
        spans.after(begun, &load);
    }
    cell.figure("Redis found again within", format!("{:.2} s", back.as_secs_f64()));
    finish(cell, &site, (load, quiet), &spans).await;
}

/// When Redis was away, and when it was there again.
#[derive(Default)]
pub struct Spans {
    pub during: Vec<Span>,
    pub after: Vec<Span>,
}

impl Spans {
    pub fn during(&mut self, begun: u64, load: &Load) {
        self.during.push(begun..load.history.now());
    }

    pub fn after(&mut self, begun: u64, load: &Load) {
        self.after.push(begun..load.history.now());
    }
}

/// Checks everything, and that Redis was missed by nobody: no send failed, and what was sent was displayed in time.
/// "Afterwards" begins as soon as both processes say that they have Redis again.
pub async fn finish(cell: &Cell, site: &Site, (load, quiet): (Load, Quiet), spans: &Spans) {
    let history = load.history.clone();
    let everybody: Vec<_> = load.devices.iter().map(|device| device.caller.device.clone()).collect();
    let seldom = quiet.devices.clone();
    quiet.end().await;
    cell.check(site, load).await;
    let steps = history.steps();
    let errors = delays::send_errors(&steps, &[0..u64::MAX]);
    cell.figure("send errors", errors.len());
    cell.must(errors.is_empty(), || format!("{} sends failed, first {:?}", errors.len(), errors[0]));
    let (during, after) = (&spans.during, &spans.after);
    let limits = [
        ("during", during, &everybody, POLLED),
        ("to the quiet", during, &seldom, POLLED_ALONE),
        ("afterwards", after, &everybody, TOLD),
        ("to the quiet afterwards", after, &seldom, TOLD),
    ];
    for (what, spans, devices, limit) in limits {
        let took = delays::deliveries(&steps, spans, devices);
        let p99 = took.percentile(99);
        let text = format!("{p99:.2?} (p99 of {})", took.count());
        cell.figure(&format!("delivery {what}"), &text);
        let fits = took.count() > 0 && p99 <= limit;
        cell.must(fits, || format!("delivery {what} took {text}, worst {:?}; {limit:?} is the most", took.worst()));
    }
}
