//! A conversation as one of its people sees it.

use super::{ConversationId, ConversationSettings, Face, Message, Seq, Timestamp};

/// One row of a user's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    pub id: ConversationId,
    pub peer: String,
    pub last_message: Option<Message>,
    pub last_seq: Seq,
    pub read_seq: Seq,
    pub peer_read_seq: Seq,
    pub peer_delivered_seq: Seq,
    /// Messages of the peer above `read_seq`; 0 in notes to oneself.
    pub unread: i64,
    pub last_activity: Timestamp,
    pub settings: ConversationSettings,
    /// The peer's.
    pub face: Face,
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

/// What one of the two says of the messages up to a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// They have reached a device of theirs.
    Delivered,
    /// They have been looked at, and so have reached them.
    Read,
}

/// How far both people have come. Only ever rises, but for what somebody hides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadState {
    pub conversation: ConversationId,
    pub peer: String,
    pub read_seq: Seq,
    /// 0 while one of the two does not share it.
    pub peer_read_seq: Seq,
    /// Never below `peer_read_seq`.
    pub peer_delivered_seq: Seq,
    pub unread: i64,
}
