//! What people take along: asked for by them, made by one process at a time, piece by piece.

use async_trait::async_trait;

use super::StoreError;
use crate::domain::{ConversationId, Export, ExportJob, ExportPart, KeptConversation, Timestamp, UserId};

/// Exports: at most one of each user.
#[async_trait]
pub trait Exports: Send + Sync {
    /// Asks for an export, in the place of one that is ready or has failed; one that is being made goes on, and is
    /// returned. [`StoreError::NotFound`] if the user was erased.
    async fn ask_for_export(&self, user: UserId, now: Timestamp, expires_at: Timestamp) -> Result<Export, StoreError>;
    /// The export of a user that has not expired.
    async fn export_of(&self, user: UserId, now: Timestamp) -> Result<Option<Export>, StoreError>;
    /// Takes one that waits, or whose maker's time has run out, until then; it is begun anew. After three attempts it has
    /// failed.
    async fn claim_export(&self, now: Timestamp, until: Timestamp) -> Result<Option<ExportJob>, StoreError>;
    /// Notes how far it is, and how long its maker has from now on. False: it is not this maker's any more.
    async fn note_export(&self, job: ExportJob, done: i64, total: i64, until: Timestamp) -> Result<bool, StoreError>;
    /// Stores a piece of at most some hundred KiB, in a transaction of its own. False as above.
    async fn add_export_chunk(
        &self,
        job: ExportJob,
        part: ExportPart,
        no: i64,
        content: &[u8],
    ) -> Result<bool, StoreError>;
    /// It is whole, and can be fetched until then. False as above.
    async fn finish_export(&self, job: ExportJob, done: i64, expires_at: Timestamp) -> Result<bool, StoreError>;
    /// A piece of the user's own export, if it is ready and has not expired.
    async fn export_chunk(
        &self,
        user: UserId,
        id: i64,
        part: ExportPart,
        no: i64,
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, StoreError>;
    /// Removes what has expired, and pieces that belong to no export any more: in small transactions.
    async fn sweep_exports(&self, now: Timestamp) -> Result<(), StoreError>;
    /// A user's conversations behind this one, in the order of their numbers, which never changes.
    async fn conversations_behind(
        &self,
        user: UserId,
        after: ConversationId,
        limit: i64,
    ) -> Result<Vec<KeptConversation>, StoreError>;
}
