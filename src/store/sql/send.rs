//! Storing messages: the heart of the delivery core.
//!
//! A batch is one transaction. It locks the heads of everybody it touches in one ascending pass, reads what it needs
//! under those locks, numbers everything in memory, and writes each table with one statement of many rows. Who holds
//! a pair's heads is alone with the pair's conversation, so the numbers are exact on any number of processes; the
//! unique keys stand behind that.

use std::collections::{BTreeSet, HashMap};

use super::{Fault, Repeat, StoreError, lock_heads, message};
use crate::domain::{ConversationId, Message, NewMessage, SendKey, Sent, UserId};
use crate::store::db::{Connection, Db, Value};
use crate::store::error::Rule;
use crate::store::retry::Attempt;

/// Kinds of log rows. 0 is the row that every log starts with.
pub(super) const MESSAGE_CREATED: i64 = 1;
pub(super) const READ: i64 = 2;

pub(super) const LOCK_HEADS: Repeat = Repeat {
    head: "SELECT user_id, pos FROM user_heads WHERE user_id IN (",
    row: "?",
    between: ", ",
    tail: ") ORDER BY user_id FOR UPDATE",
};
/// The columns of a message, its people's names left empty: joined to them, MariaDB starts at the people and reads
/// every message of theirs.
const BY_KEY: Repeat = Repeat {
    head: "SELECT id, conversation_id, seq, sender_id, '', recipient_id, '', sent_at, body, client_key, own_key, \
        version, fingerprint, client_key FROM messages WHERE ",
    row: "(sender_id = ? AND client_key = ?)",
    between: " OR ",
    tail: "",
};
const NAMES: Repeat =
    Repeat { head: "SELECT id, username FROM users WHERE id IN (", row: "?", between: ", ", tail: ")" };
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
        client_key, own_key, fingerprint, body) VALUES ",
    row: "(?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?)",
    between: ", ",
    tail: "",
};
const MESSAGE_WIDTH: usize = 10;
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
/// `read_seq` moves only in notes to oneself, where everything is read.
const SET_LISTS: Repeat = Repeat {
    head: "INSERT INTO user_conversations (user_id, conversation_id, peer_id, last_seq, last_activity, peer_sent, \
        read_seq, peer_sent_read) VALUES ",
    row: "(?, ?, ?, ?, ?, ?, ?, 0)",
    between: ", ",
    tail: " ON CONFLICT (user_id, conversation_id) DO UPDATE SET last_seq = excluded.last_seq, \
        last_activity = excluded.last_activity, peer_sent = excluded.peer_sent, \
        read_seq = CASE WHEN excluded.read_seq > user_conversations.read_seq THEN excluded.read_seq \
        ELSE user_conversations.read_seq END",
};

pub(super) const ALL: &[&str] = &[ADD_CONVERSATION];
pub(super) const REPEATS: &[&Repeat] = &[
    &LOCK_HEADS,
    &BY_KEY,
    &NAMES,
    &CONVERSATIONS,
    &ADD_MESSAGES,
    &ADD_EVENTS,
    &SET_HEADS,
    &SET_CONVERSATIONS,
    &SET_LISTS,
];

/// What each message of a batch came to; one bad message does not spoil the others.
pub(in crate::store) type Outcomes = Vec<Result<Sent, StoreError>>;

