//! What people do while a fault bites: lanes that send, repeat, list, read and ask for what they must not have; devices
//! that listen, leave and come back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::task::JoinHandle;

use crate::calls::{Caller, Calls, Letter};
use crate::device::{Device, Habits};
use crate::history::{History, Phase};
use crate::site::{Person, Site};

/// How much is going on.
#[derive(Clone, Copy)]
pub struct Scale {
    /// So many send at once.
    pub lanes: usize,
    /// The rest between two sends of a lane, at most.
    pub pause: Duration,
    pub habits: Habits,
    /// Only sends, each repeated until it is acknowledged.
    pub sends_only: bool,
    /// Lanes send for everybody in turn, not for as many people as there are lanes.
    pub everybody: bool,
}

impl Default for Scale {
    fn default() -> Self {
        let habits = Habits { leaves_within: Some(Duration::from_secs(4)), pages_first: 4 };
        Self { lanes: 24, pause: Duration::from_millis(20), habits, sends_only: false, everybody: false }
    }
}

pub struct Load {
    pub history: Arc<History>,
    pub calls: Calls,
    pub devices: Vec<Device>,
    /// Signed out while others go on.
    pub revoked: Option<Device>,
    lanes: Vec<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
    /// Where each device began.
    pub begun: Vec<(Arc<str>, String)>,
}

impl Load {
    /// Starts everybody, and returns when the first hundred sends are acknowledged (or as many as there are lanes).
    pub async fn start(site: &Site, scale: Scale, seed: u64) -> Self {
        let bases = (0..site.processes()).map(|index| site.base(index)).collect();
        Self::at(site, bases, scale, seed).await
    }

    /// The same through other addresses than the servers' own.
    pub async fn at(site: &Site, bases: Vec<String>, scale: Scale, seed: u64) -> Self {
        Self::apart(site, bases.clone(), bases, scale, seed).await
    }

    /// The same with devices at other addresses than whoever sends.
    pub async fn apart(site: &Site, bases: Vec<String>, theirs: Vec<String>, scale: Scale, seed: u64) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed);
        let history = Arc::new(History::default());
        crate::evidence::history(&history);
        let calls = Calls::new(history.clone(), bases);
        let listening = Calls::new(history.clone(), theirs);
        let mut devices = Vec::new();
        let mut begun = Vec::new();
        for person in &site.people {
            let count = person.cookies.len() - 2;
            let listeners = person.cookies[..count].iter().enumerate();
            for (number, cookie) in listeners {
                let caller = Caller {
                    user: person.name.clone(),
                    device: format!("{}/{number}", person.name).into(),
                    cookie: cookie.clone(),
                };
                let (_, cursor, _) = calls.sync(0, &caller, None, Some("begin")).await.expect("the head of a log");
                begun.push((caller.device.clone(), cursor.clone()));
                devices.push(Device::start(listening.clone(), caller, cursor, scale.habits, rng.random()));
            }
        }
        let revoked = match site.people.first() {
            Some(person) if !scale.sends_only => {
                let cookie = person.cookies.last().cloned().expect("cookies");
                let caller = Caller { user: person.name.clone(), device: "revoked".into(), cookie };
                let (_, cursor, _) = calls.sync(0, &caller, None, Some("begin")).await.expect("the head of a log");
                // Once it is not let in any more, it goes on to ask, for pages too where others do.
                let stays = Habits { leaves_within: None, ..scale.habits };
                Some(Device::start(listening.clone(), caller, cursor, stays, rng.random()))
            }
            _ => None,
        };
        if let Some(device) = &revoked {
            sign_out_soon(calls.clone(), device.caller.clone(), Duration::from_millis(rng.random_range(300..1500)));
        }
        let stop = Arc::new(AtomicBool::default());
        let people: Arc<[Person]> = site.people.iter().cloned().collect();
        let mut lanes = Vec::new();
        for number in 0..scale.lanes {
            let person = &site.people[number % site.people.len()];
            let lane = Lane {
                calls: calls.clone(),
                caller: lane_of(person, number),
                people: people.clone(),
                me: number % site.people.len(),
                number,
                sent: 0,
                scale,
                rng: SmallRng::seed_from_u64(rng.random()),
                stop: stop.clone(),
            };
            lanes.push(tokio::spawn(lane.run()));
        }
        let load = Self { history, calls, devices, revoked, lanes, stop, begun };
        load.more(100.min(scale.lanes as u64 * 3), Duration::from_secs(30)).await;
        load
    }

    /// Waits for so many more acknowledged sends.
    pub async fn more(&self, count: u64, limit: Duration) {
        let goal = self.history.acknowledged() + count;
        crate::support::until("more acknowledged sends", limit, || async {
            (self.history.acknowledged() >= goal).then_some(())
        })
        .await;
    }

    /// No lane begins anything more; waits until each has ended what it was at.
    pub async fn quiet(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for lane in self.lanes.drain(..) {
            lane.await.expect("a lane ends well");
        }
        for device in &self.devices {
            device.calm();
        }
    }
}

