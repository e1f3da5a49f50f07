//! Storing messages: the heart of the delivery core.
//!
//! A batch is one transaction. It locks the heads of everybody it touches in one ascending pass, reads what it needs
//! under those locks, numbers everything in memory ([`Plan`]), and writes each table with as few statements as it can.
//! Who holds a pair's heads is alone with the pair's conversation, so the numbers are exact on any number of
//! processes; the unique keys stand behind that. A head that another process holds is passed over, and its people's
//! messages are put off: one that is held for long holds up nobody else.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::plan::Plan;
use super::{Fault, Repeat, Row, StoreError, contacts, lock_heads, lock_heads_by, message};
use crate::domain::{Message, MessageId, NewMessage, Sent, UserId, WhoMayWrite};
use crate::faults::{self, Point};
use crate::store::db::{Connection, Db, Value};
use crate::store::error::{Rule, is_unknown_syntax};
use crate::store::retry::Attempt;

pub(super) const LOCK_HEADS: Repeat = Repeat {
    head: "SELECT user_id, pos FROM user_heads WHERE user_id IN (",
    row: "?",
    between: ", ",
    tail: ") ORDER BY user_id FOR UPDATE",
};
/// Locks those that nobody else holds, and returns those alone.
const LOCK_FREE_HEADS: Repeat = Repeat { tail: ") ORDER BY user_id FOR UPDATE SKIP LOCKED", ..LOCK_HEADS };
/// The columns of a message, its people's names left empty: joined to them, MariaDB starts at the people and reads
/// every message of theirs.
const BY_KEY: Repeat = Repeat {
    head: "SELECT id, conversation_id, seq, sender_id, '', recipient_id, '', sent_at, body, client_key, own_key, \
        version, edited_at, deleted_at, reply_seq, fingerprint, client_key FROM messages WHERE ",
    row: "(sender_id = ? AND client_key = ?)",
    between: " OR ",
    tail: "",
};
const PEOPLE: Repeat = Repeat {
    head: "SELECT id, username, who_may_write, blocks FROM users WHERE id IN (",
    row: "?",
    between: ", ",
    tail: ")",
};
/// InnoDB shows what a transaction wrote, and gives its locks back, before its log is on the disk. A repeat that finds a
/// message is only as durable as that message once something written after it is committed durably: this.
const REPEATED: &str = "INSERT INTO meta (name, value) VALUES ('last_repeat', ?) \
    ON CONFLICT (name) DO UPDATE SET value = excluded.value";
pub(super) const ALL: &[&str] = &[REPEATED];
pub(super) const REPEATS: &[&Repeat] = &[&LOCK_HEADS, &LOCK_FREE_HEADS, &BY_KEY, &PEOPLE];

/// What a message of a batch came to; one bad message does not spoil the others.
pub(in crate::store) enum Outcome {
    Done(Result<Sent, StoreError>),
    /// Another process holds the head of one of its people. Nothing of it was applied.
    PutOff,
    /// The connection was lost in COMMIT. `id` is the message that this transaction stored, if it was applied; none: it
    /// was there before.
    InDoubt {
        id: Option<MessageId>,
        why: String,
    },
}

impl Outcome {
    /// What is left of it when the COMMIT was lost. That nothing is stored stays certain.
    fn in_doubt(self, why: &str) -> Self {
        match self {
            Self::Done(Ok(sent)) => Self::InDoubt { id: sent.created.then_some(sent.message.id), why: why.to_owned() },
            certain => certain,
        }
    }
}

/// What is taken of the keys of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Keys {
    /// To be new, as nearly all are: one that is not ends the transaction with [`Fault::Duplicate`].
    New,
    /// Any may be there already: they are looked up first.
    LookedUp,
}

