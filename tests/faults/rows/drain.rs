//! Servers that are asked to end while people use them.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, JoinSet};

use super::{BOTH, MARIADB, SQLITE};
use crate::cell::{Cell, Mode, Row};
use crate::device::Habits;
use crate::haproxy::HaProxy;
use crate::history::{Op, Phase, Step};
use crate::load::{Load, Scale};
use crate::site::{Plan, Site};

pub const ROWS: &[Row] = &[
    Row {
        number: 3,
        name: "SIGTERM, two processes behind HAProxy",
        // SQLite has one process.
        on: MARIADB,
        faulty: false,
        quick: MARIADB,
        run: |cell| Box::pin(behind_a_proxy(cell)),
    },
    Row {
        number: 4,
        name: "SIGTERM, a single process",
        on: BOTH,
        faulty: false,
        quick: SQLITE,
        run: |cell| Box::pin(alone(cell)),
    },
];

/// A server that is asked to end has ended within so long.
const ENDED: Duration = Duration::from_secs(10);
/// A device that was sent away listens again within so long, where there is another process.
const RESUMED: Duration = Duration::from_secs(5);
/// A single process that is restarted is not there for so long.
const OUTAGE: Duration = Duration::from_secs(1);
/// The code of a server that restarts.
const RESTART: Option<u16> = Some(1012);

/// Devices that never leave by themselves: each close that they see is the server's.
fn staying(cell: &Cell) -> Scale {
    Scale { habits: Habits { leaves_within: None, pages_first: 4 }, ..cell.scale() }
}

/// Shorter than the default where the time is short; the checks of the proxy need one and a half seconds.
fn plan(cell: &Cell) -> Plan {
    cell.plan().with("DRAIN_SECONDS", &if cell.mode == Mode::Quick { 2 } else { 5 })
}

/// SIGTERM, its end, and a new start; how long it took to end.
async fn restart(cell: &Cell, site: &Site, index: usize) -> Duration {
    let server = site.take(index).expect("it runs");
    let pid = server.pid();
    let started = Instant::now();
    server.signal("TERM");
    let code = server.ended().await;
    let took = started.elapsed();
    cell.must(code == 0, || format!("a server that was asked to end ended with {code}"));
    site.start(index);
    let renewed = site.server(index, |server| server.pid() != pid);
    cell.must(renewed == Some(true), || "the process is the same".to_owned());
    took
}

/// One process after the other, as `docs/operations.md` says: the next when the last says that it is ready.
async fn behind_a_proxy(cell: &Cell) {
    let site = Site::new(plan(cell).pair().with("TRUSTED_PROXIES", &"127.0.0.1")).await;
    let proxy = HaProxy::start(&site).await;
    let mut load = Load::at(&site, vec![proxy.url.clone(); site.processes()], staying(cell), cell.seed).await;
    let mut longest = Duration::ZERO;
    // A rolling restart is one of both.
    let restarts = cell.times(2, 20, 100);
    for number in 0..restarts {
        let index = usize::from(number % 2 == 1);
        let told = closed(&load.history.steps(), RESTART);
        longest = longest.max(restart(cell, &site, index).await);
        site.ready(index, "ok").await;
        let told = closed(&load.history.steps(), RESTART) - told;
        cell.must(told > 0, || format!("restart {number} sent no socket away"));
        cell.bit(u64::from(told > 0));
        load.more(20, Duration::from_secs(10)).await;
    }
    all_back(&load).await;
    load.quiet().await;
    cell.figure("ended within", format!("{:.1} s", longest.as_secs_f64()));
    cell.must(longest <= ENDED, || format!("a server took {longest:?} to end"));
    let seen = proxy.taken_out();
    cell.must(seen == restarts, || format!("the proxy noticed {seen} of {restarts} drains"));
    cell.must(!proxy.had_none(), || "the proxy had no server left".to_owned());
    let steps = load.history.steps();
    nothing_failed(cell, &steps);
    let longest = all_resumed(cell, &steps);
    cell.must(longest <= RESUMED, || format!("a socket came back only after {longest:?}"));
    cell.check(&site, load).await;
}

/// Waits until every device is connected.
async fn all_back(load: &Load) {
    crate::support::until("the devices to be back", Duration::from_secs(30), || async {
        load.devices.iter().all(super::super::device::Device::listens).then_some(())
    })
    .await;
}

/// How many sockets were closed so.
fn closed(steps: &[Step], code: Option<u16>) -> usize {
    steps.iter().filter(|step| step.op == Op::Close && step.status == code).count()
}

/// Requests without an answer, and answers that say it was the server's fault; handshakes among them.
fn nothing_failed(cell: &Cell, steps: &[Step]) {
    let ended = steps.iter().filter(|step| step.call != 0 && step.phase != Phase::Invoke);
    let failed: Vec<_> = ended.filter(|step| step.status.is_none_or(|status| status >= 500)).collect();
    let mut open: HashMap<&Arc<str>, bool> = HashMap::new();
    let mut refused = 0;
    for step in steps {
        match step.op {
            Op::Conn => drop(open.insert(&step.device, true)),
            Op::Close if step.device.as_ref() != "revoked" => {
                refused += u64::from(open.insert(&step.device, false) != Some(true));
            }
            _ => {}
        }
    }
    cell.figure("failed requests", failed.len());
    cell.figure("failed handshakes", refused);
    cell.must(failed.is_empty(), || format!("{} requests failed, the first: {:?}", failed.len(), failed[0]));
    cell.must(refused == 0, || format!("{refused} handshakes failed"));
}

