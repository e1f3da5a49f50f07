//! The numbers that a batch of messages gets, made in memory under the locks of the heads of their people, and how
//! they are written.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};

use super::send::Person;
use super::{Fault, Repeat};
use crate::domain::{ConversationId, Message, NewMessage, SendKey, Timestamp, UserId};
use crate::store::db::{Connection, Value};

/// Kinds of log rows. 0 is the row that every log starts with.
pub(super) const MESSAGE_CREATED: i64 = 1;
pub(super) const READ: i64 = 2;
pub(super) const MESSAGE_EDITED: i64 = 3;
pub(super) const MESSAGE_DELETED: i64 = 4;
pub(super) const CONVERSATION: i64 = 5;
pub(super) const SHARING: i64 = 6;
pub(super) const PROFILE: i64 = 7;
pub(super) const BLOCKS: i64 = 8;

const CONVERSATIONS: Repeat = Repeat {
    head: "SELECT id, low_user, high_user, last_seq, last_timestamp, low_sent FROM conversations WHERE ",
    row: "(low_user = ? AND high_user = ?)",
    between: " OR ",
    tail: "",
};
const ADD_CONVERSATION: &str =
    "INSERT INTO conversations (low_user, high_user, last_seq, last_timestamp, low_sent) VALUES (?, ?, 0, ?, 0)";
const ADD_MESSAGES: Repeat = Repeat {
    head: "INSERT INTO messages (conversation_id, seq, sender_id, recipient_id, sent_at, low_sent, version, \
        client_key, own_key, fingerprint, body, reply_seq) VALUES ",
    row: "(?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?)",
    between: ", ",
    tail: "",
};
const MESSAGE_WIDTH: usize = 11;
pub(super) const ADD_EVENTS: Repeat = Repeat {
    head: "INSERT INTO events (user_id, pos, tag, kind, conversation_id, seq, created_at) VALUES ",
    row: "(?, ?, ?, ?, ?, ?, ?)",
    between: ", ",
    tail: "",
};
pub(super) const EVENT_WIDTH: usize = 7;
pub(super) const SET_HEADS: Repeat = Repeat {
    head: "INSERT INTO user_heads (user_id, pos, tag) VALUES ",
    row: "(?, ?, ?)",
    between: ", ",
    tail: " ON CONFLICT (user_id) DO UPDATE SET pos = excluded.pos, tag = excluded.tag",
};
const SET_CONVERSATIONS: Repeat = Repeat {
    head: "INSERT INTO conversations (id, low_user, high_user, last_seq, last_timestamp, low_sent) VALUES ",
    row: "(?, ?, ?, ?, ?, ?)",
    between: ", ",
    tail: " ON CONFLICT (id) DO UPDATE SET last_seq = excluded.last_seq, last_timestamp = excluded.last_timestamp, \
        low_sent = excluded.low_sent",
};
/// `read_seq` moves only in notes to oneself, where everything is read. A request never begins later than its conversation,
/// and ends when its user writes.
const SET_LISTS: Repeat = Repeat {
    head: "INSERT INTO user_conversations (user_id, conversation_id, peer_id, last_seq, last_activity, peer_sent, \
        read_seq, request, peer_sent_read) VALUES ",
    row: "(?, ?, ?, ?, ?, ?, ?, ?, 0)",
    between: ", ",
    tail: " ON CONFLICT (user_id, conversation_id) DO UPDATE SET last_seq = excluded.last_seq, \
        last_activity = excluded.last_activity, peer_sent = excluded.peer_sent, \
        read_seq = CASE WHEN excluded.read_seq > user_conversations.read_seq THEN excluded.read_seq \
        ELSE user_conversations.read_seq END, \
        request = CASE WHEN excluded.request < user_conversations.request THEN excluded.request \
        ELSE user_conversations.request END",
};
const LIST_WIDTH: usize = 8;

/// The numbers in the database of what was just written: nothing newer can be there. Read from the unique key alone.
const IDS: Repeat = Repeat {
    head: "SELECT conversation_id, seq, id FROM messages WHERE ",
    row: "(conversation_id = ? AND seq > ?)",
    between: " OR ",
    tail: "",
};

pub(super) const ALL: &[&str] = &[ADD_CONVERSATION];
pub(super) const REPEATS: &[&Repeat] =
    &[&CONVERSATIONS, &ADD_MESSAGES, &ADD_EVENTS, &SET_HEADS, &SET_CONVERSATIONS, &SET_LISTS, &IDS];

/// A conversation as it stands, and where it stood before.
struct Pair {
    id: ConversationId,
    seq_before: i64,
    last_seq: i64,
    last_timestamp: i64,
    low_sent: i64,
}

impl Pair {
    /// How many of its messages one of its people has sent.
    fn sent_by(&self, user: UserId, (low, _): (UserId, UserId)) -> i64 {
        if user == low { self.low_sent } else { self.last_seq - self.low_sent }
    }
}

