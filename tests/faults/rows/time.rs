//! Time that stands still for a process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::task::JoinHandle;

use super::{BOTH, MARIADB};
use crate::calls::{Caller, Calls, Letter};
use crate::cell::{Cell, Row};
use crate::delays::{self, Span};
use crate::device::{Device, Habits};
use crate::history::{Op, Phase, Step};
use crate::load::Load;
use crate::site::{Person, Site};
use crate::support::server::Client;
use crate::support::until;

pub const ROWS: &[Row] = &[Row {
    number: 5,
    name: "SIGSTOP, and SIGCONT much later",
    on: BOTH,
    faulty: false,
    quick: MARIADB,
    run: |cell| Box::pin(stopped(cell)),
}];

/// So many at a time are signed out while the process that has their sockets stands still.
const LEAVING: usize = 4;
/// So many send through the other process all the time.
const PEERS: usize = 6;
/// A send beside a process that stands still is answered within so long.
const ANSWERED: Duration = Duration::from_secs(5);

async fn stopped(cell: &Cell) {
    let site = Site::new(cell.plan().pair()).await;
    let load = Load::start(&site, cell.scale(), cell.seed).await;
    cell.warm(&site);
    let mut rng = SmallRng::seed_from_u64(cell.seed);
    let mut leaving = Vec::new();
    let mut spans = Vec::new();
    let short = (cell.times(2, 4, 20), Duration::from_millis(cell.times(2000, 10_000, 10_000)));
    let long = (cell.times(0, 1, 20), Duration::from_mins(1));
    let stops = [short, long].into_iter().flat_map(|(times, stop)| (0..times).map(move |_| stop));
    for (number, stop) in stops.enumerate() {
        let victim = rng.random_range(0..site.processes());
        let other = (victim + 1) % site.processes();
        let peers = Peers::start(&site, &load, number, other);
        let devices = listen(&site, &load, number, rng.random()).await;
        load.more(rng.random_range(20..60), Duration::from_secs(30)).await;
        tokio::time::sleep(Duration::from_millis(rng.random_range(0..80))).await;
        let begun = load.history.now();
        site.server(victim, |server| server.signal("STOP")).expect("it runs");
        let (answered, ()) = tokio::join!(answers(&site, victim, stop), sign_out(&load, other, victim, &devices));
        site.server(victim, |server| server.signal("CONT")).expect("it runs");
        cell.bit(u64::from(!answered));
        cell.must(!answered, || format!("a process that was to stand still for {stop:?} answered"));
        spans.push((other, begun..load.history.now()));
        // What it knew when it stopped is old by now.
        peers.look(victim).await;
        load.history.heal();
        site.ready(victim, "ok").await;
        peers.end().await;
        leaving.extend(devices);
    }
    load.more(100, Duration::from_secs(30)).await;
    for device in leaving {
        device.stop().await;
    }
    let history = load.history.clone();
    cell.check(&site, load).await;
    if site.processes() > 1 {
        unaffected(cell, &history.steps(), &spans);
    }
}

/// Whether a server answers at all within a time.
async fn answers(site: &Site, index: usize, within: Duration) -> bool {
    Client::patient(&site.base(index), within).attempt("GET", "/healthz", &[], None).await.is_ok()
}

/// Devices that will be signed out, connected.
async fn listen(site: &Site, load: &Load, number: usize, seed: u64) -> Vec<Device> {
    let people = site.people[1..].iter().skip(number * LEAVING).take(LEAVING);
    let mut devices = Vec::new();
    for person in people {
        let cookie = person.cookies.last().cloned().expect("cookies");
        let caller = Caller { user: person.name.clone(), device: format!("{}/leaves", person.name).into(), cookie };
        let (_, cursor, _) = load.calls.sync(0, &caller, None, Some("begin")).await.expect("the head of a log");
        let stays = Habits { leaves_within: None, pages_first: 1000 };
        devices.push(Device::start(load.calls.clone(), caller, cursor, stays, seed ^ devices.len() as u64));
    }
    until("devices to be connected", Duration::from_secs(10), || async {
        let steps = load.history.steps();
        let connected =
            |device: &Device| steps.iter().any(|step| step.op == Op::Conn && step.device == device.caller.device);
        devices.iter().all(connected).then_some(())
    })
    .await;
    devices
}

/// Ends their sessions through another process than the one that stands still.
async fn sign_out(load: &Load, through: usize, stopped: usize, devices: &[Device]) {
    for device in devices.iter().filter(|_| through != stopped) {
        while load.calls.sign_out(through, &device.caller).await != Phase::Ok {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Nobody who used the other process noticed.
fn unaffected(cell: &Cell, steps: &[Step], spans: &[(usize, Span)]) {
    let (mut errors, mut count, mut worst) = (Vec::new(), 0, Duration::ZERO);
    for (other, span) in spans {
        let there: Vec<_> = steps.iter().filter(|step| usize::from(step.proc) == *other).cloned().collect();
        errors.extend(delays::send_errors(&there, std::slice::from_ref(span)));
        let took = delays::sends(&there, std::slice::from_ref(span));
        (count, worst) = (count + took.count(), worst.max(took.percentile(99)));
    }
    cell.figure("sends beside it", format!("{count}, p99 {worst:.1?}, errors {}", errors.len()));
    cell.must(count > 0 && worst <= ANSWERED, || format!("{count} sends beside it, p99 {worst:?}"));
    cell.must(errors.is_empty(), || format!("{} sends beside it failed, first {:?}", errors.len(), errors[0]));
}

/// Some who send through one process only, one thing after the other.
struct Peers {
    stop: Arc<AtomicBool>,
    senders: Vec<(Caller, Arc<str>)>,
    calls: Calls,
    tasks: Vec<JoinHandle<()>>,
}

impl Peers {
    fn start(site: &Site, load: &Load, number: usize, process: usize) -> Self {
        let stop = Arc::new(AtomicBool::default());
        let mut peers = Self { stop, senders: Vec::new(), calls: load.calls.clone(), tasks: Vec::new() };
        for (index, pair) in site.people.windows(2).take(PEERS).enumerate() {
            let [from, to]: &[Person; 2] = pair.try_into().expect("two");
            let device = format!("{}/beside{number}", from.name);
            let cookie = from.cookie();
            let caller = Caller { user: from.name.clone(), device: device.into(), cookie };
            peers.senders.push((caller.clone(), to.name.clone()));
            let (calls, to, stop) = (load.calls.clone(), to.name.clone(), peers.stop.clone());
            peers.tasks.push(tokio::spawn(async move {
                for sent in 0.. {
                    let key = format!("beside-{number}-{index}-{sent}");
                    let letter =
                        Letter { to: to.clone(), body: format!("{key} {}", caller.user), key: Some(key.into()) };
                    while calls.send(process, &caller, &letter).await.0 != Phase::Ok {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }));
        }
        peers
    }

    /// Each looks for what it sent, elsewhere.
    async fn look(&self, process: usize) {
        let newest = "before_seq=9000000000&limit=5";
        let looks = self.senders.iter().map(|(caller, to)| self.calls.list(process, caller, to, newest));
        futures_util::future::join_all(looks).await;
    }

    async fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.expect("it ends well");
        }
    }
}
