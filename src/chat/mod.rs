//! The use cases: send, history, people, conversations, events. Access has one door for each kind of thing, and
//! every door asks for the user first: what is somebody else's is not there.

mod contacts;
mod feed;
mod keeper;
mod people;
mod presence;
mod profiles;
mod reports;
mod settings;
mod sockets;
mod typing;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub use feed::{Feed, Listener};
pub use keeper::{Keeper, poll_heads_once};
pub use people::Everybody;
pub use presence::{Attendee, Attending};
pub use sockets::{Goodbye, OpenSocket, Sockets};

use crate::bus::{Bus, Subscription};
use crate::domain::{
    Body, ClientId, Clock, Conversation, ConversationId, ConversationPage, Cursor, Edit, LogPage, Mark, Message,
    MessageId, NewMessage, Position, ReadState, SendKey, Sent, Seq, Slice, Timestamp, User, UserId, UserKey,
};
use crate::faults::{self, Point};
use crate::store::{Store, StoreError, Which};

/// A numbered page of the recorded list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageNumber {
    At(i64),
    Last,
}

impl PageNumber {
    /// The number, if it is one of so many pages.
    pub fn within(self, pages: i64) -> Option<i64> {
        match self {
            Self::Last => Some(pages),
            Self::At(n) => (1..=pages).contains(&n).then_some(n),
        }
    }
}

/// A numbered page, and how many there are.
#[derive(Debug)]
pub struct NumberedPage {
    pub count: i64,
    pub number: i64,
    pub pages: i64,
    pub messages: Vec<Message>,
}

/// Part of a conversation, newest first.
#[derive(Debug)]
pub struct History {
    pub messages: Vec<Message>,
    /// The number below which there is more.
    pub older_than: Option<Seq>,
    /// The number above which there is more.
    pub newer_than: Option<Seq>,
}

/// Why something cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    /// It is not there, or not for this user: never said which.
    #[error("not found")]
    NotFound,
    /// It is somebody else's, and may be looked at alone.
    #[error("not yours")]
    NotYours,
    /// The message was deleted: it cannot be changed.
    #[error("deleted")]
    Deleted,
    /// What is answered is not a message of this conversation.
    #[error("no such message to reply to")]
    NothingToReplyTo,
    /// The recipient does not hear from the sender: never said why.
    #[error("refused")]
    Refused,
    /// It is about the user themself, and that cannot be.
    #[error("oneself")]
    Oneself,
    /// A page beyond the last one.
    #[error("no such page")]
    InvalidPage,
    /// The cursor cannot be served: start over.
    #[error("the cursor cannot be served")]
    Reset,
    /// There are too many people to list all of them.
    #[error("too many people for one list")]
    TooMany,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A message as its sender gives it.
#[derive(Clone, Debug)]
pub struct Letter<'a> {
    pub recipient: &'a str,
    pub body: Body,
    /// The sender's name for this send. Without one a name is made, so that the server's own retries never double it.
    pub key: Option<ClientId>,
    /// The number of the message that it answers.
    pub reply_to: Option<Seq>,
}

/// The use cases over a store and a bus.
#[derive(Clone)]
pub struct Chat {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) clock: Arc<dyn Clock>,
    /// There were too many people to list all of them.
    too_many: Arc<AtomicBool>,
}

impl Chat {
    pub fn new(store: Arc<dyn Store>, bus: Arc<dyn Bus>, clock: Arc<dyn Clock>) -> Self {
        Self { store, bus, clock, too_many: Arc::default() }
    }

    async fn find(&self, name: &str) -> Result<Option<User>, ChatError> {
        match UserKey::new(name) {
            Some(key) => Ok(self.store.user_by_key(&key).await?),
            None => Ok(None),
        }
    }

    /// Sends a message: durable when this returns.
    pub async fn send(&self, sender: UserId, letter: Letter<'_>) -> Result<Sent, ChatError> {
        let Letter { recipient, body, key, reply_to } = letter;
        let recipient = self.find(recipient).await?.ok_or(ChatError::NotFound)?;
        if let Some(seq) = reply_to {
            // A number that was given out stays, so this may be asked before anything is locked.
            let newest = self.store.conversation_of(sender, recipient.id).await?.map_or(0, |(_, seq)| seq);
            if !(1..=newest).contains(&seq) {
                return Err(ChatError::NothingToReplyTo);
            }
        }
        let key = match key {
            Some(key) => SendKey::Own(key),
            None => SendKey::Made(made_key()),
        };
        let new = NewMessage { sender, recipient: recipient.id, body, key, reply_to, now: self.clock.now() };
        let sent = match self.store.send(new).await {
            Err(StoreError::NotFound) => return Err(ChatError::NotFound),
            Err(StoreError::Refused) => return Err(ChatError::Refused),
            sent => sent?,
        };
        faults::passed(Point::BeforeNotify);
        self.bus.publish(&sent.reached).await;
        faults::passed(Point::BeforeResponse);
        Ok(sent)
    }

    /// One message, for one of its people.
    pub async fn message_for(&self, reader: UserId, id: MessageId) -> Result<Message, ChatError> {
        self.store.message(reader, id).await?.ok_or(ChatError::NotFound)
    }