/// Stores a batch of messages with different keys in one durable transaction.
pub(in crate::store) async fn store_batch(db: &Db, attempt: Attempt, batch: &[&NewMessage]) -> Result<Outcomes, Fault> {
    let mut c = db.writer(attempt).await?;
    let users: Vec<UserId> = batch.iter().flat_map(|m| [m.sender, m.recipient]).collect();
    let heads: HashMap<UserId, i64> = lock_heads(&mut c, &users).await?.into_iter().collect();
    let known = by_key(&mut c, batch).await?;

    let mut plan = Plan::new(heads);
    let mut answers: Vec<Option<Result<Sent, StoreError>>> = Vec::with_capacity(batch.len());
    let mut fresh = Vec::new();
    for new in batch {
        answers.push(match known.get(&(new.sender, new.key.as_str().to_owned())) {
            Some((message, fingerprint)) if fingerprint[..] == new.fingerprint() => {
                // Told once more: the process that stored it may have ended before it could tell anybody.
                Some(Ok(Sent { message: message.clone(), created: false, reached: plan.reached(new) }))
            }
            Some(_) => Some(Err(StoreError::Conflict(Rule::ClientId))),
            None if !plan.knows(new) => Some(Err(StoreError::NotFound)),
            None => {
                fresh.push(*new);
                None
            }
        });
    }
    if !fresh.is_empty() {
        plan.load_conversations(&mut c, &fresh).await?;
        fresh.iter().for_each(|new| plan.add(new));
        plan.write(&mut c, &fresh).await?;
    }
    let mut stored = by_key(&mut c, &fresh).await?;
    c.commit().await?;

    let mut answer = |(new, answer): (&&NewMessage, Option<_>)| {
        answer.unwrap_or_else(|| {
            let (message, _) = stored
                .remove(&(new.sender, new.key.as_str().to_owned()))
                .ok_or_else(|| StoreError::Internal("a stored message is not there".to_owned()))?;
            Ok(Sent { message, created: true, reached: plan.reached(new) })
        })
    };
    Ok(batch.iter().zip(answers).map(&mut answer).collect())
}

/// Stores messages of the past without telling anybody: no log rows. For `test-data` and imports.
pub(super) async fn store_history(db: &Db, attempt: Attempt, history: &[&NewMessage]) -> Result<(), Fault> {
    let mut c = db.writer(attempt).await?;
    let users: Vec<UserId> = history.iter().flat_map(|m| [m.sender, m.recipient]).collect();
    let mut plan = Plan::new(lock_heads(&mut c, &users).await?.into_iter().collect());
    if !history.iter().all(|new| plan.knows(new)) {
        return Err(StoreError::NotFound.into());
    }
    plan.load_conversations(&mut c, history).await?;
    history.iter().for_each(|new| plan.number(new));
    plan.write(&mut c, history).await?;
    c.commit().await
}

type Known = HashMap<(UserId, String), (Message, Vec<u8>)>;

async fn by_key(c: &mut Connection<'_>, batch: &[&NewMessage]) -> Result<Known, Fault> {
    if batch.is_empty() {
        return Ok(Known::new());
    }
    let keys: Vec<Value<'_>> = batch.iter().flat_map(|m| [m.sender.into(), m.key.as_str().into()]).collect();
    let rows = c.rows_many(&BY_KEY, 2, &keys).await?;
    if rows.is_empty() {
        return Ok(Known::new());
    }
    let names = names(c, batch).await?;
    let name = |user: UserId| names.get(&user).cloned().unwrap_or_default();
    let read = rows.into_iter().map(|mut row| {
        let message = message(&mut row)?;
        let (sender_name, recipient_name) = (name(message.sender), name(message.recipient));
        let message = Message { sender_name, recipient_name, ..message };
        let (fingerprint, key) = (row.bytes()?, row.text()?);
        Ok(((message.sender, key), (message, fingerprint)))
    });
    read.collect()
}

async fn names(c: &mut Connection<'_>, batch: &[&NewMessage]) -> Result<HashMap<UserId, String>, Fault> {
    let people: BTreeSet<UserId> = batch.iter().flat_map(|m| [m.sender, m.recipient]).collect();
    let keys: Vec<Value<'_>> = people.into_iter().map(Value::Int).collect();
    let rows = c.rows_many(&NAMES, 1, &keys).await?;
    rows.into_iter().map(|mut row| Ok((row.int()?, row.text()?))).collect()
}

struct Pair {
    id: ConversationId,
    last_seq: i64,
    last_timestamp: i64,
    low_sent: i64,
}

/// The numbers that a batch gives out, and what it will write.
struct Plan {
    heads: HashMap<UserId, i64>,
    pairs: HashMap<(UserId, UserId), Pair>,
    tags: HashMap<UserId, i64>,
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
    fn new(heads: HashMap<UserId, i64>) -> Self {
        Self { heads, pairs: HashMap::new(), tags: HashMap::new(), messages: Vec::new(), events: Vec::new() }
    }

    fn knows(&self, new: &NewMessage) -> bool {
        self.heads.contains_key(&new.sender) && self.heads.contains_key(&new.recipient)
    }

