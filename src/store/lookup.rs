//! Natural batching of look-ups: whatever is asked while one query is under way is asked together in the next. Alone
//! a look-up waits for nobody; under load many share a round trip. Each answer was read after its question was asked.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::db::Db;
use super::error::StoreError;
use super::patience::{left, spend};

/// The most questions of one query.
const BATCH: usize = 128;
/// The most that wait; beyond it a look-up is refused at once. As many as there may be connections: after a cut all of
/// them ask in the same moment.
const WAITING: usize = 65_536;

/// How long a look-up waits for its answer, the query before its own included.
const PATIENCE: Duration = Duration::from_millis(2800);

/// What is found for each key; a key that is not there is left out.
pub(super) type Found<V> = Result<HashMap<String, V>, StoreError>;
/// Looks up keys in one query.
pub(super) type Find<V> = fn(Arc<Db>, Vec<String>) -> BoxFuture<'static, Found<V>>;

type Answer<V> = Result<Option<V>, StoreError>;

struct Question<V> {
    key: String,
    answer: oneshot::Sender<Answer<V>>,
}

/// Look-ups of one kind.
pub(super) struct Lookup<V> {
    questions: mpsc::Sender<Question<V>>,
}

impl<V: Clone + Send + Sync + 'static> Lookup<V> {
    /// Starts the worker; it ends when this value is gone.
    pub(super) fn start(db: &Arc<Db>, find: Find<V>) -> Self {
        let (questions, asked) = mpsc::channel(WAITING);
        tokio::spawn(work(db.clone(), asked, find));
        Self { questions }
    }

    /// What is there for `key`; [`StoreError::Unavailable`] if that cannot be said soon.
    pub(super) async fn find(&self, key: &str) -> Answer<V> {
        let (answer, wait) = oneshot::channel();
        self.questions
            .try_send(Question { key: key.to_owned(), answer })
            .map_err(|_| StoreError::Unavailable("too many look-ups are waiting".to_owned()))?;
        match spend(timeout(left(PATIENCE), wait)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(StoreError::Unavailable("the store was closed".to_owned())),
            Err(_) => Err(StoreError::Unavailable("the database takes too long".to_owned())),
        }
    }
}

async fn work<V: Clone + Send + Sync + 'static>(db: Arc<Db>, mut asked: mpsc::Receiver<Question<V>>, find: Find<V>) {
    let mut questions = Vec::with_capacity(BATCH);
    while let Some(first) = asked.recv().await {
        // Whatever else is ready to run goes first: it may have the same kind of question.
        tokio::task::yield_now().await;
        questions.push(first);
        while questions.len() < BATCH
            && let Ok(more) = asked.try_recv()
        {
            questions.push(more);
        }
        let mut keys: Vec<_> = questions.iter().map(|q| q.key.clone()).collect();
        keys.sort_unstable();
        keys.dedup();
        // In a task of its own: a defect costs one batch, not the worker.
        let found = tokio::spawn(find(db.clone(), keys)).await;
        let found = found.unwrap_or_else(|e| Err(StoreError::Internal(format!("a look-up failed: {e}"))));
        for Question { key, answer } in questions.drain(..) {
            // Whoever asked may have gone.
            let _ = answer.send(match &found {
                Ok(found) => Ok(found.get(&key).cloned()),
                Err(e) => Err(e.clone()),
            });
        }
    }
}
