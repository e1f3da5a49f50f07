//! Trying again: what failed for a reason that passes is done again as a whole, within a time that somebody waits.

use std::time::{Duration, Instant};

use super::error::{Fault, StoreError};
use super::patience::{left, spend};

/// Somebody waits for an answer: this long, all tries together, and all questions of one request.
const ANSWER: Duration = Duration::from_millis(2700);
/// Nobody waits: bulk work and chores.
const CHORE: Duration = Duration::from_mins(10);
/// A try that begins later than this would have no time to end.
const LAST_START: Duration = Duration::from_secs(2);
const RETRIES: u32 = 5;

/// One try of a transaction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    /// How many there were before.
    pub number: u32,
    /// When it is given up.
    pub until: Instant,
}

impl Attempt {
    /// The only one, for somebody who waits.
    pub(super) fn only() -> Self {
        Self { number: 0, until: Instant::now() + ANSWER }
    }
}

/// Runs a transaction, and runs it again when it lost against another one, met a key that had just been stored, or
/// was handed a dead connection. Each try is a whole transaction that begins with its locks, so trying again after a
/// commit whose outcome is unknown is safe too: by the time it holds the locks, the lost one has ended.
pub(super) async fn retrying<T, Fut>(work: impl Fn(Attempt) -> Fut) -> Result<T, StoreError>
where
    Fut: Future<Output = Result<T, Fault>>,
{
    spend(retrying_within(left(ANSWER), work)).await
}

/// The same for each further part of an answer of any length: it has this time to itself, whatever the others took.
pub(super) async fn retrying_a_part<T, Fut>(work: impl Fn(Attempt) -> Fut) -> Result<T, StoreError>
where
    Fut: Future<Output = Result<T, Fault>>,
{
    retrying_within(ANSWER, work).await
}

/// The same for work that takes its time and that nobody waits for.
pub(super) async fn retrying_at_leisure<T, Fut>(work: impl Fn(Attempt) -> Fut) -> Result<T, StoreError>
where
    Fut: Future<Output = Result<T, Fault>>,
{
    retrying_within(CHORE, work).await
}

async fn retrying_within<T, Fut>(limit: Duration, work: impl Fn(Attempt) -> Fut) -> Result<T, StoreError>
where
    Fut: Future<Output = Result<T, Fault>>,
{
    let started = Instant::now();
    let mut in_doubt = None;
    let mut tries = 0;
    loop {
        let fault = match work(Attempt { number: tries, until: started + limit }).await {
            Ok(value) => return Ok(value),
            Err(fault) => fault,
        };
        tries += 1;
        if let Fault::LostInCommit(e) = &fault {
            in_doubt = Some(e.to_string());
        }
        let again = match &fault {
            Fault::Contended(_) | Fault::Duplicate(_) | Fault::Lost(_) | Fault::LostInCommit(_) => {
                tries < RETRIES && started.elapsed() < LAST_START.min(limit)
            }
            Fault::Answer(_) | Fault::Broken(_) => false,
        };
        if !again {
            return Err(match (fault, in_doubt) {
                (Fault::Answer(e), _) => e,
                (_, Some(doubt)) => StoreError::OutcomeUnknown(doubt),
                (fault, None) => fault.into_error(),
            });
        }
        let wait = rand::random_range(2..20u64 << tries.min(4));
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
}
