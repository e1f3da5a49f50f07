//! Taking the steps: which task is next, when time passes, and who is ended.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

use super::{Group, Sim, Task, lock};

/// Wakes one task by noting its place.
struct Place {
    place: usize,
    ready: Arc<Mutex<BTreeSet<usize>>>,
}

impl Wake for Place {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        lock(&self.ready).insert(self.place);
    }
}

struct Running {
    group: Group,
    task: Task,
    waker: Waker,
}

/// Takes the steps.
pub struct Scheduler {
    sim: Sim,
    tasks: Vec<Option<Running>>,
    ready: Arc<Mutex<BTreeSet<usize>>>,
}

/// More steps than any schedule has: somebody goes round in circles.
const MOST_STEPS: u64 = 200_000;

impl Scheduler {
    pub fn new(sim: &Sim) -> Self {
        Self { sim: sim.clone(), tasks: Vec::new(), ready: Arc::default() }
    }

    /// Runs until `done`, a failure, or the end of the given time. False if it was not done by then.
    pub fn run_until(&mut self, limit: u64, done: impl Fn() -> bool) -> bool {
        let end = self.sim.now() + limit;
        loop {
            self.end_the_killed();
            self.place_the_started();
            if self.sim.failure().is_some() || done() {
                return true;
            }
            match self.choose() {
                Some(place) => self.take_step(place),
                None if self.pass_time(end) => {}
                None => return false,
            }
        }
    }

    fn end_the_killed(&mut self) {
        loop {
            let killed = std::mem::take(&mut lock(&self.sim.0).killed);
            if killed.is_empty() {
                return;
            }
            let of_killed = |running: &Running| killed.contains(&running.group);
            // Dropped one by one: what they hold may wake or start others.
            for place in 0..self.tasks.len() {
                if self.tasks[place].as_ref().is_some_and(of_killed) {
                    drop(self.tasks[place].take());
                }
            }
            let started = std::mem::take(&mut lock(&self.sim.0).started);
            let (dead, alive): (Vec<_>, Vec<_>) = started.into_iter().partition(|(group, _)| killed.contains(group));
            lock(&self.sim.0).started = alive;
            drop(dead);
        }
    }

    fn place_the_started(&mut self) {
        let started = std::mem::take(&mut lock(&self.sim.0).started);
        for (group, task) in started {
            let free = self.tasks.iter().position(Option::is_none);
            let place = free.unwrap_or(self.tasks.len());
            let waker = Waker::from(Arc::new(Place { place, ready: self.ready.clone() }));
            let running = Some(Running { group, task, waker });
            match free {
                Some(_) => self.tasks[place] = running,
                None => self.tasks.push(running),
            }
            lock(&self.ready).insert(place);
        }
    }

    fn choose(&self) -> Option<usize> {
        let mut ready = lock(&self.ready);
        let n = self.sim.below(ready.len() as u64);
        let place = *ready.iter().nth(usize::try_from(n).unwrap_or(0))?;
        ready.remove(&place);
        Some(place)
    }

    fn take_step(&mut self, place: usize) {
        let steps = {
            let mut state = lock(&self.sim.0);
            state.steps += 1;
            state.steps
        };
        if steps > MOST_STEPS {
            return self.sim.fail("I20 liveness: the schedule does not end".to_owned());
        }
        let Some(running) = &mut self.tasks[place] else { return };
        if running.task.as_mut().poll(&mut Context::from_waker(&running.waker)).is_ready() {
            self.tasks[place] = None;
        }
    }

    /// Nobody can go on: the next moment at which somebody can. False if there is none before `end`.
    fn pass_time(&mut self, end: u64) -> bool {
        let mut state = lock(&self.sim.0);
        match state.timers.first_key_value() {
            Some((&(at, _), _)) if at <= end => {
                state.now = state.now.max(at);
                let later = state.timers.split_off(&(at, u64::MAX));
                let due = std::mem::replace(&mut state.timers, later);
                drop(state);
                due.into_values().for_each(Waker::wake);
                true
            }
            _ => {
                state.now = end;
                false
            }
        }
    }
}

/// What was started and never placed holds the world, which holds it.
impl Drop for Scheduler {
    fn drop(&mut self) {
        self.tasks.clear();
        let started = std::mem::take(&mut lock(&self.sim.0).started);
        drop(started);
    }
}
