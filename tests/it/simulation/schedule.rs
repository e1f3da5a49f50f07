//! One schedule: a world made from a seed, a while of trouble, healing, and what must hold then.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use chatd::chat::Letter;
use chatd::domain::{NewUser, Timestamp, User, Username};
use chatd::store::Users as _;

use super::bugs::Bug;
use super::checks::check;
use super::device::{Device, live};
use super::memory::{Database, MemoryStore};
use super::network::Mood;
use super::person::act;
use super::scheduler::{Scheduler, Sim, lock};
use super::world::World;

/// The longest that a schedule's trouble may last, in milliseconds of its own time.
const TROUBLE: u64 = 120_000;
/// How long after healing everybody must be up to date (I10).
const HEALING: u64 = 10_000;
/// How long after healing a send may take (I20).
const FIRST_SEND: u64 = 5000;

/// What came of a schedule.
pub struct Verdict {
    pub failure: Option<String>,
    /// What happened, if it was to be told.
    pub told: Vec<String>,
    pub steps: u64,
}

/// Runs the schedule of a seed.
pub fn run(seed: u64, bug: Option<Bug>, tells: bool) -> Verdict {
    let sim = Sim::new(seed, tells);
    let mut scheduler = Scheduler::new(&sim);
    let world = populate(&sim, bug);
    sim.set_trouble([0, 1, 1, 2, 4][usize::try_from(sim.below(5)).unwrap_or(0)]);
    begin(&world);
    if !scheduler.run_until(TROUBLE, || world.busy.load(Ordering::Relaxed) == 0) {
        sim.fail("I20 liveness: somebody waits for ever".to_owned());
    }
    heal(&world);
    scheduler.run_until(HEALING, || false);
    finish(&mut scheduler, &world, "the checks", HEALING, check(world.clone()));
    for place in 0..world.places.len() {
        finish(&mut scheduler, &world, "a send after healing", FIRST_SEND, send_once(world.clone(), place));
    }
    Verdict { failure: sim.failure(), told: sim.told(), steps: sim.step() }
}

fn populate(sim: &Sim, bug: Option<Bug>) -> Arc<World> {
    let database = Database::new(sim, bug);
    let store = MemoryStore::new(&database);
    let people: Vec<_> = ["ann", "bob", "carol"].into_iter().map(|name| add(&store, name)).collect();
    let places = usize::try_from(1 + sim.below(3)).unwrap_or(1);
    let mut world = World::new(sim, places, people, database);
    let owners = [0, 0, 1, 1, 2].into_iter().take(usize::try_from(3 + sim.below(3)).unwrap_or(5));
    for owner in owners {
        let user = world.people[owner].id;
        world.devices.push(Mutex::new(Device { user, ..Device::default() }));
    }
    Arc::new(world)
}

/// Adds a user before the world has begun: nobody else is there to go first.
fn add(store: &MemoryStore, name: &str) -> User {
    let new = NewUser {
        username: Username::new(name).expect("a name"),
        password_hash: "!".to_owned(),
        email: String::new(),
        is_staff: false,
        is_superuser: false,
    };
    let mut adding = store.add_user(&new, Timestamp(0));
    loop {
        if let Poll::Ready(added) = adding.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return added.expect("a new name");
        }
    }
}

fn begin(world: &Arc<World>) {
    for place in 0..world.places.len() {
        world.start(place);
    }
    for number in 0..world.devices.len() {
        let user = lock(&world.devices[number]).user;
        let me = world.people.iter().find(|person| person.id == user).expect("a device has an owner").clone();
        world.sim.start(0, live(world.clone(), number));
        world.busy.fetch_add(1, Ordering::Relaxed);
        world.sim.start(0, act(world.clone(), me, 4 + world.sim.below(8)));
    }
    world.busy.fetch_add(1, Ordering::Relaxed);
    world.sim.start(0, make_trouble(world.clone(), 2 + world.sim.below(8)));
}

/// What befalls the world from outside.
async fn make_trouble(world: Arc<World>, much: u64) {
    let mut backup = None;
    for _ in 0..much {
        world.sim.sleep(world.sim.below(1200)).await;
        let place = world.any_place();
        match world.sim.below(12) {
            0..=3 => {
                world.kill(place);
                let again = world.clone();
                let pause = world.sim.below(2000);
                world.sim.start(0, async move {
                    again.sim.sleep(pause).await;
                    again.start(place);
                });
            }
            4..=5 => *lock(&world.network.mood) = *world.sim.pick(&Mood::ALL),
            6 => {
                let hour = 3_600_000_000;
                world.set_clock(place, *world.sim.pick(&[0, hour, -hour, -24 * hour, 10 * 365 * 24 * hour]));
            }
            7 => {
                let keep = 1 + i64::try_from(world.sim.below(5)).unwrap_or(0);
                let store = MemoryStore::new(&world.database);
                world.sim.tell(|| format!("logs are pruned to {keep} rows"));
                let _ = chatd::store::Logs::prune_events(&*store, Timestamp(i64::MIN), keep).await;
            }
            _ if !world.puts_back => {}
            _ => match backup.take() {
                None => {
                    world.sim.tell(|| "a backup is made".to_owned());
                    backup = Some(world.database.backup());
                }
                Some(backup) => world.put_back(backup),
            },
        }
    }
    if world.puts_back && world.sim.below(2) == 0 {
        let_history_repeat(&world).await;
    }
    world.busy.fetch_sub(1, Ordering::Relaxed);
}

/// The database is put back, and what happens then fills the very places that were lost: no number tells.
async fn let_history_repeat(world: &World) {
    let (from, to) = (world.sim.pick(&world.people), world.sim.pick(&world.people));
    let backup = world.database.backup();
    world.send(from, to).await;
    // Everybody has been told, and the heads have been read.
    world.sim.sleep(6000).await;
    world.put_back(backup);
    world.send(from, to).await;
}

fn heal(world: &World) {
    world.sim.tell(|| "everything heals".to_owned());
    world.sim.set_trouble(0);
    *lock(&world.network.mood) = Mood::FINE;
    for place in 0..world.places.len() {
        world.start(place);
    }
}

/// Runs something to its end, which must come within `limit`.
fn finish(
    scheduler: &mut Scheduler,
    world: &World,
    what: &str,
    limit: u64,
    work: impl Future<Output = ()> + Send + 'static,
) {
    let done = Arc::new(AtomicBool::new(false));
    let end = done.clone();
    world.sim.start(0, async move {
        work.await;
        end.store(true, Ordering::Relaxed);
    });
    if !scheduler.run_until(limit, || done.load(Ordering::Relaxed)) {
        world.sim.fail(format!("I20 liveness: {what} does not end"));
    }
}

async fn send_once(world: Arc<World>, place: usize) {
    let (from, body) = (world.people[0].id, chatd::domain::Body::new("after all", 100).expect("a body"));
    let sent = world
        .ask(place, |chat| async move {
            chat.send(from, Letter { recipient: "bob", body, key: None, reply_to: None }).await
        })
        .await;
    world.must(matches!(sent, Some(Ok(_))), || format!("I20 liveness: a send after healing came to {sent:?}"));
}