/// Stores a batch of messages with different keys in one durable transaction, those aside that have to wait for
/// somebody. The outcomes are in the order of the batch.
pub(in crate::store) async fn store_batch(
    db: &Db,
    attempt: Attempt,
    batch: &[&NewMessage],
    keys: Keys,
) -> Result<Vec<Outcome>, Fault> {
    let mut c = db.writer(attempt).await?;
    let users: Vec<UserId> = batch.iter().flat_map(|m| [m.sender, m.recipient]).collect();
    let mut plan = Plan::new(lock_free_heads(&mut c, &users).await?.into_iter().collect());
    let people = people(&mut c, &users).await?;
    let mut known = match keys {
        Keys::New => Known::new(),
        Keys::LookedUp => by_key(&mut c, batch, &people).await?,
    };
    let fresh: Vec<_> = batch.iter().copied().filter(|new| !known.contains_key(&key(new)) && plan.knows(new)).collect();
    plan.find_conversations(&mut c, &fresh).await?;
    let refused = refused(&mut c, &plan, &people, &fresh).await?;
    if !refused.is_empty() && keys == Keys::New {
        // What was acknowledged before it was refused stays acknowledged.
        let again: Vec<_> =
            fresh.iter().copied().filter(|new| refused.contains(&(new.sender, new.recipient))).collect();
        known = by_key(&mut c, &again, &people).await?;
    }
    let mut answers: Vec<Option<Outcome>> = Vec::with_capacity(batch.len());
    let mut fresh = Vec::new();
    for new in batch {
        answers.push(match known.get(&key(new)) {
            Some((message, fingerprint)) if fingerprint[..] == new.fingerprint() => {
                // Told once more: the process that stored it may have ended before it could tell anybody.
                let reached = plan.reached(new);
                Some(Outcome::Done(Ok(Sent { message: message.clone(), created: false, reached })))
            }
            Some(_) => Some(Outcome::Done(Err(StoreError::Conflict(Rule::ClientId)))),
            None if refused.contains(&(new.sender, new.recipient)) => Some(Outcome::Done(Err(StoreError::Refused))),
            None if plan.knows(new) => {
                fresh.push(*new);
                None
            }
            // Everybody has a head: it was passed over.
            None if [new.sender, new.recipient].iter().all(|user| people.contains_key(user)) => Some(Outcome::PutOff),
            None => Some(Outcome::Done(Err(StoreError::NotFound))),
        });
    }
    plan.make_conversations(&mut c, &fresh).await?;
    plan.ask_first(
        people.iter().filter(|(_, person)| person.may_write == WhoMayWrite::Requests).map(|(user, _)| *user),
    );
    fresh.iter().for_each(|new| plan.add(new));
    faults::passed(Point::BeforeInsert);
    plan.write(&mut c, &fresh).await?;
    faults::passed(Point::AfterInsert);
    if fresh.is_empty() && !known.is_empty() {
        c.execute(REPEATED, &[rand::random::<u32>().to_string().as_str().into()]).await?;
    }
    let mut stored = plan.stored(&mut c, &fresh, &people).await?.into_iter();
    faults::passed(Point::BeforeCommit);
    let lost = match c.commit().await {
        Ok(()) => {
            faults::passed(Point::AfterCommit);
            None
        }
        Err(Fault::LostInCommit(e)) => Some(e.to_string()),
        Err(fault) => return Err(fault),
    };

    let outcomes = batch.iter().zip(answers).map(|(new, answer)| {
        answer.unwrap_or_else(|| {
            let message = stored.next().ok_or_else(|| StoreError::Internal("a message has no number".to_owned()));
            Outcome::Done(message.map(|message| Sent { message, created: true, reached: plan.reached(new) }))
        })
    });
    Ok(match lost {
        None => outcomes.collect(),
        Some(why) => outcomes.map(|outcome| outcome.in_doubt(&why)).collect(),
    })
}

/// Stores messages of the past without telling anybody: no log rows. For `test-data` and imports.
pub(super) async fn store_history(db: &Db, attempt: Attempt, history: &[&NewMessage]) -> Result<(), Fault> {
    let mut c = db.writer(attempt).await?;
    let users: Vec<UserId> = history.iter().flat_map(|m| [m.sender, m.recipient]).collect();
    let mut plan = Plan::new(lock_heads(&mut c, &users).await?.into_iter().collect());
    if !history.iter().all(|new| plan.knows(new)) {
        return Err(StoreError::NotFound.into());
    }
    plan.find_conversations(&mut c, history).await?;
    plan.make_conversations(&mut c, history).await?;
    history.iter().for_each(|new| plan.number(new));
    plan.write(&mut c, history).await?;
    c.commit().await
}

