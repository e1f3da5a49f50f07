//! The bus between the simulated processes. Inside of a process it is the program's own registry; between processes it
//! loses, doubles and delays words (and so puts them into another order) as the schedule wants it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chatd::bus::{Bus, Registry, Signal, Subscription};
use chatd::domain::UserId;

use super::scheduler::{Sim, lock};

/// What happens to words, in percent and milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Mood {
    pub lost: u64,
    pub doubled: u64,
    pub late: u64,
}

impl Mood {
    pub const FINE: Self = Self { lost: 0, doubled: 0, late: 10 };
    /// Everything that may happen to a notification (I19).
    pub const ALL: [Self; 5] = [
        Self::FINE,
        Self { lost: 100, doubled: 0, late: 0 },
        Self { lost: 0, doubled: 100, late: 1500 },
        Self { lost: 30, doubled: 30, late: 5000 },
        Self { lost: 60, doubled: 0, late: 400 },
    ];
}

/// What lies between the processes.
pub struct Network {
    sim: Sim,
    pub mood: Mutex<Mood>,
    listening: Mutex<BTreeMap<usize, Registry>>,
}

impl Network {
    pub fn new(sim: &Sim) -> Arc<Self> {
        Arc::new(Self { sim: sim.clone(), mood: Mutex::new(Mood::FINE), listening: Mutex::default() })
    }

    /// A process comes, with nobody who listens yet.
    pub fn join(self: &Arc<Self>, process: usize) -> Arc<SimBus> {
        let registry = Registry::default();
        lock(&self.listening).insert(process, registry.clone());
        Arc::new(SimBus { process, registry, network: self.clone() })
    }

    pub fn leave(&self, process: usize) {
        lock(&self.listening).remove(&process);
    }

    fn say(&self, from: usize, user: UserId) {
        let mood = *lock(&self.mood);
        let others: Vec<_> =
            lock(&self.listening).iter().filter(|(to, _)| **to != from).map(|(_, r)| r.clone()).collect();
        for registry in others {
            let times =
                if self.sim.below(100) < mood.lost { 0 } else { 1 + u64::from(self.sim.below(100) < mood.doubled) };
            for _ in 0..times {
                let (sim, registry, late) = (self.sim.clone(), registry.clone(), self.sim.below(mood.late + 1));
                self.sim.start(0, async move {
                    sim.sleep(late).await;
                    registry.wake(user);
                });
            }
        }
    }
}

/// The bus as one process has it.
pub struct SimBus {
    process: usize,
    registry: Registry,
    network: Arc<Network>,
}

#[async_trait]
impl Bus for SimBus {
    async fn publish(&self, reached: &[(UserId, i64)]) {
        for (user, _) in reached {
            self.registry.wake(*user);
            self.network.say(self.process, *user);
        }
    }

    async fn signal(&self, user: UserId, signal: Signal) {
        self.registry.signal(user, signal);
    }

    async fn subscribe(&self, user: UserId) -> Subscription {
        let subscription = self.registry.join(user);
        // Until the bus has confirmed it.
        self.network.sim.pause().await;
        subscription
    }

    fn registry(&self) -> &Registry {
        &self.registry
    }

    fn is_healthy(&self) -> bool {
        true
    }
}
