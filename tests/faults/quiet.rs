//! People who are seldom written to. Whoever is busy is told of a message by the next one, whatever became of its own
//! word on the bus; these show how long it takes when nothing else wakes them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::task::JoinHandle;

use crate::calls::{Caller, Calls, Letter};
use crate::history::Phase;
use crate::load::{Load, Scale};
use crate::site::{Person, Plan, Site};

/// How many they are.
const PEOPLE: usize = 16;
/// One of them is written to this often.
const EVERY: Duration = Duration::from_millis(100);
/// How far the usual load reaches beyond its lanes.
const FRIENDS: usize = 3;

pub struct Quiet {
    pub devices: Vec<Arc<str>>,
    stop: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Quiet {
    /// A site with room for them beside the usual load.
    pub fn beside(scale: &Scale, plan: Plan) -> Plan {
        Plan { people: plan.people.max(scale.lanes + FRIENDS + 1 + PEOPLE), ..plan }
    }

    /// Somebody to whom nobody ever writes.
    pub fn hermit<'a>(site: &'a Site, scale: &Scale) -> &'a Person {
        &site.people[scale.lanes + FRIENDS]
    }

    /// The last people of the site begin to write to each other, now and then, through any process.
    pub fn start(site: &Site, load: &Load, seed: u64) -> Self {
        let people = &site.people[site.people.len() - PEOPLE..];
        let callers: Vec<_> = people
            .iter()
            .map(|person| Caller {
                user: person.name.clone(),
                device: format!("{}/quiet", person.name).into(),
                cookie: person.cookie(),
            })
            .collect();
        let devices = load.devices.iter().map(|device| &device.caller);
        let devices = devices.filter(|caller| people.iter().any(|person| person.name == caller.user));
        let devices = devices.map(|caller| caller.device.clone()).collect();
        let stop = Arc::new(AtomicBool::default());
        let work = write(load.calls.clone(), callers, stop.clone(), SmallRng::seed_from_u64(seed));
        Self { devices, stop, task: tokio::spawn(work) }
    }

    pub async fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.expect("it ends well");
    }
}

async fn write(calls: Calls, callers: Vec<Caller>, stop: Arc<AtomicBool>, mut rng: SmallRng) {
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        number += 1;
        let from = rng.random_range(0..callers.len());
        let to = callers[(from + rng.random_range(1..callers.len())) % callers.len()].user.clone();
        let key = format!("quiet-{number}");
        let letter = Letter { to, body: format!("{key} from {}", callers[from].user), key: Some(key.into()) };
        loop {
            let process = rng.random_range(0..calls.processes());
            let (phase, _, _) = calls.send(process, &callers[from], &letter).await;
            if phase == Phase::Ok || stop.load(Ordering::Relaxed) {
                break;
            }
            tokio::time::sleep(EVERY / 4).await;
        }
        tokio::time::sleep(EVERY).await;
    }
}
