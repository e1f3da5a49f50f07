//! A conversation as one of its people sees it.

use super::{ConversationId, Message, Seq, Timestamp};

/// One row of a user's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    pub id: ConversationId,
    pub peer: String,
    pub last_message: Option<Message>,
    pub last_seq: Seq,
    pub read_seq: Seq,
    pub peer_read_seq: Seq,
    /// Messages of the peer above `read_seq`; 0 in notes to oneself.
    pub unread: i64,
    pub last_activity: Timestamp,
}

/// A page of the list, newest activity first.
#[derive(Clone, Debug)]
pub struct ConversationPage {
    pub conversations: Vec<Conversation>,
    /// Where the next page starts; none if this is the last.
    pub next: Option<(Timestamp, ConversationId)>,
    /// The head of the user's log, read before the page: applying what follows it makes the page current.
    pub head: super::Position,
}

/// How far both people have read. Only ever rises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadState {
    pub conversation: ConversationId,
    pub peer: String,
    pub read_seq: Seq,
    pub peer_read_seq: Seq,
    pub unread: i64,
}
