//! Natural group commit: whatever sends are waiting when the last commit ends go into the next one.
//!
//! One worker a process: SQLite has one writer, and on MySQL two and four measured no quicker than one, because they
//! wait for each other's head locks. It has a thread of its own, and on MySQL a connection of its own: on the threads
//! that serve requests each of its steps would wait for whatever they have to do first (at 64 in flight on MariaDB that
//! was a fifth of all sends).
//!
//! It waits for nobody's head: what another process holds is put off, and goes into a later batch.

use std::collections::{HashSet, VecDeque};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::db::Db;
use super::error::{Fault, StoreError};
use super::patience::{left, spend};
use super::retry::{Attempt, retrying};
use super::sql::{Keys, Outcome, store_batch};
use crate::domain::{MessageId, NewMessage, Sent};

/// The most messages of one transaction.
const BATCH: usize = 64;
/// The most sends that wait; beyond it a send is refused at once, with nothing stored.
const WAITING: usize = 4096;
/// How long a send waits for its answer.
const PATIENCE: Duration = Duration::from_millis(2800);

/// A send that waits for somebody else's lock is given up after this long: before its sender loses patience, so that it
/// is certain that nothing was stored.
const PUT_OFF: Duration = Duration::from_millis(2500);
/// How many of those go into a batch: the others have the rest of it.
const PUT_OFF_BATCH: usize = BATCH / 2;
/// How long the worker rests, in milliseconds, when it has nothing but those.
const PAUSE: Range<u64> = 2..6;
const LOST: &str = "the connection was lost in COMMIT; each message is looked up and tried again";

struct Job {
    new: NewMessage,
    since: Instant,
    doubt: Doubt,
    taken: Arc<Claim>,
    /// Among those that wait, wherever that is.
    _place: OwnedSemaphorePermit,
    answer: oneshot::Sender<Result<Sent, StoreError>>,
}

/// Whether tries of ours may have stored it already, and as which messages: so a message that is found is told from one
/// that somebody else stored with the same key.
#[derive(Clone, Default)]
struct Doubt {
    is: bool,
    ours: Vec<MessageId>,
}

impl Doubt {
    fn add(&mut self, id: Option<MessageId>) {
        self.is = true;
        self.ours.extend(id);
    }
}

impl Job {
    /// Tells the sender, who may have gone; what is stored is stored all the same.
    fn answer(self, outcome: Result<Sent, StoreError>) {
        let _ = self.answer.send(match outcome {
            // To the sender this is the first time.
            Ok(sent) => Ok(Sent { created: sent.created || self.doubt.ours.contains(&sent.message.id), ..sent }),
            Err(StoreError::Unavailable(e) | StoreError::Internal(e)) if self.doubt.is => {
                Err(StoreError::OutcomeUnknown(e))
            }
            Err(e) => Err(e),
        });
    }
}

/// Who a waiting send belongs to: the worker that stores it, or the sender that gives it up. The first one has it, so
/// that a send that was given up is never stored, and one that may be stored is never said to have been given up.
#[derive(Default)]
struct Claim(AtomicBool);

impl Claim {
    fn win(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }

    fn release(&self) {
        self.0.store(false, Ordering::Release);
    }
}

/// The queue of sends.
pub(super) struct GroupCommit {
    jobs: mpsc::Sender<Job>,
    places: Arc<Semaphore>,
}