/// The numbers that a batch gives out, and what it will write.
pub(super) struct Plan {
    heads: HashMap<UserId, i64>,
    pairs: HashMap<(UserId, UserId), Pair>,
    tags: HashMap<UserId, i64>,
    /// Those to whom strangers write by request.
    asked_first: HashSet<UserId>,
    messages: Vec<Numbers>,
    events: Vec<[i64; EVENT_WIDTH]>,
}

struct Numbers {
    conversation: ConversationId,
    seq: i64,
    sent_at: i64,
    low_sent: i64,
}

impl Plan {
    /// `heads` are the positions of everybody whose head is locked.
    pub(super) fn new(heads: HashMap<UserId, i64>) -> Self {
        Self {
            heads,
            pairs: HashMap::new(),
            tags: HashMap::new(),
            asked_first: HashSet::new(),
            messages: Vec::new(),
            events: Vec::new(),
        }
    }

    /// What strangers write to these waits until it is accepted.
    pub(super) fn ask_first(&mut self, users: impl IntoIterator<Item = UserId>) {
        self.asked_first.extend(users);
    }

    /// Whether the two have a conversation, and whether its recipient has written in it.
    pub(super) fn known_to_recipient(&self, new: &NewMessage) -> (bool, bool) {
        let pair = self.pairs.get(&new.pair());
        (pair.is_some(), pair.is_some_and(|pair| pair.sent_by(new.recipient, new.pair()) > 0))
    }

    /// Whether both people are there.
    pub(super) fn knows(&self, new: &NewMessage) -> bool {
        self.heads.contains_key(&new.sender) && self.heads.contains_key(&new.recipient)
    }

    /// Finds the conversations of the batch that are there.
    pub(super) async fn find_conversations(
        &mut self,
        c: &mut Connection<'_>,
        fresh: &[&NewMessage],
    ) -> Result<(), Fault> {
        if fresh.is_empty() {
            return Ok(());
        }
        let wanted: BTreeSet<_> = fresh.iter().map(|new| new.pair()).collect();
        let keys: Vec<Value<'_>> = wanted.iter().flat_map(|(low, high)| [(*low).into(), (*high).into()]).collect();
        for mut row in c.rows_many(&CONVERSATIONS, 2, &keys).await? {
            let id = row.int()?;
            let pair = (row.int()?, row.int()?);
            let (last_seq, last_timestamp, low_sent) = (row.int()?, row.int()?, row.int()?);
            self.pairs.insert(pair, Pair { id, seq_before: last_seq, last_seq, last_timestamp, low_sent });
        }
        Ok(())
    }

    /// Makes those that are not there yet. Those of no message of the batch are left aside.
    pub(super) async fn make_conversations(
        &mut self,
        c: &mut Connection<'_>,
        fresh: &[&NewMessage],
    ) -> Result<(), Fault> {
        let wanted: BTreeSet<_> = fresh.iter().map(|new| new.pair()).collect();
        self.pairs.retain(|pair, _| wanted.contains(pair));
        for (low, high) in wanted {
            if let Entry::Vacant(e) = self.pairs.entry((low, high)) {
                let id = c.execute(ADD_CONVERSATION, &[low.into(), high.into(), i64::MIN.into()]).await?.last_id;
                e.insert(Pair { id, seq_before: 0, last_seq: 0, last_timestamp: i64::MIN, low_sent: 0 });
            }
        }
        Ok(())
    }

    /// Gives the message its number and its time.
    pub(super) fn number(&mut self, new: &NewMessage) {
        let (low, _) = new.pair();
        let Some(pair) = self.pairs.get_mut(&new.pair()) else { return };
        pair.last_seq += 1;
        pair.last_timestamp = new.now.0.max(pair.last_timestamp.saturating_add(1));
        pair.low_sent += i64::from(new.sender == low);
        self.messages.push(Numbers {
            conversation: pair.id,
            seq: pair.last_seq,
            sent_at: pair.last_timestamp,
            low_sent: pair.low_sent,
        });
    }

    /// The same, and its places in the logs of its people.
    pub(super) fn add(&mut self, new: &NewMessage) {
        self.number(new);
        let Some(pair) = self.pairs.get(&new.pair()) else { return };
        let (conversation, seq) = (pair.id, pair.last_seq);
        for user in BTreeSet::from([new.sender, new.recipient]) {
            let Some(pos) = self.heads.get_mut(&user) else { continue };
            *pos += 1;
            let tag = rand::random::<i64>();
            self.tags.insert(user, tag);
            self.events.push([user, *pos, tag, MESSAGE_CREATED, conversation, seq, new.now.0]);
        }
    }