/// Every socket that ended was told 1012, and listened again; after how long at most.
fn all_resumed(cell: &Cell, steps: &[Step]) -> Duration {
    let mut open: HashMap<&Arc<str>, bool> = HashMap::new();
    let mut away: HashMap<&Arc<str>, u64> = HashMap::new();
    let (mut told, mut mute, mut longest) = (0, 0, 0);
    for step in steps.iter().filter(|step| step.device.as_ref() != "revoked") {
        match step.op {
            Op::Conn => {
                open.insert(&step.device, true);
                longest = longest.max(away.remove(&step.device).map_or(0, |since| step.t_mono - since));
            }
            Op::Close if open.insert(&step.device, false) == Some(true) => {
                away.insert(&step.device, step.t_mono);
                if step.status == RESTART { told += 1 } else { mute += 1 }
            }
            _ => {}
        }
    }
    let longest = Duration::from_micros(longest);
    cell.figure("sockets told 1012", told);
    cell.figure("ended without", mute);
    cell.figure("resumed within", format!("{:.1} s", longest.as_secs_f64()));
    cell.must(mute == 0, || format!("{mute} sockets ended without a Close frame 1012"));
    cell.must(away.is_empty(), || format!("{} sockets never came back", away.len()));
    longest
}

/// The process is started again as soon as it has ended. Meanwhile connections are refused or must be tried again, and
/// devices are told to come back later (503): that is the outage. Whoever was let in is answered.
async fn alone(cell: &Cell) {
    let site = Site::new(cell.plan().with("DRAIN_SECONDS", &cell.times(1, 2, 2))).await;
    let mut load = Load::start(&site, staying(cell), cell.seed).await;
    cell.warm(&site);
    let (mut longest, mut all) = (Duration::ZERO, Seen::default());
    for _ in 0..cell.times(2, 15, 50) {
        let visits = Visits::start(&site);
        longest = longest.max(restart(cell, &site, 0).await);
        load.history.heal();
        load.more(20, Duration::from_secs(10)).await;
        all_back(&load).await;
        let seen = visits.end().await;
        cell.bit(u64::from(seen.refused > 0));
        cell.must(seen.refused > 0, || "nobody noticed a restart".to_owned());
        all.cut_off += seen.cut_off;
        all.outage = all.outage.max(seen.outage);
        all.patience = all.patience.max(seen.patience);
    }
    load.quiet().await;
    let steps = load.history.steps();
    // A refused connection is no request; it is tried again.
    let ended = steps.iter().filter(|step| step.call != 0 && step.phase != Phase::Invoke);
    let failed: Vec<_> =
        ended.filter(|step| step.phase == Phase::Info || step.status.is_some_and(|status| status >= 500)).collect();
    cell.figure("outage", format!("{:.2} s", all.outage.as_secs_f64()));
    cell.figure("longest wait of a newcomer", format!("{:.2} s", all.patience.as_secs_f64()));
    cell.figure("ended within", format!("{:.1} s", longest.as_secs_f64()));
    cell.figure("failed requests", failed.len());
    cell.figure("newcomers cut off", all.cut_off);
    cell.must(longest <= ENDED, || format!("a server took {longest:?} to end"));
    cell.must(all.outage <= OUTAGE, || format!("nobody was answered for {:?}", all.outage));
    cell.must(failed.is_empty(), || format!("{} requests failed, the first: {:?}", failed.len(), failed[0]));
    cell.must(all.cut_off == 0, || format!("{} newcomers were let in and cut off", all.cut_off));
    all_resumed(cell, &steps);
    cell.check(&site, load).await;
}

/// People who look in, one every ten milliseconds, each over a new connection.
struct Visits {
    stop: Arc<AtomicBool>,
    task: JoinHandle<Seen>,
}

/// What they came to.
#[derive(Default)]
struct Seen {
    refused: u64,
    /// Let in, and then not answered.
    cut_off: u64,
    /// The longest time in which nobody was answered.
    outage: Duration,
    /// The longest that one of them waited for an answer.
    patience: Duration,
}

impl Visits {
    fn start(site: &Site) -> Self {
        let (stop, port) = (Arc::new(AtomicBool::default()), site.port(0));
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            let mut visits = JoinSet::new();
            let mut every = tokio::time::interval(Duration::from_millis(10));
            while !stopped.load(Ordering::Relaxed) {
                every.tick().await;
                visits.spawn(async move { (Instant::now(), visit(port).await, Instant::now()) });
            }
            let mut all = visits.join_all().await;
            all.sort_by_key(|(_, _, end)| *end);
            let (mut seen, mut last) = (Seen::default(), None);
            for (begun, outcome, end) in all {
                match outcome {
                    Ok(()) => {
                        seen.outage = seen.outage.max(end - last.replace(end).unwrap_or(end));
                        seen.patience = seen.patience.max(end - begun);
                    }
                    Err(e) if e.kind() == ErrorKind::ConnectionRefused => seen.refused += 1,
                    Err(_) => seen.cut_off += 1,
                }
            }
            seen
        });
        Self { stop, task }
    }

    async fn end(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.expect("the visits end well")
    }
}

async fn visit(port: u16) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    if answer.starts_with(b"HTTP/1.1 200") { Ok(()) } else { Err(ErrorKind::InvalidData.into()) }
}
