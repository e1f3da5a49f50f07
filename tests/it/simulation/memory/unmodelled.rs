//! What the delivery core does not ask for: sessions and the limits of signing in.

use async_trait::async_trait;
use chatd::domain::{Timestamp, User};
use chatd::store::{Allowance, Session, Sessions, StoreError, Try};

use super::MemoryStore;

/// An error that nobody takes for a fault of the simulated world.
pub fn answer<T>() -> Result<T, StoreError> {
    Err(StoreError::Internal("not modelled".to_owned()))
}

#[async_trait]
impl Sessions for MemoryStore {
    async fn add_session(&self, _: &Session) -> Result<(), StoreError> {
        answer()
    }

    async fn session(&self, _: &str, _: Timestamp) -> Result<Option<(Session, User)>, StoreError> {
        answer()
    }

    async fn live_sessions(&self, _: &[String], _: Timestamp) -> Result<Vec<String>, StoreError> {
        answer()
    }

    async fn end_session(&self, _: &str) -> Result<(), StoreError> {
        answer()
    }

    async fn remove_expired(&self, _: Timestamp) -> Result<(), StoreError> {
        answer()
    }

    async fn take(&self, _: &[Allowance], _: Timestamp) -> Result<Result<(), i64>, StoreError> {
        answer()
    }

    async fn is_known(&self, _: &str, _: Timestamp) -> Result<bool, StoreError> {
        answer()
    }

    async fn was_right(&self, _: &Try, _: Timestamp, _: Timestamp) -> Result<(), StoreError> {
        answer()
    }

    async fn sign_in(&self, _: &Try, _: &Session, _: Timestamp) -> Result<(), StoreError> {
        answer()
    }

    async fn make_whole(&self, _: &str, _: Timestamp) -> Result<(), StoreError> {
        answer()
    }
}
