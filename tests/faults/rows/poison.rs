//! A bus that somebody else writes to: nonsense, words of other versions, and ten megabytes at once.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};

use super::redis::{SHARED, staying};
use crate::calls::{Caller, Letter};
use crate::cell::{Cell, Row};
use crate::history::Op;
use crate::line::Line;
use crate::load::Load;
use crate::quiet::Quiet;
use crate::site::Site;
use crate::support::server::{Client, Server};
use crate::support::socket::Socket;
use crate::support::until;

pub const ROWS: &[Row] = &[Row {
    number: 32,
    name: "poison on the bus",
    on: SHARED,
    faulty: false,
    quick: SHARED,
    run: |cell| Box::pin(poisoned(cell)),
}];

const LARGE: usize = 10 * 1024 * 1024;
/// So many go to Redis at once.
const PART: u64 = 500;
/// What a process says of them, at most once a second.
const SAID: &str = "words on the bus are not ours";

async fn poisoned(cell: &Cell) {
    let line = Line::new(cell.seed).await;
    let scale = staying(cell);
    let site = line.site(Quiet::beside(&scale, cell.plan())).await;
    let hermit = Quiet::hermit(&site, &scale);
    let cookie = hermit.cookie();
    let hermit = Caller { user: hermit.name.clone(), device: format!("{}/final", hermit.name).into(), cookie };
    let load = Load::start(&site, scale, cell.seed).await;
    cell.warm(&site);
    let old = Old::listen(&site, &hermit).await;
    let started = Instant::now();
    let before = memory(&site);
    let strange = poison(cell, &line).await;
    let counted = || (0..site.processes()).flat_map(|index| counts(&site, index)).collect::<Vec<u64>>();
    until("every strange word to be counted", Duration::from_secs(30), || async {
        (counted().iter().sum::<u64>() >= strange).then_some(())
    })
    .await;
    let (counted, seconds) = (counted(), started.elapsed().as_secs() + 1);
    cell.bit(counted.iter().sum());
    cell.figure("strange words heard", strange);
    cell.figure("lines in the logs", counted.len());
    cell.must(counted.iter().sum::<u64>() == strange, || format!("{strange} strange words, counted {counted:?}"));
    let most = site.processes() * usize::try_from(seconds + 1).unwrap_or(1);
    cell.must(counted.len() <= most, || format!("{} lines in {seconds} s", counted.len()));
    line.again(&site, &[]).await;
    cell.figure("memory (MiB)", format!("{before}, afterwards {}", memory(&site)));
    load.history.heal();
    // Only now does somebody write to the hermit, who does so.
    let begun = load.history.now();
    let letter = Letter { to: hermit.user.clone(), body: "the first".to_owned(), key: None };
    let (_, _, sent) = load.calls.send(0, &hermit, &letter).await;
    let frames = old.frames().await;
    let told = json!({"message": sent["id"].to_string()});
    cell.must(frames.iter().all(|frame| *frame == told), || format!("on the hermit's old sockets: {frames:?}"));
    let history = load.history.clone();
    cell.check(&site, load).await;
    let steps = history.steps();
    let heard = || steps.iter().filter(|step| step.op == Op::Recv && step.user == hermit.user);
    cell.must(heard().all(|step| step.t_mono > begun), || format!("the hermit was told {:?}", heard().next()));
    cell.must(heard().count() == site.plan.devices, || format!("the hermit was told {} things", heard().count()));
}

