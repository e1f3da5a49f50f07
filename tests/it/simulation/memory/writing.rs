//! Transactions that write messages and read marks.

use std::collections::BTreeMap;
use std::sync::Arc;

use chatd::domain::{ConversationId, Message, NewMessage, Position, SendKey, Sent, Seq, Timestamp, UserId};
use chatd::store::{Rule, StoreError};

use super::MemoryStore;
use super::tables::{Changes, ListRow, LogRow, Pair, Stored, Tables};
use super::transaction::{Fault, Transaction};
use crate::simulation::bugs::Bug;

const MESSAGE_CREATED: i64 = 1;
/// How often the server tries by itself.
const TRIES: usize = 3;

type Heads = BTreeMap<UserId, Position>;

impl MemoryStore {
    /// Tries a few times, as the server does, and says what came of it.
    pub(super) async fn store(&self, new: &NewMessage) -> Result<Sent, StoreError> {
        // A store without its unique keys looks first, so that what is found is the mistake that is meant.
        let (mut in_doubt, mut looked_up) = (false, self.has_no_keys());
        let mut tries = 0;
        loop {
            let fault = match self.store_once(new, looked_up).await {
                Ok(sent) => return Ok(Sent { created: sent.created || in_doubt, ..sent }),
                Err(fault) => fault,
            };
            tries += 1;
            looked_up = true;
            in_doubt |= matches!(fault, Fault::LostInCommit);
            let gives_up = tries >= TRIES || self.database.sim.goes_wrong(2);
            match fault {
                Fault::Answer(e) => return Err(e),
                // Known at once to be a repetition, or to have been overtaken: the next try looks first.
                Fault::Duplicate => {}
                Fault::Lost | Fault::LostInCommit if !gives_up => {}
                fault if in_doubt && self.has(Bug::UnknownToldAsUnavailable) => {
                    drop(fault);
                    return Err(Fault::Lost.into_error());
                }
                _ if in_doubt => return Err(Fault::LostInCommit.into_error()),
                fault => return Err(fault.into_error()),
            }
            self.database.sim.pause().await;
        }
    }

    fn has_no_keys(&self) -> bool {
        let without = [Bug::NoUniqueKey, Bug::PositionBeforeLock, Bug::NumberBeforeLock, Bug::LogOfAStranger];
        without.iter().any(|bug| self.has(*bug))
    }

    async fn store_once(&self, new: &NewMessage, looked_up: bool) -> Result<Sent, Fault> {
        let mut users = vec![new.sender, new.recipient];
        users.dedup();
        let transaction = self.database.begin().await?;
        let early_heads = transaction.look(|tables| heads_of(tables, &users))?;
        let early_pair = transaction.look(|tables| tables.pairs.get(&new.pair()).cloned())?;
        let mut heads = transaction.lock_heads(&users).await?;
        self.database.sim.pause().await;
        if looked_up
            && !self.has(Bug::NoUniqueKey)
            && let Some(stored) = transaction.look(|tables| by_key(tables, new))?
        {
            return self.repetition(new, &stored, &heads);
        }
        if heads.len() < users.len() {
            return Err(StoreError::NotFound.into());
        }
        if self.has(Bug::PositionBeforeLock) {
            heads = early_heads;
        }
        let pair = match early_pair.filter(|_| self.has(Bug::NumberBeforeLock)) {
            Some(pair) => Some(pair),
            None if self.has(Bug::NumberOutOfSequence) => transaction.out_of_sequence(new.pair()),
            None => transaction.look(|tables| tables.pairs.get(&new.pair()).cloned())?,
        };
        let pair = match pair {
            Some(pair) => pair,
            None => Pair {
                id: transaction.take(|tables| {
                    tables.last_conversation += 1;
                    tables.last_conversation
                })?,
                last_seq: 0,
                last_timestamp: i64::MIN,
                low_sent: 0,
            },
        };
        self.database.sim.pause().await;
        let (changes, sent) = self.number(&transaction, new, pair, &heads)?;
        self.finish(transaction, changes, sent).await
    }

    fn repetition(&self, new: &NewMessage, stored: &Stored, heads: &Heads) -> Result<Sent, Fault> {
        if stored.fingerprint != new.fingerprint() && !self.has(Bug::ContentNotCompared) {
            return Err(StoreError::Conflict(Rule::ClientId).into());
        }
        let reached = heads.iter().map(|(user, head)| (*user, head.pos)).collect();
        Ok(Sent { message: stored.message.clone(), created: false, reached })
    }