    /// Writes everything that has been numbered; `fresh` in the order in which it was.
    pub(super) async fn write(&self, c: &mut Connection<'_>, fresh: &[&NewMessage]) -> Result<(), Fault> {
        if fresh.is_empty() {
            return Ok(());
        }
        let prints: Vec<_> = fresh.iter().map(|new| new.fingerprint()).collect();
        let mut args: Vec<Value<'_>> = Vec::with_capacity(fresh.len() * MESSAGE_WIDTH);
        for ((new, n), print) in fresh.iter().zip(&self.messages).zip(&prints) {
            args.extend([n.conversation, n.seq, new.sender, new.recipient, n.sent_at, n.low_sent].map(Value::Int));
            args.push(new.key.as_str().into());
            args.push(matches!(new.key, SendKey::Own(_)).into());
            args.push(Value::Bytes(print));
            args.push(new.body.as_str().into());
            args.push(new.reply_to.into());
        }
        c.execute_many(&ADD_MESSAGES, MESSAGE_WIDTH, &args).await?;

        let args: Vec<_> = self.events.iter().flatten().copied().map(Value::Int).collect();
        c.execute_many(&ADD_EVENTS, EVENT_WIDTH, &args).await?;

        let mut users: Vec<_> = self.tags.iter().collect();
        users.sort_unstable();
        let heads = users.iter().filter_map(|(user, tag)| Some([**user, *self.heads.get(user)?, **tag])).flatten();
        c.upsert_many(&SET_HEADS, 3, &heads.map(Value::Int).collect::<Vec<_>>()).await?;

        let mut pairs: Vec<_> = self.pairs.iter().collect();
        pairs.sort_unstable_by_key(|(_, pair)| pair.id);
        let rows = pairs
            .iter()
            .flat_map(|((low, high), pair)| [pair.id, *low, *high, pair.last_seq, pair.last_timestamp, pair.low_sent]);
        c.upsert_many(&SET_CONVERSATIONS, 6, &rows.map(Value::Int).collect::<Vec<_>>()).await?;

        let rows = pairs.iter().flat_map(|((low, high), pair)| self.list_rows(*low, *high, pair));
        c.upsert_many(&SET_LISTS, LIST_WIDTH, &rows.flatten().map(Value::Int).collect::<Vec<_>>()).await
    }

    /// The messages as stored, in the order of `fresh`. That they are there is looked at, not assumed: Galera takes back
    /// a transaction that another node was quicker than, and was seen not to say so to a read. Then it is tried again.
    pub(super) async fn stored(
        &self,
        c: &mut Connection<'_>,
        fresh: &[&NewMessage],
        people: &HashMap<UserId, Person>,
    ) -> Result<Vec<Message>, Fault> {
        if fresh.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<_> = self.pairs.values().flat_map(|pair| [pair.id, pair.seq_before]).map(Value::Int).collect();
        let rows = c.rows_many(&IDS, 2, &keys).await?;
        let ids = rows.into_iter().map(|mut row| Ok(((row.int()?, row.int()?), row.int()?)));
        let ids = ids.collect::<Result<HashMap<_, _>, Fault>>()?;
        let name = |user| people.get(&user).map(|person| person.name.clone()).unwrap_or_default();
        let stored = fresh.iter().zip(&self.messages).map(|(new, n)| {
            let id = ids.get(&(n.conversation, n.seq)).ok_or_else(|| {
                tracing::warn!(conversation = n.conversation, seq = n.seq, "what a transaction wrote is not there");
                Fault::Contended(sqlx::Error::RowNotFound)
            });
            Ok(Message {
                id: *id?,
                conversation: n.conversation,
                seq: n.seq,
                sender: new.sender,
                sender_name: name(new.sender),
                recipient: new.recipient,
                recipient_name: name(new.recipient),
                timestamp: Timestamp(n.sent_at),
                body: new.body.as_str().to_owned(),
                client_id: match &new.key {
                    SendKey::Own(key) => Some(key.as_str().to_owned()),
                    SendKey::Made(_) => None,
                },
                version: 1,
                edited_at: None,
                deleted_at: None,
                reply_to: new.reply_to,
            })
        });
        stored.collect()
    }

    /// The list rows of a pair: two, or one for notes to oneself.
    fn list_rows(&self, low: UserId, high: UserId, pair: &Pair) -> Vec<[i64; LIST_WIDTH]> {
        let row = |user, peer, peer_sent, read| {
            let request = user != peer && self.asked_first.contains(&user) && pair.sent_by(user, (low, high)) == 0;
            let request = i64::from(request);
            [user, pair.id, peer, pair.last_seq, pair.last_timestamp, peer_sent, read, request]
        };
        if low == high {
            vec![row(low, low, 0, pair.last_seq)]
        } else {
            vec![row(low, high, pair.last_seq - pair.low_sent, 0), row(high, low, pair.low_sent, 0)]
        }
    }

    /// Where the logs of a message's people stand.
    pub(super) fn reached(&self, new: &NewMessage) -> Vec<(UserId, i64)> {
        let people = BTreeSet::from([new.sender, new.recipient]);
        people.into_iter().filter_map(|user| Some((user, *self.heads.get(&user)?))).collect()
    }
}
