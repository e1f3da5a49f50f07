//! What the database holds, and what is known about it that no client may ask.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::task::Waker;

use chatd::domain::{ConversationId, Message, MessageId, Position, Seq, Timestamp, User, UserId, UserKey};

/// A row of a log. `kind` as in the SQL: 0 starts a log.
#[derive(Clone, Debug)]
pub struct LogRow {
    pub tag: i64,
    pub kind: i64,
    pub conversation: ConversationId,
    pub seq: Seq,
    pub created_at: Timestamp,
}

#[derive(Clone, Debug)]
pub struct Pair {
    pub id: ConversationId,
    pub last_seq: Seq,
    pub last_timestamp: i64,
    pub low_sent: i64,
}

#[derive(Clone, Debug)]
pub struct ListRow {
    pub peer: UserId,
    pub last_seq: Seq,
    pub last_activity: Timestamp,
    pub peer_sent: i64,
    pub read_seq: Seq,
    pub peer_sent_read: i64,
    pub delivered_seq: Seq,
}

#[derive(Debug)]
pub struct Stored {
    pub message: Message,
    pub key: String,
    pub fingerprint: [u8; 32],
    pub low_sent: i64,
}

/// The tables, with the keys that the SQL has.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    pub users: BTreeMap<UserId, (User, UserKey, String)>,
    pub heads: BTreeMap<UserId, Position>,
    pub pairs: BTreeMap<(UserId, UserId), Pair>,
    pub messages: BTreeMap<(ConversationId, Seq), Arc<Stored>>,
    pub by_key: BTreeMap<(UserId, String), (ConversationId, Seq)>,
    pub lists: BTreeMap<(UserId, ConversationId), ListRow>,
    pub log: BTreeMap<(UserId, i64), LogRow>,
    pub last_conversation: ConversationId,
    pub last_message: MessageId,
}

/// What a transaction will write.
#[derive(Debug, Default)]
pub struct Changes {
    pub heads: Vec<(UserId, Position)>,
    pub pairs: Vec<((UserId, UserId), Pair)>,
    pub messages: Vec<Arc<Stored>>,
    /// Messages as they are from now on.
    pub edited: Vec<Arc<Stored>>,
    pub lists: Vec<((UserId, ConversationId), ListRow)>,
    pub log: Vec<((UserId, i64), LogRow)>,
}

impl Tables {
    pub fn apply(&mut self, changes: Changes) {
        self.heads.extend(changes.heads);
        self.pairs.extend(changes.pairs);
        self.lists.extend(changes.lists);
        self.log.extend(changes.log);
        for stored in changes.edited {
            self.messages.insert((stored.message.conversation, stored.message.seq), stored);
        }
        for stored in changes.messages {
            let at = (stored.message.conversation, stored.message.seq);
            self.by_key.insert((stored.message.sender, stored.key.clone()), at);
            self.messages.insert(at, stored);
        }
    }

    pub fn username(&self, user: UserId) -> String {
        self.users.get(&user).map(|(user, ..)| user.username.clone()).unwrap_or_default()
    }

    /// Whether a write would meet a unique key.
    pub fn refuses(&self, changes: &Changes) -> bool {
        changes.messages.iter().any(|stored| {
            let message = &stored.message;
            self.by_key.contains_key(&(message.sender, stored.key.clone()))
                || self.messages.contains_key(&(message.conversation, message.seq))
        }) || changes.log.iter().any(|(key, _)| self.log.contains_key(key))
    }

    /// How many of the peer's messages up to `seq` there are, as the SQL has it without counting.
    pub fn peer_sent_up_to(&self, user: UserId, peer: UserId, conversation: ConversationId, seq: Seq) -> i64 {
        let by_low = self.messages.get(&(conversation, seq)).map_or(0, |stored| stored.low_sent);
        if user < peer { seq - by_low } else { by_low }
    }
}

/// The database behind its one lock.
#[derive(Debug, Default)]
pub struct Inner {
    pub tables: Tables,
    /// Who holds which head.
    pub locks: BTreeMap<UserId, u64>,
    pub waiting: Vec<Waker>,
    pub last_transaction: u64,
    /// One more each time the database is put back: connections from before are dead.
    pub lineage: u64,
    /// Keys of messages that were stored and then lost because somebody put the database back.
    pub taken_back: BTreeSet<(UserId, String)>,
    /// What a replica that is behind would show.
    pub before: Option<Tables>,
}
