//! What people take along of theirs.

use super::{ConversationId, Seq, Timestamp, UserId};

/// An export's number.
pub type ExportId = i64;

/// How far the making of an export is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportState {
    Waiting,
    Running,
    Ready,
    /// Given up, after some attempts.
    Failed,
}

/// What a user has asked for to take along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    pub id: ExportId,
    pub state: ExportState,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// Messages so far.
    pub done: i64,
    /// Messages that there were when it was begun.
    pub total: i64,
}

/// An export that somebody makes at this moment: nobody else writes to this attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExportJob {
    pub id: ExportId,
    pub user: UserId,
    pub attempt: i64,
}

/// Which of the two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportPart {
    /// JSON Lines.
    Lines,
    /// To be read.
    Page,
}

/// A conversation as one of its people keeps it, for taking along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptConversation {
    pub id: ConversationId,
    pub peer: String,
    pub last_seq: Seq,
    pub read_seq: Seq,
    pub delivered_seq: Seq,
    pub muted_until: Option<Timestamp>,
    pub pinned: bool,
    pub archived: bool,
}
