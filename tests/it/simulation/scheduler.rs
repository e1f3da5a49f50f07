//! The scheduler: one thread, time that passes only when nobody can go on, and a seed that decides everything else.
//!
//! A task is any future. Whenever several can go on, the seed chooses which one takes the next step; what wakes them
//! in which order decides nothing. So a seed is a schedule, and the same seed is the same schedule.

mod steps;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

pub use steps::Scheduler;

/// Something that takes steps.
type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What ends together: the tasks of one process. Zero is nobody's.
pub type Group = u64;

/// The one lock of everything simulated that is shared; a failed schedule poisons nothing.
pub fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Default)]
struct State {
    random: u64,
    /// Milliseconds since the beginning.
    now: u64,
    steps: u64,
    sleeps: u64,
    timers: BTreeMap<(u64, u64), Waker>,
    started: Vec<(Group, Task)>,
    killed: Vec<Group>,
    /// One in so many of the places where something may go wrong does; never if 0.
    trouble: u64,
    told: Vec<String>,
    tells: bool,
    failure: Option<String>,
}

/// The world's time and chance, as its inhabitants hold it.
#[derive(Clone)]
pub struct Sim(Arc<Mutex<State>>);

impl Sim {
    /// A world without trouble; `tells` keeps its steps for a reader.
    pub fn new(seed: u64, tells: bool) -> Self {
        Self(Arc::new(Mutex::new(State { random: seed, tells, ..State::default() })))
    }

    /// The next number of the seed (SplitMix64: the same on every machine and for ever).
    pub fn random(&self) -> u64 {
        let mut state = lock(&self.0);
        state.random = state.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub fn below(&self, n: u64) -> u64 {
        self.random() % n.max(1)
    }

    /// One of a few.
    pub fn pick<'a, T>(&self, of: &'a [T]) -> &'a T {
        &of[usize::try_from(self.below(of.len() as u64)).unwrap_or(0)]
    }

    /// True once in `n`, if there is trouble at all.
    pub fn goes_wrong(&self, n: u64) -> bool {
        let trouble = lock(&self.0).trouble;
        trouble > 0 && self.below(n * trouble) == 0
    }

    /// How much goes wrong: nothing at 0, most at 1, less above.
    pub fn set_trouble(&self, trouble: u64) {
        lock(&self.0).trouble = trouble;
    }

    pub fn now(&self) -> u64 {
        lock(&self.0).now
    }

    /// A number that rises with each step anybody takes.
    pub fn step(&self) -> u64 {
        lock(&self.0).steps
    }

    /// Starts a task; it takes its first step when it is chosen.
    pub fn start(&self, group: Group, task: impl Future<Output = ()> + Send + 'static) {
        lock(&self.0).started.push((group, Box::pin(task)));
    }

    /// Ends the tasks of a process, wherever they stand, before anybody takes another step.
    pub fn kill(&self, group: Group) {
        lock(&self.0).killed.push(group);
    }

    /// Others may go first.
    pub async fn give_way(&self) {
        GiveWay(false).await;
    }

    /// A step that takes as long as it takes: others may go first, and now and then many do.
    pub async fn pause(&self) {
        if self.goes_wrong(8) {
            self.sleep(1 + self.below(1500)).await;
        } else {
            self.give_way().await;
        }
    }

    pub fn sleep(&self, millis: u64) -> Sleep {
        Sleep { sim: self.clone(), until: self.now() + millis, set: false }
    }

    /// Notes what happened, for whoever repeats this seed.
    pub fn tell(&self, what: impl FnOnce() -> String) {
        let mut state = lock(&self.0);
        if state.tells {
            let line = format!("{:>4} {:>6} ms  {}", state.steps, state.now, what());
            state.told.push(line);
        }
    }

    pub fn told(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.0).told)
    }

    /// An invariant does not hold: the first one is what the schedule found.
    pub fn fail(&self, what: String) {
        self.tell(|| format!("FAILED {what}"));
        lock(&self.0).failure.get_or_insert(what);
    }

    pub fn failure(&self) -> Option<String> {
        lock(&self.0).failure.clone()
    }
}

struct GiveWay(bool);

impl Future for GiveWay {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Waits for a moment of the world's time.
pub struct Sleep {
    sim: Sim,
    until: u64,
    set: bool,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let sim = self.sim.clone();
        let mut state = lock(&sim.0);
        if state.now >= self.until {
            return Poll::Ready(());
        }
        if !std::mem::replace(&mut self.set, true) {
            state.sleeps += 1;
            let key = (self.until, state.sleeps);
            state.timers.insert(key, cx.waker().clone());
        }
        Poll::Pending
    }
}
