//! Plain types and their rules: no I/O, no framework. A rule about what a value may be belongs here, once.

mod body;
mod clock;
mod contact;
mod conversation;
mod cursor;
mod event;
mod export;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
mod invite;
mod link;
mod message;
mod naming;
mod people;
mod presence;
mod profile;
mod settings;
mod user;

pub use body::{Body, TextError};
pub use clock::{Clock, SystemClock, Timestamp};
pub use contact::{Blocked, NewReport, Report, ReportId, WhoMayWrite};
pub use conversation::{Conversation, ConversationPage, Mark, ReadState};
pub use cursor::{Cursor, Epoch, MalformedCursor};
pub use event::{Change, Event, LogPage, Position};
pub use export::{Export, ExportId, ExportJob, ExportPart, ExportState, KeptConversation};
pub use invite::{Invite, InviteId, NewInvite};
pub use link::{Link, LinkPurpose, NewLink};
pub use message::{Changed, ClientId, Edit, InvalidClientId, Message, MessageId, NewMessage, SendKey, Sent, Slice};
pub use naming::{RefusedName, placeholder};
pub use people::{NamePrefix, PeoplePage, Place, places};
pub use presence::{Attendance, Presence};
pub use profile::{About, DisplayName, Face, InvalidProfile, LANGUAGES, Language, Profile, ProfileChange, TimeZone};
pub use settings::{ConversationSettings, ConversationSettingsChange, Muting, Sharing, SharingChange};
pub use user::{InvalidUsername, NewUser, User, UserId, UserKey, Username};

/// A conversation's number in the database; the same for both people.
pub type ConversationId = i64;
/// A message's number in its conversation, from 1, gap-free.
pub type Seq = i64;

/// White space as the recorded API trims it: Unicode's, and the four ASCII separators that Rust leaves out.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}