    /// Finds the conversations of the batch, and makes those that are not there yet.
    async fn load_conversations(&mut self, c: &mut Connection<'_>, fresh: &[&NewMessage]) -> Result<(), Fault> {
        let wanted: BTreeSet<_> = fresh.iter().map(|new| new.pair()).collect();
        let keys: Vec<Value<'_>> = wanted.iter().flat_map(|(low, high)| [(*low).into(), (*high).into()]).collect();
        for mut row in c.rows_many(&CONVERSATIONS, 2, &keys).await? {
            let id = row.int()?;
            let pair = (row.int()?, row.int()?);
            let (last_seq, last_timestamp, low_sent) = (row.int()?, row.int()?, row.int()?);
            self.pairs.insert(pair, Pair { id, last_seq, last_timestamp, low_sent });
        }
        for (low, high) in wanted {
            if let std::collections::hash_map::Entry::Vacant(e) = self.pairs.entry((low, high)) {
                let id = c.execute(ADD_CONVERSATION, &[low.into(), high.into(), i64::MIN.into()]).await?.last_id;
                e.insert(Pair { id, last_seq: 0, last_timestamp: i64::MIN, low_sent: 0 });
            }
        }
        Ok(())
    }

    /// Gives the message its number and its time.
    fn number(&mut self, new: &NewMessage) {
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
    fn add(&mut self, new: &NewMessage) {
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

    async fn write(&self, c: &mut Connection<'_>, fresh: &[&NewMessage]) -> Result<(), Fault> {
        let prints: Vec<_> = fresh.iter().map(|new| new.fingerprint()).collect();
        let mut args: Vec<Value<'_>> = Vec::with_capacity(fresh.len() * MESSAGE_WIDTH);
        for ((new, n), print) in fresh.iter().zip(&self.messages).zip(&prints) {
            args.extend([n.conversation, n.seq, new.sender, new.recipient, n.sent_at, n.low_sent].map(Value::Int));
            args.push(new.key.as_str().into());
            args.push(matches!(new.key, SendKey::Own(_)).into());
            args.push(Value::Bytes(print));
            args.push(new.body.as_str().into());
        }
        c.execute_many(&ADD_MESSAGES, MESSAGE_WIDTH, &args).await?;

        let args: Vec<_> = self.events.iter().flatten().copied().map(Value::Int).collect();
        c.execute_many(&ADD_EVENTS, EVENT_WIDTH, &args).await?;

        let mut users: Vec<_> = self.tags.iter().collect();
        users.sort_unstable();
        let heads = users.iter().filter_map(|(user, tag)| Some([**user, *self.heads.get(user)?, **tag])).flatten();
        c.execute_many(&SET_HEADS, 3, &heads.map(Value::Int).collect::<Vec<_>>()).await?;

        let mut pairs: Vec<_> = self.pairs.iter().collect();
        pairs.sort_unstable_by_key(|(_, pair)| pair.id);
        let rows = pairs
            .iter()
            .flat_map(|((low, high), pair)| [pair.id, *low, *high, pair.last_seq, pair.last_timestamp, pair.low_sent]);
        c.execute_many(&SET_CONVERSATIONS, 6, &rows.map(Value::Int).collect::<Vec<_>>()).await?;

        let rows = pairs.iter().flat_map(|((low, high), pair)| list_rows(*low, *high, pair));
        c.execute_many(&SET_LISTS, 7, &rows.flatten().map(Value::Int).collect::<Vec<_>>()).await
    }

    fn reached(&self, new: &NewMessage) -> Vec<(UserId, i64)> {
        let people = BTreeSet::from([new.sender, new.recipient]);
        people.into_iter().filter_map(|user| Some((user, *self.heads.get(&user)?))).collect()
    }
}

/// The list rows of a pair: two, or one for notes to oneself.
fn list_rows(low: UserId, high: UserId, pair: &Pair) -> Vec<[i64; 7]> {
    let row = |user, peer, peer_sent, read| [user, pair.id, peer, pair.last_seq, pair.last_timestamp, peer_sent, read];
    if low == high {
        vec![row(low, low, 0, pair.last_seq)]
    } else {
        vec![row(low, high, pair.last_seq - pair.low_sent, 0), row(high, low, pair.low_sent, 0)]
    }
}
