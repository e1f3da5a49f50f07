//! Hashing passwords beside everything else: a few at a time, on threads that let messages go first.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

#[cfg(target_os = "linux")]
use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy, thread_native_id,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::password::{Memory, Verdict, hash, verify};

/// How many are hashed at once, at most: bounds the memory.
const AT_ONCE: usize = 2;

/// Half of the processors, one or two: the other half is free at once for a message. Priority alone is not enough: each
/// of the dozen threads that a message is handed to would wait until the system takes a processor from a hash.
fn at_once() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| processors.get() / 2).clamp(1, AT_ONCE)
}

/// How far hashing steps back behind everything else: with 10, a ninth of the processor is left to it.
#[cfg(target_os = "linux")]
const STEP_BACK: i32 = 10;
/// When so many more wait, hashing steps back all the way.
const CROWD: usize = 2;
/// What has stepped back all the way is begun anew after this time, in which it would have been done ten times over.
const PATIENCE: Duration = Duration::from_millis(500);

/// The system starts no thread: nothing true can be said of a password now.
#[derive(Clone, Debug, thiserror::Error)]
#[error("a password cannot be hashed: {0}")]
pub struct NoThread(String);

/// Hashes on threads of its own, a few at a time, stepping back behind the rest of the program (on Linux): messages go
/// first. Clones share the limit.
#[derive(Clone)]
pub struct Hasher {
    slots: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    starved: Arc<AtomicUsize>,
    spare: Arc<Mutex<Vec<Memory>>>,
}

/// One more of something, until it is dropped.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn one_more(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Default for Hasher {
    fn default() -> Self {
        let slots = Arc::new(Semaphore::new(at_once()));
        Self { slots, waiting: Arc::default(), starved: Arc::default(), spare: Arc::default() }
    }
}

impl Hasher {
    /// A new hash, in PHC form.
    pub async fn hash(&self, password: &str) -> Result<String, NoThread> {
        let password = password.to_owned();
        self.apart(move |memory| hash(&password, memory)).await
    }

    /// Whether the password fits the hash. Without a hash it is compared with one that nothing fits, at the same cost.
    pub async fn verify(&self, hash: Option<String>, password: &str) -> Result<Verdict, NoThread> {
        let password = password.to_owned();
        self.apart(move |memory| verify(hash.as_deref(), &password, memory)).await
    }

    /// A thread for each: it starts in microseconds, a hash takes some ten milliseconds, and its memory and its
    /// priority go with it. The slot goes with the work, so that nobody who stops waiting makes room for one too many.
    ///
    /// In a crowd hashing steps back all the way, and where something else keeps every processor that would be for ever:
    /// what has not come to its end in time is begun once more on a thread that steps back a little. Until the first one
    /// is gone too, nobody steps back all the way: so there are never more than two for each slot.
    async fn apart<T, W>(&self, work: W) -> Result<T, NoThread>
    where
        T: Send + 'static,
        W: Fn(&mut Memory) -> T + Send + Sync + 'static,
    {
        let waiting = Counted::one_more(&self.waiting);
        let slot = self.slots.clone().acquire_owned().await.map_err(|e| NoThread(e.to_string()))?;
        drop(waiting);
        let crowd = self.waiting.load(Ordering::Relaxed) >= CROWD && self.starved.load(Ordering::Relaxed) == 0;
        let (done, mut result) = oneshot::channel();
        let end = Mutex::new(Some((slot, done)));
        let run = Arc::new(Run { work, hasher: self.clone(), end, starved: OnceLock::new() });
        run.clone().start(crowd)?;
        if crowd {
            if let Ok(done) = tokio::time::timeout(PATIENCE, &mut result).await {
                return done.map_err(|e| NoThread(e.to_string()));
            }
            run.starved.get_or_init(|| Counted::one_more(&self.starved));
            run.clone().start(false)?;
        }
        drop(run);
        result.await.map_err(|e| NoThread(e.to_string()))
    }
}

impl Hasher {
    /// None while somebody else is at it, who may have no processor: nobody waits for that.
    fn spare(&self) -> Option<MutexGuard<'_, Vec<Memory>>> {
        self.spare.try_lock().ok()
    }

    /// Memory is kept for those who wait, and for nobody else.
    fn keep(&self, memory: Memory) {
        let Some(mut spare) = self.spare() else { return };
        if self.waiting.load(Ordering::Relaxed) > 0 {
            if memory.is_worth_keeping() && spare.len() < at_once() {
                spare.push(memory);
            }
            return;
        }
        let all = std::mem::take(&mut *spare);
        // To give it back takes the system a while.
        drop(spare);
        drop(all);
    }
}

/// One piece of work, on one thread or on two of which the quicker one counts.
struct Run<W, T> {
    work: W,
    hasher: Hasher,
    /// For whoever comes to the end first.
    end: Mutex<Option<(OwnedSemaphorePermit, oneshot::Sender<T>)>>,
    /// From the start of a second thread until both are gone.
    starved: OnceLock<Counted>,
}

impl<W: Fn(&mut Memory) -> T + Send + Sync + 'static, T: Send + 'static> Run<W, T> {
    fn start(self: Arc<Self>, all_the_way: bool) -> Result<(), NoThread> {
        let thread = std::thread::Builder::new().name("chatd-hash".to_owned()).spawn(move || {
            step_back(all_the_way);
            let mut memory = self.hasher.spare().and_then(|mut spare| spare.pop()).unwrap_or_default();
            let value = (self.work)(&mut memory);
            self.hasher.keep(memory);
            let end = self.end.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some((slot, done)) = end {
                drop(slot);
                // Whoever asked may have gone.
                let _ = done.send(value);
            }
        });
        thread.map(drop).map_err(|e| NoThread(e.to_string()))
    }
}

