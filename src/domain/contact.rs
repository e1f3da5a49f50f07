//! Whom a user hears from.

use super::{MessageId, Timestamp, UserId};

/// Who may begin to write to a user. A block goes before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhoMayWrite {
    #[default]
    Everyone,
    /// Everyone, but what strangers write waits until the user accepts it.
    Requests,
    /// Those to whom the user has written.
    Contacts,
    /// Those with whom there is a conversation already.
    Nobody,
}

impl WhoMayWrite {
    pub const ALL: [Self; 4] = [Self::Everyone, Self::Requests, Self::Contacts, Self::Nobody];

    /// As clients read and write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Everyone => "everyone",
            Self::Requests => "requests",
            Self::Contacts => "contacts",
            Self::Nobody => "nobody",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|who| who.as_str() == text)
    }

    /// As it is stored; a number of a later version is the narrowest.
    pub fn stored(number: i64) -> Self {
        usize::try_from(number).ok().and_then(|at| Self::ALL.get(at)).copied().unwrap_or(Self::Nobody)
    }

    /// The number by which it is stored.
    pub fn number(self) -> i64 {
        match self {
            Self::Everyone => 0,
            Self::Requests => 1,
            Self::Contacts => 2,
            Self::Nobody => 3,
        }
    }
}

/// Somebody whom a user blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    pub user: UserId,
    pub username: String,
    pub since: Timestamp,
}

/// A report's number.
pub type ReportId = i64;

/// A message that somebody reports to the staff.
#[derive(Clone, Debug)]
pub struct NewReport {
    pub reporter: UserId,
    pub message: MessageId,
    pub reason: String,
    /// The message and those around it as they are now, as JSON.
    pub content: String,
}

/// A report, as the staff reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub id: ReportId,
    pub reporter: String,
    pub message: MessageId,
    pub reason: String,
    pub content: String,
    pub created_at: Timestamp,
    pub closed_at: Option<Timestamp>,
    pub closed_by: Option<String>,
}
