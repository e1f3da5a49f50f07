//! A transaction as the databases run it: heads locked in ascending order, everything written at COMMIT or nothing.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use chatd::domain::{Position, UserId};
use chatd::store::StoreError;

use super::tables::{Changes, Inner, Pair, Tables};
use crate::simulation::bugs::Bug;
use crate::simulation::scheduler::{Sim, lock};

/// Why a transaction ended early; what the SQL calls a fault.
#[derive(Debug)]
pub enum Fault {
    Answer(StoreError),
    /// A unique key was there first.
    Duplicate,
    /// The connection was lost, and nothing was applied.
    Lost,
    /// The connection was lost inside of COMMIT.
    LostInCommit,
}

impl Fault {
    pub fn into_error(self) -> StoreError {
        match self {
            Self::Answer(e) => e,
            Self::Duplicate => StoreError::Internal("a unique key".to_owned()),
            Self::Lost => StoreError::Unavailable("the connection was lost".to_owned()),
            Self::LostInCommit => StoreError::OutcomeUnknown("the connection was lost in COMMIT".to_owned()),
        }
    }
}

/// A database that several processes share. What each of its steps meets is for the simulated world to say.
pub struct Database {
    pub sim: Sim,
    /// A mistake that the simulation must find.
    pub bug: Option<Bug>,
    pub inner: Mutex<Inner>,
}

impl Database {
    pub fn new(sim: &Sim, bug: Option<Bug>) -> Arc<Self> {
        Arc::new(Self { sim: sim.clone(), bug, inner: Mutex::default() })
    }

    pub fn has(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    /// One statement that reads: what is committed at one moment between two pauses.
    pub async fn read<T>(&self, lineage: Option<u64>, of: impl Fn(&Tables) -> T) -> Result<T, Fault> {
        self.sim.pause().await;
        if self.sim.goes_wrong(40) {
            return Err(Fault::Lost);
        }
        let read = {
            let inner = lock(&self.inner);
            if lineage.is_some_and(|lineage| lineage != inner.lineage) {
                return Err(Fault::Lost);
            }
            let stale = self.has(Bug::StaleReads) && self.sim.below(4) == 0;
            of(inner.before.as_ref().filter(|_| stale).unwrap_or(&inner.tables))
        };
        self.sim.pause().await;
        Ok(read)
    }

    pub fn lineage(&self) -> u64 {
        lock(&self.inner).lineage
    }

    /// A copy of everything, as of this moment.
    pub fn backup(&self) -> Tables {
        lock(&self.inner).tables.clone()
    }

    /// Puts an earlier state in the place of the present one, and tells nobody: the epoch stays. Whoever is connected
    /// is cut off, as a server that is stopped for it would do.
    pub fn put_back(&self, tables: Tables) {
        let waiting = {
            let mut inner = lock(&self.inner);
            let lost = inner.tables.by_key.keys().filter(|key| !tables.by_key.contains_key(*key)).cloned();
            let lost: Vec<_> = lost.collect();
            inner.taken_back.extend(lost);
            inner.lineage += 1;
            inner.locks.clear();
            inner.tables = tables;
            std::mem::take(&mut inner.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    pub async fn begin(self: &Arc<Self>) -> Result<Transaction, Fault> {
        self.sim.pause().await;
        if self.sim.goes_wrong(40) {
            return Err(Fault::Lost);
        }
        let mut inner = lock(&self.inner);
        inner.last_transaction += 1;
        Ok(Transaction { database: self.clone(), number: inner.last_transaction, lineage: inner.lineage })
    }
}

/// Rolled back when dropped.
pub struct Transaction {
    database: Arc<Database>,
    number: u64,
    lineage: u64,
}

impl Transaction {
    /// Locks the heads of these users, one after the other from the lowest, and returns those that are there.
    pub async fn lock_heads(&self, users: &[UserId]) -> Result<BTreeMap<UserId, Position>, Fault> {
        let mut users = users.to_vec();
        if !self.database.has(Bug::LocksInAnyOrder) {
            users.sort_unstable();
        }
        users.dedup();
        let mut heads = BTreeMap::new();
        for user in users {
            self.database.sim.pause().await;
            LockHead { transaction: self, user }.await?;
            heads.extend(self.look(|tables| tables.heads.get(&user).map(|head| (user, *head)))?);
        }
        Ok(heads)
    }

    /// Reads what is committed, and what this transaction has locked.
    pub fn look<T>(&self, of: impl FnOnce(&Tables) -> T) -> Result<T, Fault> {
        let inner = lock(&self.database.inner);
        if inner.lineage == self.lineage { Ok(of(&inner.tables)) } else { Err(Fault::Lost) }
    }

    /// Numbers out of a sequence: given once, also to whoever rolls back.
    pub fn take(&self, of: impl FnOnce(&mut Tables) -> i64) -> Result<i64, Fault> {
        let mut inner = lock(&self.database.inner);
        if inner.lineage == self.lineage { Ok(of(&mut inner.tables)) } else { Err(Fault::Lost) }
    }

    /// A pair whose number is taken at once, for a seeded bug: whoever rolls back leaves a gap.
    pub fn out_of_sequence(&self, pair: (UserId, UserId)) -> Option<Pair> {
        let mut inner = lock(&self.database.inner);
        let kept = inner.tables.pairs.get_mut(&pair)?;
        let before = kept.clone();
        kept.last_seq += 1;
        Some(before)
    }

    /// COMMIT. The server carries it through whether or not its client is still there; a client that loses its
    /// connection does not learn which.
    pub async fn commit(self, changes: Changes) -> Result<(), Fault> {
        let sim = self.database.sim.clone();
        sim.pause().await;
        if sim.goes_wrong(30) {
            return Err(Fault::Lost);
        }
        if sim.goes_wrong(20) {
            let applies = sim.below(2) == 0;
            let lost = sim.clone();
            sim.start(0, async move {
                lost.pause().await;
                if applies {
                    let _ = self.apply(changes);
                }
            });
            return Err(Fault::LostInCommit);
        }
        self.apply(changes)?;
        sim.pause().await;
        Ok(())
    }

    fn apply(&self, changes: Changes) -> Result<(), Fault> {
        let mut inner = lock(&self.database.inner);
        if inner.lineage != self.lineage {
            return Err(Fault::Lost);
        }
        if self.database.has(Bug::StaleReads) {
            inner.before = Some(inner.tables.clone());
        }
        inner.tables.apply(changes);
        Ok(())
    }

    /// A commit that nothing can go wrong with, for seeded bugs: part of a transaction outside of it.
    pub fn apply_at_once(&self, changes: Changes) -> Result<(), Fault> {
        self.apply(changes)
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let waiting = {
            let mut inner = lock(&self.database.inner);
            inner.locks.retain(|_, holder| *holder != self.number);
            std::mem::take(&mut inner.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }
}

struct LockHead<'a> {
    transaction: &'a Transaction,
    user: UserId,
}

impl Future for LockHead<'_> {
    type Output = Result<(), Fault>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut inner = lock(&self.transaction.database.inner);
        if inner.lineage != self.transaction.lineage {
            return Poll::Ready(Err(Fault::Lost));
        }
        let number = self.transaction.number;
        if *inner.locks.entry(self.user).or_insert(number) == number {
            return Poll::Ready(Ok(()));
        }
        inner.waiting.push(cx.waker().clone());
        Poll::Pending
    }
}
