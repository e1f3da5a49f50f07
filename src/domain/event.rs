//! A user's log of changes.

use super::{Message, ReadState};

/// A place in a user's log: the position and the random tag of the row that stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    pub pos: i64,
    pub tag: i64,
}

/// One change, as it reads now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub at: Position,
    pub change: Change,
}

/// What changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A message was stored. `unread` is the reader's, and only for the recipient.
    MessageCreated { message: Message, unread: Option<i64> },
    /// Somebody read on.
    Read(ReadState),
    /// Written by a later version: told without what it says, so that its place is not a gap.
    Unknown,
}

/// A contiguous part of a user's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPage {
    pub events: Vec<Event>,
    /// The last row of the page, or the place that was asked for if nothing follows it.
    pub end: Position,
    /// Whether the log went on when the page was read.
    pub more: bool,
}
