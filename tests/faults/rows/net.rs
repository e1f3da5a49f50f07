//! Links between clients and the server that lose, delay or swallow what is sent.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::clients::percentile;
use super::{BOTH, SQLITE};
use crate::cell::{Cell, Row};
use crate::device::Habits;
use crate::history::{Op, Phase, Step};
use crate::link::{BadLink, Namespace, Weather};
use crate::load::{Load, Scale};
use crate::site::{Plan, Site, program};

pub const ROWS: &[Row] = &[
    Row {
        number: 23,
        name: "half-open TCP: packets vanish both ways",
        // The database is not part of it, and is not in the server's network.
        on: SQLITE,
        faulty: false,
        // It takes a minute until anybody notices.
        quick: &[],
        run: |cell| Box::pin(half_open(cell)),
    },
    Row {
        number: 26,
        name: "a lossy, slow link that is cut",
        on: BOTH,
        faulty: false,
        quick: SQLITE,
        run: |cell| Box::pin(lossy(cell)),
    },
];

/// Either side notices within so long that the other has gone.
const NOTICED: Duration = Duration::from_mins(1);
/// Nearly all is delivered within so long over a bad link.
const DELIVERED: Duration = Duration::from_secs(5);

async fn half_open(cell: &Cell) {
    let count = cell.times(100, 1000, 1000) as usize;
    crate::crowd::raise_descriptors();
    let namespace = Namespace::new();
    let scripts = tempfile::tempdir().expect("a directory");
    let mut plan = Plan { people: count / 5, devices: 5, ..Plan::on(cell.backend) }.with("ADDRESS", &"0.0.0.0");
    plan.program = Some(namespace.wrap(&program(), scripts.path()));
    let site = Site::new(plan).await;
    let at = |address: String| vec![format!("http://{address}:{}", site.port(0))];
    // No pages: their connections stay when they are idle, and only a proxy ends those.
    let habits = Habits { leaves_within: None, pages_first: u32::MAX };
    let scale = Scale { lanes: 10, pause: Duration::from_millis(300), habits, sends_only: false, everybody: false };
    let load = Load::apart(&site, at(namespace.sound()), at(namespace.broken()), scale, cell.seed).await;
    let (mut server, mut clients) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..cell.times(1, 1, 10) {
        all_listen(&load).await;
        let open = held(&site, &namespace.broken());
        cell.must(open >= count, || format!("{open} sockets are open instead of {count}"));
        let cut = Instant::now();
        namespace.cut();
        let reaped = noticed("the server to let go of the sockets", cut, || held(&site, &namespace.broken()) == 0);
        let detected =
            noticed("the devices to notice", cut, || !load.devices.iter().any(super::super::device::Device::listens));
        let (reaped, detected) = tokio::join!(reaped, detected);
        (server, clients) = (server.max(reaped), clients.max(detected));
        let (inward, outward) = namespace.vanished();
        cell.bit_of("inward", inward);
        cell.bit_of("outward", outward);
        namespace.mend();
        load.history.heal();
    }
    all_listen(&load).await;
    cell.figure("sockets", load.devices.len());
    cell.figure("the server let go within", format!("{:.0} s", server.as_secs_f64()));
    cell.figure("devices noticed within", format!("{:.0} s", clients.as_secs_f64()));
    cell.must(server <= NOTICED, || format!("the server let go only after {server:?}"));
    cell.must(clients <= NOTICED, || format!("the devices noticed only after {clients:?}"));
    cell.check(&site, load).await;
    drop((site, namespace));
}

async fn all_listen(load: &Load) {
    crate::support::until("every device to listen", Duration::from_mins(1), || async {
        load.devices.iter().all(super::super::device::Device::listens).then_some(())
    })
    .await;
}

async fn noticed(what: &str, since: Instant, so: impl Fn() -> bool) -> Duration {
    crate::support::until(what, NOTICED * 2, || async { so().then(|| since.elapsed()) }).await
}

/// How many connections at an address the server has open: the list of its own network.
fn held(site: &Site, address: &str) -> usize {
    let pid = site.server(0, super::super::support::server::Server::pid).expect("it runs");
    let list = std::fs::read_to_string(format!("/proc/{pid}/net/tcp")).expect("the kernel's list");
    let octets: std::net::Ipv4Addr = address.parse().expect("an address");
    let ours = format!("{:08X}:{:04X}", u32::from_le_bytes(octets.octets()), site.port(0));
    let lines = list.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines.filter(|columns| columns.len() > 9 && columns[1] == ours && columns[9] != "0").count()
}

async fn lossy(cell: &Cell) {
    let site = Site::new(cell.plan()).await;
    let link = BadLink::to(site.port(0), cell.seed).await;
    let habits = Habits { leaves_within: None, pages_first: 4 };
    let load =
        Load::at(&site, vec![format!("http://127.0.0.1:{}", link.port)], Scale { habits, ..cell.scale() }, cell.seed);
    let load = load.await;
    let weather = Weather {
        delay: (100, 500),
        lost: 20,
        again: Duration::from_millis(600),
        bytes_per_second: 32_000,
        cut_within: Duration::from_secs(cell.times(4, 20, 20)),
    };
    let from = load.history.now();
    for _ in 0..cell.times(1, 2, 20) {
        link.turns(Some(weather));
        tokio::time::sleep(Duration::from_secs(cell.times(3, 20, 30))).await;
        link.turns(None);
        load.history.heal();
        load.more(50, Duration::from_secs(20)).await;
    }
    let trouble = &link.trouble;
    let (cut, lost) = (trouble.cut.load(Ordering::Relaxed), trouble.lost.load(Ordering::Relaxed));
    cell.bit_of("late", lost);
    cell.bit_of("cut", cut);
    let mut waits = delivered(&load.history.steps(), from);
    let p99 = percentile(&mut waits, 99);
    cell.figure("pieces delayed", trouble.delayed.load(Ordering::Relaxed));
    cell.figure("p99 delivery", format!("{:.1} s", p99.as_secs_f64()));
    cell.must(p99 <= DELIVERED, || format!("p99 of deliveries {p99:?}"));
    cell.check(&site, load).await;
}

/// How long it took from a send to each device that displays it, by the message's key.
fn delivered(steps: &[Step], from: u64) -> Vec<Duration> {
    let mut begun = HashMap::new();
    for step in steps.iter().filter(|step| step.op == Op::Send && step.phase == Phase::Invoke && step.t_mono >= from) {
        if let Some(key) = &step.client_id {
            begun.entry((step.user.clone(), key.clone())).or_insert(step.t_mono);
        }
    }
    let shown = steps.iter().filter(|step| step.phase == Phase::Ok && matches!(step.op, Op::Recv | Op::Sync));
    let shown = shown.filter(|step| step.note.is_none());
    let waits = shown.flat_map(|step| step.messages.iter().map(move |seen| (step.t_mono, seen.key())));
    waits.filter_map(|(when, key)| Some(Duration::from_micros(when.saturating_sub(*begun.get(&key)?)))).collect()
}
