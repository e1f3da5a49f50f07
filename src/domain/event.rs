//! A user's log of changes.

use super::{ConversationSettings, Message, Profile, ReadState, Sharing};

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
    /// A message was stored. `unread` is the reader's, and only for the recipient; `request`: it waits until the reader
    /// accepts that its sender writes.
    MessageCreated { message: Message, unread: Option<i64>, request: bool },
    /// Its sender changed the body of a message.
    MessageEdited(Message),
    /// Its sender took a message back.
    MessageDeleted(Message),
    /// Somebody read on, or got messages.
    Read(ReadState),
    /// The user keeps a conversation in another way.
    Conversation(ConversationSettings),
    /// The user shares other things with others.
    Sharing(Sharing),
    /// The user says something else of themself.
    Profile(Profile),
    /// The user blocks other people.
    Blocks,
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

impl Event {
    /// About how much memory it takes, in bytes.
    pub fn size(&self) -> usize {
        let body = match &self.change {
            Change::MessageCreated { message, .. }
            | Change::MessageEdited(message)
            | Change::MessageDeleted(message) => message.body.len(),
            Change::Read(_)
            | Change::Conversation(_)
            | Change::Sharing(_)
            | Change::Profile(_)
            | Change::Blocks
            | Change::Unknown => 0,
        };
        body + 256
    }
}

impl LogPage {
    /// Lets go of all but the first events that take this much together, at least one; returns whether any went.
    pub fn keep(&mut self, bytes: usize) -> bool {
        let mut sum = 0;
        let fits = self.events.iter().take_while(|event| {
            sum += event.size();
            sum <= bytes
        });
        let kept = fits.count().max(1);
        let goes = kept < self.events.len();
        if goes {
            self.events.truncate(kept);
            self.events.shrink_to_fit();
            self.end = self.events[kept - 1].at;
            self.more = true;
        }
        goes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(events: i64) -> LogPage {
        let at = |pos| Position { pos, tag: 0 };
        let events = (1..=events).map(|pos| Event { at: at(pos), change: Change::Unknown }).collect();
        LogPage { events, end: at(9), more: false }
    }

    #[test]
    fn a_page_that_is_cut_goes_on() {
        let mut cut = page(9);
        assert!(cut.keep(3 * 256));
        assert_eq!((cut.events.len(), cut.end.pos, cut.more), (3, 3, true));
        let mut whole = page(9);
        assert!(!whole.keep(9 * 256));
        assert_eq!(whole, page(9));
    }

    #[test]
    fn one_event_stays_however_long() {
        let mut long = page(2);
        assert!(long.keep(1));
        assert_eq!((long.events.len(), long.end.pos, long.more), (1, 1, true));
        let mut nothing = page(0);
        assert!(!nothing.keep(1));
        assert_eq!(nothing, page(0));
    }
}
