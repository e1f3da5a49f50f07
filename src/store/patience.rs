//! How long whoever waits for an answer waits for the database. An answer may take several questions, and a slow
//! database may answer each within its own time while their sum is too much: the questions of one request share one
//! patience. Only the waiting counts, not what the request does in between.

use std::cell::Cell;
use std::time::{Duration, Instant};

tokio::task_local! {
    static SPENT: Cell<Duration>;
}

/// Does the work of one request.
pub async fn sharing_patience<T>(request: impl Future<Output = T>) -> T {
    SPENT.scope(Cell::new(Duration::ZERO), request).await
}

/// How much of this the request that asks has left; all of it outside of requests.
pub(super) fn left(limit: Duration) -> Duration {
    SPENT.try_with(|spent| limit.saturating_sub(spent.get())).unwrap_or(limit)
}

/// Waits for the answer to a question, at the cost of those that follow.
pub(super) async fn spend<T>(question: impl Future<Output = T>) -> T {
    let started = Instant::now();
    let answer = question.await;
    // Outside of requests nobody counts.
    let _ = SPENT.try_with(|spent| spent.set(spent.get() + started.elapsed()));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(2);

    #[tokio::test]
    async fn questions_share_it() {
        assert_eq!(left(LIMIT), LIMIT, "outside of requests");
        sharing_patience(async {
            assert_eq!(left(LIMIT), LIMIT);
            spend(tokio::time::sleep(Duration::from_millis(5))).await;
            assert!(left(LIMIT) <= Duration::from_millis(1995));
            spend(tokio::time::sleep(Duration::from_millis(5))).await;
            assert!(left(Duration::from_millis(8)).is_zero(), "together they took more");
            let other = sharing_patience(async { left(LIMIT) }).await;
            assert_eq!(other, LIMIT, "another request has its own");
        })
        .await;
    }
}
