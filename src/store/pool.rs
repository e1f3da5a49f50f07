//! Connections that are kept open: a bounded number of one kind, handed out one at a time.
//!
//! Smaller than sqlx's own pool, and different in one point: a connection comes back only when whoever held it says
//! that it is in step and out of any transaction ([`Lease::give_back`]). Otherwise it is closed where it stands. So a
//! statement may be given up at any moment, and none is ever answered with what belonged to the one before. Nor is
//! anything asked of the database when a connection comes back; one that has rested is tested before it is used.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use sqlx::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{timeout, timeout_at};

/// How long a caller waits for a connection.
const ACQUIRE: Duration = Duration::from_secs(2);
/// How long a connection that has rested may take to show that it lives.
const SIGN_OF_LIFE: Duration = Duration::from_millis(500);
/// A connection that nobody needed for so long is closed.
const UNUSED: Duration = Duration::from_mins(10);

type Connect<C> = Box<dyn Fn() -> BoxFuture<'static, Result<C, Error>> + Send + Sync>;

/// Connections of one kind. Clones share them.
pub(super) struct Pool<C> {
    inner: Arc<Inner<C>>,
}

struct Inner<C> {
    most: u32,
    free: Arc<Semaphore>,
    connect: Connect<C>,
    /// One that has been idle for longer is tested before it is used; none: an open file does not go away.
    rested: Option<Duration>,
    /// The one that was used last is used next.
    idle: Mutex<Vec<(C, Instant)>>,
}

impl<C: sqlx::Connection> Pool<C> {
    /// At most `most` connections; opens none yet.
    pub(super) fn new<F, Fut>(most: u32, rested: Option<Duration>, connect: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<C, Error>> + Send + 'static,
    {
        let free = Arc::new(Semaphore::new(most as usize));
        let connect: Connect<C> = Box::new(move || Box::pin(connect()));
        Self { inner: Arc::new(Inner { most, free, connect, rested, idle: Mutex::default() }) }
    }

    /// A connection that is in step, within two seconds and before `until`; [`Error::PoolTimedOut`] if there is none by
    /// then.
    pub(super) async fn acquire(&self, until: Instant) -> Result<Lease<C>, Error> {
        let lease = async {
            let free = self.inner.free.clone();
            let place = free.acquire_owned().await.map_err(|_| Error::PoolClosed)?;
            let connection = match self.living().await {
                Some(connection) => connection,
                None => (self.inner.connect)().await?,
            };
            Ok(Lease { connection: Some(connection), home: self.inner.clone(), _place: place })
        };
        timeout_at(until.min(Instant::now() + ACQUIRE).into(), lease).await.unwrap_or(Err(Error::PoolTimedOut))
    }

    async fn living(&self) -> Option<C> {
        let (mut connection, since) = self.inner.idle().pop()?;
        if self.inner.rested.is_none_or(|rested| since.elapsed() <= rested) {
            return Some(connection);
        }
        if matches!(timeout(SIGN_OF_LIFE, connection.ping()).await, Ok(Ok(()))) {
            return Some(connection);
        }
        // Those that have rested for longer have died with it: each would cost somebody the same wait.
        self.inner.idle().clear();
        None
    }

    /// Ends the connections, after what is under way. Nobody gets one any more.
    pub(super) async fn close(&self) {
        let all = self.inner.free.acquire_many(self.inner.most).await;
        self.inner.free.close();
        drop(all);
        let idle = std::mem::take(&mut *self.inner.idle());
        for (connection, _) in idle {
            // It is in step and in no transaction; if it cannot say goodbye, nothing is lost.
            let _ = connection.close().await;
        }
    }
}

impl<C> Inner<C> {
    fn idle(&self) -> MutexGuard<'_, Vec<(C, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection, held by somebody. Dropped, it is closed; see [`Self::give_back`].
pub(super) struct Lease<C> {
    // Before the place, so that it is closed when the place is free again.
    connection: Option<C>,
    home: Arc<Inner<C>>,
    _place: OwnedSemaphorePermit,
}

const HELD: &str = "a lease holds its connection until it is given back, and is gone then";

impl<C> Lease<C> {
    /// Puts it back for the next one. Only for a connection that is in step and in no transaction.
    pub(super) fn give_back(mut self) {
        let connection = self.connection.take().expect(HELD);
        let mut idle = self.home.idle();
        idle.push((connection, Instant::now()));
        let unused = idle.iter().take_while(|(_, since)| since.elapsed() > UNUSED).count();
        idle.drain(..unused);
    }
}

impl<C> Deref for Lease<C> {
    type Target = C;

    fn deref(&self) -> &C {
        self.connection.as_ref().expect(HELD)
    }
}

impl<C> DerefMut for Lease<C> {
    fn deref_mut(&mut self) -> &mut C {
        self.connection.as_mut().expect(HELD)
    }
}