/// Says all of it on the channels that are listened to; how many of those words, each time somebody hears it, are not
/// ours.
async fn poison(cell: &Cell, line: &Line) -> u64 {
    let mut rng = SmallRng::seed_from_u64(cell.seed);
    let (mut redis, channels) = (line.redis.clone(), line.channels().await);
    let (words, large) = (cell.times(3000, 100_000, 1_000_000), cell.times(2, 20, 100));
    let mut strange = 0;
    let (mut said, mut largest) = (0, 0);
    while said < words {
        let mut part = redis::pipe();
        let mut ours = Vec::new();
        for _ in 0..PART {
            let word = word(&mut rng);
            ours.push(is_ours(&word));
            part.publish(&channels[rng.random_range(0..channels.len())], word);
        }
        let heard: Vec<u64> = part.query_async(&mut redis).await.expect("they are said");
        strange += heard.iter().zip(&ours).filter(|(_, ours)| !**ours).map(|(heard, _)| heard).sum::<u64>();
        said += PART;
        while largest * words < said * large {
            largest += 1;
            let (channel, fill) = (&channels[rng.random_range(0..channels.len())], rng.random::<u8>());
            let heard = redis::cmd("PUBLISH").arg(channel).arg(vec![fill; LARGE]).query_async::<u64>(&mut redis).await;
            strange += heard.expect("it is said");
        }
    }
    cell.figure("words said", said + largest);
    cell.figure("of 10 MiB", largest);
    strange
}

/// Nonsense, what another version might say, and places that are none.
fn word(rng: &mut SmallRng) -> Vec<u8> {
    let text = match rng.random_range(0..12) {
        0 => String::new(),
        1 => return (0..rng.random_range(1..200)).map(|_| rng.random()).collect(),
        2 => return vec![0xff, 0xfe, b'1'],
        3 => format!("v2:{}", rng.random::<u32>()),
        4 => json!({"v": 2, "user": rng.random::<u16>(), "pos": rng.random::<u32>()}).to_string(),
        5 => json!({"type": "event", "cursor": "x", "event": {"type": "message_created"}}).to_string(),
        6 => format!("{}0", i64::MAX),
        7 => format!(" {}\n", rng.random::<u32>()),
        8 => "*1\r\n$4\r\nQUIT\r\n".to_owned(),
        9 => "x".repeat(rng.random_range(1000..20_000)),
        // These are places, though nobody's: whoever is woken finds nothing.
        10 => i64::MAX.to_string(),
        _ => rng.random_range(-5..1_000_000).to_string(),
    };
    text.into_bytes()
}

/// Whether it has the form of a place.
fn is_ours(word: &[u8]) -> bool {
    std::str::from_utf8(word).is_ok_and(|text| text.parse::<i64>().is_ok())
}

/// How many strange words a server says it heard, line by line.
fn counts(site: &Site, index: usize) -> Vec<u64> {
    let log = site.server(index, Server::log).unwrap_or_default();
    let lines = log.lines().filter(|line| line.contains(SAID));
    lines.filter_map(|line| line.rsplit("words=").next()?.trim().parse().ok()).collect()
}

/// What both processes hold in memory, in MiB.
fn memory(site: &Site) -> u64 {
    let of = |index| {
        let pid = site.server(index, Server::pid)?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.trim().trim_end_matches(" kB").parse::<u64>().ok()
    };
    (0..site.processes()).filter_map(of).sum::<u64>() / 1024
}

/// Sockets of the predecessor's kind, one on each process.
struct Old(Arc<Mutex<Vec<Value>>>, Vec<tokio::task::JoinHandle<()>>);

impl Old {
    async fn listen(site: &Site, who: &Caller) -> Self {
        let frames = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for index in 0..site.processes() {
            let client = Client::new(&site.base(index));
            let (name, value) = who.cookie.split_once('=').expect("a cookie");
            client.set_cookie(name, Some(value));
            let mut socket = Socket::open(&client, "/ws").await;
            let heard = frames.clone();
            tasks.push(tokio::spawn(async move {
                loop {
                    let frame = socket.patient_json().await;
                    heard.lock().unwrap().push(frame);
                }
            }));
        }
        Self(frames, tasks)
    }

    /// What came, as soon as each could have been told something.
    async fn frames(self) -> Vec<Value> {
        let Self(frames, tasks) = self;
        until("frames on old sockets", Duration::from_secs(10), || async {
            (frames.lock().unwrap().len() >= tasks.len()).then_some(())
        })
        .await;
        tasks.iter().for_each(tokio::task::JoinHandle::abort);
        frames.lock().unwrap().clone()
    }
}
