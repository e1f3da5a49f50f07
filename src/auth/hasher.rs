//! Hashing passwords beside everything else: a few at a time, on threads that let messages go first.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[cfg(target_os = "linux")]
use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy, thread_native_id,
};
use tokio::sync::Semaphore;

use super::password::{Verdict, hash, verify};

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
}

/// Counts somebody who waits for a slot, and no longer when dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn one_more(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Default for Hasher {
    fn default() -> Self {
        Self { slots: Arc::new(Semaphore::new(at_once())), waiting: Arc::default() }
    }
}

impl Hasher {
    /// A new hash, in PHC form.
    pub async fn hash(&self, password: &str) -> Result<String, NoThread> {
        let password = password.to_owned();
        self.apart(move || hash(&password)).await
    }

    /// Whether the password fits the hash. Without a hash it is compared with one that nothing fits, at the same cost.
    pub async fn verify(&self, hash: Option<String>, password: &str) -> Result<Verdict, NoThread> {
        let password = password.to_owned();
        self.apart(move || verify(hash.as_deref(), &password)).await
    }

    /// A thread for each: it starts in microseconds, a hash takes some ten milliseconds, and its memory and its
    /// priority go with it. The slot goes with the work, so that nobody who stops waiting makes room for one too many.
    async fn apart<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, NoThread> {
        let waiting = Waiting::one_more(&self.waiting);
        let slot = self.slots.clone().acquire_owned().await.map_err(|e| NoThread(e.to_string()))?;
        drop(waiting);
        let crowd = self.waiting.load(Ordering::Relaxed) >= CROWD;
        let (done, result) = tokio::sync::oneshot::channel();
        let thread = std::thread::Builder::new().name("chatd-hash".to_owned()).spawn(move || {
            step_back(crowd);
            let value = work();
            drop(slot);
            // Whoever asked may have gone.
            let _ = done.send(value);
        });
        thread.map_err(|e| NoThread(e.to_string()))?;
        result.await.map_err(|e| NoThread(e.to_string()))
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
    #[tokio::test]
    async fn hashing_steps_back_and_in_a_crowd_all_the_way() {
        const SCHED_IDLE: i32 = 5;
        /// This thread's name, its nice value and its scheduling policy.
        fn thread() -> (String, i32, i32) {
            let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
            let (name, rest) = stat.split_once('(').unwrap().1.rsplit_once(')').unwrap();
            let field = |n| rest.split_whitespace().nth(n).unwrap().parse().unwrap();
            (name.to_owned(), field(16), field(38))
        }
        let before = thread();
        assert_ne!(before.2, SCHED_IDLE);
        let hasher = Hasher::default();
        let alone = hasher.apart(thread).await.unwrap();
        assert_eq!(alone, ("chatd-hash".to_owned(), (before.1 + STEP_BACK).min(19), before.2));
        let all = hasher.slots.clone().acquire_many_owned(u32::try_from(at_once()).unwrap()).await.unwrap();
        let crowd: Vec<_> = (0..4)
            .map(|_| {
                tokio::spawn({
                    let hasher = hasher.clone();
                    async move { hasher.apart(thread).await.unwrap().2 }
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
        assert_eq!(policies[0], SCHED_IDLE, "{policies:?}");
        assert_eq!(policies[3], before.2, "nobody waits any more: {policies:?}");
        assert_eq!(hasher.waiting.load(Ordering::Relaxed), 0);
        assert_eq!(thread(), before);
    }

    #[tokio::test]
    async fn who_stops_waiting_makes_no_room() {
        let hasher = Hasher::default();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let ended = Arc::new(std::sync::Mutex::new(ended));
        for _ in 0..at_once() {
            let ended = ended.clone();
            let work = hasher.apart(move || ended.lock().unwrap().recv().is_ok());
            assert!(tokio::time::timeout(std::time::Duration::from_millis(50), work).await.is_err(), "it works");
        }
        assert_eq!(hasher.slots.available_permits(), 0);
        drop(end);
        assert_eq!(hasher.verify(None, "").await.unwrap(), Verdict::default());
    }
}
