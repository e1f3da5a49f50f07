//! Whom a user hears from, and what is reported to the staff.

use async_trait::async_trait;

use super::StoreError;
use crate::domain::{Blocked, ConversationSettings, NewReport, Report, ReportId, Timestamp, UserId};

/// Blocks and requests. Where the logs stand is returned if anything changed: the user's own devices are told, and nobody
/// else.
#[async_trait]
pub trait Contacts: Send + Sync {
    /// Blocks somebody, or no longer. Once this has returned, nothing that the other sends is stored.
    async fn block(
        &self,
        user: UserId,
        peer: UserId,
        blocked: bool,
        now: Timestamp,
    ) -> Result<Vec<(UserId, i64)>, StoreError>;
    /// Whom a user blocks, newest first; at most 1,000.
    async fn blocked(&self, user: UserId) -> Result<Vec<Blocked>, StoreError>;
    /// Whether `user` blocks `peer`.
    async fn blocks(&self, user: UserId, peer: UserId) -> Result<bool, StoreError>;
    /// A conversation that waited does no longer; none if there is no conversation.
    async fn accept(
        &self,
        user: UserId,
        peer: UserId,
        now: Timestamp,
    ) -> Result<Option<(ConversationSettings, Vec<(UserId, i64)>)>, StoreError>;
}

/// Who closes a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    Staff(UserId),
    Operator,
}

/// What is reported to the staff.
#[async_trait]
pub trait Reports: Send + Sync {
    /// Stores a report; the same message by the same reporter again is the same report.
    async fn report(&self, new: &NewReport, now: Timestamp) -> Result<ReportId, StoreError>;
    /// Up to `limit` reports below this number, newest first: those that are open, or those that are closed.
    async fn reports(&self, open: bool, below: ReportId, limit: i64) -> Result<Vec<Report>, StoreError>;
    /// Closes a report, by one of the staff or by the operator, or opens it again; none if there is none of this number.
    async fn close_report(
        &self,
        id: ReportId,
        closing: Option<Closing>,
        now: Timestamp,
    ) -> Result<Option<Report>, StoreError>;
}