/// Ends a session while its device listens, however often that has to be tried.
fn sign_out_soon(calls: Calls, caller: Caller, after: Duration) {
    tokio::spawn(async move {
        tokio::time::sleep(after).await;
        for _ in 0..100 {
            if calls.sign_out(0, &caller).await == Phase::Ok {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
}

/// What sends for this person in this lane.
fn lane_of(person: &Person, number: usize) -> Caller {
    let device = format!("{}/lane{number}", person.name).into();
    Caller { user: person.name.clone(), device, cookie: person.cookie() }
}

/// One who sends, one thing after the other; it may be for one person and then for another.
struct Lane {
    calls: Calls,
    caller: Caller,
    people: Arc<[Person]>,
    me: usize,
    number: usize,
    sent: u64,
    scale: Scale,
    rng: SmallRng,
    stop: Arc<AtomicBool>,
}

impl Lane {
    async fn run(mut self) {
        while !self.stop.load(Ordering::Relaxed) {
            if self.scale.everybody && self.rng.random_ratio(1, 20) {
                self.me = self.rng.random_range(0..self.people.len());
                self.caller = lane_of(&self.people[self.me], self.number);
            }
            let letter = self.letter();
            let acknowledged = self.until_known(&letter).await;
            if let (Some((seq, id)), false) = (acknowledged, self.scale.sends_only) {
                self.and_then(&letter, seq, id).await;
            }
            let pause = self.scale.pause.mul_f64(self.rng.random_range(0.0..1.0));
            tokio::time::sleep(pause).await;
        }
    }

    /// To one of three friends, or now and then to oneself; one in ten has no key.
    fn letter(&mut self) -> Letter {
        self.sent += 1;
        let offset = if self.rng.random_ratio(1, 50) { 0 } else { self.rng.random_range(1..=3) };
        let to = self.people[(self.me + offset) % self.people.len()].name.clone();
        let name = format!("{}-{}", self.number, self.sent);
        let long = if self.rng.random_ratio(1, 30) { "🎉 long ".repeat(200) } else { String::new() };
        let body = format!("{name} from {} {long}{}", self.caller.user, self.rng.random::<u32>());
        let key = (self.scale.sends_only || !self.rng.random_ratio(1, 10)).then(|| Arc::from(name));
        Letter { to, body, key }
    }

    fn process(&mut self) -> usize {
        self.rng.random_range(0..self.calls.processes())
    }

    /// Sends until the outcome is known, or it is given up: one without a key is never sent again, since a second
    /// request would be a second message; of the others some people do not try again.
    async fn until_known(&mut self, letter: &Letter) -> Option<(i64, i64)> {
        loop {
            let process = self.process();
            let (phase, _, json) = self.calls.send(process, &self.caller, letter).await;
            let gives_up = match phase {
                Phase::Ok => return Some((json["seq"].as_i64()?, json["id"].as_i64()?)),
                Phase::Fail => !self.scale.sends_only && self.rng.random_ratio(1, 4),
                Phase::Info | Phase::Invoke => !self.scale.sends_only && self.rng.random_ratio(1, 10),
            };
            if letter.key.is_none() || gives_up {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(self.rng.random_range(5..60))).await;
        }
    }

    /// What follows on a send, now and then.
    async fn and_then(&mut self, letter: &Letter, seq: i64, id: i64) {
        let other = self.process();
        match self.rng.random_range(0..100) {
            // The same once more, elsewhere.
            0..5 if letter.key.is_some() => drop(self.calls.send(other, &self.caller, letter).await),
            // The same key for something else.
            5..8 if letter.key.is_some() => {
                let changed = Letter { body: format!("{} changed", letter.body), ..letter.clone() };
                drop(self.calls.send(other, &self.caller, &changed).await);
            }
            8..20 => drop(self.calls.list(other, &self.caller, &letter.to, "before_seq=9000000000&limit=5").await),
            20..27 => self.calls.read(other, &self.caller, &letter.to, seq).await,
            27..30 => drop(self.calls.conversations(other, &self.caller).await),
            30 => {
                self.calls.probe(other, &self.caller, id - 1, "another").await;
            }
            31 => self.calls.probe(other, &self.caller, 9_000_000_000, "absent").await,
            32..36 => drop(self.calls.sync(other, &self.caller, None, Some("head")).await),
            _ => {}
        }
    }
}
