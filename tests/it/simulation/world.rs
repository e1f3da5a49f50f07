//! The simulated world: a database, processes that serve it, people and their devices.

use std::future::Future;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use chatd::chat::{Chat, poll_heads_once};
use chatd::domain::{Clock, Position, Timestamp, User, UserId};
use tokio::sync::oneshot;

use super::bugs::Bug;
use super::device::Device;
use super::memory::{Database, MemoryStore};
use super::network::Network;
use super::record::Record;
use super::scheduler::{Group, Sim, lock};

/// When the world begins.
const BEGINNING: i64 = 1_700_000_000_000_000;
/// How often a process reads the heads.
const HEAD_POLL: u64 = 5000;

/// A process's clock: the world's time, and whatever somebody made of it.
struct SkewedClock {
    sim: Sim,
    skew: Arc<AtomicI64>,
}

impl Clock for SkewedClock {
    fn now(&self) -> Timestamp {
        let micros = i64::try_from(self.sim.now()).unwrap_or(i64::MAX) * 1000;
        Timestamp(BEGINNING + micros + self.skew.load(Ordering::Relaxed))
    }
}

/// A place where a process runs, most of the time.
#[derive(Default)]
pub struct Place {
    running: Mutex<Option<(Group, Chat)>>,
    skew: Arc<AtomicI64>,
}

/// What a database was put back to, as seen by one who knows: the lineage that began, and where the logs stood.
pub struct PutBack {
    pub lineage: u64,
    pub heads: Vec<(UserId, Position)>,
}

pub struct World {
    pub sim: Sim,
    pub database: Arc<Database>,
    pub network: Arc<Network>,
    pub places: Vec<Place>,
    pub people: Vec<User>,
    pub devices: Vec<Mutex<Device>>,
    pub record: Mutex<Record>,
    pub put_backs: Mutex<Vec<PutBack>>,
    /// Whether this schedule puts the database back at some time.
    pub puts_back: bool,
    /// Those who still have something to do.
    pub busy: AtomicU64,
    groups: AtomicU64,
}

impl World {
    pub fn new(sim: &Sim, places: usize, people: Vec<User>, database: Arc<Database>) -> Self {
        Self {
            sim: sim.clone(),
            database,
            network: Network::new(sim),
            places: (0..places).map(|_| Place::default()).collect(),
            people,
            devices: Vec::new(),
            record: Mutex::default(),
            put_backs: Mutex::default(),
            puts_back: sim.below(4) == 0,
            busy: AtomicU64::new(0),
            groups: AtomicU64::new(0),
        }
    }

    pub fn has(&self, bug: Bug) -> bool {
        self.database.has(bug)
    }

    /// Starts a process, unless it runs.
    pub fn start(&self, place: usize) {
        let mut running = lock(&self.places[place].running);
        if running.is_some() {
            return;
        }
        let group = self.groups.fetch_add(1, Ordering::Relaxed) + 1;
        let clock = SkewedClock { sim: self.sim.clone(), skew: self.places[place].skew.clone() };
        let store = MemoryStore::new(&self.database);
        let chat = Chat::new(store, self.network.join(place), Arc::new(clock));
        *running = Some((group, chat.clone()));
        self.sim.tell(|| format!("process {place} starts"));
        if !(self.has(Bug::NoPollOfHeads) || self.has(Bug::ListensAfterReading)) {
            let sim = self.sim.clone();
            self.sim.start(group, async move {
                loop {
                    sim.sleep(HEAD_POLL).await;
                    poll_heads_once(&chat).await;
                }
            });
        }
    }

    /// Kills a process in the middle of whatever it does.
    pub fn kill(&self, place: usize) {
        if let Some((group, _)) = lock(&self.places[place].running).take() {
            self.sim.tell(|| format!("process {place} is killed"));
            self.network.leave(place);
            self.sim.kill(group);
        }
    }

    pub fn set_clock(&self, place: usize, skew: i64) {
        self.sim.tell(|| format!("the clock of process {place} jumps to {} s beside the time", skew / 1_000_000));
        self.places[place].skew.store(skew, Ordering::Relaxed);
    }

    /// One of the places, whether or not a process runs there: a client does not know.
    pub fn any_place(&self) -> usize {
        usize::try_from(self.sim.below(self.places.len() as u64)).unwrap_or(0)
    }

    /// Starts something inside of a process that ends with it. False if no process is there.
    pub fn inside<F>(&self, place: usize, work: impl FnOnce(Chat) -> F) -> bool
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let running = lock(&self.places[place].running).clone();
        let Some((group, chat)) = running else { return false };
        self.sim.start(group, work(chat));
        true
    }

    /// A request. None if no answer came: the process was away, or was killed, or the answer was lost, and what was
    /// asked for may have been done or may yet be done.
    pub async fn ask<T, F>(&self, place: usize, work: impl FnOnce(Chat) -> F) -> Option<T>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        self.sim.pause().await;
        let (answer, answered) = oneshot::channel();
        let started = self.inside(place, |chat| {
            let work = work(chat);
            async move { drop(answer.send(work.await)) }
        });
        if !started {
            return None;
        }
        if self.sim.goes_wrong(25) {
            // Whoever asked does not wait for it: the work goes on.
            self.sim.pause().await;
            return None;
        }
        let answer = answered.await.ok();
        self.sim.pause().await;
        answer
    }

    /// Takes the database back to `backup`, under everybody's feet.
    pub fn put_back(&self, backup: super::memory::Tables) {
        self.sim.tell(|| "the database is put back".to_owned());
        let heads = backup.heads.iter().map(|(user, head)| (*user, *head)).collect();
        self.database.put_back(backup);
        lock(&self.put_backs).push(PutBack { lineage: self.database.lineage(), heads });
    }

    /// Where a user's log stands, for those who know.
    pub fn true_head(&self, user: UserId) -> i64 {
        lock(&self.database.inner).tables.heads.get(&user).map_or(0, |head| head.pos)
    }

    /// Checks an invariant; `what` begins with its name.
    pub fn must(&self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.sim.fail(what());
        }
    }
}
