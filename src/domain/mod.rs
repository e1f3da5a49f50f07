//! Plain types and their rules: no I/O, no framework. A rule about what a value may be belongs here, once.

mod body;
mod clock;
mod conversation;
mod cursor;
mod event;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod message;
mod user;

pub use body::{Body, TextError};
pub use clock::{Clock, SystemClock, Timestamp};
pub use conversation::{Conversation, ConversationPage, ReadState};
pub use cursor::{Cursor, Epoch, MalformedCursor};
pub use event::{Change, Event, LogPage, Position};
pub use message::{ClientId, InvalidClientId, Message, MessageId, NewMessage, SendKey, Sent, Slice};
pub use user::{InvalidUsername, NewUser, User, UserId, UserKey, Username};

/// A conversation's number in the database; the same for both people.
pub type ConversationId = i64;
/// A message's number in its conversation, from 1, gap-free.
pub type Seq = i64;

/// White space as the recorded API trims it: Unicode's, and the four ASCII separators that Rust leaves out.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}
