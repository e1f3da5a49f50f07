//! Clients that do not read what they are told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::net::TcpSocket;
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::BOTH;
use super::clients::{percentile, sends};
use crate::calls::{Caller, Calls, Letter};
use crate::cell::{Cell, Mode, Row};
use crate::crowd::{self, Listener, Place};
use crate::history::{History, Phase};
use crate::load::Load;
use crate::site::{Person, Site, named};
use crate::support::stuck::{Stuck, held};

pub const ROWS: &[Row] = &[Row {
    number: 22,
    name: "clients that do not read",
    on: BOTH,
    faulty: false,
    // A client has ten seconds to take a frame.
    quick: &[],
    run: |cell| Box::pin(slow(cell)),
}];

/// What all slow clients together may cost, in KiB.
const GROWTH: u64 = 64 * 1024;
/// A client that does not read is closed within so long.
const CLOSED: Duration = Duration::from_secs(30);
/// How much slower others may become.
const RATIO: f64 = 1.5;
/// Messages that wait for each of those who come back to much; of 40 KB each.
const BACKLOG: usize = 24;
/// Messages that come while they are there.
const LIVE: usize = 8;

/// Sockets that do not read: half of them come back to much that they missed, half are there when much happens. Before
/// it a while without them is the measure; after it as many that do read show what others have to bear anyway.
async fn slow(cell: &Cell) {
    let count = cell.times(60, 500, 500) as usize;
    crowd::raise_descriptors();
    let site = Site::new(cell.plan()).await;
    let people = named(&*site.database.store().await, "s", count / 10, 1).await;
    let load = Load::start(&site, cell.scale(), cell.seed).await;
    cell.warm(&site);
    let port = site.port(0);
    let pid = site.server(0, super::super::support::server::Server::pid).expect("it runs");
    let calls = Calls::new(Arc::new(History::default()), vec![site.base(0)]);
    let (behind, present) = people.split_at(people.len() / 2);
    let paths = paths(&calls, behind, present).await;
    fill(&calls, behind, BACKLOG).await;

    let (mut quiet, mut waits, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    let (mut growth, mut longest, mut closed) = (0, Duration::ZERO, 0);
    for _ in 0..cell.times(1, 3, 100) {
        let from = load.history.now();
        load.more(cell.times(300, 2000, 2000), Duration::from_mins(1)).await;
        quiet.extend(sends(&load.history.steps(), from));

        let from = load.history.now();
        let before = crowd::resident(pid);
        let memory = Highest::watch(pid);
        let mut stuck = Vec::new();
        for number in 0..count {
            let (cookie, path) = &paths[number % paths.len()];
            stuck.push(Stuck::shake_hands(far(), port, cookie, path).await);
        }
        let ports: Vec<_> = stuck.iter().map(Stuck::port).collect();
        fill(&calls, present, LIVE).await;
        let full = Instant::now();
        crate::support::until("all slow sockets to be closed", CLOSED, || async {
            (held(port, &ports) == 0).then_some(())
        })
        .await;
        longest = longest.max(full.elapsed());
        growth = growth.max(memory.end().await.saturating_sub(before));
        closed += stuck.len() as u64;
        waits.extend(sends(&load.history.steps(), from));

        let from = load.history.now();
        readers(&paths, count, port, &calls, present).await;
        theirs.extend(sends(&load.history.steps(), from));
    }
    cell.bit(closed);
    let [quiet, with, beside] = [&mut quiet, &mut waits, &mut theirs].map(|waits| percentile(waits, 99));
    let ratio = with.as_secs_f64() / quiet.as_secs_f64();
    cell.figure("memory grew by", format!("{:.1} MiB", growth as f64 / 1024.0));
    cell.figure("closed within", format!("{:.1} s", longest.as_secs_f64()));
    let text =
        format!("{} ms, before {} ms, beside readers {} ms", with.as_millis(), quiet.as_millis(), beside.as_millis());
    cell.figure("p99 of others", text);
    cell.figure("ratio", format!("{ratio:.2}"));
    cell.must(growth <= GROWTH, || format!("memory grew by {growth} KiB"));
    // A few hundred sends of a debug build beside other tests say nothing: with those it is printed.
    let enough = cell.mode > Mode::Quick;
    cell.must(!enough || ratio <= RATIO, || format!("others became {ratio:.2} times slower"));
    // With it go the connections that it kept.
    drop(calls);
    cell.check(&site, load).await;
}

/// A socket as over a link with small packets: for its big ones the loopback interface gives the server a buffer of
/// megabytes.
fn far() -> TcpSocket {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket2::SockRef::from(&socket).set_tcp_mss(1200).expect("a size");
    socket
}

/// The cookie and the address of a socket for each: behind what is to come, or at the head.
async fn paths(calls: &Calls, behind: &[Person], present: &[Person]) -> Vec<(String, String)> {
    let mut paths = Vec::new();
    for person in behind {
        let caller = Caller { user: person.name.clone(), device: "slow".into(), cookie: person.cookies[0].clone() };
        let (_, cursor, _) = calls.sync(0, &caller, None, None).await.expect("the head of a log");
        paths.push((person.cookies[0].clone(), format!("/ws?events=1&after={cursor}")));
    }
    paths.extend(present.iter().map(|person| (person.cookies[0].clone(), "/ws?events=1".to_owned())));
    paths
}

/// So many long notes to themselves of each, four people at a time.
async fn fill(calls: &Calls, people: &[Person], each: usize) {
    let mut filling = JoinSet::new();
    for some in people.chunks(people.len().div_ceil(4).max(1)) {
        let some: Vec<_> = some.iter().map(|person| (person.name.clone(), person.cookies[1].clone())).collect();
        let calls = calls.clone();
        filling.spawn(async move {
            for (name, cookie) in some {
                let caller = Caller { user: name.clone(), device: "filler".into(), cookie };
                for number in 0..each {
                    let key = Some(format!("note-{:016x}-{number}", rand::random::<u64>()).into());
                    let letter = Letter { to: name.clone(), body: "🎉".repeat(10_000), key };
                    crate::support::until("a long note to be stored", Duration::from_mins(1), || async {
                        let (phase, ..) = calls.send(0, &caller, &letter).await;
                        (phase == Phase::Ok).then_some(())
                    })
                    .await;
                }
            }
        });
    }
    while let Some(filled) = filling.join_next().await {
        filled.expect("it ends well");
    }
}

/// The same sockets with clients that read to the end, and the same messages while they are there.
async fn readers(paths: &[(String, String)], count: usize, port: u16, calls: &Calls, present: &[Person]) {
    let (turns, opened) = (Arc::new(Semaphore::new(8)), Arc::new(AtomicUsize::new(0)));
    let mut reading = JoinSet::new();
    for number in 0..count {
        let (cookie, path) = &paths[number % paths.len()];
        let after = path.split_once("after=").map(|(_, after)| after.to_owned());
        let place = Place { port, cookie: cookie.as_str().into() };
        let (turns, opened) = (turns.clone(), opened.clone());
        reading.spawn(async move {
            let due = if after.is_some() { BACKLOG } else { LIVE };
            let turn = turns.acquire().await.expect("it stays open");
            let mut listener = Listener::open(place, after).await.expect("it opens");
            drop(turn);
            opened.fetch_add(1, Ordering::Relaxed);
            let read = timeout(Duration::from_mins(5), listener.events(due)).await;
            read.expect("it reads to the end in time").expect("it is told everything");
        });
    }
    crate::support::until("all readers to listen", Duration::from_mins(2), || async {
        (opened.load(Ordering::Relaxed) == count).then_some(())
    })
    .await;
    fill(calls, present, LIVE).await;
    while let Some(read) = reading.join_next().await {
        read.expect("it reads to the end");
    }
}

/// The most memory that a process has in use.
struct Highest {
    stop: Arc<AtomicBool>,
    task: JoinHandle<u64>,
}

impl Highest {
    fn watch(pid: u32) -> Self {
        let stop = Arc::new(AtomicBool::default());
        let stopped = stop.clone();
        let task = tokio::spawn(async move {
            let mut highest = 0;
            while !stopped.load(Ordering::Relaxed) {
                highest = highest.max(crowd::resident(pid));
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            highest
        });
        Self { stop, task }
    }

    async fn end(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.expect("it ends well")
    }
}