/// Lets the rest of the program go first. A little always: then one who signs in has a ninth of a processor however busy
/// the others are. In a crowd this thread runs only while nothing else wants the processor, and whatever wakes up takes
/// its place at once; a thread of any other priority may finish its slice of some milliseconds first. Where that is
/// forbidden, hashing competes with the rest.
fn step_back(crowd: bool) {
    #[cfg(target_os = "linux")]
    {
        if let Err(e) = rustix::process::nice(STEP_BACK) {
            tracing::debug!(error = %e, "passwords are hashed at the priority of everything else");
        }
        let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        if crowd && let Err(e) = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle) {
            tracing::debug!(error = ?e, "messages wait for passwords that are hashed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    const SCHED_IDLE: i32 = 5;

    /// This thread's name, its nice value and its scheduling policy.
    #[cfg(target_os = "linux")]
    fn thread() -> (String, i32, i32) {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        let (name, rest) = stat.split_once('(').unwrap().1.rsplit_once(')').unwrap();
        let field = |n| rest.split_whitespace().nth(n).unwrap().parse().unwrap();
        (name.to_owned(), field(16), field(38))
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn hashing_steps_back_and_in_a_crowd_all_the_way() {
        let before = thread();
        assert_ne!(before.2, SCHED_IDLE);
        let hasher = Hasher::default();
        let alone = hasher.apart(|_| thread()).await.unwrap();
        assert_eq!(alone, ("chatd-hash".to_owned(), (before.1 + STEP_BACK).min(19), before.2));
        let policies = idle(&hasher, async || {
            let all = hasher.slots.clone().acquire_many_owned(u32::try_from(at_once()).unwrap()).await.unwrap();
            let crowd: Vec<_> = (0..4)
                .map(|_| {
                    tokio::spawn({
                        let hasher = hasher.clone();
                        async move { hasher.apart(|_| thread()).await.unwrap().2 }
                    })
                })
                .collect();
            while hasher.waiting.load(Ordering::Relaxed) < 4 {
                tokio::task::yield_now().await;
            }
            drop(all);
            let mut policies = Vec::new();
            for one in crowd {
                policies.push(one.await.unwrap());
            }
            policies
        })
        .await;
        assert_eq!(policies[3], before.2, "nobody waits any more: {policies:?}");
        assert_eq!(hasher.waiting.load(Ordering::Relaxed), 0);
        assert_eq!(thread(), before);
    }

    /// What hashing gives whose first thread stepped back all the way. On a machine that is busy with something else that
    /// is begun once more, as it has to be; then it is tried again, for a minute.
    #[cfg(target_os = "linux")]
    async fn idle(hasher: &Hasher, hash: impl AsyncFn() -> Vec<i32>) -> Vec<i32> {
        let begun = std::time::Instant::now();
        loop {
            while hasher.starved.load(Ordering::Relaxed) > 0 {
                tokio::task::yield_now().await;
            }
            let policies = hash().await;
            if policies[0] == SCHED_IDLE {
                return policies;
            }
            assert!(begun.elapsed().as_secs() < 60, "it never steps back all the way: {policies:?}");
        }
    }

    /// A machine on which nothing that steps back all the way gets a processor, until `end` is gone.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_gets_no_processor_in_a_crowd_is_begun_once_more() {
        let hasher = Hasher::default();
        let _crowd: Vec<_> = (0..CROWD).map(|_| Counted::one_more(&hasher.waiting)).collect();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let ended = Arc::new(Mutex::new(ended));
        let begun = Arc::<AtomicUsize>::default();
        let policy = || {
            let (ended, begun) = (ended.clone(), begun.clone());
            hasher.apart(move |_| {
                begun.fetch_add(1, Ordering::Relaxed);
                let (_, _, policy) = thread();
                if policy == SCHED_IDLE {
                    let _ = ended.lock().unwrap().recv();
                }
                policy
            })
        };
        assert_ne!(policy().await.unwrap(), SCHED_IDLE);
        assert_eq!(begun.load(Ordering::Relaxed), 2);
        assert_eq!(hasher.slots.available_permits(), at_once(), "its slot is free");
        assert_ne!(policy().await.unwrap(), SCHED_IDLE);
        assert_eq!(begun.load(Ordering::Relaxed), 3, "nobody else tries it meanwhile");
        drop(end);
        idle(&hasher, async || vec![policy().await.unwrap()]).await;
    }

    #[tokio::test]
    async fn memory_is_kept_for_those_who_wait() {
        let hasher = Hasher::default();
        hasher.hash("one").await.unwrap();
        assert_eq!(hasher.spare().unwrap().len(), 0);
        let others = Counted::one_more(&hasher.waiting);
        for password in ["two", "three"] {
            hasher.hash(password).await.unwrap();
            assert_eq!(hasher.spare().unwrap().len(), 1);
        }
        drop(others);
        hasher.hash("the last one").await.unwrap();
        assert_eq!(hasher.spare().unwrap().len(), 0);
    }

    #[tokio::test]
    async fn who_stops_waiting_makes_no_room() {
        let hasher = Hasher::default();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let ended = Arc::new(Mutex::new(ended));
        for _ in 0..at_once() {
            let ended = ended.clone();
            let work = hasher.apart(move |_| ended.lock().unwrap().recv().is_ok());
            assert!(tokio::time::timeout(Duration::from_millis(50), work).await.is_err(), "it works");
        }
        assert_eq!(hasher.slots.available_permits(), 0);
        drop(end);
        assert_eq!(hasher.verify(None, "").await.unwrap(), Verdict::default());
    }
}