/// Locks the heads of these users that nobody else holds, and returns their positions. Where the server cannot pass
/// over a lock, it waits for it.
async fn lock_free_heads(c: &mut Connection<'_>, users: &[UserId]) -> Result<Vec<(UserId, i64)>, Fault> {
    if c.can_skip_locked() {
        match lock_heads_by(c, &LOCK_FREE_HEADS, users).await {
            Err(Fault::Broken(e)) if is_unknown_syntax(&e) => c.cannot_skip_locked(&e),
            locked => return locked,
        }
    }
    lock_heads(c, users).await
}

/// Somebody of a batch.
pub(super) struct Person {
    pub(super) name: String,
    may_write: WhoMayWrite,
    blocks_somebody: bool,
}

type People = HashMap<UserId, Person>;

/// The pairs of a sender and a recipient, of these messages, of whom the second does not hear from the first. Nobody who
/// takes everything costs a statement.
async fn refused(
    c: &mut Connection<'_>,
    plan: &Plan,
    people: &People,
    fresh: &[&NewMessage],
) -> Result<HashSet<(UserId, UserId)>, Fault> {
    let (mut refused, mut maybe) = (HashSet::new(), Vec::new());
    for new in fresh.iter().filter(|new| new.sender != new.recipient) {
        let Some(recipient) = people.get(&new.recipient) else { continue };
        let (has_conversation, has_written) = plan.known_to_recipient(new);
        let may = match recipient.may_write {
            WhoMayWrite::Everyone | WhoMayWrite::Requests => true,
            WhoMayWrite::Contacts => has_written,
            WhoMayWrite::Nobody => has_conversation,
        };
        if !may {
            refused.insert((new.sender, new.recipient));
        } else if recipient.blocks_somebody {
            maybe.push((new.recipient, new.sender));
        }
    }
    refused.extend(contacts::among(c, &maybe).await?.into_iter().map(|(user, blocked)| (blocked, user)));
    Ok(refused)
}

type Known = HashMap<(UserId, String), (Message, Vec<u8>)>;

/// The key under which a send is known.
fn key(new: &NewMessage) -> (UserId, String) {
    (new.sender, new.key.as_str().to_owned())
}

/// What the keys of these messages stored before, with its fingerprint.
async fn by_key(c: &mut Connection<'_>, batch: &[&NewMessage], people: &People) -> Result<Known, Fault> {
    let keys: Vec<Value<'_>> = batch.iter().flat_map(|m| [m.sender.into(), m.key.as_str().into()]).collect();
    let rows = c.rows_many(&BY_KEY, 2, &keys).await?;
    let mut known = Known::new();
    let mut others = Vec::new();
    for mut row in rows {
        let message = message(&mut row)?;
        let (fingerprint, key) = (row.bytes()?, row.text()?);
        // With other content it may have gone to somebody outside of this batch.
        others.extend(Some(message.recipient).filter(|user| !people.contains_key(user)));
        known.insert((message.sender, key), (message, fingerprint));
    }
    let more = self::people(c, &others).await?;
    let name = |user| people.get(&user).or_else(|| more.get(&user)).map(|person| person.name.clone());
    for (message, _) in known.values_mut() {
        message.sender_name = name(message.sender).unwrap_or_default();
        message.recipient_name = name(message.recipient).unwrap_or_default();
    }
    Ok(known)
}

async fn people(c: &mut Connection<'_>, users: &[UserId]) -> Result<People, Fault> {
    let users: BTreeSet<UserId> = users.iter().copied().collect();
    let keys: Vec<Value<'_>> = users.into_iter().map(Value::Int).collect();
    let rows = c.rows_many(&PEOPLE, 1, &keys).await?;
    let person = |mut row: Row| {
        let user = row.int()?;
        let name = row.text()?;
        let may_write = WhoMayWrite::stored(row.int()?);
        Ok((user, Person { name, may_write, blocks_somebody: row.int()? > 0 }))
    };
    rows.into_iter().map(person).collect()
}
