//! What happened, as an observer outside of the world notes it: sends and what became of them, and what has been seen
//! and may never change again.

use std::collections::BTreeMap;

use chatd::domain::{ConversationId, Message, MessageId, Position, Seq, UserId};

use super::scheduler::{Sim, lock};
use super::world::World;

/// A message that somebody wants sent; its number is in its body.
#[derive(Clone, Debug)]
pub struct Op {
    pub sender: UserId,
    pub recipient: UserId,
    pub recipient_name: String,
    /// The client_id, unless the client gives none.
    pub key: Option<String>,
    /// The step at which it was first tried, and the one at which it was acknowledged.
    pub invoked: u64,
    pub acknowledged: Option<Acknowledged>,
    /// Whether no try may have taken effect: all of them definitely failed.
    pub failed: bool,
}

#[derive(Clone, Copy, Debug)]
pub struct Acknowledged {
    pub step: u64,
    pub id: MessageId,
    pub seq: Seq,
    pub conversation: ConversationId,
    pub lineage: u64,
}

impl Op {
    pub fn body(number: usize) -> String {
        format!("op {number}")
    }

    /// What its sender makes of it later.
    pub fn edited(number: usize, edit: u64) -> String {
        format!("op {number}, edit {edit}")
    }

    /// Which op this body is of, as sent or as edited.
    fn of_body(body: &str) -> Option<usize> {
        body.strip_prefix("op ")?.split(',').next()?.parse().ok()
    }
}

/// What a user has been shown by lists, on any process: nothing later may show less.
#[derive(Clone, Debug, Default)]
pub struct Floor {
    pub head: i64,
    pub last_seq: BTreeMap<ConversationId, Seq>,
    pub read_seq: BTreeMap<ConversationId, Seq>,
}

impl Floor {
    pub fn raise(of: &mut BTreeMap<ConversationId, Seq>, conversation: ConversationId, seq: Seq) {
        let floor = of.entry(conversation).or_default();
        *floor = seq.max(*floor);
    }
}

/// All of it.
#[derive(Default)]
pub struct Record {
    pub ops: Vec<Op>,
    pub floors: BTreeMap<(u64, UserId), Floor>,
    /// The newest acknowledged version of messages that were changed.
    pub changed: BTreeMap<MessageId, Message>,
    seen: BTreeMap<(u64, ConversationId, Seq, i64), Message>,
    rows: BTreeMap<(u64, UserId, i64), i64>,
}

impl Record {
    /// Which op stored this message; none for one that should never have been stored. A deleted one says nothing any
    /// more, and nothing is deleted whose number was not acknowledged, or where the database is put back.
    pub fn op_of(&self, message: &Message) -> Option<usize> {
        if message.deleted_at.is_none() {
            return Op::of_body(&message.body);
        }
        self.ops.iter().position(|op| op.acknowledged.is_some_and(|acknowledged| acknowledged.id == message.id))
    }
}

impl World {
    /// A message was shown to `user`.
    pub fn saw(&self, lineage: u64, user: UserId, message: &Message) {
        let concerns = [message.sender, message.recipient].contains(&user);
        self.must(concerns, || format!("I14 privacy: user {user} was shown {message:?}"));
        let key = (lineage, message.conversation, message.seq, message.version);
        let mut record = lock(&self.record);
        let first = record.seen.entry(key).or_insert_with(|| message.clone());
        let same = first == message;
        let text = if same { String::new() } else { format!("I7 immutable: {first:?} became {message:?}") };
        drop(record);
        self.must(same, || text);
    }

    /// A row of a log was shown.
    pub fn saw_row(&self, lineage: u64, user: UserId, at: Position) {
        let first = *lock(&self.record).rows.entry((lineage, user, at.pos)).or_insert(at.tag);
        self.must(first == at.tag, || format!("I8 stable cursor: another event at {} of user {user}", at.pos));
    }

    pub fn floor(&self, lineage: u64, user: UserId) -> Floor {
        lock(&self.record).floors.get(&(lineage, user)).cloned().unwrap_or_default()
    }

    pub fn raise_floor(&self, lineage: u64, user: UserId, by: impl FnOnce(&mut Floor)) {
        by(lock(&self.record).floors.entry((lineage, user)).or_default());
    }

    /// Whether the message of this op was stored once and lost when the database was put back.
    pub fn was_taken_back(&self, op: &Op) -> bool {
        let inner = lock(&self.database.inner);
        match &op.key {
            Some(key) => inner.taken_back.contains(&(op.sender, key.clone())),
            // Its key is the server's secret.
            None => !inner.taken_back.is_empty(),
        }
    }
}

/// A name for a seed's own use: the same each time.
pub fn key(sim: &Sim, op: usize) -> String {
    format!("k{op}-{}", sim.below(1_000_000))
}