    /// Everything that the transaction writes, numbered under its locks.
    fn number(
        &self,
        transaction: &Transaction,
        new: &NewMessage,
        mut pair: Pair,
        heads: &Heads,
    ) -> Result<(Changes, Sent), Fault> {
        let (low, high) = new.pair();
        pair.last_seq += 1;
        pair.last_timestamp = new.now.0.max(pair.last_timestamp.saturating_add(1));
        pair.low_sent += i64::from(new.sender == low || self.has(Bug::UnreadCountsAll));
        let id = transaction.take(|tables| {
            tables.last_message += 1;
            tables.last_message
        })?;
        let message = transaction.look(|tables| message(tables, new, &pair, id))?;
        let mut changes = Changes::default();
        changes.messages.push(Arc::new(Stored {
            message: message.clone(),
            key: new.key.as_str().to_owned(),
            fingerprint: new.fingerprint(),
            low_sent: pair.low_sent,
        }));
        changes.lists = transaction.look(|tables| list_rows(tables, low, high, &pair))?;
        let row =
            |tag| LogRow { tag, kind: MESSAGE_CREATED, conversation: pair.id, seq: pair.last_seq, created_at: new.now };
        self.log_to(&mut changes, heads, row);
        if self.has(Bug::LogOfAStranger) {
            let others = transaction.look(|tables| {
                let others = tables.heads.iter().filter(|(user, _)| !heads.contains_key(user));
                others.map(|(user, head)| (*user, *head)).take(1).collect::<Heads>()
            })?;
            self.log_to(&mut changes, &others, row);
        }
        let reached = heads.iter().map(|(user, head)| (*user, head.pos + 1)).collect();
        changes.pairs.push(((low, high), pair));
        Ok((changes, Sent { message, created: true, reached }))
    }

    pub(super) fn log_to(&self, changes: &mut Changes, heads: &Heads, row: impl Fn(i64) -> LogRow) {
        for (user, head) in heads {
            let at = Position { pos: head.pos + 1, tag: self.tag() };
            changes.log.push(((*user, at.pos), row(at.tag)));
            changes.heads.push((*user, at));
        }
    }

    async fn finish(&self, transaction: Transaction, changes: Changes, sent: Sent) -> Result<Sent, Fault> {
        let sim = self.database.sim.clone();
        if !self.has_no_keys() && transaction.look(|tables| tables.refuses(&changes))? {
            return Err(Fault::Duplicate);
        }
        if self.has(Bug::AnswerBeforeCommit) {
            sim.start(0, async move { drop(transaction.commit(changes).await) });
            return Ok(sent);
        }
        if self.has(Bug::LogOutsideTransaction) {
            let mut early = changes;
            let (heads, log) = (std::mem::take(&mut early.heads), std::mem::take(&mut early.log));
            transaction.apply_at_once(early)?;
            transaction.commit(Changes { heads, log, ..Changes::default() }).await?;
            return Ok(sent);
        }
        transaction.commit(changes).await?;
        Ok(sent)
    }
}

impl From<StoreError> for Fault {
    fn from(e: StoreError) -> Self {
        Self::Answer(e)
    }
}

fn heads_of(tables: &Tables, users: &[UserId]) -> Heads {
    users.iter().filter_map(|user| Some((*user, *tables.heads.get(user)?))).collect()
}

fn by_key(tables: &Tables, new: &NewMessage) -> Option<Arc<Stored>> {
    let at = tables.by_key.get(&(new.sender, new.key.as_str().to_owned()))?;
    tables.messages.get(at).cloned()
}

fn message(tables: &Tables, new: &NewMessage, pair: &Pair, id: i64) -> Message {
    Message {
        id,
        conversation: pair.id,
        seq: pair.last_seq,
        sender: new.sender,
        sender_name: tables.username(new.sender),
        recipient: new.recipient,
        recipient_name: tables.username(new.recipient),
        timestamp: Timestamp(pair.last_timestamp),
        body: new.body.as_str().to_owned(),
        client_id: match &new.key {
            SendKey::Own(key) => Some(key.as_str().to_owned()),
            SendKey::Made(_) => None,
        },
        version: 1,
        edited_at: None,
        deleted_at: None,
        reply_to: new.reply_to,
    }
}

/// The list rows of a pair: two, or one for notes to oneself, where everything is read.
fn list_rows(tables: &Tables, low: UserId, high: UserId, pair: &Pair) -> Vec<((UserId, ConversationId), ListRow)> {
    let row = |user, peer, peer_sent, read_at_least: Seq| {
        let before = tables.lists.get(&(user, pair.id));
        let row = ListRow {
            peer,
            last_seq: pair.last_seq,
            last_activity: Timestamp(pair.last_timestamp),
            peer_sent,
            read_seq: before.map_or(0, |row| row.read_seq).max(read_at_least),
            peer_sent_read: before.map_or(0, |row| row.peer_sent_read),
            delivered_seq: before.map_or(0, |row| row.delivered_seq),
        };
        ((user, pair.id), row)
    };
    if low == high {
        vec![row(low, low, 0, pair.last_seq)]
    } else {
        vec![row(low, high, pair.last_seq - pair.low_sent, 0), row(high, low, pair.low_sent, 0)]
    }
}
