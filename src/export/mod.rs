//! What people take along of theirs: everything that is theirs, as JSON Lines and as a page to be read.
//!
//! It is made in the background, by one process at a time, in pieces that are stored in small transactions with a pause after
//! each, so that nobody's messages wait for it. A process that dies leaves an attempt behind; when its time has run out
//! another one begins anew. Memory is bounded: a page of messages and a piece of each file.
//!
//! To add something of a user: an entry in `gather`.

mod entry;
mod files;
mod gather;
mod pieces;

use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;
use tokio::time::timeout;

pub use files::Files;
pub use gather::{Sink, gather};
pub use pieces::unpacked;

use crate::domain::{Clock, Export, ExportJob, ExportPart, Timestamp, UserId};
use crate::store::{AccountStore, Allowance, Store, StoreError};
use pieces::Pieces;

/// How long an export can be fetched.
pub const KEPT: Duration = Duration::from_hours(72);
/// So many a day and user.
const A_DAY: i64 = 5;
const DAY_MICROS: i64 = 86_400_000_000;
/// A maker that has not been heard of for so long is gone.
const TURN: Duration = Duration::from_mins(1);
/// How often it is looked whether another process has left one.
const LOOK: Duration = Duration::from_secs(5);
/// How often what has expired is swept away.
const SWEEP: Duration = Duration::from_mins(1);

/// Why there is no new export.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error("too many exports today; wait {0} seconds")]
    Throttled(u64),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an export was not made.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// It is somebody else's now, or nobody's: its user was erased.
    #[error("the export was taken away")]
    Lost,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Makes exports and hands them out.
#[derive(Clone)]
pub struct Exporter {
    store: Arc<dyn Store>,
    accounts: Arc<dyn AccountStore>,
    clock: Arc<dyn Clock>,
    asked: Arc<Notify>,
}

impl Exporter {
    pub fn new(store: Arc<dyn Store>, accounts: Arc<dyn AccountStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, accounts, clock, asked: Arc::default() }
    }

    /// Asks for an export; one that is being made goes on.
    pub async fn ask(&self, user: UserId) -> Result<Export, AskError> {
        use crate::domain::ExportState::{Running, Waiting};
        let now = self.clock.now();
        if let Some(export) = self.accounts.export_of(user, now).await?
            && matches!(export.state, Waiting | Running)
        {
            return Ok(export);
        }
        let allowance = Allowance {
            name: format!("{:x}", Sha256::digest(format!("export\0{user}"))),
            cost_micros: DAY_MICROS / A_DAY,
            burst_micros: DAY_MICROS,
        };
        if let Err(wait) = self.store.take(&[allowance], now).await? {
            return Err(AskError::Throttled(u64::try_from(wait).unwrap_or(0).div_ceil(1_000_000)));
        }
        let export = self.accounts.ask_for_export(user, now, now.plus(KEPT)).await?;
        self.asked.notify_one();
        Ok(export)
    }

    /// The user's export, unless it has expired.
    pub async fn export_of(&self, user: UserId) -> Result<Option<Export>, StoreError> {
        self.accounts.export_of(user, self.clock.now()).await
    }

    /// A piece of one file of the user's own export, unpacked.
    pub async fn piece(&self, user: UserId, id: i64, part: ExportPart, no: i64) -> Result<Option<Vec<u8>>, StoreError> {
        let packed = self.accounts.export_chunk(user, id, part, no, self.clock.now()).await?;
        let unpack = |packed: Vec<u8>| unpacked(&packed).map_err(|e| StoreError::Internal(e.to_string()));
        packed.map(unpack).transpose()
    }

    /// Starts making what is asked for; it ends with the runtime.
    pub fn start(&self) {
        let exporter = self.clone();
        tokio::spawn(async move {
            let mut swept = Instant::now();
            loop {
                match exporter.make_one().await {
                    Ok(true) => continue,
                    Ok(false) => {}
                    Err(e) => tracing::warn!(error = %e, "an export was not made: it is begun anew later"),
                }
                if swept.elapsed() >= SWEEP {
                    swept = Instant::now();
                    if let Err(e) = exporter.accounts.sweep_exports(exporter.clock.now()).await {
                        tracing::warn!(error = %e, "exports that have expired cannot be removed");
                    }
                }
                let _ = timeout(LOOK, exporter.asked.notified()).await;
            }
        });
    }

    fn turn(&self) -> Timestamp {
        self.clock.now().plus(TURN)
    }

    /// Makes one that waits; false if none does.
    async fn make_one(&self) -> Result<bool, ExportError> {
        let Some(job) = self.accounts.claim_export(self.clock.now(), self.turn()).await? else { return Ok(false) };
        match self.make(job).await {
            // Its user was erased, or this process was too slow: nothing is left to be done here.
            Err(ExportError::Lost) => Ok(true),
            made => made.map(|()| true),
        }
    }

    async fn make(&self, job: ExportJob) -> Result<(), ExportError> {
        let mut pieces = Pieces::new(self, job);
        let done = gather(&*self.store, &*self.accounts, job.user, self.clock.now(), &mut pieces).await?;
        pieces.finish(done).await
    }
}