    /// Changes a message of the user's own, and tells both people.
    pub async fn change(&self, user: UserId, id: MessageId, edit: Edit) -> Result<Message, ChatError> {
        if self.message_for(user, id).await?.sender != user {
            return Err(ChatError::NotYours);
        }
        let changed = self.store.change(user, id, &edit, self.clock.now()).await?.ok_or(ChatError::NotFound)?;
        if changed.message.deleted_at.is_some() && edit != Edit::Delete {
            return Err(ChatError::Deleted);
        }
        self.bus.publish(&changed.reached).await;
        Ok(changed.message)
    }

    /// A numbered page of all of a user's messages, or of those with one person. Somebody unknown has none.
    pub async fn numbered_page(
        &self,
        reader: UserId,
        with: Option<&str>,
        page: PageNumber,
        size: i64,
    ) -> Result<NumberedPage, ChatError> {
        let conversation = match with {
            None => None,
            Some(name) => Some(match self.find(name).await? {
                Some(peer) => self.store.conversation_of(reader, peer.id).await?.unwrap_or((0, 0)),
                None => (0, 0),
            }),
        };
        let count = match conversation {
            Some((_, last_seq)) => last_seq,
            None => self.store.count_messages(reader).await?,
        };
        let pages = (count + size - 1).div_euclid(size).max(1);
        let number = page.within(pages).ok_or(ChatError::InvalidPage)?;
        let offset = (number - 1) * size;
        let messages = match conversation {
            // The numbers have no gap, so a page is a range of them.
            Some((id, last_seq)) => self.store.slice(id, Slice::Before(last_seq - offset + 1), size).await?,
            None => self.store.messages_of(reader, offset, size).await?,
        };
        Ok(NumberedPage { count, number, pages, messages })
    }

    /// Part of the conversation with a person; empty if there is none.
    pub async fn history(&self, reader: UserId, with: &str, part: Slice, limit: i64) -> Result<History, ChatError> {
        let none = History { messages: Vec::new(), older_than: None, newer_than: None };
        let Some(peer) = self.find(with).await? else { return Ok(none) };
        let Some((id, last_seq)) = self.store.conversation_of(reader, peer.id).await? else { return Ok(none) };
        let messages = self.store.slice(id, part, limit).await?;
        let older_than = messages.last().map(|m| m.seq).filter(|seq| *seq > 1);
        let newer_than = messages.first().map(|m| m.seq).filter(|seq| *seq < last_seq);
        Ok(History { messages, older_than, newer_than })
    }

    /// A user's conversations, newest activity first.
    pub async fn conversations(
        &self,
        user: UserId,
        which: Which,
        after: Option<(Timestamp, ConversationId)>,
        limit: i64,
    ) -> Result<ConversationPage, ChatError> {
        Ok(self.store.conversations(user, which, after, limit).await?)
    }

    /// The conversation with a person, if there has been a message.
    pub async fn conversation(&self, user: UserId, with: &str) -> Result<(Conversation, Position), ChatError> {
        let peer = self.find(with).await?.ok_or(ChatError::NotFound)?;
        self.store.conversation(user, peer.id).await?.ok_or(ChatError::NotFound)
    }

    /// Moves a mark of the user's, and tells whom it concerns.
    pub async fn mark(&self, user: UserId, with: &str, mark: (Mark, Seq)) -> Result<ReadState, ChatError> {
        let peer = self.find(with).await?.ok_or(ChatError::NotFound)?;
        let marked = self.store.mark(user, peer.id, mark, self.clock.now()).await?;
        let (state, reached) = marked.ok_or(ChatError::NotFound)?;
        self.bus.publish(&reached).await;
        Ok(state)
    }

    /// Whether a cursor is of this database and this user's.
    pub fn is_own(&self, user: UserId, cursor: &Cursor) -> bool {
        cursor.epoch == self.store.epoch() && cursor.user == user
    }

    /// What happened after a cursor.
    pub async fn events(&self, user: UserId, after: &Cursor, limit: i64) -> Result<LogPage, ChatError> {
        if !self.is_own(user, after) {
            return Err(ChatError::Reset);
        }
        self.store.events(user, after.at, limit).await?.ok_or(ChatError::Reset)
    }

    /// The newest place in a user's log.
    pub async fn head(&self, user: UserId) -> Result<Position, ChatError> {
        Ok(self.store.head(user).await?)
    }

    /// The cursor of a place in a user's log.
    pub fn cursor(&self, user: UserId, at: Position) -> String {
        self.store.cursor(user, at).encode()
    }

    /// Listens for a user's changes.
    pub async fn subscribe(&self, user: UserId) -> Subscription {
        self.bus.subscribe(user).await
    }

    /// One user by number.
    pub async fn user(&self, id: UserId) -> Result<User, ChatError> {
        self.store.user(id).await?.ok_or(ChatError::NotFound)
    }
}

/// A key for a send that came without one.
fn made_key() -> ClientId {
    let text = format!("made-{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 18]>()));
    ClientId::new(&text).expect("the alphabet of base64url is the alphabet of keys, and it has 29 characters")
}
