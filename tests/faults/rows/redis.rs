//! Redis that goes away, falls silent, or passes on what it likes: sends and displays go on by polling.

use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};

use crate::cell::{Cell, Mode, Row};
use crate::delays::{self, Span};
use crate::device::Habits;
use crate::line::{ALONE, Line, both};
use crate::load::{Load, Scale};
use crate::quiet::Quiet;
use crate::site::Site;
use crate::support::backend::Backend;
use crate::support::services::OwnRedis;

pub const ROWS: &[Row] = &[
    Row {
        number: 6,
        name: "Redis restarts (TERM and KILL)",
        on: SHARED,
        faulty: false,
        quick: SHARED,
        run: |cell| Box::pin(restarts(cell)),
    },
    Row {
        number: 7,
        name: "Redis is silent, pauses, or ends listeners",
        on: SHARED,
        faulty: false,
        quick: SHARED,
        run: |cell| Box::pin(unheard(cell)),
    },
];

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
    // Some are to be seldom written to.
    Scale { habits: Habits { leaves_within: None, pages_first: 4 }, everybody: false, ..cell.scale() }
}

async fn restarts(cell: &Cell) {
    let scale = staying(cell);
    let site = Site::new(Quiet::beside(&scale, cell.plan().pair())).await;
    let load = Load::start(&site, scale, cell.seed).await;
    cell.warm(&site);
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
        cell.bit_of(signal, 1);
        load.more(rng.random_range(20..100), Duration::from_secs(30)).await;
        tokio::time::sleep(away.saturating_sub(Duration::from_micros(load.history.now() - begun))).await;
        *site.redis.lock().unwrap() = Some(OwnRedis::start(site.redis_port, site.dir.path()));
        back = back.max(both(&site, "ok").await);
        load.history.heal();
        spans.during(begun, &load);
        let begun = load.history.now();
        load.more(cell.times(80, 1000, 1000), Duration::from_secs(30)).await;
        spans.after(begun, &load);
    }
    cell.figure("Redis found again within", format!("{:.2} s", back.as_secs_f64()));
    finish(cell, &site, (load, quiet), &spans).await;
}

/// A Redis that does not answer is found out within so long.
const DETECTED: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Nothing passes in either direction, and no connection ends.
    Silent,
    /// The same for connections that listen only: whoever speaks is answered.
    Deaf,
    /// Redis answers nobody for a while, and then everything.
    Paused,
    /// Redis ends those that do not read as fast as it speaks.
    Kicked,
}

async fn unheard(cell: &Cell) {
    let line = Line::new(cell.seed).await;
    let scale = staying(cell);
    let site = line.site(Quiet::beside(&scale, cell.plan())).await;
    let load = Load::start(&site, scale, cell.seed).await;
    cell.warm(&site);
    let quiet = Quiet::start(&site, &load, cell.seed);
    let mut spans = Spans::default();
    let ways: &[Way] = match cell.mode {
        Mode::Quick => &[Way::Silent, Way::Paused, Way::Kicked],
        _ => &[Way::Silent, Way::Deaf, Way::Paused, Way::Kicked],
    };
    let mut detected = Duration::ZERO;
    for way in ways.repeat(usize::try_from(cell.times(1, 2, 10)).unwrap_or(1)) {
        let begun = load.history.now();
        load.more(cell.times(80, 500, 500), Duration::from_secs(30)).await;
        spans.before.push(begun..load.history.now());
        let begun = load.history.now();
        let listeners = line.listeners().await;
        detected = detected.max(bite(cell, &line, &site, way).await);
        // Through a pause the connections may live.
        line.again(&site, if way == Way::Paused { &[] } else { &listeners }).await;
        load.history.heal();
        spans.during(begun, &load);
        let begun = load.history.now();
        load.more(cell.times(80, 500, 500), Duration::from_secs(30)).await;
        spans.after(begun, &load);
    }
    cell.figure("detected within", format!("{detected:.2?}"));
    cell.must(detected <= DETECTED, || format!("detected only after {detected:?}; {DETECTED:?} is the most"));
    finish(cell, &site, (load, quiet), &spans).await;
}

/// One fault from its beginning to its end; how long it took until both processes said so.
async fn bite(cell: &Cell, line: &Line, site: &Site, way: Way) -> Duration {
    let hold = Duration::from_secs(cell.times(1, 10, 60));
    match way {
        Way::Silent => {
            let before = line.proxy.swallowed();
            line.proxy.fall_silent();
            let detected = both(site, ALONE).await;
            tokio::time::sleep(hold).await;
            cell.bit_of("silent", u64::from(line.proxy.swallowed() > before));
            line.proxy.speak();
            detected
        }
        Way::Deaf => {
            let before = line.words.withheld();
            line.words.fall_deaf();
            let detected = both(site, ALONE).await;
            tokio::time::sleep(hold).await;
            cell.bit_of("deaf", u64::from(line.words.withheld() > before));
            line.words.hear();
            detected
        }
        Way::Paused => {
            // In a quick run it is over before anybody has to notice.
            let time = Duration::from_millis(cell.times(800, 8000, 60_000));
            let noticed = async { if time > DETECTED { both(site, ALONE).await } else { Duration::ZERO } };
            let (paused, detected) = tokio::join!(line.pause(time), noticed);
            cell.bit_of("paused", u64::from(paused > time / 2));
            detected
        }
        Way::Kicked => {
            cell.bit_of("kicked", line.kick().await);
            Duration::ZERO
        }
    }
}

/// Before Redis was away, while it was, and when it was there again.
#[derive(Default)]
pub struct Spans {
    pub before: Vec<Span>,
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
    let errors = delays::send_errors(&steps, std::slice::from_ref(&(0..u64::MAX)));
    cell.figure("send errors", errors.len());
    cell.must(errors.is_empty(), || format!("{} sends failed, first {:?}", errors.len(), errors[0]));
    let (during, after) = (&spans.during, &spans.after);
    if !spans.before.is_empty() {
        let usually = [&spans.before[..], after].concat();
        let [now, usual] = [during, &usually].map(|spans| delays::sends(&steps, spans).percentile(99));
        cell.figure("sends (p99)", format!("{now:.1?}, otherwise {usual:.1?}"));
        // A ratio of a few hundred sends of a debug build beside other tests says nothing: with every test it is printed.
        let enough = cell.mode > Mode::Quick;
        cell.must(!enough || now <= usual * 2, || format!("sends took {now:?} (p99), otherwise {usual:?}"));
    }
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
        // Of a few the p99 is the worst, and that is the machine's: there the half of them is judged.
        let judged = if took.count() < 200 { took.percentile(50) } else { p99 };
        let fits = took.count() > 0 && judged <= limit;
        cell.must(fits, || format!("delivery {what} took {text}, worst {:?}; {limit:?} is the most", took.worst()));
    }
}