impl GroupCommit {
    /// Starts the worker; it ends when this value is gone.
    pub(super) fn start(db: Arc<Db>) -> Result<Self, StoreError> {
        let (jobs, queue) = mpsc::channel(WAITING);
        let no_thread = |e: std::io::Error| StoreError::Internal(format!("the thread of sends cannot start: {e}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(no_thread)?;
        let thread = std::thread::Builder::new().name("chatd-sends".to_owned());
        thread.spawn(move || runtime.block_on(work(db, queue))).map_err(no_thread)?;
        Ok(Self { jobs, places: Arc::new(Semaphore::new(WAITING)) })
    }

    /// Stores a message in the next commit.
    pub(super) async fn send(&self, new: NewMessage) -> Result<Sent, StoreError> {
        let too_many = || StoreError::Unavailable("too many sends are waiting".to_owned());
        let place = self.places.clone().try_acquire_owned().map_err(|_| too_many())?;
        let (answer, wait) = oneshot::channel();
        let taken = Arc::new(Claim::default());
        let since = Instant::now();
        let job = Job { new, since, doubt: Doubt::default(), taken: taken.clone(), _place: place, answer };
        self.jobs.try_send(job).map_err(|_| too_many())?;
        match spend(tokio::time::timeout(left(PATIENCE), wait)).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(StoreError::OutcomeUnknown("the store was closed".to_owned())),
            Err(_) if taken.win() => Err(StoreError::Unavailable("its turn did not come".to_owned())),
            Err(_) => Err(StoreError::OutcomeUnknown("the database takes too long".to_owned())),
        }
    }
}

async fn work(db: Arc<Db>, mut queue: mpsc::Receiver<Job>) {
    let mut put_off = VecDeque::new();
    while let Some(jobs) = next(&mut queue, &mut put_off).await {
        // The same key twice is two transactions: the second finds what the first stored.
        let mut keys = HashSet::new();
        let (batch, again): (Vec<_>, Vec<_>) =
            jobs.into_iter().partition(|job| keys.insert((job.new.sender, job.new.key.as_str().to_owned())));
        for batch in std::iter::once(batch).chain(again.into_iter().map(|job| vec![job])) {
            // In a task of its own: a defect costs one batch, not the worker.
            let db = db.clone();
            match tokio::spawn(async move { store(&db, batch).await }).await {
                Ok(more) => put_off.extend(more),
                Err(e) => tracing::error!(error = %e, "a batch of sends was given up"),
            }
        }
    }
    db.close().await;
}

/// The jobs of the next batch: some of those that were put off, and whatever else waits. None if no more will come.
async fn next(queue: &mut mpsc::Receiver<Job>, put_off: &mut VecDeque<Job>) -> Option<Vec<Job>> {
    let mut jobs: Vec<Job> = put_off.drain(..put_off.len().min(PUT_OFF_BATCH)).collect();
    let old = jobs.len();
    if old == 0 {
        let more = queue.recv_many(&mut jobs, BATCH).await;
        return (more > 0).then_some(jobs);
    }
    while jobs.len() < BATCH
        && let Ok(job) = queue.try_recv()
    {
        jobs.push(job);
    }
    let nothing_new = jobs.len() == old;
    if nothing_new {
        let pause = tokio::time::sleep(Duration::from_millis(rand::random_range(PAUSE)));
        tokio::select! {
            () = pause => {}
            // Closed and empty, it would not let anybody rest.
            _ = queue.recv_many(&mut jobs, BATCH - old), if !queue.is_closed() => {}
        }
    }
    Some(jobs)
}

/// Stores a batch; if it cannot be stored as a whole, message by message, so that one bad one harms only itself.
/// Returns those that wait for a lock of somebody else.
async fn store(db: &Db, mut batch: Vec<Job>) -> Vec<Job> {
    // One in doubt was never released: whoever waits for it must not be told that it was not applied.
    batch.retain(|job| if job.doubt.is { !job.answer.is_closed() } else { job.taken.win() });
    if batch.is_empty() {
        return batch;
    }
    let together: Vec<_> = batch.iter().map(|job| &job.new).collect();
    let keys = if batch.iter().any(|job| job.doubt.is) { Keys::LookedUp } else { Keys::New };
    let mut stored = store_batch(db, Attempt::only(), &together, keys).await;
    if matches!(stored, Err(Fault::Duplicate(_))) {
        // Somebody repeats a send. Rare, so it is found out by the unique key and not looked for each time.
        stored = store_batch(db, Attempt::only(), &together, Keys::LookedUp).await;
    }
    let mut put_off = Vec::new();
    let again = match stored {
        Ok(outcomes) => {
            let mut again = Vec::new();
            for (mut job, outcome) in batch.into_iter().zip(outcomes) {
                if let Outcome::InDoubt { id, why } = outcome {
                    if again.is_empty() {
                        tracing::warn!(error = %why, "{LOST}");
                    }
                    job.doubt.add(id);
                    again.push(job);
                } else {
                    put_off.extend(settle(job, outcome));
                }
            }
            again
        }
        Err(_) => batch,
    };
    let mut away = false;
    // Whoever has been told that nobody knows must not be surprised minutes later.
    for mut job in again.into_iter().filter(|job| !job.answer.is_closed()) {
        if away {
            // It was not there for the one before, after several tries: nobody waits for it twice.
            job.answer(Err(StoreError::Unavailable("the database cannot be reached".to_owned())));
            continue;
        }
        match store_one(db, &mut job, &mut away).await {
            Ok(outcome) => put_off.extend(settle(job, outcome)),
            Err(e) => job.answer(Err(e)),
        }
    }
    put_off
}

/// Answers a job, or returns it if it is put off.
fn settle(job: Job, outcome: Outcome) -> Option<Job> {
    match outcome {
        Outcome::Done(outcome) => job.answer(outcome),
        Outcome::PutOff if job.answer.is_closed() => {}
        Outcome::PutOff if job.since.elapsed() < PUT_OFF => {
            if !job.doubt.is {
                job.taken.release();
            }
            return Some(job);
        }
        Outcome::InDoubt { why, .. } => job.answer(Err(StoreError::OutcomeUnknown(why))),
        Outcome::PutOff => {
            job.answer(Err(StoreError::Unavailable("another process holds what it needs for too long".to_owned())));
        }
    }
    None
}

/// Notes in `away` if it failed because the database could not be reached.
async fn store_one(db: &Db, job: &mut Job, away: &mut bool) -> Result<Outcome, StoreError> {
    let (doubt, unreachable) = (&Mutex::new(job.doubt.clone()), &AtomicBool::new(false));
    let new = &job.new;
    let stored = retrying(|attempt| async move {
        let mut tried = store_batch(db, attempt, &[new], Keys::LookedUp).await;
        if let Ok([Outcome::InDoubt { id, why }]) = tried.as_deref() {
            doubt.lock().unwrap_or_else(PoisonError::into_inner).add(*id);
            tried = Err(Fault::LostInCommit(sqlx::Error::Io(std::io::Error::other(why.clone()))));
        }
        unreachable.store(matches!(tried, Err(Fault::Lost(_) | Fault::LostInCommit(_))), Ordering::Relaxed);
        tried?.pop().ok_or_else(|| StoreError::Internal("no outcome".to_owned()).into())
    })
    .await;
    *away = unreachable.load(Ordering::Relaxed);
    job.doubt = doubt.lock().unwrap_or_else(PoisonError::into_inner).clone();
    stored
}
