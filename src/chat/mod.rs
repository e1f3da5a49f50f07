//! The use cases: send, history, people, conversations, events. Access has one door for each kind of thing, and
//! every door asks for the user first: what is somebody else's is not there.

mod feed;
mod keeper;
mod sockets;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

pub use feed::{Feed, Listener};
pub use keeper::{Keeper, poll_heads_once};
pub use sockets::{Goodbye, OpenSocket, Sockets};

use crate::bus::{Bus, Subscription};
use crate::domain::{
    Body, ClientId, Clock, Conversation, ConversationId, ConversationPage, Cursor, LogPage, Message, MessageId,
    NewMessage, Position, ReadState, SendKey, Sent, Seq, Slice, Timestamp, User, UserId, UserKey,
};
use crate::faults::{self, Point};
use crate::store::{Store, StoreError};

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
    /// A page beyond the last one.
    #[error("no such page")]
    InvalidPage,
    /// The cursor cannot be served: start over.
    #[error("the cursor cannot be served")]
    Reset,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// People found, and where the next page starts.
#[derive(Debug)]
pub struct PeoplePage {
    pub people: Vec<User>,
    pub next: Option<String>,
}

/// The use cases over a store and a bus.
#[derive(Clone)]
pub struct Chat {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) bus: Arc<dyn Bus>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Chat {
    pub fn new(store: Arc<dyn Store>, bus: Arc<dyn Bus>, clock: Arc<dyn Clock>) -> Self {
        Self { store, bus, clock }
    }

    async fn find(&self, name: &str) -> Result<Option<User>, ChatError> {
        match UserKey::new(name) {
            Some(key) => Ok(self.store.user_by_key(&key).await?),
            None => Ok(None),
        }
    }

    /// Sends a message: durable when this returns. Without a key of the sender's one is made, so that the server's
    /// own retries never double it.
    pub async fn send(
        &self,
        sender: UserId,
        recipient: &str,
        body: Body,
        key: Option<ClientId>,
    ) -> Result<Sent, ChatError> {
        let recipient = self.find(recipient).await?.ok_or(ChatError::NotFound)?;
        let key = match key {
            Some(key) => SendKey::Own(key),
            None => SendKey::Made(made_key()),
        };
        let new = NewMessage { sender, recipient: recipient.id, body, key, now: self.clock.now() };
        let sent = match self.store.send(new).await {
            Err(StoreError::NotFound) => return Err(ChatError::NotFound),
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
        after: Option<(Timestamp, ConversationId)>,
        limit: i64,
    ) -> Result<ConversationPage, ChatError> {
        Ok(self.store.conversations(user, after, limit).await?)
    }

    /// The conversation with a person, if there has been a message.
    pub async fn conversation(&self, user: UserId, with: &str) -> Result<(Conversation, Position), ChatError> {
        let peer = self.find(with).await?.ok_or(ChatError::NotFound)?;
        self.store.conversation(user, peer.id).await?.ok_or(ChatError::NotFound)
    }

    /// Moves the user's read mark, and tells both people.
    pub async fn mark_read(&self, user: UserId, with: &str, seq: Seq) -> Result<ReadState, ChatError> {
        let peer = self.find(with).await?.ok_or(ChatError::NotFound)?;
        let marked = self.store.mark_read(user, peer.id, seq, self.clock.now()).await?;
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

    /// Everybody but the reader, as the predecessor lists them.
    pub async fn everybody(&self, reader: UserId) -> Result<Vec<User>, ChatError> {
        let mut users = self.store.all_users().await?;
        users.retain(|user| user.id != reader);
        Ok(users)
    }

    /// One user by number.
    pub async fn user(&self, id: UserId) -> Result<User, ChatError> {
        self.store.user(id).await?.ok_or(ChatError::NotFound)
    }

    /// People whose name starts with `prefix`, in pages.
    pub async fn search_people(
        &self,
        reader: UserId,
        prefix: &str,
        after: Option<&str>,
        limit: i64,
    ) -> Result<PeoplePage, ChatError> {
        let mut found = self.store.people(reader, &UserKey::prefix(prefix), after, limit + 1).await?;
        let more = i64::try_from(found.len()).unwrap_or(i64::MAX) > limit;
        found.truncate(usize::try_from(limit).unwrap_or(0));
        let next = found.last().filter(|_| more).map(|(key, _)| key.clone());
        Ok(PeoplePage { people: found.into_iter().map(|(_, user)| user).collect(), next })
    }
}

/// A key for a send that came without one.
fn made_key() -> ClientId {
    let text = format!("made-{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 18]>()));
    ClientId::new(&text).expect("the alphabet of base64url is the alphabet of keys, and it has 29 characters")
}
