//! Natural group commit: whatever sends are waiting when the last commit ends go into the next one.
//!
//! One worker a process: SQLite has one writer, and on MySQL two and four measured no quicker than one, because they
//! wait for each other's head locks. It has a thread of its own, and on MySQL a connection of its own: on the threads
//! that serve requests each of its steps would wait for whatever they have to do first (at 64 in flight on MariaDB that
//! was a fifth of all sends).

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::db::Db;
use super::error::{Fault, StoreError};
use super::retry::{Attempt, retrying};
use super::sql::{Keys, store_batch};
use crate::domain::{NewMessage, Sent};

/// The most messages of one transaction.
const BATCH: usize = 64;
/// The most sends that wait; beyond it a send is refused at once, with nothing stored.
const WAITING: usize = 4096;
/// How long a send waits for its answer.
const PATIENCE: Duration = Duration::from_millis(2800);

struct Job {
    new: NewMessage,
    taken: Arc<Claim>,
    answer: oneshot::Sender<Result<Sent, StoreError>>,
}

/// Who a waiting send belongs to: the worker that stores it, or the sender that gives it up. The first one has it, so
/// that a send that was given up is never stored, and one that may be stored is never said to have been given up.
#[derive(Default)]
struct Claim(AtomicBool);

impl Claim {
    fn win(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

/// The queue of sends.
pub(super) struct GroupCommit {
    jobs: mpsc::Sender<Job>,
}

impl GroupCommit {
    /// Starts the worker; it ends when this value is gone.
    pub(super) fn start(db: Arc<Db>) -> Result<Self, StoreError> {
        let (jobs, queue) = mpsc::channel(WAITING);
        let no_thread = |e: std::io::Error| StoreError::Internal(format!("the thread of sends cannot start: {e}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(no_thread)?;
        let thread = std::thread::Builder::new().name("chatd-sends".to_owned());
        thread.spawn(move || runtime.block_on(work(db, queue))).map_err(no_thread)?;
        Ok(Self { jobs })
    }

    /// Stores a message in the next commit.
    pub(super) async fn send(&self, new: NewMessage) -> Result<Sent, StoreError> {
        let (answer, wait) = oneshot::channel();
        let taken = Arc::new(Claim::default());
        let job = Job { new, taken: taken.clone(), answer };
        self.jobs.try_send(job).map_err(|_| StoreError::Unavailable("too many sends are waiting".to_owned()))?;
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(StoreError::OutcomeUnknown("the store was closed".to_owned())),
            Err(_) if taken.win() => Err(StoreError::Unavailable("its turn did not come".to_owned())),
            Err(_) => Err(StoreError::OutcomeUnknown("the database takes too long".to_owned())),
        }
    }
}

async fn work(db: Arc<Db>, mut queue: mpsc::Receiver<Job>) {
    let mut jobs = Vec::with_capacity(BATCH);
    loop {
        if queue.recv_many(&mut jobs, BATCH).await == 0 {
            return db.close().await;
        }
        // The same key twice is two transactions: the second finds what the first stored.
        let mut keys = HashSet::new();
        let (batch, again): (Vec<_>, Vec<_>) = std::mem::take(&mut jobs)
            .into_iter()
            .partition(|job| keys.insert((job.new.sender, job.new.key.as_str().to_owned())));
        for batch in std::iter::once(batch).chain(again.into_iter().map(|job| vec![job])) {
            // In a task of its own: a defect costs one batch, not the worker.
            let db = db.clone();
            if let Err(e) = tokio::spawn(async move { store(&db, batch).await }).await {
                tracing::error!(error = %e, "a batch of sends was given up");
            }
        }
    }
}

/// Stores a batch; if it cannot be stored as a whole, message by message, so that one bad one harms only itself.
async fn store(db: &Db, mut batch: Vec<Job>) {
    batch.retain(|job| job.taken.win());
    if batch.is_empty() {
        return;
    }
    let together: Vec<_> = batch.iter().map(|job| &job.new).collect();
    let mut stored = store_batch(db, Attempt::only(), &together, Keys::New).await;
    if matches!(stored, Err(Fault::Duplicate(_))) {
        // Somebody repeats a send. Rare, so it is found out by the unique key and not looked for each time.
        stored = store_batch(db, Attempt::only(), &together, Keys::LookedUp).await;
    }
    let in_doubt = match stored {
        Ok(outcomes) => {
            for (job, outcome) in batch.into_iter().zip(outcomes) {
                // Whoever asked may have gone; the message is stored all the same.
                let _ = job.answer.send(outcome);
            }
            return;
        }
        Err(Fault::LostInCommit(e)) => {
            tracing::warn!(error = %e, "the connection was lost in COMMIT; each message is looked up and tried again");
            true
        }
        Err(_) => false,
    };
    let mut away = false;
    // Whoever has been told that nobody knows must not be surprised minutes later.
    for job in batch.into_iter().filter(|job| !job.answer.is_closed()) {
        let outcome = match (away, in_doubt) {
            (false, _) => store_one(db, &job.new, in_doubt, &mut away).await,
            // It was not there for the one before, after several tries: nobody waits for it twice.
            (true, false) => Err(StoreError::Unavailable(AWAY.to_owned())),
            (true, true) => Err(StoreError::OutcomeUnknown(AWAY.to_owned())),
        };
        let _ = job.answer.send(outcome);
    }
}

const AWAY: &str = "the database cannot be reached";

/// Notes in `away` if it failed because the database could not be reached.
async fn store_one(db: &Db, new: &NewMessage, in_doubt: bool, away: &mut bool) -> Result<Sent, StoreError> {
    let (in_doubt, unreachable) = (&AtomicBool::new(in_doubt), &AtomicBool::new(false));
    let stored = retrying(|attempt| async move {
        let tried = store_batch(db, attempt, &[new], Keys::LookedUp).await;
        unreachable.store(matches!(tried, Err(Fault::Lost(_) | Fault::LostInCommit(_))), Ordering::Relaxed);
        if matches!(tried, Err(Fault::LostInCommit(_))) {
            in_doubt.store(true, Ordering::Relaxed);
        }
        let outcome = tried?.pop().unwrap_or(Err(StoreError::Internal("no outcome".to_owned())));
        // A try of ours may have stored it before its connection was lost: to the caller that is the first time.
        Ok(outcome.map(|sent| Sent { created: sent.created || in_doubt.load(Ordering::Relaxed), ..sent }))
    })
    .await;
    *away = unreachable.load(Ordering::Relaxed);
    match stored {
        Ok(outcome) => outcome,
        Err(StoreError::Unavailable(e)) if in_doubt.load(Ordering::Relaxed) => Err(StoreError::OutcomeUnknown(e)),
        Err(e) => Err(e),
    }
}
